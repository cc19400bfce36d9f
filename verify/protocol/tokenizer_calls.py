"""Every public way through a tokenizer, by the same calls on both sides: PaddleNLP's is recorded, OUTPUT's compared."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

import numpy as np

#: Rows of the vocabulary that share a digest.
ROWS = 64
#: Texts that share a padded batch.
BATCH = 8
#: Tokens that decode joins to text which its clean-up changes, as far as a vocabulary has them.
BEFORE_CLEANING = [
    *("\u2581do", "\u2581n", "'", "t", "\u2581I", "\u2581'", "m", "\u2581it", "\u2581'", "s"),
    *("\u2581.", "\u2581,", "\u2581!", "\u2581?"),
]
#: Runs, of which sentencepiece's releases cut equal scores differently.
RUN = re.compile(r"(.)\1\1", re.DOTALL)
#: The digest of what the reference cannot do (offsets of combined characters raise): it is not compared.
NOT_DONE = 0
CHOICES = {"return_attention_mask": True, "return_token_type_ids": True, "return_special_tokens_mask": True}


def list_calls(tokenizer: Any, texts: Any, rows: int) -> Any:
    """way -> how many results it has, and the function that gives the n-th. `rows` is the size of the vocabulary."""

    def text(number: int) -> str:
        return str(texts[number % len(texts)])

    def partner(number: int) -> str:
        return text(number * 7 + 3)

    def ids(value: str) -> Any:
        return tokenizer.convert_tokens_to_ids(tokenizer.tokenize(value))

    def batch(number: int) -> Any:
        return [text(place) for place in range(number * BATCH, number * BATCH + BATCH)]

    def block(number: int) -> Any:
        return list(range(number * ROWS, min(number * ROWS + ROWS, rows)))

    def layouts(number: int) -> Any:
        one, other = ids(text(number)), ids(partner(number))
        whole = tokenizer.build_inputs_with_special_tokens(one, other)
        return [
            tokenizer.build_inputs_with_special_tokens(one),
            whole,
            tokenizer.get_special_tokens_mask(one),
            tokenizer.get_special_tokens_mask(one, other),
            tokenizer.get_special_tokens_mask(whole, already_has_special_tokens=True),
            tokenizer.create_token_type_ids_from_sequences(one),
            tokenizer.create_token_type_ids_from_sequences(one, other),
            tokenizer.build_offset_mapping_with_special_tokens([(0, 1)], [(1, 2)]),
            [tokenizer.num_special_tokens_to_add(pair) for pair in (False, True)],
        ]

    def shorten(number: int) -> Any:
        limit = 5 + number % 9
        return [
            called(tokenizer(text(number), max_length=limit, truncation=True)),
            # Nothing would be left of the text: it stays as it is.
            called(tokenizer(text(number), max_length=2, truncation=True)),
            called(tokenizer(text(number), partner(number), max_length=limit + 4, truncation="longest_first")),
            called(tokenizer(text(number), "lamp", max_length=limit + 4, truncation="only_first")),
        ]

    def pad(number: int) -> Any:
        limit = 12 + number % 9
        pairs = [[text(place), partner(place)] for place in range(number * BATCH, number * BATCH + BATCH)]
        return [
            called(tokenizer(batch(number), padding=True, **CHOICES)),
            called(tokenizer(pairs, padding=True)),
            called(tokenizer(batch(number), padding="max_length", max_length=limit, truncation=True, **CHOICES)),
            called(tokenizer(batch(number), padding=True, pad_to_multiple_of=8, max_length=16, truncation=True)),
        ]

    def overflow(number: int) -> Any:
        # A stride with a pair means another thing to PaddleNLP, and longest_first tells nothing of what it cut.
        place, cut = number * BATCH, {"truncation": True, "return_overflowing_tokens": True}
        calls = [tokenizer(text(place), max_length=5 + number % 5, stride=stride, **cut) for stride in (0, 1, 3)]
        for strategy in ("only_first", "only_second"):
            pair = tokenizer(text(place), partner(place), **dict(cut, truncation=strategy, max_length=12 + number % 5))
            calls.append(pair)
        return [
            [plain(found["input_ids"]), plain(found["overflowing_tokens"]), max(0, int(found["num_truncated_tokens"]))]
            for found in calls
        ]

    def strings(number: int) -> Any:
        given = list(tokenizer(text(number))["input_ids"])
        return [
            tokenizer.convert_ids_to_string(given),
            tokenizer.convert_tokens_to_string(tokenizer.tokenize(text(number))),
        ]

    def decode(number: int) -> Any:
        given = list(tokenizer(text(number))["input_ids"])
        return [tokenizer.decode(given), tokenizer.decode(given, skip_special_tokens=True)]

    def offsets_called(number: int) -> Any:
        return called(tokenizer(text(number), return_offsets_mapping=True))

    def sample(number: int) -> str:
        return text(number * BATCH)

    def bare(number: int) -> Any:
        one, other = sample(number), sample(number + 1)
        return [
            called(tokenizer(one, add_special_tokens=False)),
            called(tokenizer(one, other, add_special_tokens=False)),
        ]

    def second_cut(number: int) -> Any:
        return called(tokenizer("lamp", sample(number), max_length=9 + number % 9, truncation="only_second"))

    def words(number: int) -> Any:
        return called(tokenizer(sample(number).split(), is_split_into_words=True))

    def arrays(number: int) -> Any:
        found = tokenizer(batch(number), padding=True, return_tensors="np", **CHOICES)
        return dict((key, found[key].tolist()) for key in found)

    def batch_decode(number: int) -> Any:
        given = tokenizer(batch(number))["input_ids"]
        return [tokenizer.batch_decode(given), tokenizer.batch_decode(given, skip_special_tokens=True)]

    def spelled(number: int) -> Any:
        tokens = tokenizer.convert_ids_to_tokens(block(number))
        words = [token.replace("\u2581", "") for token in tokens if token not in tokenizer.all_special_tokens]
        return called(tokenizer(" ".join(word for word in words if not RUN.search(word))))

    count, batches, blocks = len(texts), -(-len(texts) // BATCH), -(-rows // ROWS)
    return {
        "call": (count, lambda n: called(tokenizer(text(n)))),
        "batch": (batches, lambda n: called(tokenizer(batch(n)))),
        "masks": (count, lambda n: called(tokenizer(text(n), **CHOICES))),
        "pair": (count, lambda n: called(tokenizer(text(n), partner(n), **CHOICES))),
        "truncation": (count, shorten),
        "truncation_on_the_left": (batches, lambda n: on_the_left(tokenizer, "truncation_side", shorten, n * BATCH)),
        "overflow": (batches, overflow),
        "padding": (batches, pad),
        "padding_on_the_left": (batches, lambda n: on_the_left(tokenizer, "padding_side", pad, n)),
        "tokenize": (count, lambda n: tokenizer.tokenize(text(n))),
        "tokens_to_ids": (count, lambda n: ids(text(n))),
        "layouts": (count, layouts),
        "offsets": (count, lambda n: tokenizer.get_offset_mapping(text(n))),
        "offsets_in_call": (count, offsets_called),
        "strings": (count, strings),
        "decode": (count, decode),
        "clean_text": (count, lambda n: tokenizer.clean_text(text(n))),
        "rows_to_tokens": (blocks, lambda n: tokenizer.convert_ids_to_tokens(block(n))),
        "rows_to_ids": (blocks, lambda n: tokenizer.convert_tokens_to_ids(tokenizer.convert_ids_to_tokens(block(n)))),
        "rows_as_text": (blocks, spelled),
        "without_special_tokens": (batches, bare),
        "second_text_cut": (batches, second_cut),
        "words": (batches, words),
        "arrays": (batches, arrays),
        "batch_decode": (batches, batch_decode),
        "vocabulary": (1, lambda n: sorted(tokenizer.get_vocab().items())),
        "kinds_of_characters": (1, lambda n: kinds(tokenizer)),
        "clean_up": (1, lambda n: tokenizer.decode(tokenizer.convert_tokens_to_ids(BEFORE_CLEANING))),
        "special_tokens": (1, lambda n: special_tokens(tokenizer)),
    }


def on_the_left(tokenizer: Any, side: str, give: Any, number: int) -> Any:
    """A result with one of the tokenizer's sides set to the left for as long as it takes."""
    usual = getattr(tokenizer, side)
    setattr(tokenizer, side, "left")
    try:
        return give(number)
    finally:
        setattr(tokenizer, side, usual)


