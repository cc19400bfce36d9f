"""Every public call of a tokenizer, made alike on both sides: PaddleNLP's results are recorded, OUTPUT's compared."""

from __future__ import annotations

import hashlib
import json
import re
from functools import partial
from typing import Any, Callable

from verify.protocol import wordpiece_calls
from verify.protocol.subject import (
    BATCH,
    BATCHES,
    BLOCKS,
    CHOICES,
    ONCE,
    ROWS,
    TEXT,
    Subject,
    on_the_left,
    plain,
)

#: Tokens that decode joins to text which its clean-up changes, as far as a vocabulary has them.
BEFORE_CLEANING = [
    *("\u2581do", "\u2581n", "'", "t", "\u2581I", "\u2581'", "m", "\u2581it", "\u2581'", "s"),
    *("\u2581.", "\u2581,", "\u2581!", "\u2581?"),
]
#: Runs, of which sentencepiece's releases cut equal scores differently.
RUN = re.compile(r"(.)\1\1", re.DOTALL)
#: The digest of what the reference cannot do (offsets of combined characters raise): it is not compared.
NOT_DONE = 0


def layouts(on: Subject, n: int) -> Any:
    tokenizer, one, other = on.tokenizer, on.ids(on.text(n)), on.ids(on.partner(n))
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


def truncate(on: Subject, n: int) -> Any:
    limit, text, partner = 5 + n % 9, on.text(n), on.partner(n)
    return [
        on.call(text, max_length=limit, truncation=True),
        # Nothing would be left of the text: it stays as it is.
        on.call(text, max_length=2, truncation=True),
        on.call(text, partner, max_length=limit + 4, truncation="longest_first"),
        on.call(text, "lamp", max_length=limit + 4, truncation="only_first"),
    ]


def pad(on: Subject, n: int) -> Any:
    limit, batch = 12 + n % 9, on.batch(n)
    pairs = [[on.text(place), on.partner(place)] for place in range(n * BATCH, n * BATCH + BATCH)]
    return [
        on.call(batch, padding=True, **CHOICES),
        on.call(pairs, padding=True),
        on.call(batch, padding="max_length", max_length=limit, truncation=True, **CHOICES),
        on.call(batch, padding=True, pad_to_multiple_of=8, max_length=16, truncation=True),
    ]


def overflow(on: Subject, n: int) -> Any:
    # A stride with a pair means something else to PaddleNLP, and longest_first returns nothing of what it cut.
    place, cut = n * BATCH, {"truncation": True, "return_overflowing_tokens": True}
    text, tokenizer = on.text(place), on.tokenizer
    calls = [tokenizer(text, max_length=5 + n % 5, stride=stride, **cut) for stride in (0, 1, 3)]
    for strategy in ("only_first", "only_second"):
        calls.append(tokenizer(text, on.partner(place), **dict(cut, truncation=strategy, max_length=12 + n % 5)))
    return [
        [plain(found["input_ids"]), plain(found["overflowing_tokens"]), max(0, int(found["num_truncated_tokens"]))]
        for found in calls
    ]


def strings(on: Subject, n: int) -> Any:
    given = list(on.tokenizer(on.text(n))["input_ids"])
    tokens = on.tokenizer.tokenize(on.text(n))
    return [on.tokenizer.convert_ids_to_string(given), on.tokenizer.convert_tokens_to_string(tokens)]


def decode(on: Subject, n: int) -> Any:
    given = list(on.tokenizer(on.text(n))["input_ids"])
    return [on.tokenizer.decode(given), on.tokenizer.decode(given, skip_special_tokens=True)]


def batch_decode(on: Subject, n: int) -> Any:
    given = on.tokenizer(on.batch(n))["input_ids"]
    return [on.tokenizer.batch_decode(given), on.tokenizer.batch_decode(given, skip_special_tokens=True)]


def without_special_tokens(on: Subject, n: int) -> Any:
    one, other = on.sample(n), on.sample(n + 1)
    return [on.call(one, add_special_tokens=False), on.call(one, other, add_special_tokens=False)]


def arrays(on: Subject, n: int) -> Any:
    found = on.tokenizer(on.batch(n), padding=True, return_tensors="np", **CHOICES)
    return {key: found[key].tolist() for key in found}


def rows_as_text(on: Subject, n: int) -> Any:
    tokens, special = on.tokenizer.convert_ids_to_tokens(on.block(n)), on.tokenizer.all_special_tokens
    words = [token.replace("\u2581", "") for token in tokens if token not in special]
    return on.call(" ".join(word for word in words if not RUN.search(word)))


