"""A response with a limit of time and bytes for each of its parts.

A limit for silence alone is not enough: a server could send a header one byte at a time, or `100 Continue` forever.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
import urllib.request
from typing import Any

#: The most bytes of a status line and all headers. Real ones have 2 kB.
HEAD_BYTES = 256 << 10
#: The headers may take so many times the silence that a connection is allowed, and so may each piece of a body.
PATIENCE = 3


class TooSlowError(http.client.HTTPException):
    """A part of the response did not arrive in its time, although bytes kept coming."""


class PacedReader(io.RawIOBase):
    """The bytes of a socket, within the limits set by `allow`."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._raw = connection.makefile("rb", buffering=0)
        self._silence = connection.gettimeout() or 10.0
        self._until, self._seconds, self._left = 0.0, 0.0, 0
        self.allow(HEAD_BYTES)

    def allow(self, most: int) -> None:
        """Allow `most` bytes from now on, in PATIENCE times the silence that is allowed."""
        self._seconds = PATIENCE * self._silence
        self._until, self._left = time.monotonic() + self._seconds, most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise self._slow()
        if self._left <= 0:
            raise TooSlowError("a part of its answer does not end")
        self._connection.settimeout(min(self._silence, left))
        try:
            count = self._raw.readinto(buffer)
        except (TimeoutError, socket.timeout):  # Two classes before Python 3.10.
            if left < self._silence:
                raise self._slow() from None
            raise
        self._left -= count or 0
        return count

    def _slow(self) -> TooSlowError:
        return TooSlowError(f"its answer came so slowly that a part of it did not end in {self._seconds:g} seconds")

    def close(self) -> None:
        self._raw.close()
        super().close()


class PacedResponse(http.client.HTTPResponse):
    """A response that is read within limits. `pace.allow` begins each further part."""

    def __init__(self, sock: socket.socket, *arguments: Any, **named: Any) -> None:
        super().__init__(sock, *arguments, **named)
        self.fp.close()
        self.pace = PacedReader(sock)
        self.fp = io.BufferedReader(self.pace)


class _Connection(http.client.HTTPConnection):
    response_class = PacedResponse


class _SecureConnection(http.client.HTTPSConnection):
    response_class = PacedResponse


class PacedHTTPHandler(urllib.request.HTTPHandler):
    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(_Connection, request)  # type: ignore[no-any-return,unused-ignore]


class PacedHTTPSHandler(urllib.request.HTTPSHandler):
    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        context = getattr(self, "_context", None)
        return self.do_open(_SecureConnection, request, context=context)  # type: ignore[no-any-return,unused-ignore]
