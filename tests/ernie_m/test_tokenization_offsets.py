"""Offsets: where in the text, as it was passed in, each token comes from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ernie_m.tokenization_reference import (
    ask_paddle,
    fuzz_texts,
    load,
    official_folder,
    read_sentences,
    small_folder,
    tatoeba,
)
from tests.support.train_tokenizer import train_tokenizer

# Written by hand. On most of those that are marked, PaddleNLP raises "substring not found".
SPANS = [
    (" ab  c", [(1, 3), (5, 6)]),
    ("½x", [(0, 1), (0, 1), (0, 1), (1, 2)]),
    ("Ｈｅｌｌｏ１２３", [(0, 5), (5, 8)]),
    ("cafe\u0301 noir", [(0, 5), (6, 10)]),  # raises
    ("a\x7fb c", [(0, 3), (4, 5)]),  # raises
    ("か\u3099x", [(0, 2), (2, 3)]),  # raises
    ("\u1112\u1161\u11ab", [(0, 3)]),  # raises
    ("[MASK] \x85[SEP]", [(0, 6), (8, 13)]),
    ("中国2024年", [(0, 1), (1, 2), (2, 4), (4, 6), (6, 7)]),
    ("\ufdfa", [(0, 1)] * 4),
    ("\u200ba\u200b \u200bb\u200b", [(1, 2), (5, 6)]),
    ("a▁b", [(0, 1), (2, 3)]),
    ("", []),
    (" \t\n", []),
]


@pytest.fixture(scope="module")
def folder(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return official_folder(shared_data, tmp_path_factory.mktemp("official"))


@pytest.fixture(scope="module")
def official(folder: Path) -> Any:
    return load(folder)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_folder(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def tokenizers(small: Path) -> list[Any]:
    options: list[dict[str, Any]] = [{}, {"do_lower_case": True}, {"piece_rule": "release"}]
    options.append({"do_lower_case": True, "piece_rule": "release"})
    return [load(small, **chosen) for chosen in options]


@pytest.mark.parametrize(("text", "spans"), SPANS, ids=ascii)
def test_by_hand(official: Any, text: str, spans: list[tuple[int, int]]) -> None:
    assert official.get_offset_mapping(text) == spans


def agree(tokenizer: Any, texts: list[str], paddle: list[Any], raises_at_most: float) -> None:
    known = [(text, spans) for text, spans in zip(texts, paddle) if spans is not None]
    assert len(known) > (1 - raises_at_most) * len(texts)
    wrong = [(text, spans) for text, spans in known if [*map(list, tokenizer.get_offset_mapping(text))] != spans]
    assert wrong == []


def test_equal_to_paddle_where_paddle_has_them(official: Any, folder: Path, shared_data: Path, run_paddle: Any) -> None:
    texts = [*tatoeba(shared_data)[::8], *fuzz_texts(2_000, seed=23)]
    agree(official, texts, ask_paddle(run_paddle, folder, texts=texts, want=["offsets"])["offsets"], 0.1)


@pytest.mark.parametrize("lower", [False, True])
def test_equal_to_paddle_on_a_small_vocabulary(small: Path, run_paddle: Any, lower: bool) -> None:
    texts = [*read_sentences(), *fuzz_texts(600, seed=29)]
    paddle = ask_paddle(run_paddle, small, options={"do_lower_case": lower}, texts=texts, want=["offsets"])
    agree(load(small, do_lower_case=lower), texts, paddle["offsets"], 0.3)


anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
HARD = " \t\x00\x01\x85\u200b\u3000\u0301\u3099e\u0323ôかﾊ\uff9f½①ﬁ\ufdfa中2４,.İΣAa▁\U00020000"
hard = st.text(st.sampled_from(HARD), max_size=20)
mixed = st.lists(st.one_of(anything, hard, st.sampled_from(["[MASK]", "[CLS]", "in 1917"])), max_size=4).map("".join)


@settings(max_examples=300)
@given(text=mixed)
def test_they_follow_the_text(tokenizers: list[Any], text: str) -> None:
    """One span a token, inside the text, in order, empty only for the release rule's bare "▁"."""
    for tokenizer in tokenizers:
        tokens, spans = tokenizer.tokenize(text), tokenizer.get_offset_mapping(text)
        encoded = tokenizer(text, return_offsets_mapping=True, add_special_tokens=False)
        assert encoded["offset_mapping"] == spans
        assert encoded["input_ids"] == tokenizer(text, add_special_tokens=False)["input_ids"]
        assert len(tokens) == len(spans)
        assert all(0 <= start <= end <= len(text) for start, end in spans)
        assert all(start < end or token == "▁" for token, (start, end) in zip(tokens, spans))
        assert spans == sorted(spans)
        for before, after in zip(spans, spans[1:]):  # apart, or halves of what one character stands for
            assert before[1] <= after[0] or (before[0] <= after[0] and before[1] <= after[1])


