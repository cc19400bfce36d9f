"""A conversion that is stopped while it writes, of each format: no OUTPUT, SOURCE untouched, and the next run works."""

from __future__ import annotations

import hashlib
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from converter import convert
from tests.support.fuzz.subjects import make_subjects

FORMATS = {
    "combined": "combined, official names in .json: .json",
    "per variable": "variables: __model__",
    "PyTorch": "torch, zip",
    "PyTorch before 1.6": "torch before 1.6",
    "slices": "pdparams, slices",
    "safetensors in shards": "safetensors, the index",
}
SUBJECTS = make_subjects()
SCRIPT = """
import sys, time
from converter.write import output
def wait(*_):
    print("writing", flush=True)
    time.sleep(60)
output.write_json = wait
from converter.__main__ import main
main()
"""
CLASS = "ErnieMForSequenceClassification"


def sums(folder: Path) -> dict[str, tuple[str, int]]:
    return {
        path.name: (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns) for path in folder.iterdir()
    }


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
@pytest.mark.parametrize("form", FORMATS)
def test_stopped_while_it_writes(form: str, number: int, tmp_path: Path) -> None:
    if FORMATS[form] not in SUBJECTS:
        pytest.skip("torch is not installed")
    subject = SUBJECTS[FORMATS[form]]
    source, place = tmp_path / "source", tmp_path / "place"
    source.mkdir()
    place.mkdir()
    for name, data in subject.files.items():
        (source / name).write_bytes(data)
    before = sums(source)
    words = ["convert", str(source / subject.open), str(place / "out"), "--architecture", CLASS]
    command = [sys.executable, "-c", SCRIPT, *words]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert run.stdout is not None and run.stdout.readline() == "writing\n"
    run.send_signal(number)
    _, errors = run.communicate(timeout=20)
    left = [path.name for path in place.iterdir()]
    if number == signal.SIGINT:
        assert (run.returncode, left) == (-number, [])
        assert errors.splitlines()[-1] == "error[E009]: stopped by the user. Nothing was left half-written."
    else:
        assert len(left) == 1 and left[0].startswith(".out.paddle2torch-")
    convert(source / subject.open, place / "out", architecture=CLASS)
    assert [path.name for path in place.iterdir()] == ["out"] and (place / "out" / "model.safetensors").is_file()
    assert sums(source) == before
