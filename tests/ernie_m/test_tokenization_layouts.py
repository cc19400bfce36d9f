"""Calls: layouts, truncation, padding, pairs, words as PaddleNLP; overflow as transformers."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from tests.ernie_m.tokenization_reference import ask_paddle, load, small_folder

A = "The lighthouse keeper counted forty steps, 1917 of them."
B = "她在1865年离开了[MASK]。"
KEYS = {"return_attention_mask": True, "return_token_type_ids": True, "return_special_tokens_mask": True}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_folder(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def tokenizer(folder: Path) -> Any:
    return load(folder)


def calls() -> list[list[Any]]:
    """What is asked of both tokenizers: [method, positional arguments, keyword arguments]."""
    texts: list[list[Any]] = [[A], [A, B], [B, A], ["", ""], ["a", ""], ["", "a"], [[A, B, "x"]], [[A, "x"], [B, A]]]
    truncations = [True, "longest_first", "only_first", "only_second"]
    asked: list[list[Any]] = []
    for arguments, truncation, length in itertools.product(texts, truncations, [3, 4, 5, 7, 12, 20, 60]):
        asked.append(["__call__", arguments, {"truncation": truncation, "max_length": length, **KEYS}])
        padded = {"padding": "max_length", "truncation": truncation, "max_length": length, **KEYS}
        asked.append(["__call__", arguments, padded])
    for arguments in texts:
        asked.append(["__call__", arguments, {}])
        asked += [["__call__", arguments, {name: True}] for name in (*KEYS, "return_length")]
        asked.append(["__call__", arguments, {"padding": True, "return_offsets_mapping": True, **KEYS}])
        asked.append(["__call__", arguments, {"max_length": 9, "return_offsets_mapping": True, "truncation": True}])
        asked.append(["__call__", arguments, {"padding": True, "pad_to_multiple_of": 8, **KEYS}])
        asked.append(["__call__", arguments, {"add_special_tokens": False, "return_special_tokens_mask": True}])
        asked.append(["__call__", arguments, {"add_special_tokens": False, "return_token_type_ids": True}])
        asked.append(["__call__", arguments, {"max_length": 9}])
    words = A.split()
    asked.append(["__call__", [words], {"is_split_into_words": True}])
    asked.append(["__call__", [words, B.split()], {"is_split_into_words": True, **KEYS}])
    asked.append(["__call__", [[words, ["a", "b"]]], {"is_split_into_words": True, "padding": True}])
    for first, second in ([1, 2, 3], None), ([1, 2, 3], [4, 5]), ([1], []), ([], None):
        asked.append(["build_inputs_with_special_tokens", [first, second], {}])
        asked.append(["create_token_type_ids_from_sequences", [first, second], {}])
        asked.append(["get_special_tokens_mask", [first, second], {}])
        spans = [side and [(place, place + 1) for place in range(len(side))] for side in (first, second)]
        asked.append(["build_offset_mapping_with_special_tokens", spans, {}])
    asked.append(["get_special_tokens_mask", [[0, 5, 2, 1, 3, 2001]], {"already_has_special_tokens": True}])
    asked.append(["get_special_tokens_mask", [[0], [2]], {"already_has_special_tokens": True}])
    asked += [["num_special_tokens_to_add", [pair], {}] for pair in (False, True)]
    asked += [["__call__", [bad], {}] for bad in (None, 5, [], [None], ["a", None])]
    return asked


def plain(value: Any) -> Any:
    """Tuples as lists, and without what only PaddleNLP returns (a second name for length)."""
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return {key: plain(item) for key, item in value.items() if key != "seq_len"} if hasattr(value, "items") else value


def ask(tokenizer: Any, entry: list[Any]) -> Any:
    method, arguments, keywords = entry
    try:
        return {"value": plain(getattr(tokenizer, method)(*arguments, **keywords))}
    except ValueError:
        return {"error": "ValueError"}


@pytest.mark.parametrize("side", ["right", "left"])
def test_calls_equal_paddle(folder: Path, run_paddle: Any, side: str) -> None:
    asked, options = calls(), {"padding_side": side, "truncation_side": side}
    paddle = ask_paddle(run_paddle, folder, options=options, calls=asked)["calls"]
    tokenizer = load(folder, **options)
    wrong = []
    for entry, answer in zip(asked, paddle):
        ours, theirs = ask(tokenizer, entry), plain(answer)
        if ours != theirs:
            wrong.append((entry, ours, theirs))
    assert wrong[:3] == []
    assert sum("error" in answer for answer in paddle) < 0.1 * len(asked)


def test_input_ids_alone_unless_asked(tokenizer: Any) -> None:
    """PaddleNLP's default, and what decides which keys its model hides."""
    assert list(tokenizer(A)) == list(tokenizer([A, B], padding=True)) == ["input_ids"]
    assert list(tokenizer(A, B, return_tensors="pt")) == ["input_ids"]
    assert tokenizer(A, return_tensors="np")["input_ids"].shape == (1, len(tokenizer(A)["input_ids"]))


