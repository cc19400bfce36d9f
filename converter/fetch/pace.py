"""An answer of which every part must come in some time and some bytes: a server may drip a header a byte at a time, or
send `100 Continue` without end, and is never silent for long."""

from __future__ import annotations

import http.client
import io
import socket
import time
import urllib.request
from typing import Any

#: Of a status line and all headers, the redirects' bodies not counted. Real heads have 2 kB.
HEAD_BYTES = 256 << 10
#: A head may take so many times the silence that a connection is allowed, and so may one piece of a body.
PATIENCE = 3


class Dripping(http.client.HTTPException):
    """What was asked for did not come in its time, though something always came."""


class Pace(io.RawIOBase):
    """A socket's bytes, as long as `allow` lets them come."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._raw = connection.makefile("rb", buffering=0)
        self._silence = connection.gettimeout() or 10.0
        self._until, self._seconds, self._left = 0.0, 0.0, 0
        self.allow(HEAD_BYTES)

    def allow(self, most: int) -> None:
        """From now on `most` bytes, in a few times the silence that is allowed."""
        self._seconds = PATIENCE * self._silence
        self._until, self._left = time.monotonic() + self._seconds, most

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._until - time.monotonic()
        if left <= 0:
            raise self._slow()
        if self._left <= 0:
            raise Dripping("a part of its answer does not end")
        self._connection.settimeout(min(self._silence, left))
        try:
            count = self._raw.readinto(buffer)
        except (TimeoutError, socket.timeout):  # Two classes before Python 3.10.
            if left < self._silence:
                raise self._slow() from None
            raise
        self._left -= count or 0
        return count

    def _slow(self) -> Dripping:
        return Dripping(f"its answer came so slowly that a part of it did not end in {self._seconds:g} seconds")

    def close(self) -> None:
        self._raw.close()
        super().close()


class PacedResponse(http.client.HTTPResponse):
    """An answer that is read at a pace. `pace.allow` begins each further part."""

    def __init__(self, sock: socket.socket, *arguments: Any, **named: Any) -> None:
        super().__init__(sock, *arguments, **named)
        self.fp.close()
        self.pace = Pace(sock)
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
