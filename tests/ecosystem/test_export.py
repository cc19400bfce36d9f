"""A converted folder in other runtimes: torch.compile, torch.export and ONNX, with sizes that stay free."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoTokenizer

import ernie_m
from tests.ecosystem.conftest import TEXTS, Make

Need = Callable[[str], Any]


def batches(folder: Path) -> list[dict[str, torch.Tensor]]:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    sizes = (TEXTS[:2], TEXTS, [TEXTS[3] * 4] * 3)
    return [tokenizer(texts, padding=True, return_attention_mask=True, return_tensors="pt") for texts in sizes]


def test_compiled_models_give_the_same(converted: Make) -> None:
    model = ernie_m.ErnieMForTokenClassification.from_pretrained(converted("ErnieMForTokenClassification")).eval()
    torch._dynamo.reset()
    compiled = torch.compile(model, backend="aot_eager")
    with torch.no_grad():
        for batch in batches(converted("ErnieMForTokenClassification")):
            assert torch.allclose(compiled(**batch).logits, model(**batch).logits, atol=1e-5)
    torch._dynamo.reset()


def free_sizes() -> dict[str, Any]:
    batch, tokens = torch.export.Dim("batch", max=64), torch.export.Dim("tokens", max=512)
    return {name: {0: batch, 1: tokens} for name in ("input_ids", "attention_mask")}


def test_an_exported_program_takes_any_batch(converted: Make) -> None:
    folder = converted("ErnieMForTokenClassification")
    model = ernie_m.ErnieMForTokenClassification.from_pretrained(folder).eval()
    first, *others = batches(folder)
    program = torch.export.export(model, (), dict(first), dynamic_shapes=free_sizes(), strict=False).module()
    with torch.no_grad():
        for batch in (first, *others):
            assert torch.allclose(program(**batch).logits, model(**batch).logits, atol=1e-5)


OUTPUTS = {
    "ErnieMModel": ["last_hidden_state", "pooler_output"],
    "ErnieMForSequenceClassification": ["logits"],
    "UIEM": ["start_logits", "end_logits"],
}
# An export takes seconds, so each way to call is tried with the classes for which it is the usual one.
CASES = [("ErnieMModel", True), ("ErnieMForSequenceClassification", False), ("UIEM", False)]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name, masked", CASES)
def test_onnxruntime_gives_torchs_outputs(converted: Make, need: Need, tmp_path: Path, name: str, masked: bool) -> None:
    """Batches that the export did not see; without a mask the graph itself hides [CLS], as Paddle does."""
    for library in ("onnx", "onnxscript"):
        need(library)
    onnxruntime = need("onnxruntime")
    folder = converted(name)
    model = getattr(ernie_m, name.replace("UIEM", "ErnieMForInformationExtraction")).from_pretrained(folder).eval()
    inputs = ["input_ids", "attention_mask"] if masked else ["input_ids"]
    first, *others = ({key: batch[key] for key in inputs} for batch in batches(folder))
    torch.onnx.export(
        model,
        kwargs=first,
        f=str(tmp_path / "model.onnx"),
        input_names=inputs,
        output_names=OUTPUTS[name],
        dynamic_shapes={key: free_sizes()[key] for key in inputs},
        dynamo=True,
        external_data=False,
        verbose=False,
    )
    session = onnxruntime.InferenceSession(str(tmp_path / "model.onnx"), providers=["CPUExecutionProvider"])
    assert [one.name for one in session.get_inputs()] == inputs
    assert [one.name for one in session.get_outputs()] == OUTPUTS[name]
    for batch in (first, *others):
        with torch.no_grad():
            expected = model(**batch)
        found = session.run(None, {key: value.numpy() for key, value in batch.items()})
        for output, values in zip(OUTPUTS[name], found, strict=True):
            assert torch.allclose(torch.from_numpy(values), expected[output], rtol=1e-4, atol=1e-4), output
