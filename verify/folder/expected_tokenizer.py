"""The settings that OUTPUT's tokenizer must have: SOURCE's or, without SOURCE, PaddleNLP's, which a trace has."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from converter.common.layout import FILES_BY_KIND, WORDPIECE_KIND
from mappings import Family
from verify.folder.expected_config import Expected
from verify.results.trace import Trace

if TYPE_CHECKING:
    from converter.open.tokenizer.tokenizer_files import TokenizerFiles

#: What OUTPUT's tokenizer can return; PaddleNLP's also knows position_ids.
_RETURNED = ("input_ids", "token_type_ids", "attention_mask")


def has_tokenizer(output: Path, family: Family) -> bool:
    """Whether OUTPUT has the file without which a tokenizer of the family's kind is none."""
    return (output / FILES_BY_KIND[family.tokenizer.kind][0]).is_file()


#: Kind -> what a call of OUTPUT's returns where nothing else is known. A tokenizer of transformers' own also gives the
#: mask, without which its models show padding.
_USUAL_INPUTS = {kind: _RETURNED if kind == WORDPIECE_KIND else _RETURNED[:1] for kind in FILES_BY_KIND}


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


def expected_settings(source: TokenizerFiles | None, trace: Trace | None, known: Expected) -> dict[str, Any]:
    """Fields of tokenizer_config.json that follow from SOURCE, else from settings in a trace; else the usual ones."""
    longest, kind = known.longest, known.family.tokenizer.kind
    settings = (settings_of(source) if source is not None else recorded_settings(trace)) or {}
    return {
        "model_max_length": min(longest, settings.get("model_max_length") or longest),
        "model_input_names": settings.get("model_input_names", list(_USUAL_INPUTS[kind])),
        "padding_side": settings.get("padding_side", "right"),
        "truncation_side": settings.get("truncation_side", "right"),
    }


def recorded_settings(trace: Trace | None) -> dict[str, Any] | None:
    """The same from a trace; None where it holds nothing."""
    recorded = ((trace.head.get("tokenizer") or {}) if trace is not None else {}).get("settings")
    if trace is None or not recorded:
        return None
    longest = trace.family.longest_text(int(trace.head["config"]["max_position_embeddings"]))
    names = [name for name in recorded["model_input_names"] if name in _RETURNED]
    if trace.family.tokenizer.kind == WORDPIECE_KIND and _RETURNED[-1] not in names:
        names.append(_RETURNED[-1])
    return {
        **recorded,
        "model_max_length": min(recorded["model_max_length"], longest),
        "model_input_names": names,
        "strips": {token: _side(sides) for token, sides in recorded["strips"].items()},
    }


def _side(sides: list[bool]) -> str:
    left, right = sides
    return "left" if left else "right" if right else "none"
