"""The tokenizer's files of FOLDER: the settings that OUTPUT has, in the form in which PaddleNLP saves them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from converter import convert, to_paddle
from converter.common.layout import ADDED_TOKENS, SPECIAL_TOKENS_MAP, TOKENIZER_CONFIG, TOKENIZER_JSON, VOCABULARY
from tests.ernie_m.tokenization_reference import small_folder
from tests.support.checkpoints import WORDPIECES, make_config, make_state, write_folder

Make = Callable[..., Path]
TOKENS = {
    "unk_token": "[UNK]",
    "sep_token": "[SEP]",
    "pad_token": "[PAD]",
    "cls_token": "[CLS]",
    "mask_token": "[MASK]",
}
PIECES = {"vocab_size": 2002}


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """SOURCE with a tokenizer, and OUTPUT of it; `settings` are SOURCE's tokenizer_config.json."""

    def run(architecture: str, settings: dict[str, Any], added: dict[str, int] | None = None) -> Path:
        source, pieces = tmp_path / "source", architecture == "ErnieMModel"
        sizes: dict[str, Any] = PIECES if pieces else {"vocab_size": len(WORDPIECES) + 3}
        if pieces:
            small_folder(source)
        write_folder(source, make_state(architecture, **sizes), make_config(architecture, **sizes))
        if not pieces:
            (source / VOCABULARY).write_text("".join(f"{word}\n" for word in WORDPIECES), encoding="utf-8")
        (source / TOKENIZER_CONFIG).write_text(json.dumps({**TOKENS, **settings}))
        (source / SPECIAL_TOKENS_MAP).write_text("{}")
        if added:
            (source / ADDED_TOKENS).write_text(json.dumps(added))
        convert(source, tmp_path / "out")
        return source

    return run


def back(source: Path) -> Path:
    to_paddle(source.parent / "out", source.parent / "back")
    return source.parent / "back"


def read(folder: Path, name: str = TOKENIZER_CONFIG) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / name).read_text(encoding="utf-8"))
    return found


@pytest.mark.parametrize(
    ("architecture", "tokenizer", "lower"),
    [("ErnieMModel", "ErnieMTokenizer", False), ("ErnieModel", "ErnieTokenizer", True),
     ("SkepModel", "SkepTokenizer", True), ("ElectraModel", "ElectraTokenizer", True),
     ("ErnieGramModel", "ErnieGramTokenizer", True)],
)  # fmt: skip
def test_usual_settings(architecture: str, tokenizer: str, lower: bool, make: Make) -> None:
    source = make(architecture, {})
    folder = back(source)
    assert read(folder) == {"do_lower_case": lower, **TOKENS, "tokenizer_class": tokenizer}
    assert read(folder, SPECIAL_TOKENS_MAP) == TOKENS
    assert (folder / VOCABULARY).read_bytes() == (source / VOCABULARY).read_bytes()
    assert not (folder / ADDED_TOKENS).exists()


@pytest.mark.parametrize("architecture", ["ErnieMModel", "ErnieModel"])
def test_settings_of_its_own(architecture: str, make: Make) -> None:
    pieces = architecture == "ErnieMModel"
    settings = {
        "do_lower_case": pieces,
        "padding_side": "left",
        "truncation_side": "left",
        "model_max_length": 5,
        "model_input_names": ["input_ids", "attention_mask"] if pieces else ["input_ids"],
        "additional_special_tokens": ["[NEW]"],
        "bos_token": "[CLS]",
    }
    folder = back(make(architecture, settings))
    found = read(folder)
    assert {name: found[name] for name in settings} == settings
    # A special token without an id has the one that follows the vocabulary, as its last line too.
    lines = (folder / VOCABULARY).read_text(encoding="utf-8").split("\n")
    assert read(folder, ADDED_TOKENS) == {"[NEW]": 2000} if pieces else lines[len(WORDPIECES)] == "[NEW]"
    assert read(folder, SPECIAL_TOKENS_MAP)["additional_special_tokens"] == ["[NEW]"]


def test_a_token_that_strips_one_side(make: Make) -> None:
    token = {"content": "[MASK]", "lstrip": True, "rstrip": False, "single_word": False, "normalized": True}
    folder = back(make("ErnieMModel", {"mask_token": {**token, "__type": "AddedToken"}}))
    assert read(folder)["mask_token"] == {**token, "__type": "AddedToken"}
    assert read(folder, SPECIAL_TOKENS_MAP)["mask_token"] == token


@pytest.mark.parametrize("architecture", ["ErnieMModel", "ErnieModel"])
def test_converting_it_again_gives_the_same_tokenizer(architecture: str, make: Make) -> None:
    first = 2000 if architecture == "ErnieMModel" else len(WORDPIECES)
    source = make(architecture, {"additional_special_tokens": ["[O]"]}, {"[O]": first, "new": first + 1})
    back(source)
    convert(source.parent / "back", source.parent / "again")
    names = [path.name for path in (source.parent / "out").iterdir() if "token" in path.name or path.suffix == ".txt"]
    assert ADDED_TOKENS in names or TOKENIZER_JSON in names
    for name in (name for name in names if not name.endswith(".py")):
        assert (source.parent / "again" / name).read_bytes() == (source.parent / "out" / name).read_bytes(), name


@pytest.mark.parametrize("place", ["normalizer", "pre_tokenizer", "post_processor"])
def test_rules_that_paddlenlps_tokenizer_does_not_have(place: str, make: Make) -> None:
    output = make("ErnieModel", {}).parent / "out"
    assert not any(TOKENIZER_JSON in text for text in to_paddle(output, output.parent / "x", dry_run=True).warnings)
    data = read(output, TOKENIZER_JSON)
    data.update(padding={"strategy": "BatchLongest"}, truncation=None)  # A call leaves them there.
    (output / TOKENIZER_JSON).write_text(json.dumps(data), encoding="utf-8")
    assert not any(TOKENIZER_JSON in text for text in to_paddle(output, output.parent / "x", dry_run=True).warnings)
    data[place] = None if place != "normalizer" else {"type": "Sequence", "normalizers": [{"type": "Lowercase"}]}
    (output / TOKENIZER_JSON).write_text(json.dumps(data), encoding="utf-8")
    warnings = to_paddle(output, output.parent / "x", dry_run=True).warnings
    assert any(f"{TOKENIZER_JSON}: {place} is not as PaddleNLP's" in text for text in warnings)


def test_a_rule_of_cutting_that_paddlenlp_does_not_have(make: Make) -> None:
    output = make("ErnieMModel", {}).parent / "out"
    path = output / TOKENIZER_CONFIG
    path.write_text(json.dumps({**read(output), "piece_rule": "release"}))
    warnings = to_paddle(output, output.parent / "x", dry_run=True).warnings
    assert any("piece_rule is 'release'" in text and text.endswith("tokens differ") for text in warnings)
