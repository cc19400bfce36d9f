"""`reference install`: the environment is whole or not there, whatever happens on the way.

The Python that makes it is a shell script here, which does what venv, pip and the check do to the folder.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from converter.common.errors import ReferenceFailure
from verify.reference.find import find_interpreter
from verify.reference.install import install_reference
from verify.reference.pins import MARKER, is_whole
from verify.reference.pip_install import find_cause
from verify.reference.python_versions import find_python

#: `venv` copies this script into the new environment, so it is the environment's Python too. What it does on each call
#: is in the file that FAKE_PLAN names: shell lines, run with the call's words.
_FAKE = """#!/bin/sh
echo "$*" >> "{log}"
case "$*" in
  -c*) echo 3.11 ;;
  "-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
  *) . "{plan}" ;;
esac
"""
_GOES_WELL = """
case "$*" in
  *"pip install"*paddlepaddle*) touch "$(dirname "$0")/../installed" ;;
  *--check) echo '@progress ["it computes what it should"]' ;;
esac
"""


class Fake:
    """A Python, what it is to do, and what it was asked."""

    def __init__(self, folder: Path) -> None:
        self.plan, self.log, self.python = folder / "plan", folder / "log", folder / "python3.11"
        self.python.write_text(_FAKE.format(log=self.log, plan=self.plan))
        self.python.chmod(0o755)
        self.does(_GOES_WELL)

    def does(self, lines: str) -> None:
        self.plan.write_text(lines)

    def calls(self) -> list[str]:
        return self.log.read_text().splitlines() if self.log.exists() else []


@pytest.fixture
def fake(tmp_path: Path) -> Fake:
    return Fake(tmp_path)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PADDLE2TORCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("PADDLE2TORCH_PADDLE_PYTHON", raising=False)
    monkeypatch.setattr("verify.reference.find._PROJECT", tmp_path / "project")
    return tmp_path / "cache" / "reference"


@pytest.fixture
def install(fake: Fake, cache: Path) -> Callable[[], Path]:
    return lambda: install_reference(fake.python, lambda text: None)


def test_it_upgrades_pip_installs_the_pins_checks_and_is_found(
    fake: Fake, install: Callable[[], Path], cache: Path
) -> None:
    assert install() == cache / "bin" / "python" == find_interpreter()
    kinds = [call.split("--disable-pip-version-check ")[-1].split("/")[0] for call in fake.calls()]
    assert [kind[:40] for kind in kinds[2:4]] == [
        "--progress-bar off --upgrade pip",
        "--progress-bar off paddlepaddle==3.3.1 p",
    ]
    assert fake.calls()[1] == f"-m venv {cache}" and fake.calls()[4].endswith("record_paddle.pyz --check")
    assert json.loads((cache / MARKER).read_text())["pins"][1] == "paddlenlp==2.8.1"


def test_the_second_run_asks_nothing(fake: Fake, install: Callable[[], Path]) -> None:
    first, calls = install(), fake.calls()
    assert install() == first and fake.calls() == calls


def test_other_pins_make_it_anew(fake: Fake, install: Callable[[], Path], cache: Path) -> None:
    install()
    (cache / MARKER).write_text('{"pins": ["paddlepaddle==2.6.2"]}')
    (cache / "of before").touch()
    assert not is_whole(cache)
    install()
    assert is_whole(cache) and not (cache / "of before").exists()


def test_progress_is_told(fake: Fake, cache: Path) -> None:
    lines: list[str] = []
    install_reference(fake.python, lines.append)
    assert "disk" in lines[0] and lines[-1] == "it computes what it should"
    assert any(line.startswith("installing paddlepaddle==3.3.1, paddlenlp==2.8.1") for line in lines)


@pytest.mark.parametrize(
    ("plan", "told"),
    [
        ("echo 'ERROR: [Errno 28] No space left on device' >&2; exit 1", "E609.*the disk is full.*Errno 28"),
        ("echo 'NewConnectionError(...): no route' >&2; exit 1", "E609.*package index cannot be reached"),
        ("echo 'ERROR: No matching distribution found for paddlepaddle' >&2; exit 1", "E609.*does not have it"),
        ("kill -9 $$", "E609.*ended by signal 9"),
        ("exit 7", "E609.*exit status 7"),
        (
            "case \"$*\" in *--check) echo '@error Paddle 3.3.1 gives zeros'; exit 4;; esac",
            "E611.*does not work: Paddle 3.3.1 gives zeros",
        ),
        (
            'case "$*" in *--check) echo "ModuleNotFoundError: No module named \'paddle\'" >&2; exit 1;; esac',
            "E611.*No module named",
        ),
    ],
)
def test_what_fails_is_told_and_never_taken_for_whole(
    fake: Fake, install: Callable[[], Path], cache: Path, plan: str, told: str
) -> None:
    fake.does(plan)
    with pytest.raises(ReferenceFailure, match=told):
        install()
    assert not is_whole(cache)
    with pytest.raises(ReferenceFailure, match=r"E601.*paddle2torch reference install"):
        find_interpreter()
    fake.does(_GOES_WELL)
    install()
    assert is_whole(cache) and find_interpreter() == cache / "bin" / "python"


def test_too_little_space_is_found_before_the_work(
    fake: Fake, install: Callable[[], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("verify.reference.install._NEEDED_BYTES", 1 << 60)
    with pytest.raises(ReferenceFailure, match=r"E609.*GB free.*PADDLE2TORCH_CACHE"):
        install()
    assert not any("venv" in call for call in fake.calls()[1:])


def test_a_cache_that_cannot_be_written(fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("PADDLE2TORCH_CACHE", str(tmp_path / "file" / "cache"))
    with pytest.raises(ReferenceFailure, match=r"E609.*PADDLE2TORCH_CACHE"):
        install_reference(fake.python, print)


def _start(fake: Fake, cache: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "converter", "reference", "install", "--python", str(fake.python)]
    environment = {**os.environ, "PADDLE2TORCH_CACHE": str(cache.parent)}
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)


def _wait_for(path: Path) -> None:
    deadline = time.monotonic() + 60
    while not path.exists():
        assert time.monotonic() < deadline, f"{path} did not appear"
        time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("where", ["upgrade pip", "paddlepaddle", "--check"])
def test_a_run_that_is_stopped_leaves_nothing_that_counts(
    fake: Fake, install: Callable[[], Path], cache: Path, tmp_path: Path, number: int, where: str
) -> None:
    """Whatever the run was doing, and however it was stopped, what it leaves is not used, and the next completes."""
    reached, goes_on = tmp_path / "reached", tmp_path / "goes on"
    waits = f'touch "{reached}"; while [ ! -e "{goes_on}" ]; do sleep 0.05; done'
    fake.does(f'case "$*" in *"{where}"*) {waits} ;; esac\n{_GOES_WELL}')
    process = _start(fake, cache)
    _wait_for(reached)
    process.send_signal(number)
    stderr = process.communicate(timeout=60)[1].decode()
    assert not is_whole(cache)
    if number != signal.SIGKILL:
        assert process.returncode == -number and stderr.splitlines()[-1].startswith("error[E009]")
    with pytest.raises(ReferenceFailure, match="E601"):
        find_interpreter()
    goes_on.touch()  # An orphaned pip ends; until then it holds the lock.
    fake.does(_GOES_WELL)
    assert install() == cache / "bin" / "python" and is_whole(cache)


def test_two_at_once_make_one(fake: Fake, cache: Path, tmp_path: Path) -> None:
    reached, goes_on = tmp_path / "reached", tmp_path / "goes on"
    fake.does(f'touch "{reached}"; while [ ! -e "{goes_on}" ]; do sleep 0.05; done\n{_GOES_WELL}')
    first = _start(fake, cache)
    _wait_for(reached)
    said: list[str] = []
    second = threading.Thread(target=install_reference, args=(fake.python, said.append))
    second.start()
    while not said:
        time.sleep(0.02)
    assert said == ["waiting: another run makes the reference environment"] and not is_whole(cache)
    goes_on.touch()
    assert first.wait(timeout=60) == 0
    second.join(timeout=60)
    assert is_whole(cache) and sum("-m venv" in call for call in fake.calls()) == 1


def test_the_lock_outlives_a_killed_run_while_its_pip_writes(fake: Fake, cache: Path, tmp_path: Path) -> None:
    reached, goes_on = tmp_path / "reached", tmp_path / "goes on"
    fake.does(f'touch "{reached}"; while [ ! -e "{goes_on}" ]; do sleep 0.05; done\n{_GOES_WELL}')
    first = _start(fake, cache)
    _wait_for(reached)
    first.kill()
    first.communicate()
    said: list[str] = []
    second = threading.Thread(target=install_reference, args=(fake.python, said.append))
    second.start()
    while not said:
        time.sleep(0.02)
    assert said == ["waiting: another run makes the reference environment"]
    goes_on.touch()
    second.join(timeout=60)
    assert is_whole(cache)


def test_a_named_python_is_not_replaced(tmp_path: Path, fake: Fake) -> None:
    with pytest.raises(ReferenceFailure, match=r"E610.*--python .*nothing.*does not run"):
        find_python(tmp_path / "nothing")
    fake.python.write_text("#!/bin/sh\necho 3.7\n")
    with pytest.raises(ReferenceFailure, match=r"E610.*it is Python 3.7, expected 3.11, 3.10, 3.12, 3.9"):
        find_python(fake.python)
    fake.python.write_text("#!/bin/sh\necho \"ModuleNotFoundError: No module named 'ensurepip'\" >&2; exit 1\n")
    with pytest.raises(ReferenceFailure, match=r"E610.*ensurepip.*python3-venv"):
        find_python(fake.python)


def test_no_python_that_paddle_supports(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("verify.reference.python_versions.SUPPORTED", ((3, 99),))
    with pytest.raises(ReferenceFailure, match=r"E610.*3\.99.*--python"):
        find_python(None)


def test_the_newest_that_was_tried_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for version in ("3.9", "3.11", "3.13"):
        path = tmp_path / f"python{version}"
        path.write_text(f"#!/bin/sh\necho {version}\n")
        path.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("sys.version_info", (3, 13, 0))
    assert find_python(None) == tmp_path / "python3.11"


def test_settings_of_pip_that_lead_elsewhere_are_left_out(
    fake: Fake, install: Callable[[], Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PIP_TARGET", "/elsewhere")
    monkeypatch.setenv("PIP_INDEX_URL", "https://mirror.example/simple")
    fake.does(f'echo "$PIP_TARGET|$PIP_INDEX_URL|$PYTHONPATH" >> "{tmp_path}/seen"\n{_GOES_WELL}')
    install()
    assert set((tmp_path / "seen").read_text().split()[:2]) == {"|https://mirror.example/simple|"}


def test_the_cause_is_one_line() -> None:
    said = "a\nb\nERROR: first\nERROR: last\n[notice] A new release of pip\n"
    assert find_cause(said, 1) == "pip failed: ERROR: last"
