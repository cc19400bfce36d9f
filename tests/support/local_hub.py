"""A Hub on 127.0.0.1 for the tests and the demo: as much of its protocol as huggingface_hub 0.36 and 2.x speak to
publish a model and load it back, with failures on demand.

    python -m tests.support.local_hub        # prints its address, serves until its input is closed

It forgets everything at the end.
"""

from __future__ import annotations

import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.local_hub_request import Handler, LocalHub
from tests.support.local_hub_routes import route
from tests.support.local_hub_store import Refused, Store
from tests.support.server import PatientServer


def refuse(status: int, kind: str | None = None, message: str = "no", **headers: str) -> Callable[[Handler], None]:
    """Answer with a refusal in place of the service."""
    told = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda handler: handler.refuse(Refused(status, kind, message), told)


def cut(handler: Handler) -> None:
    """Hang up without an answer; nothing was done."""
    handler.hang_up()


def lose(handler: Handler) -> None:
    """Do what was asked, and hang up before the answer."""
    handler.muted = True
    handler.serve()
    handler.hang_up()


@contextmanager
def running() -> Iterator[LocalHub]:
    """The server, while the block runs."""
    with (
        tempfile.TemporaryDirectory(prefix="paddle2torch-hub-") as folder,
        PatientServer(("127.0.0.1", 0), Handler) as httpd,
    ):
        hub = LocalHub(f"http://127.0.0.1:{httpd.server_address[1]}", Store(Path(folder)))
        httpd.RequestHandlerClass = type("Bound", (Handler,), {"hub": hub, "route": route})
        threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield hub
        httpd.shutdown()


def main() -> None:
    with running() as hub:
        print(hub.url, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
