"""Read combined files of a static graph (`.pdiparams`, `__params__`, any name): tensor streams without names, sorted by
name. The names come from the program, from jit.save's table, or are inferred from the shapes.

A wrong name can shift all tensors after it and still match in shape, so anything that could be shifted unnoticed is
refused.
"""

from __future__ import annotations

import itertools
import mmap
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Callable

from converter.common.errors import FileError, NamesError, Problem, file_error
from converter.files.regular_files import map_file, quoted
from converter.files.tensors import MappedBytes, SourceFile, SourceTensor, TensorSet
from converter.open.names.infer_release_names import choose_release_names, missing_release_names
from converter.open.names.naming import Named, ReadTensors, name_tensors, with_names
from converter.open.names.recognise import RELEASE, bare_name, is_sure_name
from converter.open.static_graph.lod_tensor import Stream, StreamError, read_stream, refusal
from converter.open.static_graph.program import MOST_VARIABLES, Program
from converter.open.static_graph.program_files import find_name_sources
from converter.open.static_graph.variable_info import VariableInfo
from mappings import Family

_MOST_PROBLEMS = 8
#: Gives the tensors under the keys of a family, and warnings.
_Names = Callable[[Family], tuple[Named, tuple[str, ...]]]


def read_combined(path: Path) -> ReadTensors:
    """Read a combined file, or the file of one variable. Raises FileError."""
    buffer = map_file(path)
    sources = find_name_sources(path)
    program = sources.program
    if program is not None and path.name not in program.variables:
        writer, name = program.writer, _read_with_program(buffer, path, program, sources.info)
    else:
        writer, name = _read_without_program(buffer, path.name, sources.info)
    files = (SourceFile(path, path.name, len(buffer)), *sources.files)

    def name_for(family: Family) -> TensorSet:
        named, warnings = name(family)
        return with_names(TensorSet("combined", {}, files, (*sources.warnings, *warnings), writer), named)

    return name_for


def _read_with_program(buffer: mmap.mmap, path: Path, program: Program, info: VariableInfo | None) -> _Names:
    streams = read_named_streams(buffer, path.name, sorted(program.variables), program)
    stored = _tensors(streams, buffer, path.name)
    if info is not None:
        named = _name_by_info(stored, info, program)
        return lambda _: (named, ())
    return lambda family: (_name_checked(streams, stored, path, family), ())


def _read_without_program(buffer: mmap.mmap, file: str, info: VariableInfo | None) -> tuple[str, _Names]:
    """Who wrote the file, and its names."""
    found = _read_streams(buffer, file)
    if len(found) == 1:
        stored = _tensors({file: found[0]}, buffer, file)
        return "one variable", lambda family: (name_tensors(stored, file, family), ())
    if info is not None:
        return "jit.save with a table of names", lambda family: _name_by_info_alone(found, info, buffer, file, family)
    return "", lambda family: _name_bare(found, buffer, file, family)


def read_named_streams(buffer: mmap.mmap, file: str, names: Sequence[str], program: Program) -> dict[str, Stream]:
    """One stream for each name, with exactly the dtype and shape in the program; nothing may follow the last."""
    at = 0
    streams: dict[str, Stream] = {}
    problems: list[Problem] = []
    for place, name in enumerate(names):
        if at == len(buffer):
            text = f"{file} ends after {place} tensors, and {program.file.name} names {len(names)}. Is it complete?"
            raise FileError(*problems[:_MOST_PROBLEMS], Problem("E322", text))
        try:
            stream = read_stream(buffer, at)
        except StreamError as error:
            raise FileError(*problems[:_MOST_PROBLEMS], *refusal(buffer, file, error, name).problems) from None
        expected = program.variables[name]
        if (stream.dtype, stream.shape) != expected:
            other = f"{list(expected.shape)} of {expected.dtype} for {quoted(name, 200)}"
            text = f"{file} (byte {at}): {list(stream.shape)} of {stream.dtype}; {program.file.name} has {other}"
            problems.append(Problem("E322", text))
        streams[name], at = stream, stream.end
    if at != len(buffer):
        text = f"{file} (byte {at}): {len(buffer) - at} bytes follow the last of {len(names)} tensors in"
        problems.append(Problem("E322", f"{text} {program.file.name}. Do the two files belong together?"))
    if problems:
        raise FileError(*problems[:_MOST_PROBLEMS])
    return streams


def _read_streams(buffer: mmap.mmap, file: str) -> list[Stream]:
    """All streams of a file whose number of tensors is not known."""
    at = 0
    streams: list[Stream] = []
    while at < len(buffer):
        if len(streams) == MOST_VARIABLES:
            raise file_error("E320", file, f"more than {MOST_VARIABLES} tensors", offset=at)
        try:
            stream = read_stream(buffer, at)
        except StreamError as error:
            raise refusal(buffer, file, error) from None
        streams.append(stream)
        at = stream.end
    return streams


