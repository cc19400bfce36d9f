"""A server on 127.0.0.1 with failures on demand: cuts, stalls, false answers, errors. It logs every request."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

Answer = Callable[["Handler"], None]


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    headers: Message


@dataclass
class Server:
    """`answers`: for each path what to do, one after the other; the last one stays."""

    url: str = ""
    answers: dict[str, list[Answer]] = field(default_factory=dict)
    log: list[Asked] = field(default_factory=list)

    def on(self, path: str, *answers: Answer) -> str:
        """Set what happens at `path`; gives its address."""
        self.answers[path] = list(answers)
        return self.url + path

    def asked(self, path: str = "", method: str = "GET") -> list[Asked]:
        return [asked for asked in self.log if asked.method == method and asked.path.startswith(path)]

    def ranges(self) -> list[str | None]:
        return [asked.headers["Range"] for asked in self.asked()]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    #: Or the body of each answer waits for the 40 ms after which the client acknowledges its headers.
    disable_nagle_algorithm = True
    asked_of: Server

    def do_GET(self) -> None:
        self.asked_of.log.append(Asked(self.command, self.path, self.headers))
        self.close_connection = True
        answers = self.asked_of.answers.get(self.path) or self.asked_of.answers.get(urlsplit(self.path).path)
        if not answers:
            return self.reply(404, b"not here")
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        return answer(self)

    do_HEAD = do_GET

    def reply(self, status: int, body: bytes = b"", headers: Mapping[str, str] | None = None, told: int = -1) -> None:
        """Send `body`; Content-Length is `told` when that is not negative."""
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(told if told >= 0 else len(body)))
        self.send_header("Connection", "close")  # Or a client asks again on a connection that is about to be gone.
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *words: object) -> None:
        """Nothing on stderr."""


def whole(body: bytes, etag: str | None = '"v1"', **headers: str) -> Answer:
    """A file as a good server gives it: ranges, If-Range, If-None-Match."""

    def answer(handler: Handler) -> None:
        told = {
            **({"ETag": etag} if etag else {}),
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }
        if etag and handler.headers["If-None-Match"] == etag:
            return handler.reply(304, b"", told)
        span = handler.headers["Range"]
        if span and handler.headers["If-Range"] in (None, etag):
            first = int(span.removeprefix("bytes=").rstrip("-"))
            if first >= len(body):
                return handler.reply(416, b"", {"Content-Range": f"bytes */{len(body)}"})
            told["Content-Range"] = f"bytes {first}-{len(body) - 1}/{len(body)}"
            return handler.reply(206, body[first:], told)
        return handler.reply(200, body, told)

    return answer


def cut(body: bytes, after: int, etag: str | None = '"v1"') -> Answer:
    """Tell the whole length, send `after` bytes of what was asked for, hang up."""

    def answer(handler: Handler) -> None:
        span = handler.headers["Range"]
        first = int(span.removeprefix("bytes=").rstrip("-")) if span else 0
        told = {"ETag": etag} if etag else {}
        if span:
            told["Content-Range"] = f"bytes {first}-{len(body) - 1}/{len(body)}"
        handler.reply(206 if span else 200, body[first : first + after], told, told=len(body) - first)

    return answer


def stall(body: bytes, after: int, seconds: float, etag: str | None = '"v1"') -> Answer:
    """Send `after` bytes and then nothing, the connection open."""

    def answer(handler: Handler) -> None:
        cut(body, after, etag)(handler)
        handler.wfile.flush()
        time.sleep(seconds)

    return answer


def status(code: int, body: bytes = b"", **headers: str) -> Answer:
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler: handler.reply(code, body, told)


def moved(to: str, code: int = 302) -> Answer:
    return status(code, b"moved", Location=to)


class PatientServer(ThreadingHTTPServer):
    """A client that is killed while it waits is no error. (To print it reads the source with `ast`, and CPython 3.11
    fails where two threads do that at once, the other in pytest: issue 106905.)"""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def running() -> Iterator[Server]:
    server = Server()
    handler = type("Bound", (Handler,), {"asked_of": server})
    with PatientServer(("127.0.0.1", 0), handler) as httpd:
        server.url = f"http://127.0.0.1:{httpd.server_address[1]}"
        thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield server
        httpd.shutdown()
