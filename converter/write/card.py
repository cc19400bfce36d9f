"""README.md of the output: what this folder is, how to load it, and what it was made from.

The text is card.md.j2 with the words of the family. The metadata are written as huggingface_hub's ModelCardData writes
them (a test compares the two; importing the library takes longer than converting a small model), without EvalResult:
the figures that there are belong to models that others fine-tuned, and as this model's own results on the Hub they
would be wrong.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from typing import Any

from converter.common.errors import Problem, SourceError
from converter.common.layout import EXTRAS_FILE
from converter.common.printable import readable, to_code_span
from converter.common.version import __version__
from converter.hub.names import is_repo_id
from converter.plan.inner_tensors import left_inside_paragraph
from converter.plan.plan import Plan
from converter.write.card_text import ADVICE, FOLDER_NAME, NO_EVIDENCE
from converter.write.config_file import build_config
from mappings import Family, Preset
from mappings.pretrained import Pretrained
from mappings.quirks import MODEL_CONFIG, Quirk

_LICENSE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,60}")
#: A classifier may have thousands.
_MOST_LABELS = 100


@dataclass(frozen=True)
class CardFacts:
    """What only the user knows of the weights, by the names of the Hub: their license, and the model that they were
    trained from."""

    license: str | None = None
    base_model: str | None = None

    def check(self) -> None:
        """Raise SourceError for what the Hub does not take as a license or as a model."""
        if self.license is not None and not _LICENSE.fullmatch(self.license):
            text = f"--license {self.license!r:.80}: expected a license by the Hub's name, such as apache-2.0 or other"
            raise SourceError(Problem("E091", text))
        if self.base_model is not None and not is_repo_id(self.base_model, needs_owner=True):
            raise SourceError(Problem("E091", f"--base-model {self.base_model!r:.120}: expected a Hub id, OWNER/NAME"))


_NOTHING_MORE = CardFacts()


def render_card(
    plan: Plan, manifest: dict[str, Any], has_tokenizer: bool, preset: Preset, facts: CardFacts = _NOTHING_MORE
) -> str:
    """The model card: front matter that the Hub reads, then text for people. Asks no network."""
    import yaml

    family, origin = plan.family, manifest["source"].get("origin")
    known = find_pretrained(family, origin)
    entry = family.class_named(plan.table.source_class)
    data = {
        "base_model": facts.base_model or _base_model(known, origin),
        "language": list(known.languages) if known else family.card.language or None,
        "library_name": "transformers",
        "license": facts.license or ("apache-2.0" if known else None),
        "pipeline_tag": entry.pipeline if entry is not None else None,
        "tags": list(dict.fromkeys([*family.tags, "paddle2torch"])),
    }
    written = {name: value for name, value in data.items() if value is not None}
    front = yaml.dump(written, sort_keys=False, allow_unicode=True).strip()
    text = _render_text(plan, manifest, has_tokenizer, preset, known, facts)
    return f"---\n{front}\n---\n\n{text}"


def find_pretrained(family: Family, origin: str | None) -> Pretrained | None:
    """The published model that a checkpoint was fetched as: a built-in name, or its owner's repository of that name."""
    name = (origin or "").split("@")[0]
    for owner in family.owners:
        name = name.removeprefix(f"{owner}/")
    return next((model for model in family.pretrained if model.name == name), None)


def _base_model(known: Pretrained | None, origin: str | None) -> str | None:
    """The model on the Hub that this one goes back to; None where the source does not show it."""
    if known is not None and known.base_model is not None:
        return known.base_model
    repository, found, _ = (origin or "").partition("@")
    return repository if found and repository.count("/") == 1 else None


def _render_text(
    plan: Plan,
    manifest: dict[str, Any],
    has_tokenizer: bool,
    preset: Preset,
    known: Pretrained | None,
    facts: CardFacts,
) -> str:
    from jinja2 import Environment, StrictUndefined

    words, origin = plan.family.card, manifest["source"].get("origin")
    travels = plan.family.code_of(plan.table.target_class) is not None
    stored = sorted({tensor.dtype for tensor in plan.tensors})
    environment = Environment(
        autoescape=False, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True, undefined=StrictUndefined
    )
    environment.filters.update(code_span=to_code_span, readable=readable)
    source = resources.files("converter").joinpath("write", "card.md.j2").read_text(encoding="utf-8")
    entry = plan.family.class_named(plan.table.source_class)
    return environment.from_string(source).render(
        family=plan.family,
        words=words,
        plan=plan,
        manifest=manifest,
        preset=preset,
        known=known,
        has_tokenizer=has_tokenizer,
        target=plan.table.target_class,
        version=__version__,
        source_words=words.transformers_source if plan.scheme.identity else words.paddle_source,
        left_inside=left_inside_paragraph(manifest),
        pads=plan.family.unpadded_preset(preset.name) is not None,
        code=_loading_code(plan, has_tokenizer),
        loading=words.loading if travels else words.stock_loading,
        verified_with=" and ".join(manifest.get("verified_with", {}).get("transformers", ())),
        evidence=NO_EVIDENCE,
        license=f" These weights are under the license `{facts.license}`." if facts.license else "",
        advice="" if known or facts.license else ADVICE,
        labels=[to_code_span(label) for label in plan.sizes.labels[:_MOST_LABELS]],
        more_labels=max(0, len(plan.sizes.labels) - _MOST_LABELS),
        ending=(words.ending_without_tokenizer if not has_tokenizer else "") or words.differences_end,
        fields=list(_fields(plan, has_tokenizer, preset)),
        loaded_from="" if stored == [plan.loaded_dtype] else " and ".join(stored),
        extras_file=EXTRAS_FILE,
        further_citation=words.further_citations.get(entry.head, "") if entry is not None else "",
        caution=entry.caution if entry is not None and entry.caution in plan.warnings else "",
        differences=[
            one
            for one in words.difference
            if (not one.presets or preset.name in one.presets)
            and one.travels in (None, travels)
            and (has_tokenizer or not one.tokenizer)
        ],
        origin=f"{to_code_span(origin)}, " if origin else "",
    )


def _fields(plan: Plan, has_tokenizer: bool, preset: Preset) -> Iterator[tuple[Quirk, Any]]:
    """The quirks of this folder and their values."""
    config = build_config(plan, preset)
    for quirk in plan.family.quirks:
        if quirk.file == MODEL_CONFIG:
            if quirk.field in config:
                yield quirk, config[quirk.field]
        elif has_tokenizer:
            yield quirk, preset.values[quirk.field]


def _loading_code(plan: Plan, has_tokenizer: bool) -> str:
    """The lines that load a class in both lines of transformers, and call it."""
    entry = plan.family.class_named(plan.table.source_class)
    assert entry is not None
    trust = ", trust_remote_code=True" if plan.family.code_of(entry.target) is not None else ""
    lines = [f"from transformers import {entry.auto}" + (", AutoTokenizer" if has_tokenizer else ""), ""]
    lines += [f'model = {entry.auto}.from_pretrained("{FOLDER_NAME}"{trust})  # {entry.target}']
    if has_tokenizer:
        lines += [f'tokenizer = AutoTokenizer.from_pretrained("{FOLDER_NAME}"{trust})']
        lines += ["", *plan.family.card.calls[entry.head].splitlines()]
    return "\n".join(lines)
