"""Read the variables of a program file: `.pdmodel` or `__model__` (a protobuf ProgramDesc, up to 3.0) and `.json` (PIR,
since 3.0). Only names, dtypes and shapes of the persistable tensors are read, and nothing is run.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from converter.common.errors import FileError, Problem, file_error
from converter.files.json_files import read_json
from converter.files.protobuf import BYTES, VARINT, Field, WireError, walk_fields
from converter.files.regular_files import HEAD_BYTES, map_file, quoted, recognise
from converter.files.tensors import SourceFile, is_shape
from converter.open.static_graph.lod_tensor import StreamError, read_desc

#: A large model has 400 parameters, and its optimizer four times as many.
MOST_VARIABLES = 20_000
#: In all messages together: a training program of 24 layers has a few 100,000.
_MOST_FIELDS = 2_000_000
_MOST_BYTES = 256 << 20
_MOST_NAME = 512
#: VarType.Type: a tensor, and what feeds and fetches one (framework.proto).
_TENSOR = 7
_PIR_TYPES = {
    "t_bool": "bool",
    "t_i8": "int8",
    "t_ui8": "uint8",
    "t_i16": "int16",
    "t_i32": "int32",
    "t_i64": "int64",
    "t_f16": "float16",
    "t_bf16": "bfloat16",
    "t_f32": "float32",
    "t_f64": "float64",
}


class Variable(NamedTuple):
    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Program:
    """The parameters that a program has, by name. `writer`: the kind of program, for `inspect`."""

    file: SourceFile
    variables: Mapping[str, Variable]
    writer: str
    warnings: tuple[str, ...] = ()


class _Bad(ValueError):
    """Why a variable of a program cannot be used."""


def read_program(path: Path) -> Program:
    """The parameters of a program file of either kind. Raises FileError."""
    return read_pir(path) if path.suffix == ".json" else read_program_desc(path)


def is_pir(path: Path) -> bool:
    """Whether a JSON file begins as Paddle's programs do; config.json and the like do not."""
    with map_file(path) as buffer:
        head = bytes(buffer[:HEAD_BYTES])
    return b'"base_code"' in head


def read_program_desc(path: Path) -> Program:
    """A ProgramDesc: field 1 blocks; in the first, field 3 variables; a variable's name 1, type 2, persistable 3."""
    buffer = map_file(path)
    head = buffer[:HEAD_BYTES]
    foreign = recognise(head, len(buffer))
    if foreign is not None or head[:1] == b"\x80":
        raise file_error("E304", path.name, f"is {foreign or 'a pickle, not a program'}")
    if len(buffer) > _MOST_BYTES:
        raise file_error("E321", path.name, f"larger than {_MOST_BYTES >> 20} MiB, which no program is")
    try:
        with memoryview(buffer) as message:
            variables = _unique(_Walk().variables_of(message), path.name)
    except (WireError, _Bad) as error:
        raise file_error("E321", path.name, f"is no program of Paddle: {error}") from None
    return Program(SourceFile(path, path.name, len(buffer)), variables, "ProgramDesc")


class _Walk:
    """One walk over a message and those in it, which ends when they have more fields together than any program."""

    def __init__(self) -> None:
        self.met = 0

    def fields(self, message: memoryview) -> Iterator[Field]:
        for field in walk_fields(message):
            self.met += 1
            if self.met > _MOST_FIELDS:
                raise _Bad(f"more than {_MOST_FIELDS} fields")
            yield field

    def variables_of(self, message: memoryview) -> Iterator[tuple[str, Variable]]:
        block = next((field.value for field in self.fields(message) if field.number == 1), None)
        if not isinstance(block, memoryview):
            raise _Bad("it has no block")
        for field in self.fields(block):
            if field.number == 3:
                found = self.read_variable(_bytes(field), field.offset)
                if found is not None:
                    yield found

    def read_variable(self, message: memoryview, offset: int) -> tuple[str, Variable] | None:
        """Name, dtype and shape of a persistable tensor; None for other variables."""
        parts = {field.number: field for field in self.fields(message) if field.number in (1, 2, 3)}
        if 1 not in parts or 2 not in parts:
            raise _Bad(f"the variable at byte {offset} of its block has no name or type")
        persistable = parts.get(3)
        kind = {field.number: field for field in self.fields(_bytes(parts[2])) if field.number in (1, 3)}
        if persistable is None or persistable.value == 0 or 1 not in kind or kind[1].value != _TENSOR:
            return None
        name = _name(_bytes(parts[1]))
        described = self.fields(_bytes(kind[3])) if 3 in kind else iter(())
        tensor = next((field for field in described if field.number == 1), None)
        if tensor is None:
            raise _Bad(f"{quoted(name, 200)} has no shape")
        try:
            return name, Variable(*read_desc(bytes(_bytes(tensor))))
        except StreamError as error:
            raise _Bad(f"{quoted(name, 200)}: {error}") from None


