"""A family built from the parsed files of its folder, and checked as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mappings.build_network import build_network
from mappings.config_fields import WRITERS, ConfigFile, build_config_fields
from mappings.family import Family, TokenizerFacts, TravellingCode
from mappings.figures import build_figures
from mappings.folders import FACTS, QUIRKS
from mappings.model_class import HEADS, ModelClass
from mappings.model_fields import FIELD_KINDS, ConfigField, Size
from mappings.names.automatic import AutomaticNames, build_automatic
from mappings.names.others import build_foreign
from mappings.names.release import build_release
from mappings.pretrained import build_card, build_pretrained
from mappings.quirks import MODEL_CONFIG, ROLES, Notice, Preset, Quirk
from mappings.tensors.patterns import Pattern
from mappings.tensors.rows import TensorFacts, build_tables
from mappings.toml_files import TableError, check_keys, require_keys

#: Files that a family may lack.
OPTIONAL = ("names/release.toml", "names/automatic.toml", "names/foreign.toml", "figures.toml")
#: The files of a family's folder.
FILES = (
    *(FACTS, QUIRKS, "network.toml", "tensors.toml", "config_fields.toml", "pretrained.toml", "card.toml"),
    *OPTIONAL,
)


def build_family(name: str, files: Mapping[str, Mapping[str, Any]]) -> Family:
    """A checked family from the parsed TOML of its files. Raises TableError."""
    require_keys(files, name, *(file for file in FILES if file not in OPTIONAL))
    facts, quirks = files[FACTS], files[QUIRKS]
    sections = ("title", "covers", "model_type", "tags", "backbone", "written", "tokenizer", "class", "size", "field")
    check_keys(facts, name, *sections, "code", "config", "target_model_type", "source_backbone", "by_content")
    require_keys(facts, name, *sections)
    check_keys(quirks, f"{name} quirks", "quirk", "preset")
    require_keys(quirks, f"{name} quirks", "quirk", "preset")
    tokenizer: TokenizerFacts = _tokenizer(facts["tokenizer"])
    classes = tuple(_model_class({"travels": "code" in facts, **row}) for row in facts["class"])
    sizes = tuple(_size(row) for row in facts["size"])
    presets = tuple(_preset(row) for row in quirks["preset"])
    sources, preset_names = [entry.source for entry in classes], [preset.name for preset in presets]
    configs = tuple(_config_file(row) for row in facts.get("config", []))
    writers = (*WRITERS, *(row.writer for row in configs))
    owners, pretrained = build_pretrained(files["pretrained.toml"])
    automatic = files.get("names/automatic.toml")
    _check_one(name, "class without a head", [entry.source for entry in classes if entry.head == "none"])
    _check_one(name, "size that counts the layers", [size.field for size in sizes if size.layer])
    tensor_facts = TensorFacts(
        family=name,
        backbone=facts["backbone"],
        source_backbone=facts.get("source_backbone", facts["backbone"]),
        layers=next(size.field for size in sizes if size.layer),
        sizes=[size.field for size in sizes],
        classes={entry.source: entry.target for entry in classes},
        base=next(entry.source for entry in classes if entry.head == "none"),
    )
    family = Family(
        name=name,
        title=facts["title"],
        covers=facts["covers"],
        by_content=tuple(facts["by_content"]) if "by_content" in facts else None,
        model_type=facts["model_type"],
        target_model_type=facts.get("target_model_type", facts["model_type"]),
        tags=tuple(facts["tags"]),
        backbone=facts["backbone"],
        source_backbone=facts.get("source_backbone", facts["backbone"]),
        written=tuple(facts["written"]),
        classes=classes,
        sizes=sizes,
        fields=tuple(_config_field(row) for row in facts["field"]),
        quirks=tuple(_quirk(row) for row in quirks["quirk"]),
        presets=presets,
        network=build_network(files["network.toml"]),
        tokenizer=tokenizer,
        code=_code(facts["code"]) if "code" in facts else None,
        tables=build_tables(files["tensors.toml"], tensor_facts),
        release=build_release(files.get("names/release.toml", {"weight": []}), sources, preset_names),
        automatic=build_automatic(automatic, sources) if automatic is not None else AutomaticNames(Pattern("")),
        foreign=build_foreign(files.get("names/foreign.toml", {})),
        configs=configs,
        config_fields={
            writer: build_config_fields(files["config_fields.toml"], writer, writers)
            for writer in dict.fromkeys(writers)
        },
        owners=owners,
        pretrained=pretrained,
        figures=build_figures(files.get("figures.toml", {}), [model.name for model in pretrained]),
        card=build_card(files["card.toml"], preset_names, [entry.head for entry in classes]),
    )
    _check(family)
    return family


def _typed(kind: Any, row: Mapping[str, Any], where: str, *needed: str) -> Any:
    check_keys(row, where, *kind.__dataclass_fields__)
    require_keys(row, where, *needed)
    return kind(**row)


def _model_class(row: Mapping[str, Any]) -> ModelClass:
    needed = ("source", "target", "auto", "head", "constructor")
    lists = {name: tuple(row.get(name, ())) for name in ("constructor", "dropouts")}
    require_keys(row, "class", *needed)
    entry: ModelClass = _typed(ModelClass, {**row, **lists}, "class")
    if entry.head not in HEADS:
        raise TableError(f"{entry.source}: no head {entry.head!r}; known are {', '.join(HEADS)}")
    return entry


def _config_field(row: Mapping[str, Any]) -> ConfigField:
    field: ConfigField = _typed(ConfigField, {**row, "writers": tuple(row.get("writers", ()))}, "field", "name", "kind")
    if field.kind not in FIELD_KINDS:
        raise TableError(f"{field.name}: no kind {field.kind!r}; known are {', '.join(FIELD_KINDS)}")
    return field


def _quirk(row: Mapping[str, Any]) -> Quirk:
    # TOML has no null.
    faults = tuple(None if value == "null" else value for value in row.get("faults", ()))
    quirk: Quirk = _typed(Quirk, {**row, "faults": faults}, "quirk", "field", "meaning")
    if quirk.role not in ROLES:
        raise TableError(f"{quirk.field}: no role {quirk.role!r}; known are {', '.join(filter(None, ROLES))}")
    return quirk


def _size(row: Mapping[str, Any]) -> Size:
    size: Size = _typed(Size, row, "size", "field")
    if size.prefer not in ("config", "tensor"):
        raise TableError(f"{size.field}: `prefer` is {size.prefer!r}, expected config or tensor")
    if size.layer and size.layer.count("{layer}") != 1:
        raise TableError(f"{size.field}: `layer` names a tensor of a layer, with {{layer}} for its number")
    return size


def _config_file(row: Mapping[str, Any]) -> ConfigFile:
    lists = {name: tuple(row.get(name, ())) for name in ("unsaid", "fields")}
    entry: ConfigFile = _typed(ConfigFile, {**row, **lists}, "config", "writer")
    if bool(entry.file) == bool(entry.form):
        raise TableError(f"config of {entry.writer}: `file` or `form`, and not both")
    return entry


def _tokenizer(data: Mapping[str, Any]) -> TokenizerFacts:
    check_keys(
        *(data, "tokenizer", "kind", "class", "source_class", "place", "other_class"),
        *("vocabularies", "models", "obeyed", "refused"),
    )
    require_keys(data, "tokenizer", "kind", "class", "source_class")
    return TokenizerFacts(
        kind=data["kind"],
        tokenizer_class=data["class"],
        source_class=data["source_class"],
        place=data.get("place", ""),
        other_class=data.get("other_class", ""),
        vocabularies=tuple(data.get("vocabularies", ())),
        models=tuple(data.get("models", ())),
        obeyed=tuple(data.get("obeyed", ())),
        refused=dict(data.get("refused", {})),
    )


def _preset(row: Mapping[str, Any]) -> Preset:
    where = f"preset {row.get('name')}"
    flags = ("usual", "choice", "hides_padding_of")
    check_keys(row, where, "name", "summary", "values", "advice", "when", "nulls", "notice", *flags)
    require_keys(row, where, "name", "summary", "values", "advice")
    when = {key: tuple(values) for key, values in row.get("when", {}).items()}
    check_keys(when, f"{where}: when", "naming", "config", "files")
    # TOML has no null.
    values = {**row["values"], **dict.fromkeys(row.get("nulls", ()))}
    notice = _typed(Notice, row.get("notice", {}), f"{where}: notice")
    given = {key: row[key] for key in flags if key in row}
    return Preset(row["name"], row["summary"], values, row["advice"].strip("\n"), when, notice=notice, **given)


def _code(data: Mapping[str, Any]) -> TravellingCode:
    check_keys(data, "code", "package", "files", "config", "model", "placeholders")
    require_keys(data, "code", "package", "files", "model")
    placeholders = dict(data.get("placeholders", {}))
    return TravellingCode(data["package"], tuple(data["files"]), data["model"], placeholders, data.get("config", ""))


def _check_one(name: str, what: str, found: Sequence[str]) -> None:
    if len(found) != 1:
        raise TableError(f"{name}: one {what}, and only one, is needed; found {', '.join(found) or 'none'}")


def _check(family: Family) -> None:
    name = family.name
    _check_one(name, "usual preset", [preset.name for preset in family.presets if preset.usual])
    for names in (
        [entry.source for entry in family.classes],
        [entry.target for entry in family.classes],
        [*(size.field for size in family.sizes), *(field.name for field in family.fields)],
        [preset.name for preset in family.presets],
        [model.name for model in family.pretrained],
    ):
        if len(set(names)) != len(names):
            raise TableError(f"{name}: a name stands twice: {', '.join(names)}")
    needed = {quirk.field for quirk in family.quirks if not quirk.from_config}
    for preset in family.presets:
        if set(preset.values) != needed:
            wrong = ", ".join(sorted(set(preset.values) ^ needed))
            raise TableError(f"{name}, preset {preset.name}: {wrong} must be given exactly once")
        if preset.hides_padding_of and preset.hides_padding_of not in [other.name for other in family.presets]:
            raise TableError(f"{name}, preset {preset.name}: no preset {preset.hides_padding_of}")
    unknown = set(family.by_content or ()) - {entry.source for entry in family.classes}
    if unknown:
        raise TableError(f"{name}: `by_content` names {', '.join(sorted(unknown))}, which is no class")
    travelling = [entry.source for entry in family.classes if entry.travels]
    if (family.code is None) != (not travelling):
        raise TableError(f"{name}: [code] is for the classes that travel; there are {', '.join(travelling) or 'none'}")
    for size in family.sizes:
        if not size.tensor and size.field == "vocab_size":
            raise TableError(f"{name}: vocab_size is read from the table of words: its tensor must be named")
    if "vocab_size" not in [size.field for size in family.sizes]:
        raise TableError(f"{name}: no size vocab_size")
    known = {"architectures", "model_type", "auto_map", "dtype", "id2label", "label2id"}
    known |= {size.field for size in family.sizes} | {field.name for field in family.fields}
    known |= {quirk.field for quirk in family.quirks if quirk.file == MODEL_CONFIG}
    known |= {field for table in family.tables.values() for part in table.parts.values() for field in part.absent}
    strangers = [field for field in family.written if field not in known]
    if strangers:
        raise TableError(f"{name}: `written` names {', '.join(strangers)}, which nothing gives a value")
    absent = [
        quirk.field for quirk in family.quirks if quirk.file == MODEL_CONFIG and quirk.field not in family.written
    ]
    if absent:
        raise TableError(f"{name}: `written` lacks the quirk {', '.join(absent)}")
