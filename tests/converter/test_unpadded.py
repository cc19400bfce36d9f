"""`--behavior paddlenlp-unpadded`: padded batches give PaddleNLP's numbers of single texts, and OUTPUT records it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from converter import convert
from converter.cli import app
from mappings import load_family
from tests.support.checkpoints import make_config, make_state, write_folder
from verify import verify

UNPADDED = "paddlenlp-unpadded"
HINT = "batches: without an attention_mask padding changes the numbers, as in Paddle. "


def source(folder: Path, **changes: object) -> Path:
    return write_folder(folder / "source", make_state(), make_config(**changes))


def output_of(folder: Path, *words: str) -> str:
    result = CliRunner().invoke(app, ["convert", str(folder / "source"), str(folder / "out"), *words])
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.mark.parametrize(("pad", "hidden"), [(1, [0, 1]), (5, [0, 5]), (0, [0])])
def test_padding_is_hidden_as_well(tmp_path: Path, pad: int, hidden: list[int]) -> None:
    result = convert(source(tmp_path, pad_token_id=pad), tmp_path / "out", behavior=UNPADDED)
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert config["implicit_mask_token_ids"] == hidden
    assert (config["attention_mask_value"], config["position_offset"]) == (-10000.0, 2)
    assert result.behavior == json.loads((tmp_path / "out" / "paddle2torch.json").read_text())["behavior"] == UNPADDED
    assert f"this checkpoint's behavior is 'paddlenlp'; the option {UNPADDED!r} is taken" in " ".join(result.warnings)


def test_the_card_names_the_rule(tmp_path: Path) -> None:
    convert(source(tmp_path), tmp_path / "out", behavior=UNPADDED)
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert f"the behavior `{UNPADDED}`, PaddleNLP's for texts one by one" in card
    assert "This was chosen when the folder was made." in card
    assert "**Padded batches**" not in card


def test_the_card_of_an_ordinary_folder_has_the_safe_way_above_its_code(tmp_path: Path) -> None:
    convert(source(tmp_path), tmp_path / "out")
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert 0 < card.index("**Padded batches**: load with `implicit_mask_token_ids=[0, 1]`") < card.index("```python")


def test_convert_says_how_padded_batches_are_safe_where_they_are_not(tmp_path: Path) -> None:
    source(tmp_path)
    assert f"{HINT}Pass one, load with implicit_mask_token_ids=[0, 1], or" in output_of(tmp_path, "--dry-run")
    for behavior in (UNPADDED, "release"):
        assert HINT not in output_of(tmp_path, "--dry-run", "--behavior", behavior)


def test_the_hint_is_for_the_behaviors_that_show_padding() -> None:
    family = load_family("ernie_m")
    assert [preset.name for preset in family.presets if family.unpadded_preset(preset.name)] == ["paddlenlp"]


def test_verify_wants_the_fields_of_the_rule_that_was_chosen(tmp_path: Path) -> None:
    convert(source(tmp_path, pad_token_id=5), tmp_path / "out", behavior=UNPADDED)
    report = verify(tmp_path / "source", tmp_path / "out", static_only=True)
    assert report.passed and report.behavior == UNPADDED
    path = tmp_path / "out" / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "implicit_mask_token_ids": [0]}))
    report = verify(tmp_path / "source", tmp_path / "out", static_only=True)
    assert [problem.code for problem in report.problems] == ["E408"]
    assert "implicit_mask_token_ids is [0], expected [0, 5]" in report.problems[0].text