def _bytes(field: Field) -> memoryview:
    if field.wire_type != BYTES or not isinstance(field.value, memoryview):
        kind = "a number" if field.wire_type == VARINT else "something else"
        raise _Bad(f"field {field.number} is {kind}, expected a message")
    return field.value


def _name(raw: memoryview) -> str:
    try:
        return _checked_name(bytes(raw[: _MOST_NAME + 1]).decode("utf-8"))
    except UnicodeDecodeError:
        raise _Bad("a variable's name is not UTF-8") from None


def _checked_name(name: object) -> str:
    if not isinstance(name, str) or not 0 < len(name) <= _MOST_NAME or not name.isprintable():
        raise _Bad(f"a variable is named {ascii(name)[:80]}, expected a printable name")
    return name


def read_pir(path: Path) -> Program:
    """A PIR program: operators "p" of its first block are the parameters (paddle/fluid/pir/serialize_deserialize)."""
    data, warnings = read_json(path)
    base = data.get("base_code")
    if not isinstance(base, dict) or base.get("magic") != "pir":
        raise file_error("E321", path.name, "is no program of Paddle (its base_code is not 'pir')")
    try:
        variables = _unique(_parameters_of(data), path.name)
    except _Bad as error:
        raise file_error("E321", path.name, f"is no program of Paddle: {error}") from None
    version = base.get("version")
    writer = f"PIR program, version {version}" if type(version) is int else "PIR program"
    return Program(SourceFile(path, path.name, path.stat().st_size), variables, writer, warnings)


def _parameters_of(data: dict[str, Any]) -> Iterator[tuple[str, Variable]]:
    block: Any = data
    for step in ("program", "regions", 0, "blocks", 0, "ops"):
        try:
            block = block[step]
        except (KeyError, IndexError, TypeError):
            raise _Bad(f"it has no {step!r} where its operators should be") from None
    if not isinstance(block, list):
        raise _Bad("its operators are no list")
    for place, op in enumerate(block):
        if not isinstance(op, dict):
            raise _Bad(f"operator {place} is no object")
        if op.get("#") == "p":
            yield _read_parameter(op, place)


def _read_parameter(op: dict[str, Any], place: int) -> tuple[str, Variable]:
    attributes = op.get("A")
    if not isinstance(attributes, list) or len(attributes) < 4:
        raise _Bad(f"parameter {place} has no name")
    name = _checked_name(attributes[3])
    try:
        kind = op["O"]["TT"]
        dtype, shape = _PIR_TYPES.get(str(kind["D"][0]["#"]).split(".")[-1]), kind["D"][1]
        tensor = str(kind["#"]).split(".")[-1] == "t_dtensor"
    except (KeyError, IndexError, TypeError):
        raise _Bad(f"{quoted(name, 200)} has no dtype and shape") from None
    if not tensor or dtype is None:
        raise _Bad(f"{quoted(name, 200)} has a type that is not supported")
    if not isinstance(shape, list) or not is_shape(shape):
        raise _Bad(f"{quoted(name, 200)}: the shape is no list of sizes")
    return name, Variable(dtype, tuple(shape))


def _unique(found: Iterator[tuple[str, Variable]], file: str) -> dict[str, Variable]:
    variables: dict[str, Variable] = {}
    twice: list[str] = []
    for name, variable in found:
        if name in variables:
            twice.append(quoted(name, 200))
        if len(variables) + len(twice) >= MOST_VARIABLES:
            raise _Bad(f"more than {MOST_VARIABLES} parameters")
        variables[name] = variable
    if twice:
        more = f" and {len(twice) - 12} more" if len(twice) > 12 else ""
        raise FileError(Problem("E321", f"{file} names parameters twice: {', '.join(twice[:12])}{more}"))
    if not variables:
        raise _Bad("it has no parameters")
    return variables
