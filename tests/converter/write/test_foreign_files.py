"""Others at work where OUTPUT is written: nothing of theirs lands in it, is written through, or is deleted."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from converter import convert
from converter.common.errors import OutputError
from converter.common.layout import MANIFEST
from converter.common.progress import Progress
from converter.files.stale_folders import LOCK, clear_folders, mark
from converter.write.new_files import create_file, write_file
from converter.write.staging import clear_leftovers, staged
from tests.support.checkpoints import write_folder

PATTERN = ".*.paddle2torch-????????"


def fill(folder: Path, text: str = "weights") -> None:
    write_file(folder / MANIFEST, b'{"tool": "paddle2torch"}')
    write_file(folder / "weights", text.encode())


def put_link(folder: Path, victim: Path) -> None:
    (folder / "README.md").symlink_to(victim)


def put_code(folder: Path, victim: Path) -> None:
    (folder / "extra.py").write_text("import os")


def put_folder(folder: Path, victim: Path) -> None:
    (folder / "config.json").mkdir()


@pytest.mark.parametrize("plant", [put_link, put_code, put_folder])
def test_what_others_put_into_the_folder_being_written_stops_the_run(
    tmp_path: Path, plant: Callable[[Path, Path], None]
) -> None:
    victim, place = tmp_path / "victim", tmp_path / "place"
    victim.write_text("precious")
    planted: list[Path] = []

    def progress(event: Progress) -> None:
        if event.stage == "writing" and not planted:
            planted.extend(place.glob(f"{PATTERN}/new"))
            plant(planted[0], victim)

    with pytest.raises(OutputError, match="E508.*(README.md|extra.py|config.json).*something else"):
        convert(write_folder(tmp_path / "in"), place / "out", progress=progress)
    assert planted and victim.read_text() == "precious" and not place.exists()


def exchange(folder: Path) -> None:
    os.rename(folder / "weights", folder / "w")
    (folder / "weights").write_text("weights")
    os.unlink(folder / "w")


def append(folder: Path) -> None:
    with open(folder / "weights", "a") as file:
        file.write("x")


def link(folder: Path) -> None:
    os.rename(folder / "weights", folder.parent.parent / "elsewhere")
    (folder / "weights").symlink_to(folder.parent.parent / "elsewhere")


def take_away(folder: Path) -> None:
    os.unlink(folder / "weights")


def exchange_all(folder: Path) -> None:
    os.rename(folder, folder.parent / "aside")
    folder.mkdir()
    (folder / "weights").write_text("weights")


@pytest.mark.parametrize("change", [exchange, append, link, take_away, exchange_all])
def test_a_file_that_is_not_the_one_that_was_written_stops_the_run(
    tmp_path: Path, change: Callable[[Path], None]
) -> None:
    with pytest.raises(OutputError, match="E508"), staged(tmp_path / "out", force=False, needed_bytes=1) as folder:
        fill(folder)
        change(folder)
    assert [path.name for path in tmp_path.iterdir() if path.name != "elsewhere"] == []


def test_nobody_else_may_enter_the_folder_until_it_is_in_its_place(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        with staged(tmp_path / "out", force=False, needed_bytes=1) as folder:
            fill(folder)
            assert [stat.S_IMODE(place.stat().st_mode) for place in (folder, folder.parent)] == [0o700, 0o700]
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "out").stat().st_mode) == 0o755
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "out").iterdir()} == {0o644}


def test_a_file_is_always_a_new_one(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("precious")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("there", "link"):
        with pytest.raises(FileExistsError), create_file(tmp_path / name):
            pytest.fail("must not get here")
    assert (tmp_path / "there").read_text() == "precious" and not (tmp_path / "nowhere").exists()


def looks_like_a_leftover(place: Path, marker: bytes | None = b"") -> Path:
    folder = place / ".out.paddle2torch-abcdefgh"
    folder.mkdir()
    (folder / "precious").write_text("years")
    if marker is not None:
        (folder / LOCK).write_bytes(marker)
    os.utime(folder, (0, 0))
    return folder


def test_a_folder_that_only_looks_like_a_leftover_stays(tmp_path: Path) -> None:
    other = tmp_path / ".other.paddle2torch-abcdefgh"
    other.mkdir()
    mark(other).close()
    copied = (other / LOCK).read_bytes()
    for number, marker in enumerate((None, b"", b"paddle2torch\n", copied)):
        place = tmp_path / str(number)
        place.mkdir()
        folder = looks_like_a_leftover(place, marker)
        clear_leftovers(place / "out")
        assert (folder / "precious").read_text() == "years"
    link_only = tmp_path / "linked"
    link_only.mkdir()
    folder = looks_like_a_leftover(link_only, None)
    (folder / LOCK).symlink_to(other / LOCK)
    clear_leftovers(link_only / "out")
    assert (folder / "precious").exists()


def test_a_marked_folder_is_cleared_when_its_run_is_dead_and_not_before(tmp_path: Path) -> None:
    folder = tmp_path / ".out.paddle2torch-abcdefgh"
    folder.mkdir()
    (folder / "deep").mkdir()
    (folder / "deep" / "half").write_text("half")
    lock = mark(folder)
    clear_folders(tmp_path, PATTERN)
    assert (folder / "deep" / "half").exists()
    lock.close()
    clear_folders(tmp_path, PATTERN)
    assert not folder.exists()


def test_where_no_file_can_be_locked_runs_work_and_none_clears_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    def refuse(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with staged(tmp_path / "out", force=False, needed_bytes=1) as folder:
        fill(folder)
        clear_leftovers(tmp_path / "other")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_an_output_whose_replacement_was_killed_comes_back(tmp_path: Path) -> None:
    folder = tmp_path / ".out.paddle2torch-abcdefgh"
    (folder / "replaced").mkdir(parents=True)
    (folder / "replaced" / "weights").write_text("one")
    mark(folder, "out").close()
    clear_leftovers(tmp_path / "out")
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert (tmp_path / "out" / "weights").read_text() == "one"


RACE = """
import sys, time
from pathlib import Path
from converter.common.errors import OutputError
from converter.write.new_files import write_file
from converter.write.staging import staged
place, rounds, force, start = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "force", float(sys.argv[4])
said = ""
for number in range(rounds):
    time.sleep(max(0.0, start + 0.03 * number - time.time()))
    try:
        with staged(place / f"{number}", force=force, needed_bytes=1) as folder:
            write_file(folder / "paddle2torch.json", b'{"tool": "paddle2torch"}')
            write_file(folder / "weights", b"w" * 1000)
        said += "w"
    except OutputError as error:
        said += "e" if error.problems[0].code == "E501" else "?" + str(error)
print(said)
"""


@pytest.mark.parametrize("force", ["", "force"])
def test_of_several_runs_into_one_output_one_wins_and_nothing_is_left(tmp_path: Path, force: str) -> None:
    rounds, start = 40, time.time() + 1.5
    command = [sys.executable, "-c", RACE, str(tmp_path), str(rounds), force, str(start)]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    said = [run.communicate(timeout=120)[0].strip() for run in runs]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(map(str, range(rounds)))
    for number, words in enumerate(zip(*said)):
        assert set(words) <= {"w", "e"} and "w" in words
        assert force or words.count("w") == 1
        assert sorted(path.name for path in (tmp_path / str(number)).iterdir()) == ["paddle2torch.json", "weights"]
