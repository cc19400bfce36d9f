"""A checkpoint's config in one form, whichever program wrote it, and checked.

`config.json` is PaddleNLP's since 2.5 (`configuration_utils.py`), or transformers'; `model_config.json` holds the
constructor call of earlier PaddleNLP. A family may have further ones, which name no class and no labels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from converter.common.errors import Problem
from converter.open.config.config_fields import read_dtype, refuse_fields, resolve_aliases, warn_of_unread
from converter.open.config.constructor_call import flatten_constructor_call, unknown_architecture
from converter.open.config.field_reader import FieldReader
from converter.open.config.labels import read_labels
from mappings import Family, all_families
from mappings.config_fields import CONSTRUCTOR, PADDLENLP, TRANSFORMERS

CONFIG_NAME, CONSTRUCTOR_NAME = "config.json", "model_config.json"
#: Fields that are not read by FieldReader.
_IDENTITY = (
    *("architecture", "architectures", "model_type", "init_class"),
    *("id2label", "label2id", "num_labels", "dtype", "torch_dtype"),
)


@dataclass(frozen=True)
class SourceConfig:
    """Facts that the weights do not hold, and sizes that they must agree with. None: the config does not give it."""

    family: Family
    file: str = ""
    #: Who wrote it (mappings.config_fields); '' where there is no config.
    kind: str = ""
    architecture: str | None = None
    #: Where the class is from: "config", "option" or "weights".
    class_from: str = "config"
    #: Every size and every other field of the family's, as in family.toml.
    values: Mapping[str, Any] = field(default_factory=dict)
    #: Label names in the order of their ids. None: PaddleNLP's default, which is two labels.
    labels: tuple[str, ...] | None = None
    #: What the source's own from_pretrained loads the model in, whatever the file holds. None: float32.
    dtype: str | None = None
    warnings: tuple[str, ...] = field(default=())

    def get(self, name: str) -> Any:
        """A size or another field; None where no config gives it and the class has no default."""
        return self.values.get(name)

    @property
    def is_classless(self) -> bool:
        """Whether configs of this writer name no class and no labels."""
        return self.kind in [row.writer for row in self.family.configs]


def silent_config(family: Family, *, of_transformers: bool = False) -> SourceConfig:
    """What holds where there is no config: the class defaults, which are warned of."""
    taken = ", ".join(f"{name}={value}" for name, value in class_defaults(family, PADDLENLP).items())
    values = _all_values(family, class_defaults(family, TRANSFORMERS if of_transformers else PADDLENLP))
    return SourceConfig(family, values=values, warnings=(f"no config: PaddleNLP's class defaults are taken ({taken})",))


def class_defaults(family: Family, writer: str) -> dict[str, Any]:
    """What the class takes where a config of this writer is silent."""
    rows = [row for row in family.fields if not row.writers or writer in row.writers]
    return {row.name: row.default for row in rows if row.default is not None}


def _all_values(family: Family, given: Mapping[str, Any]) -> dict[str, Any]:
    names = [*(size.field for size in family.sizes if not size.times), *(row.name for row in family.fields)]
    return {**dict.fromkeys(names), **given}


def read_config(
    data: Mapping[str, Any], file: str, family: Family, *, of_transformers: bool = False
) -> tuple[SourceConfig, list[Problem]]:
    """The config that a parsed file holds, with every problem found in it.

    `of_transformers`: the weights next to it have transformers' own names.
    """
    kind = _kind_of(data, file, family, of_transformers)
    flat, problems = flatten_constructor_call(data, file, family) if kind == CONSTRUCTOR else (dict(data), [])
    if kind != CONSTRUCTOR:
        problems += _check_identity(flat, file, family)
    rules = family.config_fields[kind]
    flat, called, warnings = resolve_aliases(flat, file, rules)
    reader = FieldReader(flat, file, problems, kind, called=called)
    reader.read_sizes(family)
    reader.read_fields(family)
    reader.check_fixed(rules)
    values = reader.values
    architecture = _read_class(flat, file, family, problems)
    labels, label_problems, label_warnings = read_labels(flat, file, called.get("num_labels", "num_labels"))
    dtype, dtype_problems, dtype_warnings = read_dtype(flat, file, kind != TRANSFORMERS)
    problems += label_problems + dtype_problems + refuse_fields(flat, file, rules)
    warnings += label_warnings + dtype_warnings + warn_of_unread(flat, file, rules, (*_IDENTITY, *reader.read))
    for defaults in _defaults_of(kind, file, family):
        taken = {name: value for name, value in defaults.items() if flat.get(name) is None}
        values.update(taken)
        warnings += _warn_of_defaults(taken, file, kind, family)
    _check_heads(values, file, problems)
    config = SourceConfig(
        family,
        file=file,
        kind=kind,
        architecture=architecture,
        values=_all_values(family, values),
        labels=labels,
        dtype=dtype,
        warnings=tuple(warnings),
    )
    return config, problems


def _kind_of(data: Mapping[str, Any], file: str, family: Family, of_transformers: bool) -> str:
    if "init_class" in data or file == CONSTRUCTOR_NAME:
        return CONSTRUCTOR
    if of_transformers:
        return TRANSFORMERS
    other = family.config_file(file, data)
    return PADDLENLP if other is None else other.writer


def _defaults_of(kind: str, file: str, family: Family) -> list[dict[str, Any]]:
    defaults = class_defaults(family, kind)
    if kind != CONSTRUCTOR:
        return [defaults]
    # A call that does not name a size was made with the constructor's. No release wrote a call as config.json: there
    # what no tensor shows is not known.
    sizes = [size for size in family.sizes if size.constructor is not None]
    shown = [size for size in sizes if size.tensor or size.layer or file != CONFIG_NAME]
    return [{size.field: size.constructor for size in shown}, defaults]


def _warn_of_defaults(taken: Mapping[str, Any], file: str, kind: str, family: Family) -> list[str]:
    unsaid = [name for row in family.configs if row.writer == kind for name in row.unsaid]
    shown = {name: value for name, value in taken.items() if name not in unsaid}
    if not shown:
        return []
    writer = "transformers'" if kind == TRANSFORMERS else "PaddleNLP's"
    values = ", ".join(f"{name}={value}" for name, value in shown.items())
    return [f"{file} does not give {', '.join(shown)}: {writer} class defaults are taken ({values})"]


def _check_identity(flat: dict[str, Any], file: str, family: Family) -> list[Problem]:
    problems = []
    kind = flat.get("model_type", family.model_type)
    if kind != family.model_type:
        families = all_families()
        known = [one.model_type for one in families]
        expected = " or ".join(repr(name) for name in ([family.model_type] if kind in known else known))
        text = f"{file}: model_type is {kind!r:.80}, expected {expected}. Is this another model? paddle2torch converts"
        return [Problem("E011", f"{text} {what_is_converted()}")]
    names = flat.get("architectures")
    if names is not None:
        if not (isinstance(names, list) and len(names) == 1 and isinstance(names[0], str)):
            text = f"{file}: architectures is {names!r:.80}, expected a list of one class name"
            problems.append(Problem("E012", text))
        else:
            flat["architecture"] = names[0]
    return problems


def what_is_converted() -> str:
    """The families in words."""
    return ", ".join(family.covers for family in all_families())


def _read_class(flat: Mapping[str, Any], file: str, family: Family, problems: list[Problem]) -> str | None:
    name = flat.get("architecture")
    entry = family.class_named(name) if isinstance(name, str) else None
    if name is not None and entry is None:
        problems.append(unknown_architecture(name, file, family))
    return entry.source if entry is not None else None


def _check_heads(values: Mapping[str, Any], file: str, problems: list[Problem]) -> None:
    hidden, heads = values.get("hidden_size"), values.get("num_attention_heads")
    if hidden and heads and hidden % heads:
        problems.append(
            Problem("E015", f"{file}: hidden_size {hidden} does not divide into num_attention_heads {heads}")
        )


def with_options(
    config: SourceConfig, architecture: str | None, num_attention_heads: int | None
) -> tuple[SourceConfig, list[Problem]]:
    """The config with the options of the command line, which win; a difference is warned of."""
    problems: list[Problem] = []
    warnings = list(config.warnings)

    def compare(name: str, before: Any, value: Any) -> None:
        if before is not None and before != value:
            warnings.append(f"{config.file} has {name} {before}; the option {value} is taken")

    changed = config
    if architecture is not None:
        entry = config.family.class_named(architecture)
        if entry is None:
            problems.append(unknown_architecture(architecture, "--architecture", config.family))
        else:
            compare("architecture", config.architecture, entry.source)
            changed = replace(changed, architecture=entry.source, class_from="option")
    if num_attention_heads is not None:
        compare("num_attention_heads", config.get("num_attention_heads"), num_attention_heads)
        changed = replace(changed, values={**config.values, "num_attention_heads": num_attention_heads})
    return replace(changed, warnings=tuple(warnings)), problems
