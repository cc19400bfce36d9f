"""`make test-quick` runs without Paddle and without network: a test that asks for either is left out, or fails."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

TESTS = """
import socket, threading
import pytest

@pytest.fixture
def paddle_python():
    return "python"

def test_plain():
    pass

def test_that_says_so(paddle_python):
    pass

def test_that_asks_later(request):
    request.getfixturevalue("paddle_python")

def test_a_server():
    try:
        socket.socket().bind(("127.0.0.1", 0))
    except Exception:
        pass

def test_a_client():
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", 1))

def in_a_thread():
    socket.socket().connect(("127.0.0.1", 1))

def test_a_thread():
    thread = threading.Thread(target=in_a_thread)
    thread.start()
    thread.join()
"""


def run(folder: Path, *options: str) -> str:
    (folder / "test_some.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-p", "tests.support.quick", "-p", "no:cacheprovider", *options]
    more = ["-rA", "-W", "ignore", "-c", str(folder / "pytest.ini"), str(folder)]
    (folder / "pytest.ini").write_text("[pytest]\n")
    return subprocess.run([*command, *more], capture_output=True, text=True, check=False, cwd=ROOT, timeout=60).stdout


def test_a_quick_test_has_neither_paddle_nor_network(tmp_path: Path) -> None:
    said = run(tmp_path, "--quick")
    assert set(re.findall(r"^PASSED \S+::(\w+)", said, re.MULTILINE)) == {"test_plain", "test_a_thread"}, said
    failed = set(re.findall(r"^FAILED \S+::(\w+)", said, re.MULTILINE))
    assert failed == {"test_that_asks_later", "test_a_server", "test_a_client"}, said
    assert re.findall(r"^ERROR \S+::(\w+)", said, re.MULTILINE).count("test_a_thread") == 1, said
    assert "1 deselected" in said and "a quick test asks for Paddle: paddle_python" in said
    assert "a quick test uses the network: socket.bind ('127.0.0.1', 0)" in said


def test_without_the_option_all_of_them_run(tmp_path: Path) -> None:
    assert "6 passed" in run(tmp_path) and "failed" not in run(tmp_path)