WORDS = ["berg", "Haus", "中国", "Ｈｅｌｌｏ", "½", "2024", "[MASK]", "été!"]


@settings(max_examples=100)
@given(words=st.lists(st.sampled_from(WORDS), max_size=6))
def test_what_a_span_holds_is_the_token(tokenizers: list[Any], words: list[str]) -> None:
    """The text of a span, normalised by itself, holds the token."""
    tokenizer, text = tokenizers[0], "  ".join(words)
    for token, (start, end) in zip(tokenizer.tokenize(text), tokenizer.get_offset_mapping(text)):
        assert token.removeprefix("▁") in tokenizer._model.normalize(text[start:end])


@pytest.mark.parametrize("inside", [None, "e▁"])
def test_pieces_by_their_lengths_as_by_their_characters(tmp_path: Path, inside: str | None) -> None:
    """Where no piece has to be cut, spans follow from the lengths of the pieces, but not with a space at their end."""
    symbols = {} if inside is None else {"user_defined_symbols": inside}
    tokenizer = load(train_tokenizer(tmp_path, **symbols))
    with_inside = 0
    for text in [*read_sentences(), *fuzz_texts(300, seed=31)]:
        numbers = tokenizer._model.encode(text)
        found = tokenizer._piece_spans(text, numbers)
        with_inside += found is not None and inside in tokenizer._model.encode(text, out_type=str)
        located = [*tokenizer._locate_segment(text, [*range(len(text))])]
        assert found is None or found[0] == [tokenizer._token_id(token) for token, _ in located], text
        assert found is None or found[1] == [span for _, span in located], text
    assert (with_inside > 10) == (inside is not None)


def test_in_calls(official: Any) -> None:
    """Single, batch, pair, padded, truncated on either side, and words (each from 0)."""
    spans = official("Hello 世界", return_offsets_mapping=True)["offset_mapping"]
    assert spans == [(0, 0), (0, 5), (6, 7), (7, 8), (0, 0)]
    pair = official("a b", "½", return_offsets_mapping=True)["offset_mapping"]
    assert pair == [(0, 0), (0, 1), (2, 3), (0, 0), (0, 0), (0, 1), (0, 1), (0, 1), (0, 0)]
    batch = official(["a", "Hello 世界"], padding=True, padding_side="left", return_offsets_mapping=True)
    assert batch["offset_mapping"] == [[(0, 0), (0, 0), (0, 0), (0, 1), (0, 0)], spans]
    short = official("Hello 世界", truncation=True, max_length=4, return_offsets_mapping=True)
    assert short["offset_mapping"] == [(0, 0), (0, 5), (6, 7), (0, 0)]
    words = official(["Hello", "世界"], is_split_into_words=True, return_offsets_mapping=True)["offset_mapping"]
    assert words == [(0, 0), (0, 5), (0, 1), (1, 2), (0, 0)]
    bare = official("a b", "c", return_offsets_mapping=True, add_special_tokens=False)["offset_mapping"]
    assert bare == [(0, 1), (2, 3), (0, 1)]
    assert official("a b", return_offsets_mapping=True, return_tensors="pt")["offset_mapping"].shape == (1, 4, 2)
    assert official.get_offset_mapping(None) is None
    with pytest.raises(ValueError):
        official([[5, 6, 7]], return_offsets_mapping=True)
