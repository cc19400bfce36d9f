"""The arrays of the objectives: layout, positions, labels, who reads whom, and what they refuse."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ernie_m import objectives

MASK, VOCABULARY = 59, 60
SMALL = {"mask_token_id": MASK, "vocab_size": VOCABULARY}
PAIRS = [([10, 11, 12, 13], [20, 21, 22, 23, 24, 25]), ([14], [26, 27])]
TEXTS = [source for source, _ in PAIRS]
PSEUDO = [[40, 41, 42], [43]]


def call(name: str, pairs: Any = PAIRS, **options: Any) -> objectives.Inputs:
    """One of the five functions on the same material."""
    function = getattr(objectives, name)
    if name in ("tlm", "camlm"):
        return function(pairs, **SMALL, **options)
    texts = [source for source, _ in pairs]
    if name == "btmlm":
        return function(texts, [target for _, target in pairs], **SMALL, **options)
    return function(texts, **SMALL, **options)


ALL = ("mmlm", "tlm", "camlm", "placeholders", "btmlm")
MASKING = ("mmlm", "tlm", "camlm", "btmlm")


def test_one_text_is_laid_out_as_the_release_does() -> None:
    found = objectives.mmlm([[10, 11, 12], [13]], ratio=1.0, **SMALL)
    assert found.input_ids.tolist() == [[0, MASK, MASK, MASK, 2], [0, MASK, 2, 1, 1]]
    assert found.labels.tolist() == [[-100, 10, 11, 12, -100], [-100, 13, -100, -100, -100]]
    assert found.position_ids.tolist() == [[0, 1, 2, 3, 4], [0, 1, 2, 0, 0]]
    assert found.side.tolist() == [[0, 0, 0, 0, 0], [0, 0, 0, -1, -1]]


@pytest.mark.parametrize("name", ["tlm", "camlm"])
def test_a_pair_is_laid_out_as_the_release_does(name: str) -> None:
    found = call(name, [([10, 11], [20])], ratio=1.0)
    assert found.input_ids.tolist() == [[0, MASK, MASK, 2, 2, MASK, 2]]
    assert found.labels.tolist() == [[-100, 10, 11, -100, -100, 20, -100]]
    assert found.position_ids.tolist() == [[0, 1, 2, 3, 4, 5, 6]]
    assert found.side.tolist() == [[0, 0, 0, 0, 1, 1, 1]], "[CLS] and the first [SEP] are the first side's"


@pytest.mark.parametrize("name", ["tlm", "camlm", "placeholders", "btmlm"])
def test_positions_may_begin_again_at_the_second_side(name: str) -> None:
    found = call(name, [([10, 11], [20, 21])], restart_positions=True)
    length = int((found.side == 1).sum())
    assert found.position_ids.tolist() == [[0, 1, 2, 3, *range(length)]]


def test_placeholders_stand_behind_the_text_and_are_not_predicted() -> None:
    found = objectives.placeholders([[10, 11, 12, 13], [14]], pseudo_ratio=0.5, **SMALL)
    assert found.input_ids.tolist() == [[0, 10, 11, 12, 13, 2, 2, MASK, MASK, 2], [0, 14, 2, 2, MASK, 2, 1, 1, 1, 1]]
    assert (found.labels == -100).all()
    assert objectives.placeholders([[10, 11]], pseudo_ratio=2, **SMALL).input_ids[0, 5:9].tolist() == [MASK] * 4


def test_pseudo_tokens_stand_where_the_placeholders_stood_and_are_not_predicted() -> None:
    stage1 = objectives.placeholders(TEXTS, pseudo_ratio=0.75, **SMALL)
    stage2 = objectives.btmlm(TEXTS, PSEUDO, ratio=1.0, **SMALL)
    assert stage2.input_ids.tolist() == [[0, *[MASK] * 4, 2, 2, 40, 41, 42, 2], [0, MASK, 2, 2, 43, 2, 1, 1, 1, 1, 1]]
    assert (stage1.position_ids == stage2.position_ids).all() and (stage1.side == stage2.side).all()
    assert (stage2.labels[stage2.side == 1] == -100).all()
    assert stage2.labels[0, 1:5].tolist() == TEXTS[0]


#: The paper's figure: of the first side the third of four tokens is masked, of the second the third and the fifth of
#: six. The columns: [CLS] 1 2 3 4 [SEP] | [SEP] 1 2 3 4 5 6 [SEP]. Rows of masked tokens are read off the figure.
FIGURE_MASKED = "00010000010100"
FIGURE = {
    "visible, first side": "11101100000000",
    "masked, first side": "00010011101011",
    "visible, second side": "00000011101011",
    "masked, second side": "11101100010100",
}


def test_the_rule_is_that_of_the_figure() -> None:
    side = np.array([[0] * 6 + [1] * 8])
    masked = np.array([[letter == "1" for letter in FIGURE_MASKED]])
    rule = objectives.attend_across(side, masked)
    for reader in range(14):
        kind = f"{'masked' if masked[0, reader] else 'visible'}, {('first', 'second')[side[0, reader]]} side"
        assert "".join(str(int(bit)) for bit in rule[0, reader]) == FIGURE[kind], f"row {reader}"


def may_read(name: str, found: objectives.Inputs, row: int, reader: int, read: int) -> bool:
    """The rule in words, token by token, apart from the code under test."""
    side = found.side[row]
    if side[read] == -1:
        return False
    if side[reader] == -1 or name in ("mmlm", "tlm", "btmlm"):
        return True
    hidden = found.input_ids[row] == MASK
    if not hidden[reader]:
        return bool(side[read] == side[reader] and not hidden[read])
    return bool(hidden[read]) if side[read] == side[reader] else not hidden[read]


text = st.lists(st.integers(4, MASK - 1), min_size=1, max_size=9)
ids_with_unknown = st.lists(st.integers(3, MASK - 1), min_size=1, max_size=9).filter(lambda ids: set(ids) != {3})
batches = st.lists(st.tuples(ids_with_unknown, text), min_size=1, max_size=4)
ratios = st.floats(0.01, 1.0)
seeds = st.integers(0, 2**64 - 1)


@settings(max_examples=60)
@given(batches, ratios, seeds, st.sampled_from(ALL))
def test_what_holds_for_every_batch(pairs: Any, ratio: float, seed: int, name: str) -> None:
    before = copy.deepcopy(pairs)
    options = {"pseudo_ratio": ratio} if name == "placeholders" else {"ratio": ratio, "seed": seed}
    found = call(name, pairs, **options)
    assert pairs == before, "what was given is changed"
    for key, array in found.items():
        assert array.dtype == (bool if key == "attention_mask" else np.int64), key
    for row, (source, target) in enumerate(pairs):
        length = len(source) + 2
        if name in ("tlm", "camlm", "btmlm"):
            length += len(target) + 2
        elif name == "placeholders":
            length += max(1, int(ratio * len(source) + 0.5)) + 2
        assert (found.side[row] >= 0).sum() == length
        sides = found.side[row]
        for side, ids in enumerate((source, target)):
            inner = np.flatnonzero(sides == side)[1:-1]
            labels = found.labels[row, inner]
            predicted = labels != -100
            if name == "placeholders" or (name == "btmlm" and side == 1):
                assert not predicted.any()
            elif len(inner):
                assert predicted.sum() == max(1, int(ratio * len(ids) + 0.5))
                assert (labels[predicted] == np.array(ids)[predicted]).all()
                assert (found.input_ids[row, inner] == np.where(predicted, MASK, ids)).all()
        edges = np.isin(found.input_ids[row], [0, 1, 2])
        assert (found.labels[row, edges] == -100).all()
        for reader, read in np.ndindex(found.attention_mask.shape[1:]):
            allowed = bool(found.attention_mask[row, reader, read])
            assert allowed == may_read(name, found, row, reader, read), (row, reader, read)
        assert found.attention_mask[row].any(1).all(), "a row that may read nothing"


@settings(max_examples=40)
@given(batches, ratios, seeds, st.sampled_from(ALL))
def test_a_batch_is_its_rows_one_by_one(pairs: Any, ratio: float, seed: int, name: str) -> None:
    options = {"pseudo_ratio": ratio} if name == "placeholders" else {"ratio": ratio, "seed": seed}
    together = call(name, pairs, **options)
    for row, pair in enumerate(pairs):
        alone = call(name, [pair], **options)
        length = alone.side.shape[1]
        for key, array in alone.items():
            cut = (row, slice(length), slice(length)) if key == "attention_mask" else (row, slice(length))
            assert (together[key][cut] == array[0]).all(), key


@pytest.mark.parametrize("name", MASKING)
def test_seeds_decide_and_no_global_state_does(name: str) -> None:
    pairs = [(list(range(10, 50)), list(range(12, 52)))]
    first, other = call(name, pairs, seed=1), call(name, pairs, seed=2)
    np.random.seed(5)
    state = np.random.get_state()[1].tolist()  # type: ignore[union-attr]
    again = call(name, pairs, seed=1)
    assert np.random.get_state()[1].tolist() == state  # type: ignore[union-attr]
    assert all((first[key] == again[key]).all() for key in first)
    assert (first.labels != other.labels).any()
    assert (call(name, pairs, seed=(1, 7)).labels != call(name, pairs, seed=(1, 8)).labels).any()


def test_the_masks_of_a_text_do_not_depend_on_its_pseudo_tokens() -> None:
    texts = [list(range(10, 40))]
    one, two = (objectives.btmlm(texts, pseudo, seed=3, **SMALL) for pseudo in ([[50, 51]], [[52, 53]]))
    assert (one.labels == two.labels).all()


def test_every_token_is_chosen_equally_often() -> None:
    texts = [[10, 11, 12, 13, 14, 15, 16, 17]]
    counts = sum((objectives.mmlm(texts, seed=seed, ratio=0.25, **SMALL).labels[0] != -100) for seed in range(2000))
    assert counts[[0, -1]].tolist() == [0, 0]
    # Binomial, 2000 draws of 1/4: a standard deviation is 19.
    assert (abs(counts[1:-1] - 500) < 5 * 19).all(), counts


@pytest.mark.parametrize("name", ["mmlm", "tlm"])
def test_berts_rule_covers_most_changes_some_and_keeps_some(name: str) -> None:
    random = np.random.default_rng(1)
    pairs = [(random.integers(4, MASK, 40).tolist(), random.integers(4, MASK, 40).tolist()) for _ in range(100)]
    found = call(name, pairs, ratio=0.5, bert_rule=True)
    predicted = found.labels != -100
    shown, hidden = found.input_ids[predicted], found.labels[predicted]
    count = len(hidden)
    assert count == (2000 if name == "mmlm" else 4000)
    for share, expected in (((shown == MASK).mean(), 0.8), ((shown == hidden).mean(), 0.1 + 0.1 / 55)):
        assert abs(share - expected) < 5 * np.sqrt(expected * (1 - expected) / count)
    replaced = shown[(shown != MASK) & (shown != hidden)]
    assert replaced.min() >= 4 and replaced.max() < MASK and len(set(replaced.tolist())) > 40
    plain = [[*pair[0], *pair[1]] if name == "tlm" else pair[0] for pair in pairs]
    inner = (found.side >= 0) & ~np.isin(found.input_ids, [0, 2])
    assert (np.where(predicted, found.labels, found.input_ids)[inner] == np.concatenate(plain)).all()


def test_languages_stand_beside_every_token_of_their_side() -> None:
    found = objectives.camlm(PAIRS, languages=[(3, 5), (6, 7)], **SMALL)
    assert found.language_ids is not None and set(found) - set(call("camlm")) == {"language_ids"}
    assert found.language_ids[0].tolist() == [3] * 6 + [5] * 8
    assert found.language_ids[1].tolist() == [6] * 3 + [7] * 4 + [0] * 7
    assert objectives.mmlm([[10]], languages=[4], **SMALL)["language_ids"].tolist() == [[4, 4, 4]]
    with pytest.raises(KeyError):
        call("camlm")["language_ids"]


REFUSED: list[tuple[str, str, Any, dict[str, Any]]] = [
    ("mmlm", r"texts is empty", [], {}),
    ("mmlm", r"texts is a str", "abc", {}),
    ("mmlm", r"texts\[1\] is not a list of token ids", [[10], []], {}),
    ("mmlm", r"texts\[0\] is not a list of token ids", [[1.5]], {}),
    ("mmlm", r"texts\[0\] is not a list of token ids", [[True]], {}),
    ("mmlm", r"texts\[0\] is not a list of token ids", ["ab"], {}),
    ("mmlm", r"texts\[0\] is not a list of token ids", [[[10]]], {}),
    ("mmlm", r"texts\[0\] holds 10 to 60, expected 0 to 59", [[10, 60]], {}),
    ("mmlm", r"texts\[0\] holds -1 to 4", [[4, -1]], {}),
    ("mmlm", r"texts\[1\] holds the special id 2", [[10], [11, 2]], {}),
    ("mmlm", r"texts\[0\] holds the special id 59", [[59]], {}),
    ("mmlm", r"ratio is 0, expected a number above 0 and at most 1", [[10]], {"ratio": 0}),
    ("mmlm", r"ratio is 1.5", [[10]], {"ratio": 1.5}),
    ("mmlm", r"ratio is nan", [[10]], {"ratio": float("nan")}),
    ("mmlm", r"ratio is True", [[10]], {"ratio": True}),
    ("mmlm", r"seed is -1", [[10]], {"seed": -1}),
    ("mmlm", r"seed is 1.0", [[10]], {"seed": 1.0}),
    ("mmlm", r"languages has 2 entries for 1 rows", [[10]], {"languages": [1, 2]}),
    ("mmlm", r"languages\[0\] is -1", [[10]], {"languages": [-1]}),
    ("camlm", r"languages\[0\] is 1, expected a pair", [([10], [11])], {"languages": [1]}),
    ("camlm", r"pairs\[0\] is not a pair", [[10, 11, 12]], {}),
    ("camlm", r"pairs\[0\] is not a pair", ["ab"], {}),
    ("camlm", r"pairs\[0\]\[1\] is not a list of token ids", [([10], [])], {}),
    ("placeholders", r"pseudo_ratio is 0", [[10]], {"pseudo_ratio": 0}),
    ("placeholders", r"pseudo_ratio is inf", [[10]], {"pseudo_ratio": float("inf")}),
]


@pytest.mark.parametrize(("name", "message", "given", "options"), REFUSED)
def test_what_cannot_be_meant_is_refused(name: str, message: str, given: Any, options: Any) -> None:
    with pytest.raises(ValueError, match=message):
        getattr(objectives, name)(given, **SMALL, **options)


def test_pseudo_tokens_must_fit_their_texts() -> None:
    with pytest.raises(ValueError, match=r"pseudo has 1 rows for 2 texts"):
        objectives.btmlm(TEXTS, PSEUDO[:1], **SMALL)
    with pytest.raises(ValueError, match=r"pseudo\[1\] holds the special id 59"):
        objectives.btmlm(TEXTS, [[40], [MASK]], **SMALL)
    with pytest.raises(ValueError, match="mask_token_id is 60 and vocab_size 60"):
        objectives.mmlm(TEXTS, mask_token_id=60, vocab_size=60)


def test_the_published_vocabulary_is_the_default() -> None:
    assert objectives.placeholders([[250000]]).input_ids.tolist() == [[0, 250000, 2, 2, 250001, 2]]
