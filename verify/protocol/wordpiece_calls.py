"""The calls of a BERT-like tokenizer, made alike on PaddleNLP's and on one of the tokenizers library.

What the two cannot have in common raises LeftOut on the side of PaddleNLP, whose result then is not compared.
"""

from __future__ import annotations

from functools import partial
from typing import Any, Callable

from verify.protocol.subject import BATCH, BATCHES, BLOCKS, CHOICES, ONCE, TEXT, Subject, on_the_left, plain


class LeftOut(Exception):
    """A result that is not compared."""


def call(on: Subject, *texts: str) -> Any:
    """The default call. PaddleNLP gives no mask and its model then hides [PAD], so OUTPUT's mask must be that one."""
    return with_mask(on, on.call(*texts), texts)


def with_mask(on: Subject, found: dict[str, Any], texts: Any) -> dict[str, Any]:
    """`found` with the mask that PaddleNLP's model takes where none is given. Where a text holds [PAD] itself,
    PaddleNLP's model hides that as well, which no tokenizer's mask does."""
    rows, pad = found["input_ids"], on.tokenizer.pad_token_id
    rows = rows if rows and isinstance(rows[0], list) else [rows]
    masks = [[int(token != pad) for token in row] for row in rows]
    given = found.get("attention_mask", masks if rows is found["input_ids"] else masks[0])
    has_pad = any(str(on.tokenizer.pad_token) in text for text in texts)
    return dict(found, attention_mask=None if has_pad else given)


def second(on: Subject, n: int) -> str:
    """The second text of a pair; transformers takes an empty one for none."""
    return on.partner(n) or "lamp"


def batch(on: Subject, n: int) -> Any:
    texts = on.batch(n)
    return with_mask(on, on.call(texts), texts)


def size(on: Subject, text: str) -> int:
    return len(on.tokenizer.tokenize(text))


def truncate(on: Subject, n: int) -> Any:
    """Pairs share an even number of tokens: of an odd one PaddleNLP gives the first text more, the library the longer.
    Nothing is cut off whole, where PaddleNLP leaves a text as it is."""
    limit, text, partner = 5 + 2 * (n % 5), on.text(n), second(on, n)
    found = [on.call(text, max_length=limit, truncation=True, **CHOICES)]
    found.append(on.call(text, partner, max_length=limit + 4, truncation="longest_first", **CHOICES))
    other = size(on, "lamp")
    if size(on, text) + other + 3 - (limit + 6) < size(on, text):
        found.append(on.call(text, "lamp", max_length=limit + 6, truncation="only_first", **CHOICES))
    return found


def pad(on: Subject, n: int) -> Any:
    limit, texts = 12 + n % 9, on.batch(n)
    pairs = [[on.text(place), on.partner(place)] for place in range(n * BATCH, n * BATCH + BATCH)]
    usual = on.call(texts, padding=True)
    return [
        on.call(texts, padding=True, **CHOICES),
        with_mask(on, usual, texts),
        on.call(pairs, padding=True, **CHOICES),
        on.call(texts, padding="max_length", max_length=limit, truncation=True, **CHOICES),
        on.call(texts, padding=True, pad_to_multiple_of=8, max_length=16, truncation=True, **CHOICES),
    ]


def offsets(on: Subject, n: int) -> Any:
    """Without the texts that hold [UNK]: PaddleNLP looks for the text of each token and guesses around what it lost. So
    it does where it looks for small letters in a text as it is: one of its classes lowers words and does not say so."""
    if loses_letters(on):
        raise LeftOut("PaddleNLP looks for small letters in a text as it is")
    found = on.call(on.text(n), return_offsets_mapping=True)
    if on.tokenizer.unk_token_id in found["input_ids"]:
        raise LeftOut("the text holds [UNK]")
    return found["offset_mapping"]


def loses_letters(on: Subject) -> bool:
    """Whether it is a class of PaddleNLP's without a `do_lower_case`, by which it looks for the text of tokens."""
    return hasattr(on.tokenizer, "get_offset_mapping") and not hasattr(on.tokenizer, "do_lower_case")


