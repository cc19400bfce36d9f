"""One GET over http(s), with the redirects that may be followed, the user's proxies, and limits for slow servers.

It uses the standard library's urllib: one request at a time, streamed, with the proxies of the usual variables and the
system's certificates. urllib's redirect handler is not used: it follows from https to http, and reads the whole body of
a redirect, which may have no end.
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

from converter.common.errors import FetchError, Problem
from converter.common.version import __version__
from converter.fetch.paced_response import HEAD_BYTES, PacedHTTPHandler, PacedHTTPSHandler, PacedResponse, TooSlowError
from converter.fetch.retry import TransientError
from converter.fetch.url import Address, resolve_redirect

_MOST_REDIRECTS = 10
_REDIRECTS = (301, 302, 303, 307, 308)
_SILENCE = (TimeoutError, socket.timeout)  # Two classes before Python 3.10.
_SHA256 = re.compile(r'(?:W/)?"?([0-9a-f]{64})"?')


def silence_limit() -> float:
    """Seconds without a byte after which a connection counts as stalled."""
    try:
        return max(0.1, float(os.environ.get("HF_HUB_DOWNLOAD_TIMEOUT", "")))
    except ValueError:
        return 10.0


@dataclass
class Reply:
    """A response whose body has not been read. `sha256`: the checksum that a Hub sent with a redirect, if it did."""

    status: int
    headers: email.message.Message
    address: Address
    response: http.client.HTTPResponse
    sha256: str | None = None

    def __enter__(self) -> Reply:
        return self

    def __exit__(self, *_: object) -> None:
        self.response.close()

    def read(self, most: int) -> bytes:
        """The bytes that have arrived, at most `most`; empty at the end. Raises TransientError."""
        if isinstance(self.response, PacedResponse):
            self.response.pace.allow(most + HEAD_BYTES)  # with the lines between chunks, and what follows the last
        try:
            return self.response.read1(most)
        except _SILENCE:
            raise TransientError(f"nothing came for {silence_limit():g} seconds") from None
        except TooSlowError as error:
            raise TransientError(str(error)) from None
        except (OSError, http.client.HTTPException) as error:
            raise TransientError(f"the connection broke ({_describe(error)})") from None

    @property
    def length(self) -> int | None:
        """Content-Length in bytes, or None without one. Raises FetchError if it is not a number."""
        text = self.headers.get("Content-Length")
        if text is None or self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            return None
        if not re.fullmatch(r"[0-9]{1,18}", text.strip()):
            raise FetchError(Problem("E704", f"{self.address.shown}: Content-Length is {text[:40]!r}, no length"))
        return int(text)


def get(address: Address, headers: dict[str, str]) -> Reply:
    """The response for `address`, after redirects, with any status. Raises TransientError for a failure that may pass,
    FetchError for any other.
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
        current = resolve_redirect(current, location)
    raise FetchError(Problem("E707", f"{address.shown}: more than {_MOST_REDIRECTS} redirects. Nothing was fetched"))


def _make_opener() -> urllib.request.OpenerDirector:
    """Handles http, https and proxies only: no file:, no ftp:, no redirects, no exceptions for error statuses."""
    opener = urllib.request.OpenerDirector()
    for kind in (urllib.request.ProxyHandler, PacedHTTPHandler, PacedHTTPSHandler, urllib.request.UnknownHandler):
        opener.add_handler(kind())
    return opener


def _ask(opener: urllib.request.OpenerDirector, address: Address, headers: dict[str, str]) -> Reply:
    request = urllib.request.Request(address.url, headers=headers)
    request.add_header("User-Agent", f"paddle2torch/{__version__}")
    request.add_header("Accept-Encoding", "identity")  # Ranges and checksums are of the uncompressed file.
    if address.authorization is not None:
        request.add_header("Authorization", address.authorization)
    try:
        response = opener.open(request, timeout=silence_limit())
    except urllib.error.URLError as error:
        raise _explain_failure(address, error.reason) from None
    except (OSError, http.client.HTTPException) as error:
        raise _explain_failure(address, error) from None
    if response is None:
        raise TransientError("no handler takes this address")
    return Reply(response.status, response.headers, address, response)


def _explain_failure(address: Address, reason: object) -> Exception:
    if isinstance(reason, ssl.SSLCertVerificationError):
        why = f"{address.shown}: the server's certificate is not trusted ({reason.verify_message})"
        return FetchError(Problem("E703", f"{why}. A company's own certificate: set SSL_CERT_FILE to it"))
    if isinstance(reason, http.client.InvalidURL):
        return FetchError(Problem("E701", f"{address.shown}: this address cannot be requested"))
    if isinstance(reason, TooSlowError):
        return TransientError(str(reason))
    if isinstance(reason, _SILENCE):
        return TransientError(f"no answer in {silence_limit():g} seconds")
    return TransientError(f"no connection ({_describe(reason)})")


def _describe(error: object) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return ascii(text)[1:-1][:120]
