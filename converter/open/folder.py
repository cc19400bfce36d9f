"""Choose the weight files of a folder: PaddleNLP's names in PaddleNLP's order, then a static graph's."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from converter.common.errors import FileError, Problem, SourceError
from converter.files.regular_files import is_file, quoted
from converter.open.adapters import refuse_adapter_folder, warn_of_adapters
from converter.open.nearby import find_below, list_lone
from converter.open.static_graph.program import is_pir
from converter.open.static_graph.program_files import COMBINED, MODELS, PARAMS
from converter.open.static_graph.variable_folder import holds_variables, list_folder

#: In PaddleNLP's order; the first one that exists is used (paddlenlp/transformers/model_utils.py:1492-1585).
ORDER = (
    "model.safetensors.index.json",
    "model.safetensors",
    "model_state.pdparams.index.json",
    "model_state.pdparams",
    # transformers' own, which PaddleNLP looks for last as well.
    "pytorch_model.bin.index.json",
    "pytorch_model.bin",
)

#: What other trainers call a whole model. PaddleNLP would not find it.
_OF_TRAINERS = ("wenxin.pdparams", "saved_weights.pdparams")
_ARCHIVES = (".tgz", ".tar", ".tar.gz", ".tar.bz2", ".tar.xz", ".zip", ".7z", ".rar")
_VARIANT_FORMS = (
    re.compile(r"model\.safetensors\.index\.([^.]+)\.json"),
    re.compile(r"model\.([^.]+)\.safetensors"),
    re.compile(r"model_state\.pdparams\.index\.([^.]+)\.json"),
    re.compile(r"model_state\.([^.]+)\.pdparams"),
)
#: Names listed from one folder, a limit for memory.
_MOST_FILES = 1_000_000
_STEP = re.compile(r"step_\d+")
_SHARD = re.compile(r".*-\d{5}-of-\d{5}(\.\w+)?\.(pdparams|safetensors)")


class Choice(NamedTuple):
    """The weight file (or the folder of variable files), and warnings about the others."""

    path: Path
    warnings: tuple[str, ...]


def choose_weights(folder: Path) -> Choice:
    """Raises SourceError when none of the known files is there, or when it is not clear which one is meant."""
    first = next((name for name in ORDER if is_file(folder / name)), None)
    variants = _find_variants(folder)
    adapters = tuple(warn_of_adapters(list_folder(folder, _MOST_FILES)))
    if first is not None:  # Ignored files are not opened.
        ignored = [name for name in ORDER if name != first and os.path.lexists(folder / name)] + list(variants)
        warnings = [f"ignored: {', '.join(ignored)}; {first} comes first, as in PaddleNLP"] if ignored else []
        return Choice(folder / first, (*warnings, *adapters))
    variants = {name: variant for name, variant in variants.items() if is_file(folder / name)}
    if len(set(variants.values())) > 1:
        names = ", ".join(sorted(variants))
        text = f"{_shown(folder)} holds several variants: {names}. Name the one file to convert"
        raise SourceError(Problem("E003", text))
    if variants:
        chosen = min(variants, key=_form_of)
        warning = f"{chosen} is the variant {quoted(variants[chosen])}; there is no {ORDER[3]}. Is it the whole model?"
        return Choice(folder / chosen, (warning, *adapters))
    for name in _OF_TRAINERS:
        if is_file(folder / name):
            return Choice(folder / name, adapters)
    static = _choose_static(folder) or _choose_inner(folder)
    if static is not None:
        return Choice(static, tuple(adapters))
    refuse_adapter_folder(folder, list_folder(folder, _MOST_FILES))
    raise SourceError(Problem("E002", _nothing_found(folder)))


def _choose_static(folder: Path) -> Path | None:
    """The weights of a static graph in this folder, or None. Raises SourceError for several forms."""
    names = list_folder(folder)
    found = [name for name in names if name.endswith(PARAMS) or (name in COMBINED and not os.path.isdir(folder / name))]
    found += [name for name in names if name.endswith(".pdparams") and _is_static_save(folder / name)]
    found = [name for name in found if is_file(folder / name)]
    if "params" in names and os.path.isdir(folder / "params") and holds_variables(list_folder(folder / "params")):
        found.append("params")
    if holds_variables(names) or (not found and any(name in names for name in MODELS)):
        found.append(".")
    if len(found) > 1:
        listed = ", ".join(quoted(name, 255)[1:-1] if name != "." else "the files of its variables" for name in found)
        text = f"{_shown(folder)} holds several forms of a static graph's weights: {listed}. Name the one to convert"
        raise SourceError(Problem("E003", text))
    return folder / found[0] if found else None


def _is_static_save(path: Path) -> bool:
    """Whether static.save wrote this file: it writes P.pdparams next to its program and P.pdopt."""
    neighbours = [path.with_suffix(suffix) for suffix in (".pdopt", ".pdmodel")]
    program = path.with_suffix(".json")
    try:
        return any(os.path.isfile(other) for other in neighbours) or (os.path.isfile(program) and is_pir(program))
    except FileError:  # An empty or unreadable file is not a program.
        return False


def _choose_inner(folder: Path) -> Path | None:
    """An export's folder `inference/`, or the one step that a fine-tuning saved, one level down."""
    inner = [name for name in list_folder(folder) if name == "inference" or _STEP.fullmatch(name)]
    found = {name: _choose_static(folder / name) for name in inner if os.path.isdir(folder / name)}
    found = {name: path for name, path in found.items() if path is not None}
    if len(found) > 1:
        text = f"{_shown(folder)} holds several models: {', '.join(found)}. Name the one to convert"
        raise SourceError(Problem("E003", text))
    return next(iter(found.values()), None)