def decode(on: Subject, n: int) -> Any:
    given = list(on.tokenizer(on.text(n))["input_ids"])
    return [
        on.tokenizer.decode(given),
        on.tokenizer.decode(given, skip_special_tokens=True),
        on.tokenizer.decode(given, clean_up_tokenization_spaces=False),
    ]


def batch_decode(on: Subject, n: int) -> Any:
    given = on.tokenizer(on.batch(n))["input_ids"]
    return [on.tokenizer.batch_decode(given), on.tokenizer.batch_decode(given, skip_special_tokens=True)]


def vocabulary(on: Subject) -> list[tuple[str, int]]:
    """Token and id, without the empty one that PaddleNLP makes of a blank line."""
    return sorted((str(token), int(number)) for token, number in on.tokenizer.get_vocab().items() if token)


def block(on: Subject, n: int) -> list[int]:
    """Some of the ids that a token has."""
    rows = on.block(n)
    return on.token_ids[rows[0] : rows[-1] + 1]


def rows_as_text(on: Subject, n: int) -> Any:
    tokens, special = on.tokenizer.convert_ids_to_tokens(block(on, n)), on.tokenizer.all_special_tokens
    words = [token[2:] if token.startswith("##") else token for token in tokens if token not in special]
    return on.call(" ".join(words))["input_ids"]


def arrays(on: Subject, n: int) -> Any:
    found = on.tokenizer(on.batch(n), padding=True, return_tensors="np", **CHOICES)
    return dict((key, found[key].tolist()) for key in found)


def special_tokens(on: Subject, n: int) -> Any:
    names, tokenizer = ("unk", "sep", "pad", "cls", "mask"), on.tokenizer
    tokens = [str(getattr(tokenizer, name + "_token")) for name in names]
    ids = [int(getattr(tokenizer, name + "_token_id")) for name in names]
    return [tokens, ids, sorted(set(tokenizer.all_special_ids))]


#: Name -> how many results it has, and the function that gives the n-th.
CALLS: dict[str, tuple[str, Callable[[Subject, int], Any]]] = {
    "call": (TEXT, lambda on, n: call(on, on.text(n))),
    "batch": (BATCHES, batch),
    "masks": (TEXT, lambda on, n: on.call(on.text(n), **CHOICES)),
    "pair": (TEXT, lambda on, n: call(on, on.text(n), second(on, n))),
    "pair_with_masks": (TEXT, lambda on, n: on.call(on.text(n), second(on, n), **CHOICES)),
    "truncation": (TEXT, truncate),
    "truncation_on_the_left": (BATCHES, lambda on, n: on_the_left("truncation_side", truncate, on, n * BATCH)),
    "padding": (BATCHES, pad),
    "padding_on_the_left": (BATCHES, partial(on_the_left, "padding_side", pad)),
    "tokenize": (TEXT, lambda on, n: on.tokenizer.tokenize(on.text(n))),
    "tokens_to_ids": (TEXT, lambda on, n: plain(on.ids(on.text(n)))),
    "offsets": (TEXT, offsets),
    "strings": (TEXT, lambda on, n: on.tokenizer.convert_tokens_to_string(on.tokenizer.tokenize(on.text(n)))),
    "decode": (TEXT, decode),
    "batch_decode": (BATCHES, batch_decode),
    "rows_to_tokens": (BLOCKS, lambda on, n: on.tokenizer.convert_ids_to_tokens(block(on, n))),
    "rows_as_text": (BLOCKS, rows_as_text),
    "without_special_tokens": (
        BATCHES,
        lambda on, n: on.call(on.sample(n), add_special_tokens=False)["input_ids"],
    ),
    "words": (BATCHES, lambda on, n: on.call(on.sample(n).split(), is_split_into_words=True)["input_ids"]),
    "arrays": (BATCHES, arrays),
    "vocabulary": (ONCE, lambda on, n: vocabulary(on)),
    "special_tokens": (ONCE, special_tokens),
}
