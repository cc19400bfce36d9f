"""The smallest fault of a weight: which element is changed, by how much, and how far beyond its limit that is."""

from __future__ import annotations

import json
import math
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mappings.registry import load_family
from tests.support.classes import ERNIE_M_CLASSES
from tests.support.limits import make_limits
from verify import verify
from verify.numbers.compare import Reference
from verify.numbers.detection_margin import choose_tensors, measure_smallest_fault, short_case, smallest_of
from verify.numbers.loading import LoadedModel
from verify.numbers.pytorch_process import Start
from verify.numbers.replay import CaseRunner
from verify.reference.subprocess_runner import Ended
from verify.report.messages import describe_margin
from verify.report.terminal import render_table
from verify.results.numbers import SmallestFault
from verify.results.report import Margin
from verify.results.trace import Case, Trace
from verify.weights.output_weights import WrittenTensor, read_written
from verify.weights.ulp import typical_change

torch = pytest.importorskip("torch")

FAMILY = load_family("ernie_m")
ROOT = Path(__file__).resolve().parents[3]
TINY = "ErnieMForSequenceClassification"
ROWS = Case("rows", "every row", "word_embeddings", (), ("word_embeddings",))
#: One unit in the last place of 1.0.
STEP = {"float32": 2.0**-23, "float16": 2.0**-10, "bfloat16": 2.0**-7}


class Table(torch.nn.Module):  # type: ignore[name-defined,misc]
    """A network that is an embedding and nothing else."""

    def __init__(self, rows: Any) -> None:
        super().__init__()
        self.embeddings = torch.nn.Module()
        self.embeddings.word_embeddings = torch.nn.Embedding(*rows.shape)
        self.embeddings.word_embeddings.weight.data = rows.double()

    def forward(self, input_ids: Any, **asked: object) -> Any:
        return {"hidden_states": (self.embeddings.word_embeddings(input_ids),)}


def write(folder: Path, rows: Any) -> dict[str, WrittenTensor]:
    from safetensors.torch import save_file

    save_file({"embeddings.word_embeddings.weight": rows}, folder / "model.safetensors")
    return read_written(folder).tensors


def make_runner(rows: Any, cases: dict[Case, Any], growth: dict[str, float] | None = None) -> CaseRunner:
    """A runner of cases whose ids are given, with what a sound model gives as Paddle's numbers. Every scale is 1."""
    arrays, scales = {}, {}
    table = rows.double().numpy()
    for case, ids in cases.items():
        if case.inputs:
            arrays[case.input_key("input_ids")] = np.array([ids])
        for site in case.sites:
            arrays[case.site_key(site)] = table[np.array([ids])] if case.inputs else table
            scales[site, False] = 1.0
    model = Table(rows)
    limits = make_limits("float64", 32, 3, 38, growth or {})
    trace = Trace(Path("none"), {}, tuple(cases))
    reference = Reference(trace, arrays, limits, scales)  # type: ignore[arg-type]
    return CaseRunner(reference, LoadedModel(model, model, "by hand", FAMILY))


def network(name: str) -> Case:
    return Case(name, "ids", "model", ("input_ids",), ("hidden_states.0",))


def measure(runner: CaseRunner, written: dict[str, WrittenTensor]) -> SmallestFault:
    return measure_smallest_fault(runner, written, lambda text: None)


@pytest.mark.parametrize("dtype", list(STEP))
def test_a_table_whose_ratio_is_known(tmp_path: Path, dtype: str) -> None:
    """Every element is 1 or -1, the largest value is 1, the limit 8 * 2^-53: the ratio is a power of 2."""
    rows = torch.tensor([[1.0, -1.0], [-1.0, 1.0]], dtype=getattr(torch, dtype))
    runner = make_runner(rows, {ROWS: None})
    before = runner.loaded.model.embeddings.word_embeddings.weight.clone()
    fault = measure(runner, write(tmp_path, rows))
    assert fault.ratio == STEP[dtype] / 2.0**-50
    assert (fault.site, fault.case, fault.tried) == ("word_embeddings", "rows", 1)
    assert fault.tensor == "embeddings.word_embeddings.weight" and len(fault.element) == 2
    assert torch.equal(runner.loaded.model.embeddings.word_embeddings.weight, before)
    assert not runner.result.sites