def _find_variants(folder: Path) -> dict[str, str]:
    """File names of variants (model_state.VARIANT.pdparams), and the variant of each."""
    found: dict[str, str] = {}
    for name in list_folder(folder, _MOST_FILES):
        form = _form_of(name)
        if form < len(_VARIANT_FORMS) and not _SHARD.fullmatch(name):
            match = _VARIANT_FORMS[form].fullmatch(name)
            if match and name.isprintable():
                found[name] = match.group(1)
    return found


def _form_of(name: str) -> int:
    return next((place for place, form in enumerate(_VARIANT_FORMS) if form.fullmatch(name)), len(_VARIANT_FORMS))


def _shown(folder: Path) -> str:
    """The folder as the user gave it; the whole path of the one that a shell calls `.`."""
    return str(folder if folder.name else folder.resolve())


def _nothing_found(folder: Path) -> str:
    names = list_folder(folder, _MOST_FILES)
    if not names:
        return f"{_shown(folder)}: the folder is empty. SOURCE is a folder with weights, or one weight file"
    shown = ", ".join(quoted(name)[1:-1] for name in names[:20])
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    static = "and a static graph's (.pdiparams, params, __params__, a file per variable)"
    text = f"{_shown(folder)}: no weights found. Looked for {', '.join(ORDER)}, {static}; there are {shown}{more}."
    shards = [name for name in names if _SHARD.fullmatch(name)]
    if shards:
        return f"{text} Shards without their index: fetch {shards[0].split('-')[0]}.*.index.json too"
    packed = [quoted(name)[1:-1] for name in names if name.endswith(_ARCHIVES)]
    if packed:
        return f"{text} Unpack {' or '.join(packed[:4])} first, and name the folder"
    lone = [quoted(name, 255)[1:-1] for name in list_lone(folder)]
    if lone:
        return f"{text} Do you mean {' or '.join(lone[:4])}? Name the file itself"
    inner = find_below(folder, ORDER)
    if inner:
        more = f" or {len(inner) - 4} more" if len(inner) > 4 else ""
        return f"{text} Do you mean {', '.join(inner[:4])}{more} in it?"
    return f"{text} Name the weight file itself if it has another name"
