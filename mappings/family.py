"""A family of models as facts: classes, sizes, config fields, quirks, tokenizer and files, frozen and checked.

Each family is a folder `mappings/FAMILY/`; `registry` finds and reads it. Nothing here knows any family.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from mappings.config_fields import ConfigFields, ConfigFile
from mappings.figures import FigureSet
from mappings.model_class import ModelClass
from mappings.model_fields import ConfigField, Size
from mappings.names.automatic import AutomaticNames
from mappings.names.others import ForeignNames
from mappings.names.release import HeadName, ReleaseNames
from mappings.network import POOLER, Network
from mappings.pretrained import CardWords, Pretrained
from mappings.quirks import FIRST_POSITION, Preset, Quirk
from mappings.tensors.expand import row_names
from mappings.tensors.rows import Table


def _module_pattern(module: str) -> re.Pattern[str]:
    """Finds the module in the name of a parameter; {layer} stands for a number."""
    number = re.escape(module).replace(re.escape("{layer}"), r"(\d+)")
    return re.compile(rf"\b{number}\b")


@dataclass(frozen=True)
class TravellingCode:
    """The folder at the root with the files that travel with the weights: the modules of the model and, where it is not
    transformers' own, of its config."""

    package: str
    files: tuple[str, ...]
    model: str
    placeholders: Mapping[str, str]
    config: str = ""


