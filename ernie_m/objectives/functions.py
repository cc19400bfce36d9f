"""The objectives as functions from token ids to arrays.

A text is a list of ids without special tokens. What the functions have in common:

- `ratio`: the share of each text that is predicted, at least one token, 1.0 is all ([UNK] too).
- `pseudo_ratio`: how many placeholders a text gets, as a share of its length, at least one.
- `seed`: a whole number, or several. A row depends on it and on its own texts, not on the batch that it is in.
- `languages`: an id for each text (a pair of ids for two sides), for a language embedding; None: none.
- `restart_positions`: the second side counts from 0 again, as XLM does; the release counts on.
- `mask_token_id`, `vocab_size`: of a vocabulary that is not the published one.

Raises ValueError for what cannot be meant, with the place in the argument.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .attention import attend_across, attend_to_all
from .checks import check_seed, check_share, check_vocabulary, read_languages, read_pairs, read_texts
from .inputs import MASK, NOT_PREDICTED, VOCABULARY, Array, Inputs, Text, lay_out
from .masking import Seed, choose, count_of, cover, make_generator

Ids = Sequence[int]
#: Ours: BERT's rate, which ERNIE 1 and 2 had too.
RATIO = 0.15
#: Ours; as many placeholders as MMLM has masks.
PSEUDO_RATIO = 0.15


def mmlm(
    texts: Sequence[Ids],
    *,
    seed: Seed = 0,
    ratio: float = RATIO,
    bert_rule: bool = False,
    languages: Sequence[int] | None = None,
    mask_token_id: int = MASK,
    vocab_size: int = VOCABULARY,
) -> Inputs:
    """Masked LM on single texts, each predicted from itself: [CLS] A [SEP], every token reads all.

    `bert_rule`: of the predicted tokens 80 % are [MASK], 10 % a random id and 10 % as they were.
    """
    _check(seed, ratio, mask_token_id, vocab_size)
    rows = [(text,) for text in read_texts("texts", texts, mask_token_id, vocab_size)]
    return _predict(rows, seed, ratio, bert_rule, languages, False, mask_token_id, vocab_size, _all)


def tlm(
    pairs: Sequence[tuple[Ids, Ids]],
    *,
    seed: Seed = 0,
    ratio: float = RATIO,
    bert_rule: bool = False,
    languages: Sequence[tuple[int, int]] | None = None,
    restart_positions: bool = False,
    mask_token_id: int = MASK,
    vocab_size: int = VOCABULARY,
) -> Inputs:
    """Masked LM on translations, both sides predicted from both: [CLS] A [SEP] [SEP] B [SEP], every token reads all.

    `bert_rule` as in mmlm.
    """
    _check(seed, ratio, mask_token_id, vocab_size)
    rows = read_pairs("pairs", pairs, mask_token_id, vocab_size)
    return _predict(rows, seed, ratio, bert_rule, languages, restart_positions, mask_token_id, vocab_size, _all)


def camlm(
    pairs: Sequence[tuple[Ids, Ids]],
    *,
    seed: Seed = 0,
    ratio: float = RATIO,
    languages: Sequence[tuple[int, int]] | None = None,
    restart_positions: bool = False,
    mask_token_id: int = MASK,
    vocab_size: int = VOCABULARY,
) -> Inputs:
    """Masked LM on translations, each side predicted from the other alone (`attend_across`).

    All predicted tokens are [MASK]: a token that stayed would be its own answer.
    """
    _check(seed, ratio, mask_token_id, vocab_size)
    rows = read_pairs("pairs", pairs, mask_token_id, vocab_size)
    return _predict(rows, seed, ratio, False, languages, restart_positions, mask_token_id, vocab_size, attend_across)


def placeholders(
    texts: Sequence[Ids],
    *,
    seed: Seed = 0,
    pseudo_ratio: float = PSEUDO_RATIO,
    languages: Sequence[tuple[int, int]] | None = None,
    restart_positions: bool = False,
    mask_token_id: int = MASK,
    vocab_size: int = VOCABULARY,
) -> Inputs:
    """BTMLM, stage 1: [CLS] A [SEP] [SEP] [MASK] ... [MASK] [SEP], for `fill_placeholders` to fill.

    CAMLM with a second side that is nothing but masks: the text reads itself, the placeholders read the text and each
    other. Nothing is predicted (all labels are -100), nothing is drawn; `seed` is taken as by the others, and unused.
    `languages`: the text's language and the one to write.
    """
    check_seed(seed)
    check_share("pseudo_ratio", pseudo_ratio)
    check_vocabulary(mask_token_id, vocab_size)
    found = read_texts("texts", texts, mask_token_id, vocab_size)
    known = read_languages(languages, len(found), 2)
    rows = []
    for text, (own, other) in zip(found, known):
        empty = np.full(count_of(pseudo_ratio, len(text)), mask_token_id)
        rows.append([_unchanged(text, own), _unchanged(empty, other)])
    arrays = lay_out(rows, restart_positions, languages is not None)
    waiting = arrays["input_ids"] == mask_token_id
    return Inputs(**arrays, attention_mask=attend_across(arrays["side"], waiting))


def btmlm(
    texts: Sequence[Ids],
    pseudo: Sequence[Ids],
    *,
    seed: Seed = 0,
    ratio: float = RATIO,
    languages: Sequence[tuple[int, int]] | None = None,
    restart_positions: bool = False,
    mask_token_id: int = MASK,
    vocab_size: int = VOCABULARY,
) -> Inputs:
    """BTMLM, stage 2: [CLS] A [SEP] [SEP] pseudo tokens [SEP], every token reads all; A alone is masked and predicted.

    `pseudo` is what `fill_placeholders` made of these texts, and stands where the placeholders stood.
    """
    _check(seed, ratio, mask_token_id, vocab_size)
    found = read_texts("texts", texts, mask_token_id, vocab_size)
    written = read_texts("pseudo", pseudo, mask_token_id, vocab_size)
    if len(found) != len(written):
        raise ValueError(f"pseudo has {len(written)} rows for {len(found)} texts.")
    known = read_languages(languages, len(found), 2)
    rows = []
    for text, other, (own, second) in zip(found, written, known):
        generator = make_generator(seed, text)
        ids, labels = cover(text, choose(text, ratio, generator), mask_token_id, vocab_size, False, generator)
        rows.append([Text(ids, labels, own), _unchanged(other, second)])
    arrays = lay_out(rows, restart_positions, languages is not None)
    return Inputs(**arrays, attention_mask=attend_to_all(arrays["side"]))


def _check(seed: Seed, ratio: float, mask_token_id: int, vocab_size: int) -> None:
    check_seed(seed)
    check_share("ratio", ratio, 1.0)
    check_vocabulary(mask_token_id, vocab_size)


def _all(side: Array, masked: Array) -> Array:
    return attend_to_all(side)


def _unchanged(ids: Array, language: int) -> Text:
    return Text(ids, np.full(len(ids), NOT_PREDICTED), language)


def _predict(
    texts: Sequence[Sequence[Array]],
    seed: Seed,
    ratio: float,
    bert_rule: bool,
    languages: Sequence[Any] | None,
    restart_positions: bool,
    mask_token_id: int,
    vocab_size: int,
    attention: Callable[[Array, Array], Array],
) -> Inputs:
    """Rows whose texts are all masked and predicted, under a rule of attention."""
    known = read_languages(languages, len(texts), len(texts[0]))
    rows = []
    for row, own in zip(texts, known):
        generator = make_generator(seed, *row)
        covered = (
            cover(text, choose(text, ratio, generator), mask_token_id, vocab_size, bert_rule, generator) for text in row
        )
        rows.append([Text(ids, labels, language) for (ids, labels), language in zip(covered, own)])
    arrays = lay_out(rows, restart_positions, languages is not None)
    return Inputs(**arrays, attention_mask=attention(arrays["side"], arrays["labels"] != NOT_PREDICTED))
