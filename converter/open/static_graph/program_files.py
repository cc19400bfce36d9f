"""Find the files next to a weight file that name its tensors, and the weights that a program belongs to, by exact file
names."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple, Optional

from converter.common.errors import FileError, Problem, SourceError, about, file_error
from converter.files.regular_files import HEAD_BYTES, is_file, map_file, quoted, recognise
from converter.files.tensors import SourceFile
from converter.open.static_graph.program import Program, is_pir, read_program
from converter.open.static_graph.variable_info import VariableInfo, read_variable_info

PARAMS = ".pdiparams"
INFO = ".pdiparams.info"
PROGRAM = ".pdmodel"
#: save_inference_model of Paddle 1.x, and of 3.x with separate_parameters.
MODELS = ("__model__", "__model__.json")
#: The usual names of a combined file without a suffix.
COMBINED = ("__params__", "params")


class NameSources(NamedTuple):
    """The program next to a combined file, jit.save's table of names, and their files."""

    program: Optional[Program]
    info: Optional[VariableInfo]
    files: tuple[SourceFile, ...]
    warnings: tuple[str, ...]


def find_name_sources(path: Path) -> NameSources:
    """Raises FileError when one of them is damaged, or when two programs disagree."""
    folder, name = path.parent, path.name
    stems = dict.fromkeys((name.removesuffix(PARAMS), name, Path(name).stem))
    candidates = [f"{stem}{suffix}" for stem in stems for suffix in (".json", PROGRAM)] + list(MODELS)
    if name in COMBINED:
        candidates.append("model")
    programs: list[Program] = []
    warnings: list[str] = []
    damaged: list[FileError] = []
    for candidate in candidates:
        place = folder / candidate
        try:
            if place == path or os.path.isdir(place) or not is_file(place):
                continue
            if place.suffix == ".json" and not is_pir(place):
                _refuse_foreign(place)
                warnings.append(f"{quoted(candidate, 255)[1:-1]} is no program of Paddle: not used")
                continue
            programs.append(read_program(place))
            warnings += programs[-1].warnings
        except FileError as error:
            damaged.append(error)
    for other in programs[1:]:
        if other.variables != programs[0].variables:
            text = f"{programs[0].file.name} and {other.file.name} name different parameters. Which belongs to {name}?"
            raise FileError(Problem("E322", text))
    table = folder / (name + ".info" if name.endswith(PARAMS) else name + INFO)
    info = None
    try:
        info = read_variable_info(table) if is_file(table) else None
    except FileError as error:
        damaged.append(error)
    for fault in damaged:
        by = programs[0].file if programs else info.file if info else None
        if by is None:
            raise fault
        warnings.append(not_used(fault, f"{by.name} names the tensors"))
    files = [program.file for program in programs] + ([info.file] if info else [])
    return NameSources(programs[0] if programs else None, info, tuple(files), tuple(warnings))


def not_used(error: FileError, instead: str) -> str:
    """The warning about a damaged file that is not needed. Raises the error if the file asks to run something."""
    if error.problems[0].code == "E301":
        raise error
    return f"{error.problems[0].text.rstrip('.')}. Not needed and not used: {instead}"


def _refuse_foreign(path: Path) -> None:
    """Refuse a web page in the place of the program: a failed download. Other JSON is fine. Raises FileError."""
    with map_file(path) as buffer:
        foreign = recognise(buffer[:HEAD_BYTES], len(buffer))
    if foreign is not None and "JSON" not in foreign:
        raise file_error("E304", path.name, f"is {foreign}")


def is_program(path: Path) -> bool:
    """Whether a file is a program or a table of names, not the weights themselves."""
    name = path.name
    if name.endswith((PROGRAM, INFO)) or name == MODELS[0]:
        return True
    return name.endswith(".json") and is_pir(path)


def find_weights_of(path: Path) -> Path:
    """The weights that a program (or a table of names) belongs to: a file, or the folder of variable files. Raises
    SourceError."""
    folder, name = path.parent, path.name
    if name.endswith(INFO):
        candidates = [name.removesuffix(".info")]
    elif name in MODELS:
        candidates = list(COMBINED)
    else:
        candidates = [Path(name).stem + PARAMS, Path(name).stem + ".pdparams"]
    found = [folder / candidate for candidate in candidates if os.path.isfile(folder / candidate)]
    if len(found) == 1:
        return found[0]
    if not found and name in MODELS:
        return folder
    listed = " and ".join(candidate.name for candidate in found) or " or ".join(candidates)
    reason = (
        f"{listed} are both there. Name the one"
        if found
        else f"a program without weights; expected {listed} next to it"
    )
    raise SourceError(Problem("E003" if found else "E004", about(quoted(name, 255)[1:-1], reason)))
