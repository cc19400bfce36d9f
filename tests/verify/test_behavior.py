"""An output with the release's rules: the reference follows the rules that OUTPUT says it has."""

from __future__ import annotations

import json
from pathlib import Path

from converter.conversion import convert
from verify import verify
from verify.judge import Start


def _set(path: Path, **fields: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}))


def test_numbers_and_tokens_are_compared_under_the_rules_that_output_states(
    checkpoints: dict[str, Path], paddle_python: Path, ready: Start, tmp_path: Path
) -> None:
    source, output, trace = checkpoints["ErnieMModel"], tmp_path / "out", tmp_path / "trace"
    convert(source, output, behavior="release")
    report = verify(source, output, paddle_python=paddle_python, start=ready, record=trace)
    assert report.passed and report.checked == ["weights", "numbers", "tokens"], report.problems
    said = " ".join(report.warnings)
    assert "SOURCE's own is 'paddlenlp'" in said and "set to the reference's" not in said
    assert "release's, which shows [CLS] and hides [PAD]" in " ".join(report.reference["how"])
    # An output whose manifest says another rule than the trace has is run under the trace's, and the report says so.
    _set(output / "paddle2torch.json", behavior="paddlenlp")
    report = verify(source, output, trace=trace, start=ready)
    assert {problem.code for problem in report.problems} == {"E408"}
    assert "implicit_mask_token_ids and piece_rule set to the reference's" in " ".join(report.warnings)
    # One that follows another rule than it says is found by numbers and by tokens.
    _set(output / "paddle2torch.json", behavior="release")
    _set(output / "config.json", implicit_mask_token_ids=[0])
    _set(output / "tokenizer_config.json", piece_rule="paddlenlp")
    report = verify(source, output, trace=trace, start=ready)
    assert {problem.code for problem in report.problems} >= {"E402", "E403"}
