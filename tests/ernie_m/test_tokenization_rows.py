"""What stands behind word_ids(), sequence_ids() and char_to_token(), and the rows of a text that is too long."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest
import tokenizers

from tests.ernie_m.tokenization_reference import load, small_folder

WORDS = ["1917", "", "berg", "中国"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_folder(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def tokenizer(folder: Path) -> Any:
    return load(folder)


def test_words_keep_their_numbers(tokenizer: Any) -> None:
    """Also those without a token, and in a batch that is padded on the left."""
    batch = tokenizer([WORDS, ["a"]], is_split_into_words=True, padding=True, padding_side="left")
    assert set(batch) == {"input_ids"} and batch.is_fast
    lengths = [len(tokenizer(word, add_special_tokens=False)["input_ids"]) for word in WORDS]
    numbers = [number for number, length in enumerate(lengths) for _ in range(length)]
    assert lengths[1] == 0 and batch.word_ids(0) == [None, *numbers, None]
    assert batch.word_ids(1) == [None] * len(numbers) + [0, None]
    assert batch.sequence_ids(0) == [None if number is None else 0 for number in batch.word_ids(0)]
    first, last = batch.word_to_tokens(0, 3)
    assert batch.word_ids(0)[first:last] == [3] * lengths[3] and batch.token_to_word(0, first) == 3
    assert batch.word_to_tokens(0, 1) is None and batch.token_to_word(0, 0) is None
    assert batch.tokens(0) == tokenizer.convert_ids_to_tokens(batch["input_ids"][0])


def test_words_give_the_ids_of_each_word(tokenizer: Any) -> None:
    separate = [number for word in WORDS for number in tokenizer(word, add_special_tokens=False)["input_ids"]]
    assert tokenizer(WORDS, is_split_into_words=True)["input_ids"] == [0, *separate, 2]
    pair = tokenizer(WORDS, ["a"], is_split_into_words=True)
    assert pair.word_ids()[-2:] == [0, None] and pair.n_sequences == 2
    last = len(pair["input_ids"]) - 1
    assert pair.word_to_tokens(0, 0, 1) == (last - 1, last) and pair.word_to_tokens(0, 0, 0)[0] == 1


def test_places_in_a_pair(tokenizer: Any) -> None:
    text, other = "x 1917", "中国 y"
    pair = tokenizer(text, other, return_offsets_mapping=True)
    ids = [len(tokenizer(side, add_special_tokens=False)["input_ids"]) for side in (text, other)]
    assert pair.sequence_ids() == [None, *[0] * ids[0], None, None, *[1] * ids[1], None]
    assert set(pair.word_ids()) == {None}  # the text was not given in words
    for sequence, side in enumerate((text, other)):
        for place, character in enumerate(side):
            token = pair.char_to_token(0, place, sequence)
            assert (token is None) == (character == " ")
            if token is not None:
                start, end = pair.token_to_chars(token)
                assert start <= place < end and pair.token_to_sequence(token) == sequence
    assert pair.token_to_chars(0) is None and pair.char_to_token(99) is None
    assert pickle.loads(pickle.dumps(pair)).sequence_ids() == pair.sequence_ids()


def test_plain_calls_have_none_of_it(tokenizer: Any) -> None:
    """It takes time: it is made where offsets or words are asked for."""
    assert not tokenizer("a").is_fast
    with pytest.raises(ValueError):
        tokenizer(["a"]).word_ids()


@pytest.mark.parametrize("side", ["right", "left"])
@pytest.mark.parametrize("pair", [False, True])
def test_rows_are_those_of_the_tokenizers_library(folder: Path, side: str, pair: bool) -> None:
    """Every length and stride: the same cuts as its `truncate` makes on as many tokens."""
    tokenizer = load(folder, truncation_side=side)
    text = "a 1917 b 中国 c berg d"
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    library = tokenizers.Tokenizer(tokenizers.models.WordLevel({str(n): n for n in range(len(ids))}, "0"))
    library.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    around = 5 if pair else 2  # [CLS] A [SEP] [SEP] and one token of B [SEP]; or [CLS] and [SEP]
    for size in range(1, len(ids) + 2):
        for stride in range(size):
            whole = library.encode(" ".join(map(str, range(len(ids)))))
            whole.truncate(size, stride, side)
            expected = [[ids[place] for place in row.ids] for row in (whole, *whole.overflowing)]
            found = tokenizer(
                *(("a", text) if pair else (text,)),
                truncation="only_second" if pair else "only_first",
                max_length=size + around,
                stride=stride,
                return_overflowing_tokens=True,
                return_offsets_mapping=True,
            )
            assert [row[around - 1 : -1] for row in found["input_ids"]] == expected, (size, stride)
            assert found["overflow_to_sample_mapping"] == [0] * len(expected)
            assert [len(row) for row in found["offset_mapping"]] == [len(row) for row in found["input_ids"]]


def test_rows_of_a_batch(tokenizer: Any) -> None:
    options = {"truncation": True, "max_length": 5, "return_overflowing_tokens": True, "return_offsets_mapping": True}
    batch = tokenizer(["a", "a b c d e f"], padding=True, return_tensors="pt", stride=1, **options)
    samples = batch["overflow_to_sample_mapping"].tolist()
    assert samples[0] == 0 and set(samples[1:]) == {1} and len(samples) > 2
    assert batch["input_ids"].shape == (len(samples), 5) and batch["offset_mapping"].shape == (len(samples), 5, 2)
    with pytest.raises(ValueError, match="too few for a stride of 3"):
        tokenizer("a b c d e f", stride=3, **options)
    with pytest.raises(ValueError, match="longest_first"):
        tokenizer("a", "b", **options)