def test_another_choice_of_inputs(folder: Path) -> None:
    """What transformers calls model_input_names decides what a call returns by default."""
    tokenizer = load(folder, model_input_names=["input_ids", "token_type_ids", "attention_mask"])
    for encoding in (tokenizer("a"), tokenizer(["a"])):
        assert set(encoding) == {"input_ids", "token_type_ids", "attention_mask"}
    assert tokenizer("a", "b")["token_type_ids"] == [0, 0, 1, 1, 1, 1]


@pytest.mark.parametrize("strategy", ["longest_first", "only_first"])
def test_a_side_never_loses_all_its_tokens(tokenizer: Any, strategy: str) -> None:
    """transformers 5 would empty it."""
    full = tokenizer("a b c")["input_ids"]
    assert tokenizer("a b c", truncation=strategy, max_length=3)["input_ids"] == [*full[:2], 2]
    assert tokenizer("a b c", truncation=strategy, max_length=2)["input_ids"] == full
    assert tokenizer.truncate_sequences([7, 8], None, 2, strategy) == ([7, 8], None, [])
    assert tokenizer.truncate_sequences([7, 8], [9], 1, "only_second") == ([7, 8], [9], [])


def test_changed_ends_are_used(folder: Path) -> None:
    """The tokenizer remembers the ids of [CLS] and [SEP], and forgets them when they change."""
    tokenizer = load(folder)
    assert tokenizer("")["input_ids"] == [0, 2]
    tokenizer.cls_token = "[MASK]"
    assert tokenizer("")["input_ids"] == [2001, 2]
    tokenizer.sep_token_id = 1
    assert tokenizer("")["input_ids"] == [2001, 1]


def test_longest_first_takes_from_both(tokenizer: Any) -> None:
    """One token at a time from the longer side, from the second when they are as long."""
    first, second = list(range(5)), list(range(10, 13))
    for excess in range(1, 10):
        a, b = list(first), list(second)
        for _ in range(excess):
            (a if len(a) > len(b) else b)[-1:] = []
        assert tokenizer.truncate_sequences(first, second, excess) == (a, b, [])


def test_overflow_and_stride(tokenizer: Any) -> None:
    """transformers' meaning: the tokens that were cut off, with `stride` of those before them."""
    ids = tokenizer("a b c d e f", add_special_tokens=False)["input_ids"]
    options = {"truncation": True, "max_length": len(ids), "return_overflowing_tokens": True}
    cut = tokenizer("a b c d e f", stride=1, **options)
    assert cut["overflowing_tokens"] == ids[-3:] and cut["num_truncated_tokens"] == 2
    assert cut["input_ids"] == [0, *ids[:-2], 2]
    both = tokenizer(["a", "a b c d e f"], **options)
    assert both["overflowing_tokens"] == [[], ids[-2:]] and both["num_truncated_tokens"] == [0, 2]
    second = tokenizer("a", "a b c d e f", **{**options, "truncation": "only_second", "stride": 2})
    assert second["overflowing_tokens"] == ids[-(second["num_truncated_tokens"] + 2) :]
    with pytest.raises(ValueError, match="longest_first"):
        tokenizer("a", "b", **options)
    assert "overflowing_tokens" not in tokenizer("a b c d e f", return_tensors="pt", **options)


def test_other_inputs(tokenizer: Any) -> None:
    """Ids pass through, a batch may be a tuple, text targets and prepare_for_model work."""
    ids = tokenizer(A)["input_ids"][1:-1]
    assert tokenizer.prepare_for_model(ids)["input_ids"] == [0, *ids, 2]
    same = tokenizer.prepare_for_model(ids, ids, truncation="only_second", max_length=len(ids) + 6)["input_ids"]
    assert same == [0, *ids, 2, 2, *ids[:2], 2]
    assert tokenizer((A, B))["input_ids"] == tokenizer([A, B])["input_ids"]
    assert tokenizer(A, text_target=B)["labels"] == tokenizer(B)["input_ids"]
    assert tokenizer.pad({"input_ids": [[0, 2], [0, 5, 2]]})["input_ids"] == [[0, 2, 1], [0, 5, 2]]
    assert tokenizer([A], [B])["input_ids"] == [tokenizer(A, B)["input_ids"]] == tokenizer([(A, B)])["input_ids"]
    for wrong in ({"text": [A], "text_pair": [A, B]}, {"text": [(A, B, A)]}, {"text": b"bytes"}):
        with pytest.raises(ValueError):
            tokenizer(**wrong)
    with pytest.raises(ValueError, match="padding_side"):
        tokenizer([A, "x"], padding=True, padding_side="up")


def test_the_long_and_the_unknown_are_reported(tokenizer: Any, caplog: pytest.LogCaptureFixture) -> None:
    """More tokens than the model takes; PaddleNLP's old argument names, which do nothing here."""
    from transformers.utils import logging

    logging.enable_propagation()
    tokenizer("berg " * 600)
    assert "longer than the specified maximum" in caplog.text
    tokenizer(A, max_seq_len=7)
    assert "does not know: max_seq_len" in caplog.text
    logging.disable_propagation()
