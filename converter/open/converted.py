"""Open OUTPUT: a folder that `convert` made, or one that was fine-tuned in PyTorch and saved by `save_pretrained`.

Its weights have the names of the target's class. PaddleNLP's class is that of the manifest; where there is none, the
family of which transformers' class has these rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from converter.common.errors import Problem, SourceError
from converter.common.layout import EXTRAS_FILE, FILES_BY_KIND, KEPT_FIELDS
from converter.files.json_files import read_json
from converter.files.regular_files import is_file
from converter.files.tensors import SourceFile
from converter.open.config.config import CONFIG_NAME, SourceConfig, read_config
from converter.open.converted_family import find_converted_family
from converter.open.dispatch import open_weights
from converter.open.mistaken_paths import did_you_mean
from converter.open.own_manifest import read_own_manifest
from converter.open.source import Source
from converter.open.tokenizer.find_tokenizer import find_converted_tokenizer
from mappings import Family, ModelClass
from mappings.quirks import MODEL_CONFIG


@dataclass(frozen=True)
class ConvertedFolder:
    """OUTPUT, opened like a SOURCE that has the names of the target's class. `fields`: config.json as it is.
    `manifest`: what `convert` recorded; empty where there is none."""

    source: Source
    entry: ModelClass
    fields: Mapping[str, Any]
    manifest: Mapping[str, Any]

    @property
    def family(self) -> Family:
        return self.source.family

    @property
    def kept_fields(self) -> Mapping[str, Any]:
        kept = self.manifest.get(KEPT_FIELDS)
        return kept if isinstance(kept, dict) else {}


def open_converted(folder: Path, family: str | None = None) -> ConvertedFolder:
    """Open OUTPUT. `family`: the name of a family, where neither manifest nor config show which it is. Raises
    SourceError or FileError with every problem found."""
    if not folder.is_dir():
        text = f"{folder}: there is no such folder. OUTPUT is what paddle2torch convert or save_pretrained made"
        raise SourceError(Problem("E042", text + did_you_mean(folder)))
    if not is_file(folder / CONFIG_NAME):
        raise SourceError(Problem("E042", f"{folder}: no {CONFIG_NAME}, so this is no folder of transformers"))
    fields, odd = read_json(folder / CONFIG_NAME)
    manifest = read_own_manifest(folder)
    known, entry = find_converted_family(fields, manifest, family)
    tensors = open_weights(folder, (known,))
    if tensors.naming != "transformers":
        text = f"{folder}: the weights have PaddleNLP's names, not those of {entry.target}. Is it converted already?"
        raise SourceError(Problem("E042", text))
    config = _read_config(fields, known, entry)
    tokenizer = find_converted_tokenizer(folder, known)
    warnings = [*odd, *tensors.warnings, *config.warnings]
    if tokenizer is None:
        warnings.append(f"no tokenizer ({FILES_BY_KIND[known.tokenizer.kind][0]}) in OUTPUT: FOLDER has none")
    else:
        warnings += tokenizer.warnings
    if is_file(folder / EXTRAS_FILE):
        warnings.append(f"{EXTRAS_FILE} is left out: no class of PaddleNLP's has a place for what it holds")
    path = folder / CONFIG_NAME
    source = Source(
        path=folder,
        family=known,
        tensors=tensors,
        config=config,
        config_file=SourceFile(path, path.name, path.stat().st_size),
        tokenizer=tokenizer,
        warnings=tuple(warnings),
        behavior=known.usual_preset.name,
    )
    return ConvertedFolder(source, entry, fields, manifest)


def _read_config(fields: Mapping[str, Any], family: Family, entry: ModelClass) -> SourceConfig:
    """config.json by the rules for transformers' own, without what `convert` and `save_pretrained` write besides.
    Raises SourceError."""
    names = [field.name for field in family.fields]
    quirks = [quirk.field for quirk in family.quirks if quirk.file == MODEL_CONFIG and quirk.field not in names]
    parts = [part for table in family.tables.values() for part in table.parts.values()]
    absent = [name for part in parts for name in part.absent if name not in names]
    ours = {"auto_map", *quirks, *absent}
    plain = {name: value for name, value in fields.items() if name not in ours}
    plain.update(model_type=family.model_type, architectures=[entry.source])
    config, problems = read_config(plain, CONFIG_NAME, family, of_transformers=True)
    if problems:
        raise SourceError(*problems)
    return config
