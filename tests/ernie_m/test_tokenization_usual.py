"""Calls with the usual options are read by the tokenizer itself: the results are those of transformers' own reading."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ernie_m.tokenization_reference import fuzz_texts, load, small_folder

TEXTS = [*fuzz_texts(160), "中国2024年3月", "a [MASK] b[SEP]", "", "½x"]
CALLS: list[dict[str, Any]] = [
    {},
    {"padding": True, "return_attention_mask": True},
    {"padding": "max_length", "max_length": 16},
    {"padding": "longest", "truncation": "only_first", "max_length": 9, "return_token_type_ids": True},
    {"truncation": True, "max_length": 7, "return_special_tokens_mask": True},
    {"truncation": True, "max_length": 8, "return_token_type_ids": True, "return_attention_mask": True},
    {"truncation": "longest_first", "padding": "max_length"},
    {"padding": True, "return_tensors": "np", "return_attention_mask": True},
    {"padding": True, "truncation": True, "max_length": 12, "return_offsets_mapping": True},
    {"return_offsets_mapping": True},
    {"truncation": True, "max_length": 12, "return_offsets_mapping": True, "return_token_type_ids": True},
]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return load(small_folder(tmp_path_factory.mktemp("usual")))


def plain(encoding: Any) -> list[Any]:
    return [(name, value.tolist() if hasattr(value, "tolist") else value) for name, value in encoding.items()]


@pytest.mark.parametrize("options", CALLS, ids=str)
@pytest.mark.parametrize("side", ["left", "right"])
def test_as_transformers_reads_them(
    tokenizer: Any, options: dict[str, Any], side: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # `verbose` is not a usual option and changes nothing but warnings: it takes the long road.
    monkeypatch.setattr(tokenizer, "padding_side", side)
    short = options.get("truncation") == "only_first"
    pairs = [] if short else [(TEXTS, TEXTS[::-1]), (TEXTS[0], TEXTS[1])]
    for texts, second in [(TEXTS, None), (TEXTS[:9], None), (TEXTS[1], None), *pairs]:
        both = [tokenizer(texts, second, **options, **more) for more in ({}, {"verbose": True})]
        assert plain(both[0]) == plain(both[1])
        assert both[0].encodings == both[1].encodings


def test_they_do_not_go_through_transformers(tokenizer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokenizer, "_get_padding_truncation_strategies", None)
    for options in CALLS:
        tokenizer("a", **options)
        tokenizer(["a"] * 200, ["b"] * 200, **options)
    with pytest.raises(TypeError):
        tokenizer("a", verbose=True)


@pytest.mark.parametrize("options", [{"padding": 1}, {"padding": None}, {"truncation": "most"}, {"padding": "all"}])
def test_wrong_values_are_errors(tokenizer: Any, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        tokenizer("a", **options)


def test_a_second_text_is_given_once(tokenizer: Any) -> None:
    with pytest.raises(TypeError):
        tokenizer("a", "b", text_pair="c")


def test_many_texts_are_cut_as_each_alone(tokenizer: Any) -> None:
    assert tokenizer(TEXTS)["input_ids"] == [tokenizer(text)["input_ids"] for text in TEXTS]


def test_a_lone_surrogate_among_many_texts(tokenizer: Any) -> None:
    with pytest.raises(UnicodeEncodeError):
        tokenizer([*TEXTS, "a\ud800"])
