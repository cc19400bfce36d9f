"""Rules of OUTPUT's config files that PaddleNLP's class does not have: each by name, refused or warned of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from converter.common.errors import Problem
from converter.common.layout import TOKENIZER_CONFIG
from converter.files.json_files import read_json
from converter.files.regular_files import is_file
from converter.open.converted import ConvertedFolder
from mappings.config_fields import TRANSFORMERS
from mappings.model_fields import ConfigField
from mappings.quirks import FIRST_POSITION, MASKED_IDS, MODEL_CONFIG, Quirk

_MEANING = {
    MASKED_IDS: "calls without an attention_mask differ; calls with one do not",
    "": "the numbers differ",
}


def other_rules(opened: ConvertedFolder) -> tuple[list[Problem], list[str]]:
    """Problems and warnings. PaddleNLP's own rules are those of the usual preset."""
    problems: list[Problem] = []
    warnings: list[str] = []
    of_tokenizer = _tokenizer_fields(opened)
    for quirk in opened.family.quirks:
        fields = opened.fields if quirk.file == MODEL_CONFIG else of_tokenizer
        if fields is None:
            continue
        expected = _paddle_value(quirk, opened)
        found = fields.get(quirk.field, quirk.absent if quirk.absent is not None else expected)
        if found == expected:
            continue
        text = f"{quirk.file}: {quirk.field} is {found!r:.60}, PaddleNLP's class has {expected!r:.60} ({quirk.meaning})"
        if quirk.role == FIRST_POSITION:
            problems.append(Problem("E044", f"{text}. It would compute something else for every text"))
        else:
            effect = "tokens differ" if quirk.file != MODEL_CONFIG else _MEANING[quirk.role]
            warnings.append(f"{text}: {effect}")
    if _is_of_the_port(opened):
        warnings.append(_describe_port(opened))
    warnings += [text for field in opened.family.fields for text in _other_field(field, opened)]
    return problems, warnings


def _tokenizer_fields(opened: ConvertedFolder) -> Mapping[str, Any] | None:
    path = opened.source.folder / TOKENIZER_CONFIG
    return read_json(path)[0] if opened.source.tokenizer is not None and is_file(path) else None


def _paddle_value(quirk: Quirk, opened: ConvertedFolder) -> Any:
    """What PaddleNLP computes with: the preset's value, else the field's own where no config gives it, else the
    config's, which PaddleNLP reads too."""
    family = opened.family
    usual = family.usual_preset.resolve(opened.source.config.get("pad_token_id"))
    if quirk.field in usual:
        return usual[quirk.field]
    field = next((field for field in family.fields if field.name == quirk.field), None)
    if field is not None and field.value is not None:
        return field.value
    return opened.fields.get(quirk.field)


def _is_of_the_port(opened: ConvertedFolder) -> bool:
    """Whether the folder was saved by a class of transformers' own that has other rules than the code that travels, and
    no fields for them."""
    if opened.family.code_of(opened.entry.target) is None or "auto_map" in opened.fields:
        return False
    names = [quirk.field for quirk in opened.family.quirks if quirk.file == MODEL_CONFIG and not quirk.from_config]
    return bool(names) and not any(name in opened.fields for name in names)


def _describe_port(opened: ConvertedFolder) -> str:
    port = next((one for one in opened.family.presets if "transformers" in one.when.get("naming", ())), None)
    summary = f", whose rules are {port.summary}" if port is not None else ""
    usual = opened.family.usual_preset.summary
    return f"config.json has none of the fields of OUTPUT's own class: saved by transformers'{summary}; {usual}"


def _other_field(field: ConfigField, opened: ConvertedFolder) -> list[str]:
    """A field that transformers' class alone has, where its value is another than PaddleNLP's."""
    if field.writers != (TRANSFORMERS,) or any(quirk.field == field.name for quirk in opened.family.quirks):
        return []
    usual = next((v for v in (field.value, field.absent, field.default) if v is not None), None)
    found = opened.source.config.get(field.name)
    if found is None or found == usual:
        return []
    return [f"config.json: {field.name} is {found!r:.60}; PaddleNLP's class has no such field, and {usual!r} always"]