@dataclass(frozen=True)
class TokenizerFacts:
    """Which reader and writer the tokenizer has (`kind`), and the classes that the output and PaddleNLP's folders name.
    `other_class`: a class that the output's must not be taken for. `vocabularies`, `models`: names that others give the
    files, after the usual ones. `obeyed`: options that PaddleNLP's class has and ERNIE's has not. `refused`: file of
    another tokenizer -> why a folder that has it is refused."""

    kind: str
    tokenizer_class: str
    source_class: str
    place: str = ""
    other_class: str = ""
    vocabularies: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    obeyed: tuple[str, ...] = ()
    refused: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Family:
    """All that is particular to a family of models. `tables`, `config_fields`: by PaddleNLP's class, by writer."""

    name: str
    title: str
    covers: str
    #: Where no config names a class: those that a file's head decides between, else the base class. None: nothing
    #: decides.
    by_content: tuple[str, ...] | None
    #: In config.json: of the source, and of the output.
    model_type: str
    target_model_type: str
    tags: tuple[str, ...]
    #: The attribute of a model with a head that is the encoder: of the output, and of Paddle's.
    backbone: str
    source_backbone: str
    written: tuple[str, ...]
    classes: tuple[ModelClass, ...]
    sizes: tuple[Size, ...]
    fields: tuple[ConfigField, ...]
    quirks: tuple[Quirk, ...]
    presets: tuple[Preset, ...]
    network: Network
    tokenizer: TokenizerFacts
    code: TravellingCode | None
    tables: Mapping[str, Table]
    release: ReleaseNames
    automatic: AutomaticNames
    foreign: ForeignNames
    configs: tuple[ConfigFile, ...]
    config_fields: Mapping[str, ConfigFields]
    owners: tuple[str, ...]
    pretrained: tuple[Pretrained, ...]
    figures: tuple[FigureSet, ...]
    card: CardWords

    def code_of(self, target: str) -> TravellingCode | None:
        """The code that travels with a class; None for a class of transformers' own."""
        entry = self.class_named(target)
        return self.code if entry is not None and entry.travels else None

    def kept_aside(self, target: str) -> frozenset[str]:
        """Names of tensors that a file of this class keeps although the class has no place for them: AutoModel, whose
        class has, loads them from there."""
        entry = self.class_named(target)
        if entry is None or entry.pooler:
            return frozenset()
        table = self.tables[entry.source]
        rows = [row for row in table.backbone if row.part == POOLER and not row.drop]
        names = [targets for row in rows for _, targets in row_names(row, 1)]
        return frozenset(table.backbone_prefix + name for targets in names for name in targets)

    def decodes_with_words(self, target: str) -> bool:
        """Whether the table of words is the decoder of a class, too."""
        entry = self.class_named(target)
        rows = self.tables[entry.source].head if entry is not None else ()
        return any(row.same_as is not None and row.same_as.text == self.probe for row in rows)

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
    def class_names(self) -> tuple[str, ...]:
        """PaddleNLP's classes, and after each the target where it is called otherwise."""
        return tuple(dict.fromkeys(name for entry in self.classes for name in (entry.source, entry.target)))

    @property
    def choices(self) -> tuple[str, ...]:
        """The presets that a user may ask for, the usual one first."""
        return tuple(preset.name for preset in reversed(self.presets) if preset.choice)

    def unpadded_preset(self, name: str) -> Preset | None:
        """The preset that follows this one's rules and masks padding too; None where padding changes nothing."""
        return next((preset for preset in self.presets if preset.hides_padding_of == name), None)

    @property
    def fields_of_paddle_alone(self) -> tuple[ConfigField, ...]:
        """The fields of PaddleNLP's config that the target's class has no place for."""
        return tuple(field for field in self.fields if field.name not in self.written)

    def config_file(self, name: str, data: Mapping[str, Any]) -> ConfigFile | None:
        """What a config of this name and content is, where it is neither PaddleNLP's nor transformers'."""
        rows = (row for row in self.configs if row.fits(name))
        return next((row for row in rows if not row.fields or any(field in data for field in row.fields)), None)

    @cached_property
    def base_table(self) -> Table:
        return self.tables[self.base_class.source]

    @cached_property
    def probe(self) -> str:
        """The tensor by which a naming scheme is recognised: the table of words, without a prefix."""
        return next(size.tensor for size in self.sizes if size.field == "vocab_size")

    def probe_of(self, identity: bool) -> str:
        """The name of `probe` in the scheme with the target's names (`identity`), or in another."""
        return self.translate(self.probe) if identity else self.probe

    def translate(self, source: str) -> str:
        """The target's name of a tensor of the encoder, without a prefix; `{layer}` in it stays as it is."""
        for row in self.base_table.backbone:
            spelled = (values for values in row.source.expand_choices() if row.source.fill(values) == source)
            values = row.source.match(source) or next(spelled, None)
            if values is not None and row.targets:
                return row.source.translate(values, row.targets[0])
        raise KeyError(source)

    @cached_property
    def layer_size(self) -> Size:
        return next(size for size in self.sizes if size.layer)

    def class_with_head(self, head: str) -> ModelClass | None:
        return next((entry for entry in self.classes if entry.head == head), None)

    def quirk_with_role(self, role: str) -> Quirk | None:
        return next((quirk for quirk in self.quirks if quirk.role == role), None)

    def values_in(self, file: str, preset: Preset, pad_token_id: int) -> dict[str, Any]:
        """What a preset gives the fields of one of the output's config files."""
        values = preset.resolve(pad_token_id)
        return {
            quirk.field: values[quirk.field] for quirk in self.quirks if quirk.file == file and quirk.field in values
        }

    def longest_text(self, positions: int, preset: Preset | None = None) -> int:
        """How many tokens a text may have where the position table has so many rows."""
        quirk = self.quirk_with_role(FIRST_POSITION)
        return positions - int((preset or self.usual_preset).values[quirk.field] if quirk is not None else 0)

    def sizes_of(self, config: Mapping[str, Any]) -> dict[str, int]:
        """Every size, by the config of a model that Paddle built."""
        products = {size.field: size.times for size in self.sizes if size.times}
        sizes = {size.field: int(config[size.field]) for size in self.sizes if not size.times}
        sizes.update({name: sum(sizes[one] * n for one, n in times.items()) for name, times in products.items()})
        return sizes

    def without_backbone(self, name: str) -> str:
        """The name of a parameter or module, in PyTorch or in Paddle, from the encoder on."""
        return name.removeprefix(f"{self.backbone}.").removeprefix(f"{self.source_backbone}.")

    def paddle_name(self, name: str) -> str:
        """What Paddle calls a parameter or module of the PyTorch class. The tensor rows have no part in this: the
        numeric comparison checks what they did."""
        for pattern, replacement in self._renames:
            name = pattern.sub(replacement, name)
        inside = name.removeprefix(f"{self.backbone}.")
        return name if inside == name else f"{self.source_backbone}.{inside}"

    @cached_property
    def _renames(self) -> tuple[tuple[re.Pattern[str], str], ...]:
        pairs = dict(self.network.paddle_names)
        for entry in self.classes:
            pairs.update(entry.paddle_modules or {})
        return tuple((_module_pattern(ours), theirs.replace("{layer}", r"\1")) for ours, theirs in pairs.items())

    def kind_of(self, parameter: str) -> str:
        """The module of a parameter, by the name that it has in every layer; of a table its name."""
        return self.network.kind_of(self.without_backbone(parameter))

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

    def _auto_of(self, target: str) -> str:
        entry = self.class_named(target)
        return entry.auto if entry is not None else ""

    def head_names(self, name: object) -> tuple[HeadName, ...]:
        """The names that the release's head of pre-training has, where this class is the one that has it."""
        return tuple(row for row in self.release.pretraining_heads if row.source_class == name)

    def auto_map(self, target: str) -> dict[str, str]:
        """`auto_map` of the output's config.json: which Auto class loads which class of the travelling code.

        Where several classes share an Auto class, it loads `target`, else the first of them.
        """
        code = self.code_of(target)
        if code is None:
            return {}
        chosen: dict[str, str] = {}
        for entry in self.classes:
            if entry.travels and (entry.auto not in chosen or entry.target == target):
                chosen[entry.auto] = entry.target
        chosen.update({auto: name for auto, name in code.placeholders.items() if auto != self._auto_of(target)})
        config = {"AutoConfig": code.config} if code.config else {}
        return {**config, **{auto: f"{code.model}.{name}" for auto, name in chosen.items()}}
