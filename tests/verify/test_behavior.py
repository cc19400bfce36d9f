"""An output with the release's rules, against a reference that knows only PaddleNLP's."""

from __future__ import annotations

import json
from pathlib import Path

from converter.conversion import convert
from verify import verify
from verify.judge import Start


def test_numbers_and_tokens_are_compared_under_the_rules_that_the_reference_has(
    checkpoints: dict[str, Path], paddle_python: Path, ready: Start, tmp_path: Path
) -> None:
    source, output = checkpoints["ErnieMModel"], tmp_path / "out"
    convert(source, output, behavior="release")
    report = verify(source, output, paddle_python=paddle_python, start=ready, record=tmp_path / "trace")
    assert report.passed and report.checked == ["weights", "numbers", "tokens"], report.problems
    said = " ".join(report.warnings)
    assert "SOURCE's own is 'paddlenlp'" in said and "compared with implicit_mask_token_ids and piece_rule set" in said
    # Were the rule not set, the cases without a mask would differ: so they do when the manifest hides the behavior.
    path = output / "paddle2torch.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "behavior": "paddlenlp"}))
    report = verify(source, output, trace=tmp_path / "trace", start=ready)
    assert {problem.code for problem in report.problems} == {"E402", "E403", "E408"}
