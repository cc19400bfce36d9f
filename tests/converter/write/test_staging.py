"""OUTPUT is either absent or complete, and no temporary file stays next to it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from converter.common.errors import OutputError
from converter.files.mount_points import is_mount_point
from converter.write.new_files import write_file
from converter.write.staging import staged

OURS = {"tool": "paddle2torch"}


def fill(folder: Path, text: str) -> None:
    write_file(folder / "paddle2torch.json", json.dumps(OURS).encode())
    write_file(folder / "weights", text.encode())


def make(output: Path, text: str = "one", force: bool = False) -> None:
    with staged(output, force=force, needed_bytes=10) as folder:
        assert not output.exists() or force
        fill(folder, text)


def test_the_output_appears_when_all_is_written_and_alone(tmp_path: Path) -> None:
    make(tmp_path / "deep" / "out")
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["out"]
    assert sorted(path.name for path in (tmp_path / "deep" / "out").iterdir()) == ["paddle2torch.json", "weights"]


def test_an_error_leaves_nothing_not_even_the_folders_above(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), staged(tmp_path / "deep" / "out", force=False, needed_bytes=10) as folder:
        fill(folder, "one")
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_exists_is_kept(tmp_path: Path) -> None:
    make(tmp_path / "out", "one")
    with pytest.raises(OutputError, match="E501"):
        make(tmp_path / "out", "two")
    assert (tmp_path / "out" / "weights").read_text() == "one"


def test_force_replaces_our_own_and_only_our_own(tmp_path: Path) -> None:
    make(tmp_path / "out", "one")
    make(tmp_path / "out", "two", force=True)
    assert (tmp_path / "out" / "weights").read_text() == "two"
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years")
    with pytest.raises(OutputError, match="not made by this tool"):
        make(tmp_path / "mine", "two", force=True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "out"]


def test_a_mount_point_is_refused_with_a_place_that_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A volume of a container: its own file system, or a folder of the same one, which only the kernel lists."""
    assert is_mount_point(Path("/")) and not is_mount_point(tmp_path)
    volume = tmp_path / "a volume"
    volume.mkdir()
    listed = tmp_path / "mountinfo"
    escaped = str(volume).replace(" ", "\\040")
    listed.write_text(f"63 43 254:0 /data/x {escaped} rw,relatime - ext4 /dev/vda rw\n64 short\n")
    monkeypatch.setattr("converter.files.mount_points._MOUNTS", listed)
    for force in (False, True):
        with pytest.raises(OutputError, match=r"E502.*a volume is a mount point, .* such as '.*/a volume/out'$"):
            make(volume, force=force)
    make(volume / "out")
    assert os.listdir(volume) == ["out"]


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="only root mounts")
@pytest.mark.parametrize("kind", ["-t tmpfs none", "--bind other"])
def test_what_is_really_mounted_is_seen(tmp_path: Path, kind: str) -> None:
    for name in ("volume", "other"):
        (tmp_path / name).mkdir()
    look = "import sys; from pathlib import Path; from converter.files.mount_points import is_mount_point as f; "
    command = f'mount {kind} volume && "$0" -c "{look} sys.exit(7 * f(Path(sys.argv[1])))" volume'
    words = ["unshare", "-m", "sh", "-c", command, sys.executable]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True)
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip("this system does not let a test mount")
    assert done.returncode == 7, done.stderr


def test_a_failed_replacement_keeps_the_first_output(tmp_path: Path) -> None:
    make(tmp_path / "out", "one")
    with pytest.raises(ZeroDivisionError), staged(tmp_path / "out", force=True, needed_bytes=10) as folder:
        fill(folder, "two")
        raise ZeroDivisionError
    assert (tmp_path / "out" / "weights").read_text() == "one"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_disk_too_small_is_told_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="E503"), staged(tmp_path / "out", force=False, needed_bytes=1 << 60):
        pytest.fail("must not get here")
    assert list(tmp_path.iterdir()) == []


HANG = """
import sys, time
from pathlib import Path
from converter.write.staging import staged
with staged(Path(sys.argv[1]), force=False, needed_bytes=10) as folder:
    (folder / "weights").write_text("half")
    print("ready", flush=True)
    time.sleep(60)
"""


def start_a_run(output: Path) -> subprocess.Popen[str]:
    run = subprocess.Popen([sys.executable, "-c", HANG, str(output)], stdout=subprocess.PIPE, text=True)
    assert run.stdout is not None
    assert run.stdout.readline() == "ready\n"
    return run


def test_what_a_killed_run_left_is_cleared_by_the_next(tmp_path: Path) -> None:
    run = start_a_run(tmp_path / "out")
    run.send_signal(signal.SIGKILL)
    run.wait()
    assert len(list(tmp_path.iterdir())) == 1
    make(tmp_path / "another")
    assert [path.name for path in tmp_path.iterdir()] == ["another"]


def test_what_a_living_run_writes_is_left_alone(tmp_path: Path) -> None:
    run = start_a_run(tmp_path / "out")
    try:
        make(tmp_path / "out")
        left = [path for path in tmp_path.iterdir() if path.name != "out"]
        assert len(left) == 1 and (left[0] / "new" / "weights").read_text() == "half"
    finally:
        run.kill()
        run.wait()
    time.sleep(0.05)
    make(tmp_path / "out", force=True)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_place_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="E502"):
        make(tmp_path / "file" / "out")


def test_a_folder_without_a_lock_is_cleared_only_when_it_is_old(tmp_path: Path) -> None:
    """A live run has none for an instant; a run that was killed in that instant left one for good."""
    left = tmp_path / ".out.paddle2torch-abcdefgh"
    left.mkdir()
    make(tmp_path / "one")
    assert left.exists()
    os.utime(left, (0, 0))
    make(tmp_path / "two")
    assert not left.exists()


def test_a_replacement_that_cannot_be_put_in_place_gives_the_first_output_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path / "out", "one")
    rename = os.rename

    def fail_at_the_last(source: Path, target: Path) -> None:
        if target == tmp_path / "out" and (Path(source) / "weights").read_text() == "two":
            raise OSError(5, "Input/output error")
        rename(source, target)

    monkeypatch.setattr(os, "rename", fail_at_the_last)
    with pytest.raises(OutputError, match="Input/output error"):
        make(tmp_path / "out", "two", force=True)
    assert (tmp_path / "out" / "weights").read_text() == "one"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("name", ["x" * 255, "é" * 127 + "x", "x" * 240])
def test_a_name_as_long_as_a_name_may_be_is_written_and_its_leftovers_are_cleared(tmp_path: Path, name: str) -> None:
    make(tmp_path / name)
    make(tmp_path / name, "two", force=True)
    assert [path.name for path in tmp_path.iterdir()] == [name]
