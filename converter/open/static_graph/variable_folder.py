"""Read a folder with one file per variable: `params/` of the 2021 release and its fine-tunes, save_vars,
separate_parameters."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from converter.common.errors import FileError, Problem, SourceError, file_error
from converter.files.mapped_range import MappedRange
from converter.files.regular_files import HEAD_BYTES, is_file, map_file, quoted
from converter.files.tensors import SourceFile, SourceTensor, TensorSet
from converter.open.names.naming import ReadTensors, name_tensors, with_names
from converter.open.names.recognise import is_weight, why_left_out
from converter.open.static_graph.lod_tensor import StreamError, read_stream, refusal, starts_as_stream
from converter.open.static_graph.program import Program, read_program
from converter.open.static_graph.program_files import MODELS, not_used
from mappings import Family

#: A fine-tuned large has 2,000: each weight and four tensors of its optimizer.
MOST_FILES = 20_000
_MOST_PROBLEMS = 20
#: Endings of other files that are kept next to variables.
_OTHER_FILES = (".json", ".txt", ".md", ".model", ".yaml", ".yml", ".py", ".log", ".pdmodel", ".pdopt", ".info")


def read_variables(folder: Path) -> ReadTensors:
    """Read a folder of variable files. Raises FileError with the problems of all files."""
    names = list_folder(folder)
    program, odd = _read_program(folder, names)
    reading = VariableFolderReader(folder, names, program)
    for name in names:
        reading.add(name)
    if program is not None:
        reading.check_all_there(program)
    if reading.problems:
        raise FileError(*reading.problems[:_MOST_PROBLEMS])
    if not reading.stored:
        raise file_error("E323", folder.name, "holds no tensor files")
    warnings = (*odd, *(program.warnings if program else ()))
    writer = program.writer if program else ""

    def name_for(family: Family) -> TensorSet:
        named = name_tensors(reading.stored, folder.name, family)
        used = {tensor.file for tensor in (*named.tensors.values(), *named.extras.values())}
        files = tuple(file for name, file in reading.files.items() if name in used)
        if program is not None:
            files += (program.file,)
        return with_names(TensorSet("variables", {}, files, warnings, writer, left_out=tuple(reading.left_out)), named)

    return name_for


def list_folder(folder: Path, most: int = 0) -> list[str]:
    """The names in a folder in text order. Raises SourceError when it cannot be read, or holds more than `most` (by
    default MOST_FILES)."""
    most = most or MOST_FILES
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in itertools.islice(entries, most + 1)]
    except OSError as error:
        raise SourceError(Problem("E005", f"{folder.name}: the folder cannot be read: {error.strerror}")) from None
    if len(names) > most:
        raise SourceError(Problem("E005", f"{folder.name}: more than {most} files, which no checkpoint has"))
    return sorted(names)


def holds_variables(names: Sequence[str]) -> bool:
    """Whether names of files are those of weights; one stray file is not a model."""
    return sum(is_weight(name) for name in names) > 1


def _read_program(folder: Path, names: Sequence[str]) -> tuple[Program | None, list[str]]:
    """The program, and warnings. Variable files carry their names, so a damaged program is not needed."""
    programs: list[Program] = []
    odd: list[str] = []
    for name in MODELS:
        try:
            if name in names and is_file(folder / name):
                programs.append(read_program(folder / name))
        except FileError as error:
            odd.append(not_used(error, "the files of the variables have their names"))
    for other in programs[1:]:
        if other.variables != programs[0].variables:
            text = f"{programs[0].file.name} and {other.file.name} name different parameters. Which is right?"
            raise FileError(Problem("E322", text))
    return (programs[0] if programs else None), odd


class VariableFolderReader:
    """Sorts the files of one folder into tensors and others, and collects problems."""

    def __init__(self, folder: Path, names: Sequence[str], program: Program | None) -> None:
        self.folder = folder
        self.wanted = program.variables if program else {}
        self.names: Mapping[str, None] = dict.fromkeys(names)
        self.stored: dict[str, SourceTensor] = {}
        self.files: dict[str, SourceFile] = {}
        self.left_out: list[tuple[str, str]] = []
        self.problems: list[Problem] = []

    def add(self, name: str) -> None:
        known = name in self.wanted or is_weight(name)
        other = not known and name.endswith(_OTHER_FILES)
        if name in MODELS or (other and _why_no_tensor(self.folder / name)):
            return
        why = "" if name in self.wanted else why_left_out(name, self.names)
        if not why and not known:
            why = _why_no_tensor(self.folder / name)
        if why:
            self.left_out.append((name if name.isprintable() else quoted(name, 255), why))
            return
        try:
            self._open(name)
        except FileError as error:
            self.problems += error.problems

    def _open(self, name: str) -> None:
        with map_file(self.folder / name) as buffer:
            size = len(buffer)
            try:
                stream = read_stream(buffer, 0)
            except StreamError as error:
                raise refusal(buffer, name, error) from None
        if stream.end != size:
            reason = f"{list(stream.shape)} of {stream.dtype} ends here, and {size - stream.end} bytes follow"
            raise file_error("E320", name, reason, offset=stream.end)
        if name in self.wanted and (stream.dtype, stream.shape) != self.wanted[name]:
            expected = self.wanted[name]
            reason = (
                f"{list(stream.shape)} of {stream.dtype}; the program has {list(expected.shape)} of {expected.dtype}"
            )
            raise file_error("E322", name, reason)
        run = MappedRange(self.folder / name, stream.start, stream.size, size)
        self.stored[name] = SourceTensor(name, stream.shape, stream.dtype, name, (run,), stored_as=name)
        self.files[name] = SourceFile(self.folder / name, name, size)

    def check_all_there(self, program: Program) -> None:
        lost = [quoted(name, 200) for name in program.variables if name not in self.names]
        if lost:
            more = f" and {len(lost) - 12} more" if len(lost) > 12 else ""
            text = f"{self.folder.name}: {program.file.name} names {', '.join(lost[:12])}{more}, which are not there"
            self.problems.append(Problem("E322", text))


def _why_no_tensor(path: Path) -> str:
    """Why a file with an unknown name is not a tensor, or ''. Only regular files are opened."""
    if os.path.isdir(path):
        return "a folder, not looked into"
    try:
        with map_file(path) as buffer:
            return "" if starts_as_stream(bytes(buffer[:HEAD_BYTES])) else "no tensor of a static graph"
    except FileError:
        return "no regular file, empty, or not readable"
