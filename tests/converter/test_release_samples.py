"""The samples with the release's names, from their files to a verified folder: class, labels, behavior, every value."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from converter import convert, inspect
from mappings import OPERATIONS
from verify import verify

HEAD = "ErnieMForSequenceClassification"
#: The class that the names tell, and what no file beside the weights says.
SAMPLES: dict[str, tuple[str, dict[str, Any]]] = {
    "pd18-release-params": ("ErnieMModel", {}),
    "pd18-release-combined": ("ErnieMModel", {}),
    "odd-release-mlm-extras": ("ErnieMModel", {}),
    "pd18-finetuned-seqcls-persistables": (HEAD, {}),
    "pd33-pervar": (HEAD, {}),
    "pd33-combined-infer": (HEAD, {"num_attention_heads": 4}),
    "pd33-12layers-combined-infer": (HEAD, {"num_attention_heads": 4}),
    "pd33-static-save": (HEAD, {"num_attention_heads": 4}),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_becomes_a_release_folder_with_every_value(name: str, shared_data: Path, tmp_path: Path) -> None:
    architecture, options = SAMPLES[name]
    source = shared_data / "checkpoints" / name
    result = convert(source, tmp_path / "out", **options)
    assert (result.source_class, result.behavior) == (architecture, "release")
    written = load_file(tmp_path / "out" / "model.safetensors")
    manifest = json.loads((tmp_path / "out" / "paddle2torch.json").read_text())
    with np.load(source / "expected.npz") as expected:
        assert {row["source"] for row in manifest["tensors"]} == set(expected.files)
        for row in manifest["tensors"]:
            truth = OPERATIONS[row["op"]].apply(expected[row["source"]])
            np.testing.assert_array_equal(written[row["target"]], truth, strict=True, err_msg=row["source"])
            assert row["stored_as"] and row["stored_as"] != row["source"]
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert config["implicit_mask_token_ids"] == [1]
    assert ("id2label" in config) == (architecture == HEAD)
    report = verify(source, tmp_path / "out", static_only=True)
    assert report.passed and report.behavior == "release", report.problems


def test_the_mlm_head_is_kept_and_the_optimizers_state_is_listed(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "checkpoints" / "odd-release-mlm-extras"
    result = convert(source, tmp_path / "out")
    kept = load_file(tmp_path / "out" / "release_extras.safetensors")
    assert set(kept) == set(result.extras) == {path.name for path in (source / "params").glob("mask_lm_*")}
    for name, array in kept.items():
        assert (source / "params" / name).read_bytes().endswith(array.tobytes())
    found = inspect(shared_data / "checkpoints" / "pd18-finetuned-seqcls-persistables")
    dropped = {name for name, _ in found.dropped}
    assert {"cls_out_w_moment1_0", "@LR_DECAY_COUNTER@", "labels"} < dropped and len(dropped) > 200
    assert sum("inspect lists them" in said for said in found.warnings) == 1
