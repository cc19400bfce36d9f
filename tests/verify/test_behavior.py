"""An output with the release's rules: the reference follows the rules that OUTPUT states."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

from converter.conversion import convert
from mappings.registry import load_family
from tests.support.fewer import with_few_calls
from verify import verify
from verify.numbers.loading import LoadedModel
from verify.numbers.pytorch_process import Start
from verify.numbers.quirks import set_quirks
from verify.open_source import open_for
from verify.reference.find import make_request


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
    assert "SOURCE's own is 'paddlenlp'" in said and "set at load" not in said
    assert "release's, which shows [CLS] and hides [PAD]" in " ".join(report.reference["how"])
    # An output whose manifest says another rule than the trace has is run under the trace's, and the report says so.
    _set(output / "paddle2torch.json", behavior="paddlenlp")
    few = with_few_calls(trace, tmp_path / "few")
    report = verify(source, output, trace=few, start=ready)
    assert {problem.code for problem in report.problems} == {"E408"}
    fields = "implicit_mask_token_ids, implicit_mask_queries, position_offset, attention_mask_value, piece_rule"
    assert f"with the reference's {fields}, set at load" in " ".join(report.warnings)
    # One that follows another rule than it says is found by numbers and by tokens.
    _set(output / "paddle2torch.json", behavior="release")
    _set(output / "config.json", implicit_mask_token_ids=[0])
    _set(output / "tokenizer_config.json", piece_rule="paddlenlp")
    report = verify(source, output, trace=few, start=ready)
    assert {problem.code for problem in report.problems} >= {"E402", "E403"}


def test_the_rules_of_a_trace_decide_what_is_hidden_and_by_what() -> None:
    config = SimpleNamespace(pad_token_id=3, implicit_mask_token_ids=[9], attention_mask_value=1.0)
    family, model = load_family("ernie_m"), SimpleNamespace(config=config, named_modules=dict)
    loaded = LoadedModel(model, model, "by hand", family)
    for name, hidden, value in (("transformers", [3], None), ("release", [1], -10000.0), ("paddlenlp", [0], -10000.0)):
        set_quirks(loaded, family.preset_named(name))
        assert (config.implicit_mask_token_ids, config.attention_mask_value) == (hidden, value)
    set_quirks(loaded, None)
    assert config.implicit_mask_token_ids == [0]


def test_the_ports_rule_is_asked_for_its_own_folders_alone(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    """A manifest that claims it of Paddle's files changes nothing in what Paddle is asked."""
    opened, plan, _ = open_for(tmp_path, checkpoints["ErnieMModel"])
    ported = replace(plan, scheme=replace(plan.scheme, identity=True))
    for which, asked in ((plan, "paddlenlp"), (ported, "transformers")):
        request = make_request(opened, which, "float64", None, behavior="transformers")
        assert request.behavior == asked
