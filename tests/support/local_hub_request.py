"""The local Hub's state and its view of one request; what answers to it is bound by local_hub.running()."""

from __future__ import annotations

import json
import re
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.support.local_hub_store import Refused, Repository, Store


@dataclass(frozen=True)
class Asked:
    """A request that came: method, path with query, the body's length, the token."""

    method: str
    path: str
    length: int
    authorization: str | None


@dataclass
class Planned:
    """What happens to the next requests of a kind, one after the other. None: it is served as usual."""

    method: str
    pattern: re.Pattern[str]
    answers: list[Callable[[Handler], None] | None]


@dataclass
class LocalHub:
    """The server's address, what it keeps, what it was asked, what is planned to fail."""

    url: str
    store: Store
    log: list[Asked] = field(default_factory=list)
    planned: list[Planned] = field(default_factory=list)
    #: Whether the tree tells sums of other bytes than were sent, for these paths.
    lies: set[str] = field(default_factory=set)

    def plan(self, method: str, pattern: str, *answers: Callable[[Handler], None] | None) -> None:
        self.planned.append(Planned(method, re.compile(pattern), list(answers)))

    def take_planned(self, method: str, path: str) -> Callable[[Handler], None] | None:
        for planned in self.planned:
            if planned.answers and planned.method == method and planned.pattern.search(path):
                return planned.answers.pop(0)
        return None

    def asked(self, method: str, pattern: str) -> list[Asked]:
        return [asked for asked in self.log if asked.method == method and re.search(pattern, asked.path)]


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    #: Or the body of each answer waits for the 40 ms after which the client acknowledges its headers.
    disable_nagle_algorithm = True
    hub: LocalHub
    #: Finds and calls what answers. Raises Refused.
    route: Callable[[LocalHub], None]
    muted = False
    body = b""
    upload: Path | None = None

    def do_GET(self) -> None:
        self.muted = False
        self.body, self.upload = b"", None
        if self.command == "PUT":
            self.upload = self.hub.store.folder / f"incoming-{threading.get_ident()}"
            with open(self.upload, "wb") as file:
                length = sum(file.write(piece) for piece in self._body())
        else:
            self.body = b"".join(self._body())
            length = len(self.body)
        self.hub.log.append(Asked(self.command, self.path, length, self.headers["Authorization"]))
        answer = self.hub.take_planned(self.command, self.path)
        if answer is not None:
            return answer(self)
        return self.serve()

    do_HEAD = do_POST = do_PUT = do_GET

    def serve(self) -> None:
        try:
            self.route(self.hub)
        except Refused as refused:
            self.refuse(refused)

    def _body(self) -> Iterator[bytes]:
        """The request's body in pieces. A large one goes to disk."""
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            left = int(self.headers.get("Content-Length") or 0)
            while left and (piece := self.rfile.read(min(left, 1 << 20))):
                left -= len(piece)
                yield piece
            return
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def reply(self, status: int, body: bytes | Path, headers: dict[str, str] | None = None) -> None:
        if self.muted:
            return
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if isinstance(body, bytes) else body.stat().st_size))
        self.end_headers()
        if self.command == "HEAD":
            return
        if isinstance(body, bytes):
            self.wfile.write(body)
        else:
            with open(body, "rb") as file:
                shutil.copyfileobj(file, self.wfile, 1 << 20)

    def tell(self, data: Any, headers: dict[str, str] | None = None, status: int = 200) -> None:
        self.reply(status, json.dumps(data).encode(), {"Content-Type": "application/json", **(headers or {})})

    def refuse(self, refused: Refused, headers: dict[str, str] | None = None) -> None:
        kind = {"X-Error-Code": refused.kind} if refused.kind else {}
        told = {**kind, "X-Error-Message": refused.message, **(headers or {})}
        self.tell({"error": refused.message}, told, refused.status)

    def hang_up(self) -> None:
        self.close_connection = True
        self.muted = True

    def user(self) -> str | None:
        return self.hub.store.user(self.headers["Authorization"])

    def repository(self, name: str) -> Repository:
        return self.hub.store.find(name, self.user())

    def query(self) -> dict[str, str]:
        return {name: values[-1] for name, values in parse_qs(urlsplit(self.path).query).items()}

    def plain_path(self) -> str:
        return urlsplit(self.path).path

    def log_message(self, *words: object) -> None:
        """Nothing on stderr."""
