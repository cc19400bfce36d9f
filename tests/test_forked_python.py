"""A command in a forked interpreter does what it does in the interpreter itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.forked_python import forked_python


@pytest.fixture(scope="module")
def forked() -> Iterator[Path]:
    with forked_python(Path(sys.executable), ["json", "colorsys"]) as program:
        yield program


def run(python: object, *words: str, **more: str) -> tuple[int, str, str]:
    environment = {"PATH": os.environ["PATH"], "PWD": os.getcwd(), **more}  # A shell sets PWD where it is missing.
    done = subprocess.run(
        [str(python), *words], input="given", capture_output=True, text=True, env=environment, timeout=60, check=False
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    "code",
    [
        "import sys, os; print(sys.argv[1:], sorted(os.environ), os.getcwd(), sys.stdin.read(), __name__)",
        "import sys; print('out'); sys.exit(3)",
        "import sys; sys.exit('a reason')",
        "import os; os._exit(7)",
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "import os, signal; os.kill(os.getpid(), signal.SIGTERM)",
        "import atexit; atexit.register(print, 'end')",
        "import os; os.write(1, b'raw'); os.write(2, b'errors')",
    ],
)
def test_the_same_output_and_status(forked: Path, code: str) -> None:
    expected = run(sys.executable, "-c", code, "a b", LC_CTYPE="C.UTF-8", NAME="value")
    assert run(forked, "-c", code, "a b", LC_CTYPE="C.UTF-8", NAME="value") == expected


def test_a_script_and_a_module(forked: Path, tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("WORD = 'imported'\n")
    (tmp_path / "script.py").write_text("import sys, beside\nprint(__name__, beside.WORD, sys.argv[1:])\n")
    for words in (("-B", str(tmp_path / "script.py"), "x"), ("-m", "script", "x")):
        assert run(forked, *words, PYTHONPATH=str(tmp_path)) == (0, "__main__ imported ['x']\n", "")


def test_an_exception_is_shown_and_the_imports_are_there(forked: Path) -> None:
    status, _, errors = run(forked, "-c", "import sys; assert 'colorsys' in sys.modules; 1 / 0")
    assert status == 1 and errors.rstrip().endswith("ZeroDivisionError: division by zero")


def test_what_one_command_changes_another_does_not_see(forked: Path) -> None:
    assert run(forked, "-c", "import json; json.mine = 1")[0] == 0
    assert run(forked, "-c", "import json; print(hasattr(json, 'mine'))")[1] == "False\n"


def test_a_caller_that_is_killed_takes_its_command_with_it(forked: Path) -> None:
    code = "import os, time; print(os.getpid(), flush=True); time.sleep(60)"
    process = subprocess.Popen([str(forked), "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    child = int(process.stdout.readline())
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=10)
    process.stdout.close()
    for _ in range(200):
        if not Path(f"/proc/{child}").exists():
            return
        time.sleep(0.05)
    pytest.fail("the command still runs")
