"""The settings of OUTPUT's tokenizer against those of PaddleNLP's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from converter.common.layout import WORDPIECE_KIND
from verify.folder.expected_tokenizer import recorded_settings
from verify.results.trace import Trace

_PLAIN = ("padding_side", "truncation_side", "model_max_length", "model_input_names", "do_lower_case")
_LISTED = 5


def compare_settings(trace: Trace, tokenizer: Any) -> list[str]:
    """A sentence for each difference; none for a trace of before settings were recorded."""
    expected = recorded_settings(trace)
    if expected is None:
        return []
    stock = trace.family.tokenizer.kind == WORDPIECE_KIND
    if stock:  # No class of transformers' own has an attribute for case, and spaces are no tokens.
        expected = {**expected, "do_lower_case": None, "strips": {}}
    found = _stock_settings_of(tokenizer, expected) if stock else _settings_of(tokenizer)
    differences = [
        f"{name}: OUTPUT {found[name]}, SOURCE {expected[name]}" for name in _PLAIN if found[name] != expected[name]
    ]
    differences += _compare_tables("id of the added token", found["added_tokens"], expected["added_tokens"])
    differences += _compare_tables("whitespace taken off next to", found["strips"], expected["strips"])
    special = [dict.fromkeys(side["special_tokens"], "a special token") for side in (found, expected)]
    return differences + _compare_tables("kind of", *special)


def _settings_of(tokenizer: Any) -> dict[str, Any]:
    vocabulary = tokenizer.vocab
    return {
        **{name: getattr(tokenizer, name, None) for name in _PLAIN},
        "model_input_names": list(tokenizer.model_input_names),
        "added_tokens": {
            token: number for token, number in tokenizer.added_tokens_encoder.items() if token not in vocabulary
        },
        "special_tokens": list(map(str, tokenizer.all_special_tokens)),
        "strips": dict(getattr(tokenizer, "strip_sides", {})),
    }


def _stock_settings_of(tokenizer: Any, expected: Mapping[str, Any]) -> dict[str, Any]:
    """The tokenizers library has every special token among the added ones, wherever it comes from."""
    special = list(map(str, tokenizer.all_special_tokens))
    added = {
        token: number
        for token, number in tokenizer.get_added_vocab().items()
        if token not in special or token in expected["added_tokens"]
    }
    return {
        **{name: getattr(tokenizer, name) for name in _PLAIN if name != "do_lower_case"},
        "do_lower_case": None,
        "model_input_names": list(tokenizer.model_input_names),
        "added_tokens": added,
        "special_tokens": special,
        "strips": {},
    }


def _compare_tables(what: str, found: Mapping[str, Any], expected: Mapping[str, Any]) -> list[str]:
    keys = [key for key in {**expected, **found} if found.get(key) != expected.get(key)]
    differences = [
        f"{what} {key!a:.50}: OUTPUT {found.get(key, 'no such token')}, SOURCE {expected.get(key, 'no such token')}"
        for key in keys[:_LISTED]
    ]
    return differences + ([f"and {len(keys) - _LISTED} more of these"] if len(keys) > _LISTED else [])
