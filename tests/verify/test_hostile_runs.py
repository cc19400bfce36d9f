"""An OUTPUT that behaves differently, verified with a trace: what running it finds, and what the report states."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.verify.reference.test_find import rewrite_head
from verify import Report, verify
from verify import verification as job_module
from verify.numbers.pytorch_process import Start
from verify.report.terminal import render_table
from verify.results.trace import read_trace

CLASS = "ErnieMForSequenceClassification"


def put(path: Path, **fields: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


@pytest.fixture
def judged(
    verified: Callable[[str], Any], copy_output: Callable[[Any], Path], ready: Start
) -> tuple[Path, Callable[..., Report]]:
    """A copy of OUTPUT, and its judgement by the trace."""
    whole = verified(CLASS)
    output = copy_output(whole)

    def judge(**options: Any) -> Report:
        return verify(
            options.pop("source", None), output, trace=options.pop("trace", whole.few_calls), start=ready, **options
        )

    return output, judge


def test_a_tuple_that_the_config_asks_for_is_blamed_on_nothing_else(judged: Any) -> None:
    output, judge = judged
    put(output / "config.json", return_dict=False)
    report = judge()
    assert [problem.code for problem in report.problems] == ["E410", "E407"], report.problems
    assert "return_dict is False" in report.problems[0].text and "return_dict off" in report.problems[1].text
    assert all(use.differ == 0 for use in report.uses.values()) and report.tokenizer.mismatched == 0


def test_code_of_others_is_run_and_a_pass_says_that_it_is_not_proven(judged: Any) -> None:
    output, judge = judged
    path = output / "modeling_ernie_m.py"
    path.write_text(path.read_text() + "\n# mine\n")
    report = judge()
    assert report.passed and report.checked == ["weights", "numbers", "tokens"], report.problems
    said = "PASSED, but the code is not paddle2torch's own: modeling_ernie_m.py"
    assert render_table(report).splitlines()[:2] == [said, "Looked at: weights, numbers (float64), tokens."]
    assert report.foreign_code == {path.name: hashlib.sha256(path.read_bytes()).hexdigest()}


@pytest.mark.parametrize("behavior", ["release", "transformers"])
def test_a_trace_knows_whose_rules_the_source_has(judged: Any, verified: Any, behavior: str, tmp_path: Path) -> None:
    output, judge = judged
    put(output / "paddle2torch.json", behavior=behavior)
    put(output / "config.json", implicit_mask_token_ids=[1])
    put(output / "tokenizer_config.json", piece_rule="release" if behavior == "release" else "paddlenlp")
    if behavior == "transformers":
        put(output / "config.json", attention_mask_value=None)
    report = judge()
    assert [problem.code for problem in report.problems] == ["E412"], report.problems
    assert report.source_behavior == "paddlenlp"
    # A trace of before this was recorded judges as before.
    rewrite_head(verified(CLASS).few_calls, tmp_path / "trace", lambda head: head.pop("source_behavior"))
    report = judge(trace=tmp_path / "trace")
    assert report.passed and report.source_behavior is None, report.problems


def test_what_a_trace_says_of_the_source_is_a_behavior(verified: Any, tmp_path: Path) -> None:
    from converter.common.errors import ReferenceFailure

    assert read_trace(verified(CLASS).trace).source_behavior == "paddlenlp"
    rewrite_head(verified(CLASS).trace, tmp_path / "trace", lambda head: head.update(source_behavior="zzz"))
    with pytest.raises(ReferenceFailure, match=r"E604.*source's behavior is 'zzz'"):
        read_trace(tmp_path / "trace")


def test_what_an_index_names_elsewhere_is_not_run_with_a_trace(judged: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    output, judge = judged
    (output / "model.safetensors").rename(output.parent / "outside.safetensors")
    index = {"weight_map": {"classifier.bias": "../outside.safetensors"}}
    (output / "model.safetensors.index.json").write_text(json.dumps(index))
    monkeypatch.setattr(job_module, "PytorchRun", lambda *given: pytest.fail("OUTPUT was loaded"))
    report = judge()
    assert report.problems[0].code == "E414" and report.checked == ["weights"]


def test_a_report_of_a_whole_verification_convinces_push(judged: Any) -> None:
    """What `push` asks of a report is what `verify` writes."""
    from converter.publish.evidence import check_evidence
    from converter.publish.folder import list_files

    output, judge = judged
    assert judge(record=output / "verification" / "trace.safetensors").passed
    assert check_evidence(output, list_files(output))[1] == []