@pytest.mark.parametrize("blind", [1, 13])
def test_what_the_short_input_does_not_show_another_may(tmp_path: Path, blind: int) -> None:
    """Row 0 holds only zeros, so a row is changed that the first inputs do not have: all are asked in the end."""
    rows = torch.tensor([[0.0, 0.0], [1.0, 1.0]])
    cases = {**{network(f"blind {number}"): [0] for number in range(blind)}, network("second"): [0, 1]}
    limit = make_limits("float64", 32, 3, 38).site("hidden_states.0")
    fault = measure(make_runner(rows, cases), write(tmp_path, rows))
    assert (fault.ratio, fault.case) == (2.0**-23 / limit, "second")


def test_what_it_hardly_shows_another_may_show_clearly(tmp_path: Path) -> None:
    """The limit of the first input is wider: 10000 eats its last digits."""
    rows = torch.ones(3, 2)
    growth = {"hidden_states.0": 2.0**14}
    cases = {replace(network("first"), zero_row=True): [0, 1, 2], network("second"): [0, 1, 2]}
    limits = make_limits("float64", 32, 3, 38, growth)
    ratios = [2.0**-23 / limits.site("hidden_states.0", zero_row=zero_row) for zero_row in (True, False)]
    assert 1 < ratios[0] < 10 < ratios[1]
    fault = measure(make_runner(rows, cases, growth), write(tmp_path, rows))
    assert (fault.ratio, fault.case) == (ratios[1], "second")
    alone = {case: ids for case, ids in cases.items() if case.zero_row}
    assert measure(make_runner(rows, alone, growth), write(tmp_path, rows)).ratio == ratios[0]


@pytest.mark.parametrize(("growth", "hidden"), [(2.0**10, False), (2.0**40, True)])
def test_a_limit_that_is_too_wide_is_told(tmp_path: Path, growth: float, hidden: bool) -> None:
    rows = torch.ones(3, 2)
    runner = make_runner(rows, {network("first"): [0, 1, 2]}, {"hidden_states.0": growth})
    ratio = measure(runner, write(tmp_path, rows)).ratio
    assert ratio is not None and (ratio < 1) == hidden
    assert ratio == pytest.approx(2.0**-23 / (8 * 2.0**-53 * math.sqrt(80) * growth))


def test_a_precision_that_rounds_as_coarsely_has_no_number(tmp_path: Path) -> None:
    rows = torch.ones(3, 2)
    runner = make_runner(rows, {ROWS: None})
    limits = replace(runner.reference.limits, precision="float32")
    single = replace(runner, reference=replace(runner.reference, limits=limits))
    fault = measure(single, write(tmp_path, rows))
    assert fault.ratio is None and "float32 itself rounds by one unit in the last place" in fault.why
    assert "no smallest fault was measured" in describe_margin(Margin(0.1, fault))
    # Half a float32's digits: that shows.
    assert measure(single, write(tmp_path, rows.to(torch.bfloat16))).ratio == 2.0**-7 / 2.0**-21
    double = measure(runner, write(tmp_path, rows.double()))
    assert double.ratio is None and "--precision" not in double.why


def test_beside_0_there_is_nothing_to_see(tmp_path: Path) -> None:
    rows = torch.zeros(3, 2)
    fault = measure(make_runner(rows, {ROWS: None}), write(tmp_path, rows))
    assert fault.ratio is None and "is 0" in fault.why


def test_the_element_is_of_median_magnitude_and_not_0(tmp_path: Path) -> None:
    rows = torch.tensor([[0.0, 100.0, 0.001], [0.0, -0.5, 0.0], [0.0, 0.0, 0.0]])
    (tensor,) = write(tmp_path, rows).values()
    change = typical_change(tensor, 7)
    assert change is not None
    assert (change.place, change.value, change.moved) == ((1, 1), -0.5, -0.5 - 2.0**-24)
    many = torch.linspace(-1, 1, 40_000).reshape(200, 200)
    (tensor,) = write(tmp_path, many).values()
    change = typical_change(tensor, 7)
    assert change is not None and 0.4 < abs(change.value) < 0.6
    assert typical_change(tensor, 7) == change != typical_change(tensor, 8)


