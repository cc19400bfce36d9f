"""One GET over http(s): redirects that may be followed, the user's proxies, a deadline for silence.

The standard library's urllib serves here: one request at a time, streamed, proxies from the usual variables, the
system's certificates; anything larger would be a dependency for nothing. Its redirect handler is not used: it follows
to http from https, and reads a redirect's body to an end that may never come.
"""

from __future__ import annotations

import email.message
import http.client
import os
import re
import socket
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from types import TracebackType

from converter.common.errors import FetchError, Problem
from converter.common.version import __version__
from converter.fetch.pace import HEAD_BYTES, Dripping, PacedHTTPHandler, PacedHTTPSHandler, PacedResponse
from converter.fetch.url import Address, follow

#: Answers after which it may work later, whoever asks: a download, the Hub's client, a push.
PASSING = (408, 425, 429, 500, 502, 503, 504)
_MOST_REDIRECTS = 10
_REDIRECTS = (301, 302, 303, 307, 308)
_SILENCE = (TimeoutError, socket.timeout)  # Two classes before Python 3.10.
_SHA256 = re.compile(r'(?:W/)?"?([0-9a-f]{64})"?')


class Interrupted(Exception):
    """A failure that may pass: a cut, a stall, a busy server. `wait`: seconds that the server asks for."""

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.wait = wait


def silence_limit() -> float:
    """Seconds without a byte after which a connection counts as stalled."""
    try:
        return max(0.1, float(os.environ.get("HF_HUB_DOWNLOAD_TIMEOUT", "")))
    except ValueError:
        return 10.0


@dataclass
class Reply:
    """An answer whose body has not been read. `sha256`: the sum that a Hub gave on the way, if one did."""

    status: int
    headers: email.message.Message
    address: Address
    response: http.client.HTTPResponse
    sha256: str | None = None

    def __enter__(self) -> Reply:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.response.close()

    def read(self, most: int) -> bytes:
        """What has come, at most `most` bytes; empty at the end. Raises Interrupted."""
        if isinstance(self.response, PacedResponse):
            self.response.pace.allow(most + HEAD_BYTES)  # with the lines between chunks, and what follows the last
        try:
            return self.response.read1(most)
        except _SILENCE:
            raise Interrupted(f"nothing came for {silence_limit():g} seconds") from None
        except Dripping as error:
            raise Interrupted(str(error)) from None
        except (OSError, http.client.HTTPException) as error:
            raise Interrupted(f"the connection broke ({_reason(error)})") from None

    @property
    def length(self) -> int | None:
        """Content-Length, or None when it is not told. Raises FetchError when it is no number."""
        text = self.headers.get("Content-Length")
        if text is None or self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return None
        if not re.fullmatch(r"[0-9]{1,18}", text.strip()):
            raise FetchError(Problem("E704", f"{self.address.shown}: Content-Length is {text[:40]!r}, no length"))
        return int(text)

    def retry_after(self) -> float:
        """Seconds that the server asks to wait, 0 when it does not say."""
        text = self.headers.get("Retry-After", "").strip()
        if re.fullmatch(r"[0-9]{1,9}", text):
            return float(text)
        try:
            then, now = parsedate_to_datetime(text), parsedate_to_datetime(self.headers.get("Date", ""))
            return max(0.0, (then - now).total_seconds())
        except (TypeError, ValueError, IndexError):
            return 0.0


def get(address: Address, headers: dict[str, str]) -> Reply:
    """Ask for `address`, follow redirects. Raises Interrupted for what may pass, FetchError for what will not.

    Any status is an answer; the caller judges it.
    """
    opener = _make_opener()
    current, sha256 = address, None
    for _ in range(_MOST_REDIRECTS + 1):
        reply = _ask(opener, current, headers)
        linked = _SHA256.fullmatch(reply.headers.get("X-Linked-Etag", "").strip())
        sha256 = linked[1] if linked else sha256
        if reply.status not in _REDIRECTS:
            reply.sha256 = sha256
            return reply
        with reply:
            location = reply.headers.get("Location")
        if not location:
            raise FetchError(Problem("E707", f"{current.shown} redirects to nowhere (no Location)"))
        current = follow(current, location)
    raise FetchError(Problem("E707", f"{address.shown}: more than {_MOST_REDIRECTS} redirects. Nothing was fetched"))


def _make_opener() -> urllib.request.OpenerDirector:
    """http and https and proxies, and nothing else: no file, no ftp, no redirect, no error turned into an exception."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        PacedHTTPHandler(),
        PacedHTTPSHandler(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener


def _ask(opener: urllib.request.OpenerDirector, address: Address, headers: dict[str, str]) -> Reply:
    request = urllib.request.Request(address.url, headers=headers)
    request.add_header("User-Agent", f"paddle2torch/{__version__}")
    request.add_header("Accept-Encoding", "identity")  # Ranges and sums are of the file, not of a packed form.
    if address.authorization is not None:
        request.add_header("Authorization", address.authorization)
    try:
        response = opener.open(request, timeout=silence_limit())
    except urllib.error.URLError as error:
        raise _failure(address, error.reason) from None
    except (OSError, http.client.HTTPException) as error:
        raise _failure(address, error) from None
    if response is None:
        raise Interrupted("no proxy and no connection takes this address")
    return Reply(response.status, response.headers, address, response)


def _failure(address: Address, reason: object) -> Exception:
    if isinstance(reason, ssl.SSLCertVerificationError):
        why = f"{address.shown}: the server's certificate is not trusted ({reason.verify_message})"
        return FetchError(Problem("E703", f"{why}. A company's own certificate: set SSL_CERT_FILE to it"))
    if isinstance(reason, http.client.InvalidURL):
        return FetchError(Problem("E701", f"{address.shown}: no such address can be asked for"))
    if isinstance(reason, Dripping):
        return Interrupted(str(reason))
    if isinstance(reason, _SILENCE):
        return Interrupted(f"no answer in {silence_limit():g} seconds")
    return Interrupted(f"no connection ({_reason(reason)})")


def _reason(error: object) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return ascii(text)[1:-1][:120]
