"""What Paddle 3.3.1 itself writes today opens with the arrays that it had."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from converter.open.dispatch import open_weights
from tests.support.streams import key_of, official_shapes

FORMS = ("infer", "separate", "vars", "onefile", "static_save", "binary", "pdmodel")
JIT = {
    "ErnieMModel": "ErnieMModel",
    "ErnieMForSequenceClassification": "",
    "UIEM": "UIEM",
    "ErnieMForQuestionAnswering": "",
    "copied": "UIEM",
}


@pytest.fixture(scope="module")
def written(run_paddle: Callable[..., None], tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("static")
    (root / "shapes.json").write_text(json.dumps(official_shapes(layers=11)))
    run_paddle("static_files.py", root)
    return root


@pytest.mark.parametrize("form", FORMS)
def test_official_names_in_every_form(form: str, written: Path) -> None:
    opened = open_weights(written / form)
    with np.load(written / form / "expected.npz") as expected:
        assert len(opened.tensors) == len(expected.files) == 4 + 11 * 16 + 4
        for name in expected.files:
            tensor = opened.tensors[key_of(name)]
            np.testing.assert_array_equal(tensor.read(), expected[name], strict=True, err_msg=name)
            assert tensor.stored_as == name
    assert ("inference.pdmodel" in [file.name for file in opened.files]) == (form == "pdmodel")
    assert opened.naming == "official" and opened.inferred_class == "ErnieMForSequenceClassification"


@pytest.mark.parametrize("name", JIT)
def test_numbered_names_of_jit_save(name: str, written: Path) -> None:
    """The models are built one after another in one process, so only the first one's numbers start at 0."""
    opened = open_weights(written / f"jit-{name}")
    with np.load(written / f"jit-{name}" / "expected.npz") as expected:
        lost = set(expected.files) - set(opened.tensors)
        assert set(opened.tensors) <= set(expected.files)
        assert all("pooler" in key for key in lost) and bool(lost) == (JIT[name] == "UIEM" or "Question" in name)
        for key, tensor in opened.tensors.items():
            np.testing.assert_array_equal(tensor.read(), expected[key], strict=True, err_msg=key)
    assert opened.naming == "automatic" and opened.inferred_class == JIT[name]
