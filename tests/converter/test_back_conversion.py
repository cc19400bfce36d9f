"""to_paddle(convert(x)) is x, bit for bit, for every class; and what stops it leaves nothing behind."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converter import Paddle2TorchError, convert, to_paddle
from converter.common.layout import BACK_MANIFEST, MANIFEST
from converter.open.pickle.pdparams import open_pdparams
from mappings import all_families
from tests.support.checkpoints import make_config, make_state, write_folder

CLASSES = [entry.source for family in all_families() for entry in family.classes if entry.in_paddlenlp]
POOLERLESS = [
    entry.source
    for family in all_families()
    for entry in family.classes
    if entry.in_paddlenlp and any(row.part == "pooler" and row.drop for row in family.tables[entry.source].backbone)
]


def arrays(folder: Path) -> dict[str, np.ndarray]:
    return {name: tensor.read() for name, tensor in open_pdparams(folder / "model_state.pdparams").tensors.items()}


def make(place: Path, architecture: str = "ErnieMModel", **changes: Any) -> Path:
    """SOURCE and OUTPUT of it; the names of earlier releases, which no release has together, are left out."""
    older = [row.source.text for row in _table(architecture).head if row.older]
    state = {name: value for name, value in make_state(architecture).items() if name not in older}
    write_folder(place / "source", state, make_config(architecture, **changes))
    convert(place / "source", place / "out")
    return place


def _table(architecture: str) -> Any:
    return next(family.tables[architecture] for family in all_families() if architecture in family.tables)


@pytest.mark.parametrize("architecture", CLASSES)
def test_every_class_comes_back_bit_for_bit(architecture: str, tmp_path: Path) -> None:
    make(tmp_path, architecture)
    result = to_paddle(tmp_path / "out", tmp_path / "back")
    before, after = arrays(tmp_path / "source"), arrays(tmp_path / "back")
    lost = sorted(set(before) - set(after))
    assert lost == sorted(result.lost) and set(after) <= set(before)
    assert all("pooler" in name for name in lost) and bool(lost) == (architecture in POOLERLESS)
    for name, array in after.items():
        assert array.dtype == before[name].dtype and array.tobytes() == before[name].tobytes(), name
    assert all(any(name in text for text in result.warnings) for name in lost)
    config = json.loads((tmp_path / "back" / "config.json").read_text())
    original = make_config(architecture)
    # What no class computes with, or computes itself.
    idle = ("paddlenlp_version", "intermediate_size", "type_vocab_size", "layer_norm_eps", "embedding_size")
    assert {k: v for k, v in original.items() if k not in idle} == {k: v for k, v in config.items() if k not in idle}


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_a_folder_in_half_precision(dtype: str, tmp_path: Path) -> None:
    make(tmp_path)
    convert(tmp_path / "source", tmp_path / "half", dtype=dtype)
    to_paddle(tmp_path / "half", tmp_path / "back")
    tensors = open_pdparams(tmp_path / "back" / "model_state.pdparams").tensors.values()
    assert {tensor.dtype for tensor in tensors} == {dtype}
    assert json.loads((tmp_path / "back" / "config.json").read_text())["dtype"] == dtype
    # The same bytes as convert's: one rounding, and none on the way back.
    convert(tmp_path / "back", tmp_path / "again")
    assert (tmp_path / "again" / "model.safetensors").read_bytes() == (
        tmp_path / "half" / "model.safetensors"
    ).read_bytes()


def test_fields_that_paddlenlp_alone_needs_come_back(tmp_path: Path) -> None:
    make(tmp_path, "ErnieMForMultipleChoice", num_choices=5)
    assert json.loads((tmp_path / "out" / MANIFEST).read_text())["source_config"] == {"num_choices": 5}
    assert "num_choices" not in json.loads((tmp_path / "out" / "config.json").read_text())
    result = to_paddle(tmp_path / "out", tmp_path / "back")
    assert json.loads((tmp_path / "back" / "config.json").read_text())["num_choices"] == 5
    assert result.warnings == ("no tokenizer (vocab.txt) in OUTPUT: FOLDER has none",)
    (tmp_path / "out" / MANIFEST).unlink()
    result = to_paddle(tmp_path / "out", tmp_path / "back", force=True)
    assert any("nothing gives num_choices" in text for text in result.warnings)


def test_shards_and_tied_tensors_that_are_absent(tmp_path: Path) -> None:
    make(tmp_path, "ErnieForMaskedLM")
    convert(tmp_path / "source", tmp_path / "sharded", max_shard_size=4000)
    assert len(list((tmp_path / "sharded").glob("*.safetensors"))) > 2
    (tmp_path / "sharded" / MANIFEST).unlink()
    result = to_paddle(tmp_path / "sharded", tmp_path / "back")
    assert result.copies == ("cls.predictions.decoder.weight", "cls.predictions.decoder_bias")
    found = arrays(tmp_path / "back")
    assert np.array_equal(found["cls.predictions.decoder.weight"], found["ernie.embeddings.word_embeddings.weight"])
    assert {name: value.tobytes() for name, value in found.items()} == {
        name: value.tobytes() for name, value in arrays(tmp_path / "source").items()
    }


def test_what_it_writes_is_a_source_again(tmp_path: Path) -> None:
    make(tmp_path, "UIE")
    to_paddle(tmp_path / "out", tmp_path / "back")
    convert(tmp_path / "back", tmp_path / "again")
    for name in ("model.safetensors", "config.json"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "out" / name).read_bytes()


def test_force_replaces_only_what_it_made(tmp_path: Path) -> None:
    make(tmp_path)
    to_paddle(tmp_path / "out", tmp_path / "back")
    with pytest.raises(Paddle2TorchError, match=r"E501.*back exists. Choose another FOLDER"):
        to_paddle(tmp_path / "out", tmp_path / "back")
    to_paddle(tmp_path / "out", tmp_path / "back", force=True)
    shutil.copytree(tmp_path / "out", tmp_path / "other")
    for place in ("source", "other"):  # A checkpoint of PaddleNLP's own, and one that `convert` made.
        with pytest.raises(Paddle2TorchError, match=r"E501.*was not made by this tool \(no such to_paddle.json\)"):
            to_paddle(tmp_path / "out", tmp_path / place, force=True)
    with pytest.raises(Paddle2TorchError, match="E501"):  # Nor does `convert` replace a folder of PaddleNLP's.
        convert(tmp_path / "source", tmp_path / "back", force=True)


def test_nothing_is_written_into_output_or_around_it(tmp_path: Path) -> None:
    make(tmp_path)
    for place in ("out", "out/inner"):
        with pytest.raises(Paddle2TorchError, match="E507"):
            to_paddle(tmp_path / "out", tmp_path / place)
    with pytest.raises(Paddle2TorchError, match="E507"):
        to_paddle(tmp_path / "out", tmp_path)


def test_a_dry_run_finds_everything_and_writes_nothing(tmp_path: Path) -> None:
    make(tmp_path)
    result = to_paddle(tmp_path / "out", tmp_path / "back", dry_run=True)
    assert not result.written and result.tensors == len(arrays(tmp_path / "source"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "source"]


def test_the_record_has_the_sums_of_what_it_was_made_of(tmp_path: Path) -> None:
    import hashlib

    make(tmp_path)
    to_paddle(tmp_path / "out", tmp_path / "back")
    record = json.loads((tmp_path / "back" / BACK_MANIFEST).read_text())
    sums = {file["name"]: file["sha256"] for file in record["source"]["files"]}
    assert sums == {
        name: hashlib.sha256((tmp_path / "out" / name).read_bytes()).hexdigest()
        for name in ("config.json", "model.safetensors")
    }
    found = {name: hashlib.sha256(array.tobytes()).hexdigest() for name, array in arrays(tmp_path / "back").items()}
    assert {row["target"]: row["sha256"] for row in record["tensors"]} == found
    assert str(tmp_path) not in json.dumps(record)


SCRIPT = """
import sys, time
from converter.write.paddle import output
def wait(*_):
    print("writing", flush=True)
    time.sleep(60)
output.write_json = wait
from converter.__main__ import main
main()
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_stopped_while_it_writes(number: int, tmp_path: Path) -> None:
    make(tmp_path / "in")
    place = tmp_path / "place"
    place.mkdir()
    words = ["to-paddle", str(tmp_path / "in" / "out"), str(place / "back")]
    run = subprocess.Popen([sys.executable, "-c", SCRIPT, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert run.stdout is not None and run.stdout.readline() == b"writing\n"
    run.send_signal(number)
    run.communicate(timeout=20)
    left = [path.name for path in place.iterdir()]
    if number == signal.SIGINT:
        assert left == []
    else:
        assert len(left) == 1 and left[0].startswith(".back.paddle2torch-")
    to_paddle(tmp_path / "in" / "out", place / "back")
    assert [path.name for path in place.iterdir()] == ["back"]
