"""What a killed run leaves: the next one clears it, whatever comes of that one. A live run's folder stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from converter import convert
from converter.common.errors import FileError, SourceError
from converter.files.stale_folders import clear_folders, mark, scratch_folder
from tests.support.checkpoints import write_folder

HANG = """
import sys, time
from converter.files.stale_folders import scratch_folder
with scratch_folder("paddle2torch-test-") as folder:
    (folder / "trace").write_text("half")
    print(folder, flush=True)
    time.sleep(60)
"""


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place for temporary files in which nothing else lies."""
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setenv("TMPDIR", str(place))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return place


def start() -> tuple[subprocess.Popen[str], Path]:
    run = subprocess.Popen([sys.executable, "-c", HANG], stdout=subprocess.PIPE, text=True)
    assert run.stdout is not None
    return run, Path(run.stdout.readline().strip())


def test_the_next_run_clears_the_folders_of_dead_ones_alone(temporary: Path) -> None:
    dead, left = start()
    dead.send_signal(signal.SIGKILL)
    dead.wait()
    alive, used = start()
    try:
        assert not left.exists() and used.exists()
        with scratch_folder("paddle2torch-test-") as mine:
            assert mine.is_dir() and (used / "trace").read_text() == "half"
        assert list(temporary.iterdir()) == [used]
    finally:
        alive.kill()
        alive.wait()


def test_an_error_leaves_no_folder(temporary: Path) -> None:
    with pytest.raises(ZeroDivisionError), scratch_folder("paddle2torch-test-"):
        raise ZeroDivisionError
    assert list(temporary.iterdir()) == []


def test_links_files_and_other_names_stay(temporary: Path) -> None:
    kept = temporary / "kept"
    kept.mkdir()
    (kept / ".lock").touch()
    (temporary / "paddle2torch-test-linkedxx").symlink_to(kept)
    (temporary / "paddle2torch-test-filexxxx").touch()
    (temporary / "paddle2torch-test-other").mkdir()
    before = sorted(temporary.iterdir())
    clear_folders(temporary, "paddle2torch-test-????????")
    assert sorted(temporary.iterdir()) == before and (kept / ".lock").exists()


def test_a_folder_of_another_user_stays(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = temporary / "paddle2torch-test-abcdefgh"
    folder.mkdir()
    os.utime(folder, (0, 0))
    monkeypatch.setattr(os, "getuid", lambda: folder.stat().st_uid + 1)
    clear_folders(temporary, "paddle2torch-test-????????")
    assert folder.exists()


def leave(place: Path) -> None:
    """What a conversion that was killed while it wrote leaves."""
    folder = place / ".out.paddle2torch-abcdefgh"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.safetensors").write_text("half")
    if not (folder / ".lock").exists():
        mark(folder).close()


def test_a_run_that_fails_and_a_dry_one_clear_too(tmp_path: Path) -> None:
    source, place = write_folder(tmp_path / "in"), tmp_path / "place"
    leave(place)
    convert(source, place / "out", dry_run=True)
    assert list(place.iterdir()) == []
    leave(place)
    with pytest.raises(SourceError):
        convert(tmp_path / "nothing", place / "out")
    assert list(place.iterdir()) == []
    (source / "model_state.pdparams").write_bytes(b"\x80\x04")
    leave(place)
    with pytest.raises(FileError):
        convert(source, place / "out")
    assert list(place.iterdir()) == []


def test_what_cannot_be_cleared_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, place = write_folder(tmp_path / "in"), tmp_path / "place"
    leave(place)

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("converter.files.stale_folders.try_lock", refuse)
    assert convert(source, place / "out", dry_run=True).written is False
