"""A family of models as facts: classes, sizes, config fields, quirks, tokenizer and files, frozen and checked.

Each family is a folder `mappings/FAMILY/`; `registry` finds and reads it. Nothing here knows any family.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mappings.network import Network

#: What a class puts on top of the encoder, and whether its outputs are one per label of the config.
HEADS = {"none": False, "sequence": True, "token": True, "choice": False, "span": False, "extraction": False}
#: Kinds of config fields: how a value is checked.
FIELD_KINDS = ("activation", "probability", "number", "id", "size", "flag", "problem type")


@dataclass(frozen=True)
class ModelClass:
    """A class of PaddleNLP (`source`) and what it becomes (`target`).

    `constructor`: the positional arguments of its constructor before PaddleNLP 2.5. `outputs`: output of the model ->
    module of the head that computes it. `paddle_modules`: module of the target -> its name in Paddle, where they
    differ. `pooler`: whether the target has a pooling layer.
    """

    source: str
    target: str
    auto: str
    head: str
    constructor: tuple[str, ...]
    pipeline: str | None = None
    outputs: Mapping[str, str] | None = None
    paddle_modules: Mapping[str, str] | None = None
    pooler: bool = True

    @property
    def has_labels(self) -> bool:
        return HEADS[self.head]


@dataclass(frozen=True)
class Size:
    """A size of the model and where it is read: an axis of a tensor, or the number of layers that have `layer`.

    `times`: other sizes that it is a multiple of where its tensor is not read (`read_tensor` "identity": the tensor is
    read only where the file has the target's names). `constructor`: PaddleNLP's value where a constructor call before
    2.5 leaves it out.
    """

    field: str
    tensor: str = ""
    axis: int = 0
    layer: str = ""
    constructor: int | None = None
    times: Mapping[str, int] | None = None
    read_tensor: str = "always"


@dataclass(frozen=True)
class ConfigField:
    """Another field of a source's config.

    `default`: the class's where the config is silent. `writers`: the writers whose configs are read for it (none: all).
    `value`: what the output gets where no config gives it. `optional`: left out of the output where nothing gives it.
    `null_is`: the field whose value null stands for.
    """

    name: str
    kind: str
    default: Any = None
    writers: tuple[str, ...] = ()
    value: Any = None
    optional: bool = False
    null_is: str = ""


@dataclass(frozen=True)
class Quirk:
    """A rule of the family's that PyTorch code usually does otherwise: a field of one of the output's config files."""

    field: str
    meaning: str
    file: str = "config.json"
    absent: Any = None
    from_config: bool = False


@dataclass(frozen=True)
class Preset:
    """Values of the quirks that belong together, and where they are taken when nobody asks for others."""

    name: str
    summary: str
    values: Mapping[str, Any]
    advice: str
    when: Mapping[str, tuple[str, ...]]
    usual: bool = False
    choice: bool = True
    hides_padding_of: str = ""

    def resolve(self, pad_token_id: int) -> dict[str, Any]:
        """The values for a model with this padding id, which "pad_token_id" in a list stands for."""
        return {name: _with_padding(value, pad_token_id) for name, value in self.values.items()}


def _with_padding(value: Any, pad_token_id: int) -> Any:
    if not isinstance(value, (list, tuple)):
        return value
    return sorted({pad_token_id if entry == "pad_token_id" else entry for entry in value})


@dataclass(frozen=True)
class TravellingCode:
    """The folder at the root whose files travel with the weights. None in a family whose target transformers has."""

    package: str
    files: tuple[str, ...]
    config: str
    model: str
    placeholders: Mapping[str, str]


@dataclass(frozen=True)
class TokenizerFacts:
    """Which reader and writer the tokenizer has (`kind`), and the class that the output names."""

    kind: str
    tokenizer_class: str
    place: str = ""


@dataclass(frozen=True)
class Family:
    """All that is particular to a family of models."""

    name: str
    title: str
    covers: str
    model_type: str
    tags: tuple[str, ...]
    backbone: str
    written: tuple[str, ...]
    classes: tuple[ModelClass, ...]
    sizes: tuple[Size, ...]
    fields: tuple[ConfigField, ...]
    quirks: tuple[Quirk, ...]
    presets: tuple[Preset, ...]
    network: Network
    tokenizer: TokenizerFacts
    code: TravellingCode | None

    def class_named(self, name: object) -> ModelClass | None:
        """The class that PaddleNLP or transformers calls so."""
        return next((entry for entry in self.classes if name in (entry.source, entry.target)), None)

    def preset_named(self, name: str) -> Preset:
        """Raises KeyError for a preset that the family does not have."""
        for preset in self.presets:
            if preset.name == name:
                return preset
        raise KeyError(name)

    @property
    def usual_preset(self) -> Preset:
        return next(preset for preset in self.presets if preset.usual)

    @property
    def base_class(self) -> ModelClass:
        """The class without a head."""
        return next(entry for entry in self.classes if entry.head == "none")

    def choose_preset(self, naming: str, config_kind: str, files: tuple[str, ...], inferred: str = "") -> Preset:
        """The preset of a checkpoint with these names of tensors, this kind of config and these tokenizer files.

        `inferred`: the preset that follows from the names, where they show one; only a preset that goes before it and
        fits by its names wins over it.
        """
        facts = {"naming": (naming,), "config": (config_kind,), "files": tuple(files)}
        for preset in self.presets:
            if preset.name == inferred or any(set(facts[key]) & set(wanted) for key, wanted in preset.when.items()):
                return preset
        return self.usual_preset

    def auto_map(self, target: str) -> dict[str, str]:
        """`auto_map` of the output's config.json: which Auto class loads which class of the travelling code.

        Where several classes share an Auto class, it loads `target`, else the first of them.
        """
        if self.code is None:
            return {}
        chosen: dict[str, str] = {}
        for entry in self.classes:
            if entry.auto not in chosen or entry.target == target:
                chosen[entry.auto] = entry.target
        chosen.update(self.code.placeholders)
        return {"AutoConfig": self.code.config, **{auto: f"{self.code.model}.{name}" for auto, name in chosen.items()}}