def _tensors(streams: Mapping[str, Stream], buffer: mmap.mmap, file: str) -> dict[str, SourceTensor]:
    return {
        name: SourceTensor(
            name, stream.shape, stream.dtype, file, (MappedBytes(buffer, stream.start, stream.size),), stored_as=name
        )
        for name, stream in streams.items()
    }


def _name_checked(
    streams: Mapping[str, Stream], stored: Mapping[str, SourceTensor], path: Path, family: Family
) -> Named:
    """Names from a program alone: what a changed letter could have moved unseen is refused."""
    named = name_tensors(stored, path.name, family)
    lost = missing_release_names(map(bare_name, streams), family) if named.naming == RELEASE else []
    if lost:
        text = f"{path.name}: its program does not name {', '.join(lost[:12])}, so the order of the tensors is not sure"
        raise NamesError(Problem("E322", text), lacking=len(lost))
    unsure = _find_movable(streams, named, family)
    if unsure:
        names = ", ".join(quoted(name, 200) for name in unsure[:8])
        text = f"{path.name}: {names}: unknown names, next to tensors"
        raise NamesError(Problem("E322", f"{text} of the same shape, so which is which is not sure. Nothing was taken"))
    return named


def _find_movable(streams: Mapping[str, Stream], named: Named, family: Family) -> list[str]:
    """Names that nothing vouches for, in a run of equal shapes with weights: they would fit elsewhere in it."""
    movable: list[str] = []
    for _, run in itertools.groupby(streams.items(), key=lambda item: (item[1].dtype, item[1].shape)):
        names = [name for name, _ in run]
        unsure = [name for name in names if not is_sure_name(name, streams, named.naming, family)]
        weights = len(names) - len(unsure)
        movable += unsure if weights else []
    return movable


def _name_by_info(stored: Mapping[str, SourceTensor], info: VariableInfo, program: Program) -> Named:
    """Names from both the program and the table, so a changed letter is noticed; the table has PaddleNLP's keys."""
    lost = [quoted(name, 200) for name in stored if name not in info.structured]
    if lost:
        text = f"{info.file.name} does not know {', '.join(lost[:12])} of {program.file.name}. Do they belong together?"
        raise FileError(Problem("E322", text))
    return _structured(stored, info)


def _structured(stored: Mapping[str, SourceTensor], info: VariableInfo) -> Named:
    tensors: dict[str, SourceTensor] = {}
    for name, tensor in stored.items():
        key = info.structured[name] or name
        if key in tensors:
            text = f"{info.file.name}: {quoted(key, 200)} is the name of two variables"
            raise FileError(Problem("E321", text))
        tensors[key] = replace(tensor, name=key)
    return Named(tensors)


def _name_by_info_alone(
    found: Sequence[Stream], info: VariableInfo, buffer: mmap.mmap, file: str, family: Family
) -> tuple[Named, tuple[str, ...]]:
    """Names from the table alone, sorted. The numbers in the variable names must agree with it, as the only check."""
    names = sorted(info.structured)
    if len(names) != len(found):  # A pooler that the outputs do not depend on is in the table and not in the file.
        names = [name for name in names if ".pooler.dense." not in f".{info.structured[name]}"]
    if len(names) != len(found):
        text = f"{file} has {len(found)} tensors, {info.file.name} names {len(info.structured)}. Is one cut short?"
        raise FileError(Problem("E322", text))
    stored = _tensors(dict(zip(names, found)), buffer, file)
    named, numbered = _structured(stored, info), name_tensors(stored, file, family)
    other = [t.stored_as for key, t in numbered.tensors.items() if named.tensors.get(key, t).stored_as != t.stored_as]
    if other or set(numbered.tensors) != set(named.tensors):
        different = sorted(set(numbered.tensors) ^ set(named.tensors)) + other
        text = f"{info.file.name}: its names and the numbers of the variables disagree on {quoted(different[0], 200)}"
        # The names are one model's, so that no other family has a better reason.
        problem = Problem("E322", f"{text}. The program (.pdmodel) has the order")
        raise NamesError(problem, known=len(named.tensors))
    return named, (f"no program next to {file}: the order is that of the names in {info.file.name}",)


def _name_bare(found: Sequence[Stream], buffer: mmap.mmap, file: str, family: Family) -> tuple[Named, tuple[str, ...]]:
    choice = choose_release_names([stream.shape for stream in found], file, family)
    named = name_tensors(_tensors(dict(zip(choice.names, found)), buffer, file), file, family)
    title = family.release.title
    warning = f"nothing next to {file} names its tensors: their shapes are those of {title}'s names in text order"
    return (named if choice.class_is_sure else replace(named, inferred_class="")), (warning,)
