"""A download that is killed leaves no file that a later run takes for complete; the later run continues it."""

from __future__ import annotations

import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from converter.locate.locate import locate
from tests.converter.fetch.test_download import kept
from tests.support.pickles import numbered
from tests.support.server import Server, stall, whole
from tests.support.streams import combined, official

#: Of more bytes than are kept in memory before they are written.
BODIES = {
    "model_state.pdparams": pickle.dumps({"w": numbered(200, 50)}, 4),
    "inference.pdiparams": combined(official(30)),
}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.parametrize("name", BODIES)
def test_killed_on_the_way(name: str, number: int, server: Server, tmp_path: Path) -> None:
    body = BODIES[name]
    address = server.on(f"/{name}", stall(body, 20_000, 20), whole(body))
    command = [sys.executable, "-m", "converter", "inspect", address]
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    parts: list[Path] = []
    for _ in range(400):
        parts = list((tmp_path / "cache").rglob(f"{name}.part"))
        if parts and parts[0].stat().st_size:
            break
        time.sleep(0.05)
    run.send_signal(number)
    run.wait(timeout=20)
    assert parts and kept(tmp_path) == []
    assert locate(address).path.read_bytes() == body
