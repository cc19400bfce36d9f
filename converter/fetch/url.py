"""Parse an http(s) address: what is requested, what messages may show of it, and the name of its file.

Messages show neither credentials nor the query, which often holds a signature or a token.
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from urllib.parse import quote, unquote, urljoin, urlsplit, urlunsplit

from converter.common.errors import FetchError, Problem, SourceError

#: Suffixes and complete names of weight files. An address of any other file is not fetched.
WEIGHT_SUFFIXES = (".pdparams", ".pdiparams", ".safetensors", ".bin")
WEIGHT_NAMES = ("__params__", "params")
_ALLOWED = "%/:=&?~+!$,;'@()*[]"
_LONGEST_NAME = 120


@dataclass(frozen=True)
class Address:
    """`url`: without credentials and fragment, every character quoted that must be. `shown`: also without the query.

    `authorization`: the header made of the credentials in the address, sent to its host only.
    """

    url: str
    shown: str
    authorization: str | None = field(default=None, repr=False)

    @property
    def scheme(self) -> str:
        return urlsplit(self.url).scheme

    @property
    def host(self) -> tuple[str, str | None, int | None]:
        """Scheme, host and port: credentials are sent to these only."""
        parts = urlsplit(self.url)
        return parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)

    @property
    def key(self) -> str:
        """A short name for a cache folder, different for each address."""
        return hashlib.sha256(self.url.encode()).hexdigest()[:20]


def is_address(text: str) -> bool:
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", text) is not None


def parse_address(text: str) -> Address:
    """Raises FetchError (E701) if the text is no http(s) address. The message does not repeat it: it may hold a
    password."""
    if not text.isprintable() or any(letter.isspace() for letter in text):
        raise _address_error("the address has spaces or control characters")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
        if host:
            host = host.encode("idna").decode() if not host.isascii() else host
    except ValueError:  # A port that is no number, half a bracket, a host that no name can be (UnicodeError too).
        raise _address_error("the address cannot be read: is the host, or the port, right?") from None
    if parts.scheme not in ("http", "https"):
        raise _address_error(f"{quote(parts.scheme) or 'nothing'}:// is not fetched; only http:// and https:// are")
    if not host:
        raise _address_error("the address names no host")
    place = f"[{host}]" if ":" in host else host
    place += f":{port}" if port is not None else ""
    path = quote(parts.path, safe=_ALLOWED) or "/"
    query = quote(parts.query, safe=_ALLOWED)
    return Address(
        urlunsplit((parts.scheme, place, path, query, "")),
        urlunsplit((parts.scheme, place, path, "", "")),
        _basic(parts.username, parts.password),
    )


def _basic(name: str | None, password: str | None) -> str | None:
    if name is None and password is None:
        return None
    pair = f"{unquote(name or '')}:{unquote(password or '')}".encode()
    return "Basic " + base64.b64encode(pair).decode()


def resolve_redirect(address: Address, location: str) -> Address:
    """The address that a redirect leads to. Raises FetchError (E707) if it may not be followed."""
    try:
        target = parse_address(urljoin(address.url, location.strip()))
    except (SourceError, ValueError):
        raise _redirect_error(address, "to something that is no http(s) address") from None
    if address.scheme == "https" and target.scheme == "http":
        raise _redirect_error(address, f"from https to http ({target.shown}): anyone on the way could change the file")
    same = target.host == address.host
    return Address(target.url, target.shown, address.authorization if same else None)


def _redirect_error(address: Address, where: str) -> FetchError:
    return FetchError(Problem("E707", f"{address.shown} redirects {where}. Not followed; nothing was fetched"))


def weight_name(address: Address) -> str:
    """The name under which the file of an address is kept. Raises FetchError (E701) if no weight file has it."""
    path = urlsplit(address.url).path
    name = safe_name(unquote(path.rsplit("/", 1)[-1]))
    if name in WEIGHT_NAMES or (name.endswith(WEIGHT_SUFFIXES) and not name.startswith(".")):
        return name
    hint = ""
    pages = re.fullmatch(r"/([\w.-]+/[\w.-]+)(/tree/[^/]+)?/?", path)
    if pages and "huggingface" in (urlsplit(address.url).hostname or ""):
        hint = f" Do you mean the Hub id {pages[1]}?"
    elif path.endswith((".zip", ".gz", ".tgz", ".tar")):
        hint = " Fetch the archive and unpack it yourself, then name the folder."
    kinds = ", ".join(WEIGHT_SUFFIXES)
    raise _address_error(
        f"{address.shown} does not end in the name of a weight file ({kinds}). Nothing was fetched.{hint}"
    )


def safe_name(text: str) -> str:
    """A plain file name of letters, digits and `._+-`: not hidden, not long, with its suffix."""
    name = re.sub(r"[^A-Za-z0-9._+-]", "_", text).lstrip(".")
    suffix = PurePosixPath(name).suffix
    if len(name) > _LONGEST_NAME:
        name = name[: _LONGEST_NAME - len(suffix)] + suffix if len(suffix) < 20 else name[:_LONGEST_NAME]
    return name


def _address_error(reason: str) -> FetchError:
    return FetchError(Problem("E701", reason))
