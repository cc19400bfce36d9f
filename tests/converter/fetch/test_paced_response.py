"""A server that is never silent and never done: each part of its answer must come in some time and some bytes."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from converter.common.errors import FetchError
from converter.fetch import retry
from converter.locate.locate import locate
from tests.support.server import Handler, Server

PATH = "/some/model_state.pdparams"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_DOWNLOAD_TIMEOUT", "0.5")
    monkeypatch.setattr(retry, "WAITS", (0.0,))


def drip(start: bytes, piece: bytes, wait: float, seconds: float = 30.0) -> Callable[[Handler], None]:
    """Send `start`, then `piece` again and again."""

    def answer(handler: Handler) -> None:
        until = time.monotonic() + seconds
        try:
            handler.wfile.write(start)
            while time.monotonic() < until:
                handler.wfile.write(piece)
                handler.wfile.flush()
                time.sleep(wait)
        except OSError:
            return

    return answer


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
#: What the answer starts with, what is sent again and again, and the seconds between.
ENDLESS = {
    "status": (b"", b"H", 0.1),
    "header": (b"HTTP/1.1 200 OK\r\nX: ", b"a", 0.1),
    "headers": (b"HTTP/1.1 200 OK\r\n", b"X: a\r\n", 0.1),
    "100": (b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.1),
    "100s": (b"", b"HTTP/1.1 100 Continue\r\nX: y\r\n\r\n" * 500, 0.0),
    "redirect": (b"HTTP/1.1 302 Found\r\n", b"X: a\r\n", 0.1),
    "chunk": (CHUNKED, b"0", 0.1),
    "trailer": (CHUNKED + b"1\r\nx\r\n0\r\n", b"T: t\r\n", 0.1),
    "trailers": (CHUNKED + b"1\r\nx\r\n0\r\n", b"T: t\r\n" * 5000, 0.0),
}
GIVEN_UP = re.compile("E703.*(did not end in 1.5 seconds|does not end|more than 100 headers|broke)")


def test_an_answer_without_end_is_given_up(server: Server) -> None:
    """All of them at once, because each takes twice 1.5 seconds of waiting."""
    begun = time.monotonic()
    with ThreadPoolExecutor(len(ENDLESS)) as pool:
        addresses = {name: server.on(f"/{name}{PATH}", drip(*answer)) for name, answer in ENDLESS.items()}
        tried = {name: pool.submit(locate, address) for name, address in addresses.items()}
        errors = {name: one.exception() for name, one in tried.items()}
    assert {name: type(error) for name, error in errors.items()} == dict.fromkeys(ENDLESS, FetchError)
    assert {name: str(error) for name, error in errors.items() if not GIVEN_UP.search(str(error))} == {}
    assert {name: len(server.asked(f"/{name}/")) for name in ENDLESS} == dict.fromkeys(ENDLESS, 2)
    assert time.monotonic() - begun < 20


def test_a_body_that_comes_slowly_and_steadily_is_taken(server: Server) -> None:
    """Each piece of it is in time, though the whole takes longer than any head may."""
    import pickle

    from tests.support.checkpoints import make_state

    body = pickle.dumps(make_state(), 4)

    def answer(handler: Handler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body))
        step = len(body) // 12
        for at in range(0, len(body), step):
            handler.wfile.write(body[at : at + step])
            handler.wfile.flush()
            time.sleep(0.2)

    assert locate(server.on(PATH, answer)).path.read_bytes() == body
