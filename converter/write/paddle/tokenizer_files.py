"""The tokenizer's files as PaddleNLP's tokenizer saves them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from converter.common.layout import (
    ADDED_TOKENS,
    SENTENCEPIECE,
    SPECIAL_TOKENS_MAP,
    TOKENIZER_CONFIG,
    TOKENIZER_JSON,
    VOCABULARY,
)
from converter.files.json_files import parse_json
from converter.files.regular_files import read_file
from converter.open.tokenizer.tokenizer_files import TokenizerFiles
from converter.open.tokenizer.tokenizer_settings import ADDITIONAL
from converter.plan.make_back_plan import BackPlan
from converter.write.config_file import write_json
from converter.write.new_files import write_file
from converter.write.wordpiece_json import build_tokenizer_json

#: Parts of tokenizer.json that a call may set, and that decide no token.
_OF_CALLS = ("truncation", "padding", "version")
_MOST_BYTES = 128 << 20
#: What a call of PaddleNLP's tokenizer returns by itself, where the files give nothing else; the mask is no part of it.
_MASK = "attention_mask"


def write_paddle_tokenizer(folder: Path, plan: BackPlan) -> None:
    """vocab.txt, the sentencepiece model where there is one, added tokens and both tables of settings."""
    files = plan.opened.source.tokenizer
    if files is None:
        return
    write_file(folder / VOCABULARY, files.vocabulary)
    if files.sentencepiece:
        write_file(folder / SENTENCEPIECE, files.sentencepiece)
    if files.added_tokens:
        write_json(folder / ADDED_TOKENS, dict(files.added_tokens))
    write_json(folder / TOKENIZER_CONFIG, build_paddle_tokenizer_config(files, plan))
    write_json(folder / SPECIAL_TOKENS_MAP, _special_tokens(files, typed=False))


def build_paddle_tokenizer_config(files: TokenizerFiles, plan: BackPlan) -> dict[str, Any]:
    """The arguments of PaddleNLP's tokenizer, where they are not its defaults, and its class."""
    settings, family = files.settings, plan.opened.family
    longest = family.longest_text(plan.forward.sizes.fields["max_position_embeddings"])
    optional = {
        "padding_side": (settings.padding_side, "right"),
        "truncation_side": (settings.truncation_side, "right"),
        # `convert` writes the model's own limit where the files give none.
        "model_max_length": (settings.longest, longest),
        **_input_names(files),
    }
    return {
        "do_lower_case": settings.do_lower_case,
        **{name: value for name, (value, usual) in optional.items() if value not in (usual, None)},
        **_special_tokens(files, typed=True),
        "tokenizer_class": family.tokenizer.source_class,
    }


def _input_names(files: TokenizerFiles) -> dict[str, tuple[list[str], list[str]]]:
    """What a call returns. Of a tokenizer of transformers' own the mask is no choice: its models need it."""
    names = list(files.settings.input_names)
    if files.sentencepiece:
        return {"model_input_names": (names, ["input_ids"])}
    plain = [name for name in names if name != _MASK]
    return {"model_input_names": (plain, ["input_ids", "token_type_ids"])}


def _special_tokens(files: TokenizerFiles, *, typed: bool) -> dict[str, Any]:
    """By role. A token next to which whitespace is not taken off on both sides is an AddedToken, `typed` in
    tokenizer_config.json (`save_pretrained` in tokenizer_utils_base.py of 2.8.1)."""
    settings = files.settings
    tokens: dict[str, Any] = {
        role: _as_added(token, settings.strip_sides, typed) for role, token in settings.special_tokens.items()
    }
    if settings.additional:
        tokens[ADDITIONAL] = [_as_added(token, settings.strip_sides, typed) for token in settings.additional]
    return tokens


def _as_added(token: str, sides: Mapping[str, str], typed: bool) -> Any:
    if token not in sides:
        return token
    strips = {"lstrip": sides[token] == "left", "rstrip": sides[token] == "right"}
    fields = {"content": token, "single_word": False, **strips, "normalized": True}
    return {**fields, "__type": "AddedToken"} if typed else fields


def other_tokenizer_rules(plan: BackPlan) -> list[str]:
    """A warning that names the parts of tokenizer.json that are not those of PaddleNLP's tokenizer."""
    files = plan.opened.source.tokenizer
    if files is None or TOKENIZER_JSON not in files.names:
        return []
    found = parse_json(read_file(files.folder / TOKENIZER_JSON, _MOST_BYTES), TOKENIZER_JSON)[0]
    expected = build_tokenizer_json(files)
    parts = [name for name in expected if name not in (*_OF_CALLS, "added_tokens", "model")]
    odd = [name for name in parts if _text(found.get(name)) != _text(expected[name])]
    model = found.get("model")
    rules = {name: value for name, value in expected["model"].items() if name not in ("vocab", "type")}
    other = [f"model.{name}" for name, value in rules.items() if isinstance(model, dict) and model.get(name) != value]
    if not odd and not other:
        return []
    text = f"{TOKENIZER_JSON}: {', '.join([*odd, *other])} is not as PaddleNLP's tokenizer does it"
    return [f"{text}, which has no such option: FOLDER's gives other tokens"]


def _text(part: Any) -> str:
    return json.dumps(part, sort_keys=True)