def test_of_the_largest_number_the_one_below_is_taken(tmp_path: Path) -> None:
    (tensor,) = write(tmp_path, torch.full((2, 2), 65504.0, dtype=torch.float16)).values()
    change = typical_change(tensor, 7)
    assert change is not None and change.moved == 65472.0


def test_one_tensor_of_each_kind_from_the_ends_of_the_network() -> None:
    names = [f"encoder.layers.{number}.norm1.{part}" for number in (0, 1, 2, 10) for part in ("weight", "bias")]
    chosen = choose_tensors([*names, "embeddings.layer_norm.bias", "pooler.dense.weight"], FAMILY.network)
    assert chosen == [
        *(f"encoder.layers.{number}.norm1.{part}" for number in (0, 10) for part in ("weight", "bias")),
        *("embeddings.layer_norm.bias", "pooler.dense.weight"),
    ]


def test_the_shortest_way_to_see_a_tensor() -> None:
    norms = Case("small", "norms alone", "norms", ("small",), ("norm:embeddings.layer_norm",))
    masked = Case("mask", "masked", "model", ("input_ids", "attention_mask"), ("a", "b", "c"))
    plain, inside = network("plain"), replace(network("inside"), sites=("a", "b"))
    cases = [ROWS, norms, masked, plain, inside]
    names = ["embeddings.word_embeddings", "embeddings.layer_norm", "encoder.layers.0.linear1"]
    assert [short_case(cases, f"ernie_m.{name}.weight", FAMILY).name for name in names] == ["rows", "small", "inside"]


def test_the_smallest_is_of_those_that_have_a_number() -> None:
    nothing, some = SmallestFault(None, why="no"), SmallestFault(5.0, "a", tried=2)
    assert smallest_of([nothing]) == nothing
    assert smallest_of([nothing, SmallestFault(9.0, "b", tried=1), some]) == replace(some, tried=3)


@pytest.mark.parametrize("name", ERNIE_M_CLASSES)
def test_every_class_has_its_noise_below_and_its_smallest_fault_above(
    verified: Callable[[str], Any], name: str
) -> None:
    whole = verified(name)
    margin = whole.report.to_json()["margin"]
    assert 0 < margin["noise"] < 0.5 and 20 < margin["smallest_fault"] < 1e9
    tensor = read_written(whole.output).tensors[margin["tensor"]]
    assert tensor.read()[tuple(margin["element"])] != 0 and margin["tried"] > 30
    told = render_table(whole.report)
    assert f"margin: {describe_margin(whole.report.margin)}" in told and " times its limit" in told


def test_a_trace_gives_the_same_margin_and_a_failure_none(
    verified: Callable[[str], Any], copy_output: Callable[[Any], Path], ready: Start
) -> None:
    whole = verified(TINY)
    output = copy_output(whole)
    report = verify(None, output, trace=whole.numbers, start=ready)
    assert report.to_json()["margin"] == whole.report.to_json()["margin"]
    config = json.loads((output / "config.json").read_text())
    (output / "config.json").write_text(json.dumps({**config, "classifier_dropout": 0.37}))
    report = verify(None, output, trace=whole.numbers, start=ready)
    assert not report.passed and report.to_json()["margin"] is None
    assert "margin:" not in render_table(report)


WIDE = """
import sys
from verify import pytorch_entry
from verify.numbers.tolerances import Limits
sound = Limits.site
Limits.site = lambda *arguments: 1e6 * sound(*arguments)
pytorch_entry.main(sys.argv[1])
"""


def test_a_pass_with_limits_that_hide_a_fault_says_so(
    verified: Callable[[str], Any], product_python: Path, tmp_path: Path
) -> None:
    whole = verified(TINY)

    def start(request: Path, folder: Path, say: Callable[[str], None]) -> Ended:
        # A process of its own: in this one other tests have registered ernie_m with the Auto classes.
        done = subprocess.run([product_python, "-c", WIDE, request], check=False, cwd=ROOT, capture_output=True)
        return Ended(done.returncode, "", "")

    report = verify(whole.source, whole.output, trace=whole.numbers, start=start, report_dir=tmp_path)
    assert report.passed, report.problems
    assert report.to_json()["margin"]["smallest_fault"] < 1
    (warning,) = (text for text in report.warnings if "do not separate the smallest fault from noise" in text)
    assert "only the check of their bytes excludes such a fault" in warning
    assert report.to_json()["margin"]["tensor"] in warning
