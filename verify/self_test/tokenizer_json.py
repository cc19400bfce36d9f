"""Faults of tokenizer.json: a rule that is left out or another, tokens that have each other's ids."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from converter.common.layout import TOKENIZER_JSON
from verify.self_test.faults import RULE, Fault

Content = dict[str, Any]
#: In front of a class of characters: of the symbols in it only those of ASCII, which is BERT's rule.
_ASCII_SYMBOLS = r"(?=[\x{0}-\x{7F}]|\P{S})"
#: A rule for one character, which the texts that are compared need not have.
_RARE = "it is about a single character, which no text of the comparison has"


def rule_faults(output: Path, seed: int) -> Iterator[Fault]:
    """A fault for each change; none where OUTPUT has no such file."""
    path = output / TOKENIZER_JSON
    if not path.is_file():
        return
    whole = json.loads(path.read_text(encoding="utf-8"))
    for name, changed, unseen in _changes(whole, seed):
        if changed != whole:
            yield Fault(RULE, TOKENIZER_JSON, (seed,), name, unseen=unseen)


def change_rule(text: str, fault: Fault) -> str:
    """The content of the file with a fault."""
    changes = _changes(json.loads(text), fault.place[0])
    return json.dumps(next(changed for name, changed, _ in changes if name == fault.value))


def _changes(whole: Content, seed: int) -> Iterator[tuple[str, Content, str]]:
    """What is wrong in words, the file with that, and why no call shows it, where that is known."""
    for part, steps in (("normalizer", "normalizers"), ("pre_tokenizer", "pretokenizers")):
        for number, step in enumerate(whole[part][steps]):
            changed = copy.deepcopy(whole)
            del changed[part][steps][number]
            unseen = _RARE if len(step.get("pattern", {}).get("String", "  ")) == 1 and part == "normalizer" else ""
            yield f"without step {number + 1} of the {part}, {step['type']}", changed, unseen
    changed = copy.deepcopy(whole)
    for step in changed["pre_tokenizer"]["pretokenizers"]:
        if "Regex" in step["pattern"]:
            step["pattern"]["Regex"] = _ASCII_SYMBOLS + step["pattern"]["Regex"]
    yield "with BERT's rule for symbols, which cuts off those of ASCII alone", changed, ""
    for name, place, value in (
        ("with words of 5 letters at most", ("model", "max_input_chars_per_word"), 5),
        ("with another mark of pieces inside a word", ("model", "continuing_subword_prefix"), "#"),
        ("with another mark of pieces in the decoder", ("decoder", "prefix"), "#"),
        ("with the first text's types in the second", ("post_processor", "pair", 3, "Sequence", "type_id"), 0),
        ("with the first text's type in the last token", ("post_processor", "pair", 4, "SpecialToken", "type_id"), 0),
        ("with other types in a single text", ("post_processor", "single", 1, "Sequence", "type_id"), 1),
    ):
        yield name, _with(whole, place, value), ""
    for kind in ("single", "pair"):
        changed = copy.deepcopy(whole)
        changed["post_processor"][kind].pop()
        yield f"without the last token of a {kind}", changed, ""
    for one, other in _pairs(whole, seed):
        changed = copy.deepcopy(whole)
        tokens = changed["model"]["vocab"]
        tokens[one], tokens[other] = tokens[other], tokens[one]
        yield f"with the ids of {one!r} and {other!r} exchanged", changed, ""


def _with(whole: Content, place: tuple[Any, ...], value: Any) -> Content:
    changed = copy.deepcopy(whole)
    inner: Any = changed
    for step in place[:-1]:
        inner = inner[step]
    inner[place[-1]] = value
    return changed


def _pairs(whole: Content, seed: int) -> Iterator[tuple[str, str]]:
    """Tokens whose ids are exchanged: two that are drawn, twice, and two neighbours; none of them special."""
    import numpy as np

    special = {token["content"] for token in whole["added_tokens"]}
    tokens = [token for token in whole["model"]["vocab"] if token not in special]
    random = np.random.default_rng(seed)
    for _ in range(2):
        one, other = random.choice(len(tokens), 2, replace=False).tolist()
        yield tokens[one], tokens[other]
    place = int(random.integers(len(tokens) - 1))
    yield tokens[place], tokens[place + 1]
