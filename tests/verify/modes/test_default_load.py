"""What a user gets who gives from_pretrained a folder and nothing else, against PaddleNLP's own default load."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converter.common.errors import ReferenceFailure
from tests.support.checkpoints import make_config, make_state, write_folder
from verify import Report, verify
from verify.modes.default_load import UNITS, coarsest
from verify.numbers.pytorch_process import Start
from verify.numbers.tolerances import Limits
from verify.report.terminal import render_table
from verify.results.numbers import DEFAULT_LOAD
from verify.results.trace import read_trace

HEAD = "ErnieMForSequenceClassification"
SIZES = {"vocab_size": 60, "max_position_embeddings": 40, "hidden_size": 16, "num_attention_heads": 4}
#: What OUTPUT's code may do to a model that is loaded without a dtype, and where nothing else looks.
HOOK = """

_load = PreTrainedModel.from_pretrained.__func__


def _from_pretrained(cls, *args, **kwargs):
    plain = kwargs.get("dtype", kwargs.get("torch_dtype")) is None
    {before}
    model = _load(cls, *args, **kwargs)
    if plain:
        {after}
    return model


ErnieMPreTrainedModel.from_pretrained = classmethod(_from_pretrained)
"""


@pytest.fixture(scope="module")
def amp(verify_live: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A checkpoint as AMP level O2 leaves it, with a config that names no dtype: PaddleNLP loads it in float32."""
    state = make_state(HEAD, **SIZES)
    state = {name: array if "norm" in name else array.astype("<f2") for name, array in state.items()}
    source = write_folder(tmp_path_factory.mktemp("amp") / "source", state, make_config(HEAD, **SIZES))
    return verify_live(source)


@pytest.fixture
def judge(amp: Any, copy_output: Callable[[Any], Path], ready: Start) -> Callable[..., Report]:
    """The verdict by the trace on a copy of OUTPUT with other fields in config.json, or with more code."""

    def run(fields: Any = None, code: str = "", trace: Path | None = None, **options: Any) -> Report:
        output = copy_output(amp)
        config = {**json.loads((output / "config.json").read_text()), **(fields or {})}
        (output / "config.json").write_text(json.dumps({key: value for key, value in config.items() if value != ...}))
        with (output / "modeling_ernie_m.py").open("a") as file:
            file.write(code)
        return verify(None, output, trace=trace or amp.trace, start=ready, **options)

    return run


def change_head(trace: Path, target: Path, **fields: Any) -> Path:
    """A trace with other fields in its head; ... takes one out."""
    data = trace.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    head = {**json.loads(header["__metadata__"]["paddle2torch_trace"][64:]), **fields}
    text = json.dumps({key: value for key, value in head.items() if value != ...})
    header["__metadata__"]["paddle2torch_trace"] = hashlib.sha256(text.encode()).hexdigest() + text
    packed = json.dumps(header).encode()
    packed += b" " * (-len(packed) % 8)
    target.write_bytes(struct.pack("<Q", len(packed)) + packed + data[8 + length :])
    return target


def problems_of(report: Report) -> dict[str, str]:
    return {problem.code: problem.text for problem in report.problems}


def test_mixed_dtypes_load_in_float32_as_in_paddlenlp(amp: Any) -> None:
    report = amp.report
    assert report.passed, render_table(report)
    assert json.loads((amp.output / "config.json").read_text())["dtype"] == "float32"
    assert read_trace(amp.trace).head["default_dtype"] == "float32"
    tensors = report.static.tensors
    use = report.uses[DEFAULT_LOAD]
    assert use.differ == 0 and use.compared > tensors
    assert f"default load                {use.compared} tensors and sites" in render_table(report)
    assert "default load" in (amp.output / "verification" / "report.html").read_text()
    assert "default load" in (amp.output / "verification" / "junit.xml").read_text()


