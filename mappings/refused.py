"""Models that are near a family and are refused as a whole: shared/refused.toml, checked and frozen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

from mappings.toml_files import TableError, check_keys, read_toml, require_keys

_SIGNS = ("names", "model_types", "classes", "files", "tensors")


@dataclass(frozen=True)
class RefusedModel:
    """A model, the signs by which it is known (forms, `*` is any text), why it is refused, and the next step.

    `encoder_of`: the family whose encoder it has, if any. Its tensors are signs in a source of that family alone.
    `unless`: forms of tensors that it never has, so that the same sign is another model's.
    """

    title: str
    why: str
    advice: str
    encoder_of: str = ""
    names: tuple[str, ...] = ()
    model_types: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    tensors: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        return f"this is {self.title}, {self.why}: it is not converted, in part neither. {self.advice}"


@cache
def load_refused() -> tuple[RefusedModel, ...]:
    return build_refused(read_toml("shared", "refused.toml"))


def build_refused(data: Mapping[str, Any]) -> tuple[RefusedModel, ...]:
    """Checked rows from parsed TOML. Raises TableError."""
    check_keys(data, "refused.toml", "model")
    models = []
    for row in data["model"]:
        check_keys(row, "model", "title", "why", "advice", "encoder_of", "unless", *_SIGNS)
        require_keys(row, "model", "title", "why", "advice")
        forms = [form for sign in _SIGNS for form in row.get(sign, ())]
        if not forms or any(not form.strip("*") for form in forms):
            raise TableError(f"[model] {row['title']}: no sign, or one that fits everything")
        models.append(RefusedModel(**{**row, **{sign: tuple(row.get(sign, ())) for sign in (*_SIGNS, "unless")}}))
    return tuple(models)


def refused_by(
    sign: str, found: Iterable[object], models: Iterable[RefusedModel] | None = None
) -> tuple[RefusedModel, str] | None:
    """The first model of which one of the `found` is a sign (names, model_types, classes, files or tensors), and it.

    `models`: those that are looked for, by default all.
    """
    texts = [text for text in found if isinstance(text, str)]
    for model in load_refused() if models is None else models:
        if any(fnmatchcase(text, form) for form in model.unless for text in texts):
            continue
        for form in getattr(model, sign):
            text = next((text for text in texts if fnmatchcase(text, form)), None)
            if text is not None:
                return model, text
    return None
