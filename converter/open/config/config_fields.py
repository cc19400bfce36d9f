"""Fields of a config that are not read by their own name: aliases, those that are refused, and those that are left."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from converter.common.errors import Problem
from mappings.config_fields import ConfigFields

#: The dtypes that PaddleNLP builds a model in (`paddle.set_default_dtype`), and the one where its config names none.
LOADED_DTYPES = ("float16", "bfloat16", "float32", "float64")
DEFAULT_DTYPE = "float32"


def resolve_aliases(
    flat: Mapping[str, Any], file: str, rules: ConfigFields
) -> tuple[dict[str, Any], dict[str, str], list[str]]:
    """The fields under their own names, which of them the file calls by an alias, and warnings.

    An alias wins over the name that it stands for, as PaddleNLP and the port have it.
    """
    fields, called, warnings = dict(flat), {}, []
    for alias, name in rules.aliases.names.items():
        value, other = fields.pop(alias, None), flat.get(name)
        if value is None:
            continue
        if not value and not rules.aliases.falsy_counts:
            taken = "nothing" if other is None else f"{name} {other!r:.40}"
            warnings.append(
                f"{file} gives {alias} {value!r:.40}: PaddleNLP does not see an alias of that value; {taken} is taken"
            )
            continue
        if other is not None and other != value:
            warnings.append(
                f"{file} gives {name} {other!r:.40} and its alias {alias} {value!r:.40}: the alias wins, as it "
                "does where the file comes from"
            )
        fields[name], called[name] = value, alias
    return fields, called, warnings


def refuse_fields(fields: Mapping[str, Any], file: str, rules: ConfigFields) -> list[Problem]:
    """A problem for each field with which the source's class computes what no class here can."""
    problems = []
    for row in rules.refused:
        value = row.value_in(fields)
        if not row.is_harmless(value):
            problems.append(Problem("E018", f"{file}: {row.field} is {value!r:.60}: {row.why}. {row.advice}"))
    return problems


def warn_of_unread(fields: Mapping[str, Any], file: str, rules: ConfigFields, read: Collection[str]) -> list[str]:
    """One warning that lists every field that is neither carried over nor known to decide nothing."""
    refused = {row.field.partition(".")[0] for row in rules.refused}
    unread = [
        f"{name} ({value!r:.40})"
        for name, value in fields.items()
        if name not in read and name not in refused and not rules.decides_nothing(name, value)
    ]
    if not unread:
        return []
    shown = ", ".join(unread[:8]) + (f" and {len(unread) - 8} more" if len(unread) > 8 else "")
    return [f"{file}: fields that are not carried over, and that no table knows to decide nothing: {shown}"]


def read_dtype(
    fields: Mapping[str, Any], file: str, follows_config: bool
) -> tuple[str | None, list[Problem], list[str]]:
    """The dtype that the source's own `from_pretrained` loads the model in, or None for float32 by default.

    PaddleNLP casts every tensor to `dtype`, else to `torch_dtype`, whatever the file holds (tried with 2.8.1;
    `model_utils.py:from_pretrained`). A `dtype` that is null counts: it is float32. transformers 4 loads its own
    class in float32, whatever its config names (`follows_config` False).
    """
    if not follows_config:
        return None, [], []
    name = "dtype" if "dtype" in fields else "torch_dtype"
    value, other, warnings = fields.get(name), fields.get("torch_dtype"), []
    if other and value != other:
        warnings.append(
            f"{file} gives dtype {value!r:.40} and torch_dtype {other!r:.40}: dtype is taken, as PaddleNLP does"
        )
    if not value:
        return None, [], warnings
    if not isinstance(value, str) or value not in LOADED_DTYPES:
        expected = ", ".join(LOADED_DTYPES)
        problem = f"{file}: {name} is {value!r:.40}, expected one of {expected}: PaddleNLP builds a model in no other"
        return None, [Problem("E019", problem)], []
    return value, [], warnings
