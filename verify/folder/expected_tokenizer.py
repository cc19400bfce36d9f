"""The settings that OUTPUT's tokenizer must have: SOURCE's or, without SOURCE, PaddleNLP's, which a trace has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from verify.results.trace import Trace

if TYPE_CHECKING:
    from converter.open.tokenizer.tokenizer_files import TokenizerFiles

#: What OUTPUT's tokenizer can return; PaddleNLP's also knows position_ids.
_RETURNED = ("input_ids", "token_type_ids", "attention_mask")


def settings_of(source: TokenizerFiles) -> dict[str, Any]:
    """The settings of SOURCE's tokenizer, by the names that a trace has for them."""
    settings = source.settings
    return {
        "padding_side": settings.padding_side,
        "truncation_side": settings.truncation_side,
        "model_max_length": settings.longest,
        "model_input_names": list(settings.input_names),
        "do_lower_case": settings.do_lower_case,
        "added_tokens": dict(source.added_tokens),
        "special_tokens": settings.all_special(),
        "strips": dict(settings.strip_sides),
    }


def expected_settings(source: TokenizerFiles | None, trace: Trace | None, longest: int) -> dict[str, Any]:
    """Fields of tokenizer_config.json that follow from SOURCE, else from settings in a trace; else the usual ones."""
    settings = (settings_of(source) if source is not None else recorded_settings(trace)) or {}
    return {
        "model_max_length": min(longest, settings.get("model_max_length") or longest),
        "model_input_names": settings.get("model_input_names", ["input_ids"]),
        "padding_side": settings.get("padding_side", "right"),
        "truncation_side": settings.get("truncation_side", "right"),
    }


def recorded_settings(trace: Trace | None) -> dict[str, Any] | None:
    """The same from a trace; None where it holds nothing."""
    recorded = ((trace.head.get("tokenizer") or {}) if trace is not None else {}).get("settings")
    if trace is None or not recorded:
        return None
    longest = trace.family.longest_text(int(trace.head["config"]["max_position_embeddings"]))
    return {
        **recorded,
        "model_max_length": min(recorded["model_max_length"], longest),
        "model_input_names": [name for name in recorded["model_input_names"] if name in _RETURNED],
        "strips": {token: _side(sides) for token, sides in recorded["strips"].items()},
    }


def _side(sides: list[bool]) -> str:
    left, right = sides
    return "left" if left else "right" if right else "none"