def called(encoding: Any) -> Any:
    """What a call returned, by key: plain lists."""
    return dict((key, plain(encoding[key])) for key in encoding)


def plain(value: Any) -> Any:
    """Numbers and lists of them, whatever held them."""
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return int(value)


def special_tokens(tokenizer: Any) -> Any:
    names = ("unk", "sep", "pad", "cls", "mask")
    tokens = [str(getattr(tokenizer, name + "_token")) for name in names]
    return [tokens, [int(getattr(tokenizer, name + "_token_id")) for name in names], sorted(tokenizer.all_special_ids)]


def kinds(tokenizer: Any) -> Any:
    """What the small methods say of ASCII, of marks and spaces of other scripts, and at the ends of ranges."""
    characters = [chr(code) for code in [*range(0x80), *range(0x2000, 0x2070), *range(0x3000, 0x3010), 0x4E00, 0x9FFF]]
    characters += [chr(code) for code in (0xA0, 0x0660, 0x0966, 0x3FFF, 0x4DFF, 0xA000, *range(0xFF00, 0xFF66))]
    names = ("is_ch_char", "is_alpha", "is_punct", "is_whitespace")
    return [[int(bool(getattr(tokenizer, name)(character))) for character in characters] for name in names]


def digest(value: Any) -> int:
    """A result in 8 bytes."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return int.from_bytes(hashlib.sha256(text.encode("ascii")).digest()[:8], "little") or 1


def digest_calls(tokenizer: Any, texts: Any, rows: int) -> Any:
    """way -> uint64 [results]."""
    found = {}
    for way, (count, give) in list_calls(tokenizer, texts, rows).items():
        results = np.zeros(count, np.uint64)
        for number in range(count):
            try:
                results[number] = digest(give(number))
            except Exception:  # what Paddle cannot do has no result
                results[number] = NOT_DONE
        found[way] = results
    return found