@pytest.mark.parametrize("static", [True, False])
def test_a_config_that_asks_for_another_dtype_is_found_by_loading_too(
    judge: Callable[..., Report], static: bool
) -> None:
    found = problems_of(judge({"dtype": "float16"}, static=static))
    assert "config.json asks for float16, PaddleNLP loads it in float32" in found.pop("E418")
    assert found == ({"E408": "config.json: dtype is 'float16', expected 'float32'"} if static else {})


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('kwargs.setdefault("dtype", torch.float16)', "pass", "is float16 after loading"),
        ("pass", "model.classifier.bias.data[0] += 1e-3", "classifier.bias has other values after loading"),
        ("pass", "model.classifier.register_forward_hook(lambda *a: a[2] * 1.001)", "logits differs"),
        ("pass", 'model.register_buffer("more", torch.ones(1))', "more: no file of OUTPUT holds it"),
        ("pass", "raise KeyError(3)", "from_pretrained with no dtype fails: KeyError: 3"),
    ],
)
def test_code_that_acts_on_a_plain_load_alone(judge: Callable[..., Report], before: str, after: str, said: str) -> None:
    report = judge(code=HOOK.format(before=before, after=after))
    assert set(problems_of(report)) == {"E418"}, render_table(report)
    assert said in report.uses[DEFAULT_LOAD].first and said in problems_of(report)["E418"]


def test_where_paddlenlp_loads_in_half_the_norms_are_rounded_as_there(
    amp: Any, judge: Callable[..., Report], tmp_path: Path
) -> None:
    trace = change_head(amp.trace, tmp_path / "half", default_dtype="float16")
    report = judge({"dtype": "float16"}, trace=trace)
    assert report.passed, render_table(report)
    assert report.uses[DEFAULT_LOAD].compared > report.static.tensors


def test_and_a_config_that_asks_for_float32_is_then_wrong(
    amp: Any, judge: Callable[..., Report], tmp_path: Path
) -> None:
    trace = change_head(amp.trace, tmp_path / "half", default_dtype="float16")
    found = problems_of(judge(trace=trace, static=False))
    assert "config.json asks for float32, PaddleNLP loads it in float16" in found["E418"]


def test_a_trace_from_before_leaves_the_dtype_unknown_with_a_warning(
    amp: Any, judge: Callable[..., Report], tmp_path: Path
) -> None:
    report = judge(trace=change_head(amp.trace, tmp_path / "old", default_dtype=...))
    assert report.passed, render_table(report)
    assert any("does not hold the dtype that PaddleNLP loads in" in warning for warning in report.warnings)


def test_a_trace_with_another_dtype_than_there_is_is_refused(amp: Any, tmp_path: Path) -> None:
    for dtype in ("fp16", "int8", None):
        with pytest.raises(ReferenceFailure, match="E604.*default_dtype"):
            read_trace(change_head(amp.trace, tmp_path / "odd", default_dtype=dtype))


def test_an_alias_that_the_code_obeys_is_seen_in_the_loaded_model(judge: Callable[..., Report]) -> None:
    found = problems_of(judge({"dropout": 0.5, "classifier_dropout": ...}))
    assert "classifier_dropout None, the model has 0.5" in found["E407"]


@pytest.mark.parametrize("stored", ["float16", "bfloat16", "float32", "float64"])
@pytest.mark.parametrize("loaded", ["float16", "bfloat16", "float32", "float64"])
def test_values_are_the_files_or_the_nearest(tmp_path: Path, stored: str, loaded: str) -> None:
    """One unit in the last place of what was loaded is seen, the sign of a zero, and a NaN equals itself."""
    torch = pytest.importorskip("torch")
    from verify.modes.default_load import _has_values
    from verify.weights.output_weights import WrittenTensor

    values = torch.tensor([0.0, -0.0, 1.0, -3.3, 0.1, 1e-3, float("nan"), float("inf")], dtype=getattr(torch, stored))
    path = tmp_path / "tensor"
    path.write_bytes(values.view(torch.uint8).numpy().tobytes())
    written = WrittenTensor("t", (8,), stored, path, 0, path.stat().st_size)
    model = values.to(getattr(torch, loaded))
    assert _has_values(model, written)
    whole = {2: torch.int16, 4: torch.int32, 8: torch.int64}[model.element_size()]
    for place in range(6):
        wrong = model.clone()
        wrong.view(whole)[place] += 1
        assert not _has_values(wrong, written), place
    assert not _has_values(-model, written)
    assert not _has_values(model.reshape(2, 4), written)


def test_limits_follow_the_coarser_of_the_two_dtypes() -> None:
    limits = Limits("float64", 16, 2, 30, {}, {})
    for dtype, unit in UNITS.items():
        assert coarsest(limits, dtype).unit == unit
        ratio = coarsest(limits, dtype).site("logits") / limits.site("logits")
        assert np.isclose(ratio, unit / UNITS["float64"])
    assert coarsest(Limits("float32", 16, 2, 30, {}, {}), "float64").precision == "float32"