def special_tokens(on: Subject, n: int) -> Any:
    names, tokenizer = ("unk", "sep", "pad", "cls", "mask"), on.tokenizer
    tokens = [str(getattr(tokenizer, name + "_token")) for name in names]
    return [tokens, [int(getattr(tokenizer, name + "_token_id")) for name in names], sorted(tokenizer.all_special_ids)]


def kinds_of_characters(on: Subject, n: int) -> Any:
    """What the small methods return for ASCII, for marks and spaces of other scripts, and at the ends of ranges."""
    characters = [chr(code) for code in [*range(0x80), *range(0x2000, 0x2070), *range(0x3000, 0x3010), 0x4E00, 0x9FFF]]
    characters += [chr(code) for code in (0xA0, 0x0660, 0x0966, 0x3FFF, 0x4DFF, 0xA000, *range(0xFF00, 0xFF66))]
    names = ("is_ch_char", "is_alpha", "is_punct", "is_whitespace")
    return [[int(bool(getattr(on.tokenizer, name)(character))) for character in characters] for name in names]


#: Name -> how many results it has, and the function that gives the n-th.
CALLS: dict[str, tuple[str, Callable[[Subject, int], Any]]] = {
    "call": (TEXT, lambda on, n: on.call(on.text(n))),
    "batch": (BATCHES, lambda on, n: on.call(on.batch(n))),
    "masks": (TEXT, lambda on, n: on.call(on.text(n), **CHOICES)),
    "pair": (TEXT, lambda on, n: on.call(on.text(n), on.partner(n), **CHOICES)),
    "truncation": (TEXT, truncate),
    "truncation_on_the_left": (BATCHES, lambda on, n: on_the_left("truncation_side", truncate, on, n * BATCH)),
    "overflow": (BATCHES, overflow),
    "padding": (BATCHES, pad),
    "padding_on_the_left": (BATCHES, partial(on_the_left, "padding_side", pad)),
    "tokenize": (TEXT, lambda on, n: on.tokenizer.tokenize(on.text(n))),
    "tokens_to_ids": (TEXT, lambda on, n: on.ids(on.text(n))),
    "layouts": (TEXT, layouts),
    "offsets": (TEXT, lambda on, n: on.tokenizer.get_offset_mapping(on.text(n))),
    "offsets_in_call": (TEXT, lambda on, n: on.call(on.text(n), return_offsets_mapping=True)),
    "strings": (TEXT, strings),
    "decode": (TEXT, decode),
    "clean_text": (TEXT, lambda on, n: on.tokenizer.clean_text(on.text(n))),
    "rows_to_tokens": (BLOCKS, lambda on, n: on.tokenizer.convert_ids_to_tokens(on.block(n))),
    "rows_to_ids": (
        BLOCKS,
        lambda on, n: on.tokenizer.convert_tokens_to_ids(on.tokenizer.convert_ids_to_tokens(on.block(n))),
    ),
    "rows_as_text": (BLOCKS, rows_as_text),
    "without_special_tokens": (BATCHES, without_special_tokens),
    "second_text_cut": (
        BATCHES,
        lambda on, n: on.call("lamp", on.sample(n), max_length=9 + n % 9, truncation="only_second"),
    ),
    "words": (BATCHES, lambda on, n: on.call(on.sample(n).split(), is_split_into_words=True)),
    "arrays": (BATCHES, arrays),
    "batch_decode": (BATCHES, batch_decode),
    "vocabulary": (ONCE, lambda on, n: sorted(on.tokenizer.get_vocab().items())),
    "kinds_of_characters": (ONCE, kinds_of_characters),
    "clean_up": (ONCE, lambda on, n: on.tokenizer.decode(on.tokenizer.convert_tokens_to_ids(BEFORE_CLEANING))),
    "special_tokens": (ONCE, special_tokens),
}


#: Kind of tokenizer (family.toml) -> its calls.
CALLS_BY_KIND = {"sentencepiece with vocabulary": CALLS, "wordpiece": wordpiece_calls.CALLS}


def list_calls(tokenizer: Any, texts: list[str], rows: int, kind: str) -> dict[str, tuple[int, Callable[[int], Any]]]:
    """Name -> how many results the call has, and the function that gives the n-th. `rows`: the vocabulary's size."""
    on = Subject(tokenizer, texts, rows)
    counts = {TEXT: len(texts), BATCHES: -(-len(texts) // BATCH), BLOCKS: -(-rows // ROWS), ONCE: 1}
    return {name: (counts[per], partial(call, on)) for name, (per, call) in CALLS_BY_KIND[kind].items()}


def digest(value: Any) -> int:
    """A result in 8 bytes."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return int.from_bytes(hashlib.sha256(text.encode("ascii")).digest()[:8], "little") or 1
