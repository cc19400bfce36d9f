"""OUTPUT loaded as a user loads it: by its own config, its own code and the Auto classes, local files only."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mappings.family import Family
from mappings.model_class import ModelClass
from mappings.quirks import MODEL_CONFIG
from verify.folder.config_fields import ALIASES

_LABELS = ("id2label", "label2id")
#: Implementations of the attention. With the first every activation is there, the last one is what a user gets.
EAGER, SDPA = "eager", "sdpa"


class LoadFailure(Exception):
    """OUTPUT does not load, or not completely."""


@dataclass(frozen=True)
class Loader:
    """The Auto class for OUTPUT, the class that it must give, and whether that is one of the code in OUTPUT, which
    transformers runs only where it is asked to."""

    auto: str
    name: str
    remote: bool

    @property
    def options(self) -> dict[str, Any]:
        """What a user passes to the Auto class besides the folder."""
        return {"trust_remote_code": True} if self.remote else {}

    @property
    def auto_class(self) -> Any:
        import transformers

        return getattr(transformers, self.auto)

    def check_class(self, model: Any) -> None:
        """Raise LoadFailure unless the model is of the class that config.json names, from where it must be."""
        found = type(model)
        if found.__name__ != self.name:
            raise LoadFailure(f"{self.auto} gives a {found.__name__}, config.json names {self.name}")
        if not found.__module__.startswith("transformers_modules." if self.remote else "transformers.models."):
            expected = "the code in OUTPUT" if self.remote else "transformers' own"
            raise LoadFailure(f"{self.auto} takes {found.__module__}, not {expected}")


@dataclass
class LoadedModel:
    """The model in eval mode, its encoder, what loaded it, and its family."""

    model: Any
    backbone: Any
    loader: Loader
    family: Family

    @classmethod
    def of(cls, model: Any, loader: Loader, family: Family) -> LoadedModel:
        return cls(model, getattr(model, family.backbone, model), loader, family)

    @property
    def model_class(self) -> ModelClass | None:
        """None for a class that the family does not have."""
        return self.family.class_named(type(self.model).__name__)

    @property
    def head(self) -> str:
        """The kind of head of the model's class; empty where it is not known."""
        return self.model_class.head if self.model_class is not None else ""

    @property
    def has_pooler(self) -> bool:
        """Whether a sound model of this class has a pooling layer."""
        return self.model_class is None or self.model_class.pooler

    @property
    def attentions(self) -> tuple[str, ...]:
        """The implementations of the attention that can be asked for. An encoder of transformers' own may have no sdpa
        in the release that is installed; one of the code in OUTPUT has it."""
        encoder = type(self.backbone)
        lacks = encoder.__module__.startswith("transformers.models.") and not encoder._supports_sdpa
        return (EAGER,) if lacks else (EAGER, SDPA)

    def embed(self, ids: Any) -> Any:
        """The word embeddings of these ids."""
        return self.backbone.get_submodule(self.family.network.token_table.module)(ids)


def load_model(output: Path, precision: str, family: Family) -> LoadedModel:
    """Load in `precision` with eager attention. Raises LoadFailure for anything that would surprise a user."""
    import torch

    loader = choose_loader(output, family)
    options: dict[str, Any] = {
        "local_files_only": True,
        "attn_implementation": EAGER,
        "dtype": getattr(torch, precision),
        **loader.options,
    }
    try:
        model, info = loader.auto_class.from_pretrained(str(output), output_loading_info=True, **options)
    except Exception as error:  # whatever OUTPUT's files or code raise is a fault of OUTPUT
        raise LoadFailure(f"{loader.auto}.from_pretrained fails: {describe(error)}") from error
    loader.check_class(model)
    for what, found in sorted(info.items()):
        names = set(found) - family.kept_aside(loader.name) if what == "unexpected_keys" else found
        if names:
            shown = ", ".join(sorted(map(str, names))[:5])
            raise LoadFailure(f"{loader.auto}.from_pretrained reports {what.replace('_', ' ')}: {shown}")
    model.eval()
    others = sorted({str(parameter.dtype) for parameter in model.parameters()} - {f"torch.{precision}"})
    if others:
        raise LoadFailure(f"some parameters are {', '.join(others)} after loading in {precision}")
    return LoadedModel.of(model, loader, family)


def check_as_loaded(loaded: LoadedModel, output: Path) -> list[str]:
    """What the code makes of config.json where no forward pass shows it: the fields as the model has them, and that the
    encoder is where the other Auto classes look for it."""
    config = json.loads((output / "config.json").read_text(encoding="utf-8"))
    if not isinstance(config.get("id2label", {}), dict):
        return [f"config.json has id2label {config['id2label']!r:.80}, expected a table"]
    config["id2label"] = {int(number): label for number, label in config.get("id2label", {}).items()} or None
    model = loaded.model
    problems = [
        f"config.json has {name} {config.get(name)!r:.80}, the model has {getattr(model.config, name, None)!r:.80}"
        for name in _fields_of(loaded.family)
        # A field that has an alias and is left out or null is None, and not what the alias holds.
        if config.get(name) is not None or name in ALIASES.values()
        if getattr(model.config, name, None) != config.get(name)
    ]
    if model.config.return_dict is not True:
        problems.append("config.json has return_dict off: a plain call gives a tuple, which pipelines do not take")
        model.config.return_dict = True  # So that what is compared next does not fail for it.
    if getattr(model, "base_model", None) is not loaded.backbone:
        prefix = getattr(model, "base_model_prefix", None)
        problems.append(f"base_model_prefix is {prefix!r}, where no encoder is: AutoModel would start with new weights")
    return problems


def _fields_of(family: Family) -> list[str]:
    """Fields of config.json whose values the model's config must have."""
    sizes, fields = (size.field for size in family.sizes), (field.name for field in family.fields)
    quirks = (quirk.field for quirk in family.quirks if quirk.file == MODEL_CONFIG)
    return list(dict.fromkeys([*fields, *_LABELS, *sizes, *quirks]))


def choose_loader(output: Path, family: Family) -> Loader:
    """For a class of transformers' own its Auto class, else the one that config.json maps to the class that it names.
    Raises LoadFailure."""
    try:
        config = json.loads((output / "config.json").read_text(encoding="utf-8"))
        (name,) = config["architectures"]
        entry = family.class_named(name)
        if entry is not None and not entry.travels:
            return Loader(entry.auto, entry.target, remote=False)
        table = config["auto_map"]
        fitting = [auto for auto, place in table.items() if isinstance(place, str) and place.rsplit(".", 1)[-1] == name]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise LoadFailure(f"config.json is not usable: {describe(error)}") from error
    if not fitting:
        raise LoadFailure(f"config.json's auto_map has no entry for {name}, the class that `architectures` names")
    return Loader(str(fitting[0]), str(name), remote=True)


def describe(error: BaseException) -> str:
    """One line for an error of someone else's code."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:300]}" if text else type(error).__name__
