"""Folders of transformers' own classes: what save_pretrained and torch.save write of them is read tensor by tensor."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converter.common.errors import Paddle2TorchError
from converter.conversion import convert
from converter.open.source import open_source
from converter.plan.make_plan import make_plan
from mappings.registry import all_classes
from tests.support.planned import planned

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

SIZES = {
    **{"vocab_size": 30, "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 12},
    **{"max_position_embeddings": 10, "type_vocab_size": 3},
}
#: Model type -> config's class, and further fields.
CONFIGS: dict[str, tuple[str, dict[str, Any]]] = {
    "ernie": ("ErnieConfig", {"use_task_id": True}),
    "electra": ("ElectraConfig", {"embedding_size": 8}),
}
CLASSES = sorted(
    {(f.target_model_type, e.target) for f, e in all_classes() if f.target_model_type in CONFIGS and not e.travels}
)


def build(model_type: str, target: str) -> Any:
    torch.manual_seed(0)
    name, more = CONFIGS[model_type]
    labels = {"num_labels": 3} if "Classification" in target else {}
    return getattr(transformers, target)(getattr(transformers, name)(**SIZES, **more, **labels))


def test_every_class_is_there() -> None:
    assert len(CLASSES) == 14 and ("ernie", "ErnieForPreTraining") in CLASSES


@pytest.mark.parametrize("form", ["safetensors", "bin"])
@pytest.mark.parametrize(("model_type", "target"), CLASSES)
def test_a_folder_of_a_class_is_read(model_type: str, target: str, form: str, tmp_path: Path) -> None:
    model = build(model_type, target)
    state = {name: tensor.numpy() for name, tensor in model.state_dict().items()}
    model.save_pretrained(tmp_path)
    if form == "bin":
        (tmp_path / "model.safetensors").unlink()
        torch.save(model.state_dict(), tmp_path / "pytorch_model.bin")
    source = open_source(tmp_path)
    plan = make_plan(source)
    written = planned(plan)
    assert plan.table.target_class == target and source.tensors.naming == "transformers"
    for name, array in written.items():
        np.testing.assert_array_equal(array, state[name], strict=True, err_msg=name)
    # What is tied to another tensor is in a file of torch.save, and written once.
    assert set(state) - set(written) == {
        "ErnieForMaskedLM": {"cls.predictions.decoder.weight", "cls.predictions.decoder.bias"},
        "ErnieForPreTraining": {"cls.predictions.decoder.weight", "cls.predictions.decoder.bias"},
        "ElectraForMaskedLM": {"generator_lm_head.weight"},
    }.get(target, set())


@pytest.mark.parametrize(
    ("model_type", "target", "name"),
    [
        ("ernie", "ErnieForMaskedLM", "cls.predictions.decoder.weight"),
        ("ernie", "ErnieForMaskedLM", "cls.predictions.decoder.bias"),
        ("electra", "ElectraForMaskedLM", "generator_lm_head.weight"),
    ],
)
def test_a_decoder_that_is_not_tied_is_refused(model_type: str, target: str, name: str, tmp_path: Path) -> None:
    model = build(model_type, target)
    model.save_pretrained(tmp_path / "in")
    (tmp_path / "in" / "model.safetensors").unlink()
    state = dict(model.state_dict())
    torch.save({**state, name: state[name] + 1}, tmp_path / "in" / "pytorch_model.bin")
    with pytest.raises(Paddle2TorchError, match=f"E306.*{name}"):
        convert(tmp_path / "in", tmp_path / "out", dry_run=True)


def test_an_encoder_without_its_pooling_layer_is_refused_with_the_reason(tmp_path: Path) -> None:
    """AutoModel would give the class a random one."""
    config = transformers.ErnieConfig(**SIZES)
    transformers.ErnieModel(config, add_pooling_layer=False).save_pretrained(tmp_path)
    with pytest.raises(Paddle2TorchError) as refused:
        make_plan(open_source(tmp_path))
    (problem,) = refused.value.problems
    assert problem.code == "E101"
    assert problem.text.startswith("missing: pooler.dense.weight, pooler.dense.bias (2 tensors): ")
    assert "AutoModel" in problem.text and "random" in problem.text and "--config" not in problem.text
