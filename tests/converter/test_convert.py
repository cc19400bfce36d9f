"""From a folder to a folder: what is written, that it is all or nothing, and that it is always the same."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from converter import Paddle2TorchError, convert
from converter.write.shards import header_bytes, split_into_shards
from tests.support.checkpoints import make_state, write_folder

FILES = [
    "README.md",
    "config.json",
    "configuration_ernie_m.py",
    "model.safetensors",
    "modeling_ernie_m.py",
    "paddle2torch.json",
    "tokenization_ernie_m.py",
]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_every_tensor_arrives_transposed_or_kept_as_its_row_says(tmp_path: Path) -> None:
    state = make_state("UIEM")
    result = convert(write_folder(tmp_path / "in", architecture="UIEM"), tmp_path / "out")
    written = load_file(tmp_path / "out" / "model.safetensors")
    assert len(written) == len(state) == result.tensors
    manifest = json.loads((tmp_path / "out" / "paddle2torch.json").read_text())
    for row in manifest["tensors"]:
        source = state[row["source"]]
        expected = source.T if row["op"] == "transpose" else source
        assert np.array_equal(written[row["target"]], expected)


def test_the_output_holds_what_a_model_needs_and_nothing_else(tmp_path: Path) -> None:
    convert(write_folder(tmp_path / "in"), tmp_path / "out")
    assert names(tmp_path / "out") == FILES
    assert names(tmp_path) == ["in", "out"]


def test_two_runs_give_the_same_bytes_wherever_they_run(tmp_path: Path) -> None:
    convert(write_folder(tmp_path / "in"), tmp_path / "one")
    convert(write_folder(tmp_path / "elsewhere" / "in"), tmp_path / "two")
    for name in FILES:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes(), name


def test_the_source_is_not_touched(tmp_path: Path) -> None:
    source = write_folder(tmp_path / "in")
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in source.iterdir()}
    convert(source, tmp_path / "out")
    assert {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in source.iterdir()} == before


@pytest.mark.parametrize("limit", [1, 300, 2000, 10**9])
def test_shards_hold_every_tensor_once_within_the_limit(tmp_path: Path, limit: int) -> None:
    result = convert(write_folder(tmp_path / "in"), tmp_path / "out", max_shard_size=limit)
    whole = convert(write_folder(tmp_path / "in"), tmp_path / "whole")
    merged: dict[str, Any] = {}
    for name in result.shards:
        part = load_file(tmp_path / "out" / name)
        size = sum(array.nbytes for array in part.values())
        assert size <= limit or len(part) == 1
        assert not set(merged) & set(part)
        merged.update(part)
    expected = load_file(tmp_path / "whole" / "model.safetensors")
    assert merged.keys() == expected.keys()
    assert all(np.array_equal(merged[name], expected[name]) for name in expected)
    if len(result.shards) > 1:
        index = json.loads((tmp_path / "out" / "model.safetensors.index.json").read_text())
        assert index["metadata"]["total_size"] == whole.bytes
        assert set(index["weight_map"]) == set(expected)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_dtype_converts_every_tensor_and_the_config_says_so(tmp_path: Path, dtype: str) -> None:
    torch = pytest.importorskip("torch")
    from safetensors.torch import load_file as load_torch

    state = make_state()
    convert(write_folder(tmp_path / "in"), tmp_path / "out", dtype=dtype)
    written = load_torch(tmp_path / "out" / "model.safetensors")
    for name in ("embeddings.word_embeddings.weight", "pooler.dense.bias"):
        assert torch.equal(written[name], torch.from_numpy(state[name]).to(getattr(torch, dtype)))
    assert json.loads((tmp_path / "out" / "config.json").read_text())["dtype"] == dtype


def test_a_value_too_large_for_the_dtype_is_an_error(tmp_path: Path) -> None:
    state = make_state()
    state["pooler.dense.bias"][3] = 1e6
    with pytest.raises(Paddle2TorchError, match="E204.*pooler.dense.bias: 1 of its values are too large for float16"):
        convert(write_folder(tmp_path / "in", state), tmp_path / "out", dtype="float16")
    assert names(tmp_path) == ["in"]


def test_nan_and_infinity_stop_the_conversion_and_all_are_named(tmp_path: Path) -> None:
    state = make_state()
    state["pooler.dense.bias"][3] = np.nan
    state["embeddings.word_embeddings.weight"][2, 1:3] = np.inf
    source = write_folder(tmp_path / "in", state)
    with pytest.raises(Paddle2TorchError) as caught:
        convert(source, tmp_path / "out")
    assert [problem.text.split(" of")[0] for problem in caught.value.problems] == [
        "embeddings.word_embeddings.weight: 2",
        "pooler.dense.bias: 1",
    ]
    assert names(tmp_path) == ["in"]
    convert(source, tmp_path / "out", allow_nonfinite=True)
    assert np.isnan(load_file(tmp_path / "out" / "model.safetensors")["pooler.dense.bias"][3])


def test_a_dry_run_checks_everything_and_writes_nothing(tmp_path: Path) -> None:
    result = convert(write_folder(tmp_path / "in"), tmp_path / "deep" / "out", dry_run=True)
    assert not result.written and result.tensors == len(make_state())
    assert names(tmp_path) == ["in"]


def test_output_may_not_be_or_hold_the_source(tmp_path: Path) -> None:
    source = write_folder(tmp_path / "in")
    for output in (source, tmp_path):
        with pytest.raises(Paddle2TorchError, match="E507|E501"):
            convert(source, output, force=True)
    assert names(source) == ["config.json", "model_state.pdparams"]


def test_output_may_not_lie_in_the_source_folder_and_may_lie_next_to_a_source_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = write_folder(tmp_path / "in")
    monkeypatch.chdir(source)
    for folder, output in ((".", "out"), (source, source / "deep" / "out"), ("../in", "out")):
        with pytest.raises(Paddle2TorchError, match=r"E507.*OUTPUT lies in the folder SOURCE.*such as \S*out$"):
            convert(folder, output)
    assert names(source) == ["config.json", "model_state.pdparams"]
    convert("model_state.pdparams", "out")
    assert names(source) == ["config.json", "model_state.pdparams", "out"]


def test_one_weight_file_is_a_source_and_a_config_in_the_parent_folder_speaks_for_it(tmp_path: Path) -> None:
    source = write_folder(tmp_path / "in" / "step_1")
    (source / "config.json").rename(tmp_path / "in" / "config.json")
    result = convert(source / "model_state.pdparams", tmp_path / "out")
    assert result.source_class == "ErnieMModel"


@pytest.mark.parametrize("protocol", [2, 3, 4])
def test_every_protocol_gives_the_same_folder(tmp_path: Path, protocol: int) -> None:
    convert(write_folder(tmp_path / "in", protocol=protocol), tmp_path / "out")
    convert(write_folder(tmp_path / "four"), tmp_path / "reference")
    name = "model.safetensors"
    assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "reference" / name).read_bytes()


def test_a_file_that_reads_back_changed_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from converter.write import shards as weights

    check = weights.check_written

    def damage_first(path: Path, *rest: Any) -> None:
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(data)
        check(path, *rest)

    monkeypatch.setattr(weights, "check_written", damage_first)
    with pytest.raises(Paddle2TorchError, match="E504.*reads back changed"):
        convert(write_folder(tmp_path / "in"), tmp_path / "out")
    assert names(tmp_path) == ["in"]


def test_the_header_is_what_the_format_asks_for(tmp_path: Path) -> None:
    from converter.open.source import open_source
    from converter.plan.make_plan import make_plan

    plan = make_plan(open_source(write_folder(tmp_path)))
    shard = split_into_shards(plan.tensors, 10**9)[0]
    header = header_bytes(shard)
    assert int.from_bytes(header[:8], "little") == len(header) - 8
    assert len(header) % 8 == 0
    entries = json.loads(header[8:])
    assert entries.pop("__metadata__") == {"format": "pt"}
    assert entries["embeddings.word_embeddings.weight"] == {
        "dtype": "F32",
        "shape": [30, 8],
        "data_offsets": [0, 960],
    }


def test_converting_imports_neither_torch_nor_paddle_nor_pickle(tmp_path: Path) -> None:
    """safetensors' numpy side imports no pickle; numpy does, so pickle's loading half is made unusable instead."""
    source = write_folder(tmp_path / "in")
    script = (
        "import sys, pickle\n"
        "def refuse(*a, **k): raise SystemExit('unpickled something')\n"
        "pickle.load = pickle.loads = pickle.Unpickler = refuse\n"
        "from converter import convert\n"
        "convert(sys.argv[1], sys.argv[2])\n"
        "heavy = {'torch', 'paddle', 'paddlenlp', 'transformers', 'ernie_m'} & set(sys.modules)\n"
        "raise SystemExit(f'imported {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(source), str(tmp_path / "out")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_a_model_without_a_pooler_says_so_in_its_config(tmp_path: Path) -> None:
    state = make_state()
    del state["pooler.dense.weight"], state["pooler.dense.bias"]
    convert(write_folder(tmp_path / "in", state), tmp_path / "out")
    assert json.loads((tmp_path / "out" / "config.json").read_text())["add_pooling_layer"] is False


def test_the_api_stays_callable_whatever_was_imported_before() -> None:
    """A module called like the function would take its place in the package."""
    import converter
    import converter.conversion
    import converter.inspection

    assert callable(converter.convert) and callable(converter.inspect)
