"""Read a `.pdparams` file: the pickle of a state dict, as any release of Paddle writes it."""

from __future__ import annotations

from pathlib import Path

from converter.common.errors import FileError, Problem, about, file_error
from converter.files.regular_files import HEAD_BYTES, looks_like_text, map_file, quoted, recognise
from converter.files.tensors import (
    ByteSource,
    MappedBytes,
    SourceFile,
    SourceTensor,
    TensorSet,
    element_count,
    is_shape,
)
from converter.open.bounds import check_names_bounded
from converter.open.pickle.latin1_bytes import Latin1Bytes
from converter.open.pickle.values import Extent, PickleArray, PickleDict, PickleList, text_of
from converter.open.pickle.whole_file import load_pickle

NAME_TABLE = "StructuredToParameterName@@"
SLICE_TABLE = "UnpackBigParamInfor@@"
#: Keys under which checkpoints keep the weights next to an optimizer or an average, in order of preference.
_MODEL_KEYS = ("model", "state_dict", "model_state_dict", "model_state", "model_dict", "net", "network", "params")
_MOST_NESTED = 4
_MOST_PROBLEMS = 40


def open_pdparams(path: Path) -> TensorSet:
    """The tensors of one file. Raises FileError."""
    buffer = map_file(path)
    head = buffer[:HEAD_BYTES]
    foreign = recognise(head, len(buffer))
    if foreign is not None:
        raise file_error("E304", path.name, f"is {foreign}")
    try:
        value, protocol = load_pickle(buffer, path.name)
    except FileError as error:
        if looks_like_text(head) and error.problems[0].code != "E301":
            raise file_error("E304", path.name, f"is text, not a checkpoint: {quoted(head.decode('latin1'))}") from None
        raise
    reading = StateDictReader(path.name)
    items = reading.find_state_dict(value)
    tensors = reading.read(items)
    source = SourceFile(path, path.name, len(buffer))
    writer, others, table = f"pickle protocol {protocol}", tuple(reading.others), reading.name_table
    warnings = tuple(reading.warnings)
    return TensorSet("pdparams", tensors, (source,), warnings, writer, not_tensors=others, name_table=table)


class StateDictReader:
    """Sorts the values of one file into tensors and others, and collects problems and warnings."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.warnings: list[str] = []
        self.problems: list[Problem] = []
        #: Names of what is left out, which the plan looks at.
        self.others: list[str] = []
        self.name_table: dict[str, str] = {}

    def find_state_dict(self, value: object) -> dict[str | int, object]:
        """The dict that holds the weights: the top one, or one nested in it."""
        for _ in range(_MOST_NESTED):
            if not isinstance(value, PickleDict):
                raise file_error("E306", self.file, f"holds {_kind(value)}, expected a dict of tensors by name")
            nested = {k: _count_tensors(v) for k, v in value.items.items() if isinstance(v, PickleDict)}
            if max(nested.values(), default=0) <= _count_own(value):
                return value.items
            key = self._choose(nested)
            left = [quoted(str(other)) for other in value.items if other != key]
            self.warnings.append(
                f"{self.file}: the tensors are those under {quoted(str(key))}"
                + (f"; left out: {_listed(left)}" if left else "")
            )
            self.others += [
                name for other in value.items if other != key for name in _names_at(other, value.items[other])
            ]
            value = value.items[key]
        raise file_error("E306", self.file, f"the tensors are nested more than {_MOST_NESTED} dicts deep")

    def _choose(self, nested: dict[str | int, int]) -> str | int:
        full = [key for key, count in nested.items() if count]
        known = [key for key in _MODEL_KEYS if key in full]
        if known or len(full) == 1:
            return known[0] if known else full[0]
        names = _listed([quoted(str(key)) for key in full])
        raise file_error("E306", self.file, f"holds several dicts of tensors ({names}). Save the model's alone")

    def read(self, items: dict[str | int, object]) -> dict[str, SourceTensor]:
        arrays: dict[str, PickleArray] = {}
        left: list[str] = []
        for key, value in items.items():
            array = _array_of(value)
            if key in (NAME_TABLE, SLICE_TABLE) and isinstance(value, PickleDict):
                continue
            if array is None:
                left.append(quoted(str(key)))
                self.others += _names_at(key, value)
            elif not isinstance(key, str) or not key or not key.isprintable():
                self._problem(f"a tensor is named {ascii(key)[:200]}, expected a printable name")
            else:
                arrays[key] = array
        joined = self._join_slices(items.get(SLICE_TABLE), arrays)
        tensors = {name: self._tensor(name, array.shape, [array]) for name, array in arrays.items()}
        tensors.update(joined)
        self._check_name_table(items.get(NAME_TABLE), tensors)
        if left:
            self.warnings.append(f"{self.file}: not tensors, left out: {_listed(left)}")
        self._check_orders(tensors)
        if not tensors and not self.problems:
            self._problem("holds no tensors. Is it the scheduler's or the optimizer's state?")
        if self.problems:
            raise FileError(*self.problems)
        check_names_bounded(tensors, self.file)
        return tensors

    def _tensor(self, name: str, shape: tuple[int, ...], parts: list[PickleArray]) -> SourceTensor:
        runs = tuple(_run_of(part.data) for part in parts if part.data is not None)
        return SourceTensor(name, shape, parts[0].dtype, self.file, runs, parts[0].fortran)

    def _check_name_table(self, table: object, tensors: dict[str, SourceTensor]) -> None:
        """Read the table of variable names, which is used only where the keys are unknown (`open.names`). A name
        without a tensor shows that the file was edited."""
        if table is None:
            return
        if not isinstance(table, PickleDict) or any(text_of(value) is None for value in table.items.values()):
            self._problem(f"{NAME_TABLE} is not a table of names")
            return
        variables = {key: text_of(value) for key, value in table.items.items()}
        self.name_table = {str(key): name for key, name in variables.items() if key in tensors and name is not None}
        lost = [quoted(str(key)) for key in table.items if key not in tensors]
        if lost:
            self.warnings.append(f"{self.file}: {NAME_TABLE} names tensors that are not there: {_listed(lost)}")

    def _join_slices(self, table: object, arrays: dict[str, PickleArray]) -> dict[str, SourceTensor]:
        """Join large parameters, which protocols 2 and 3 store as flat slices. Removes the slices from `arrays`."""
        joined: dict[str, SourceTensor] = {}
        if table is not None and not isinstance(table, PickleDict):
            self._problem(f"{SLICE_TABLE} is {_kind(table)}, expected a dict")
            return joined
        for key, entry in table.items.items() if isinstance(table, PickleDict) else ():
            reason = self._join(str(key), entry, arrays, joined)
            if reason:
                self._problem(f"{SLICE_TABLE}, {quoted(str(key), 200)}: {reason}")
        stray = [name for name in arrays if "@@." in name]
        if stray and not self.problems:
            self._problem(f"slices of no tensor: {_listed([quoted(name, 200) for name in stray])}")
        return joined

    def _join(
        self, key: str, entry: object, arrays: dict[str, PickleArray], joined: dict[str, SourceTensor]
    ) -> str | None:
        """Join the slices of one tensor; the reason when they cannot be joined."""
        if not isinstance(entry, PickleDict) or set(entry.items) != {"OriginShape", "slices"}:
            return "expected OriginShape and slices"
        shape, listed = entry.items["OriginShape"], entry.items["slices"]
        if type(shape) is not tuple or not is_shape(shape):
            return "OriginShape is no tuple of sizes"
        items = listed.items if isinstance(listed, PickleList) else []
        # One by one: a list can repeat one long name, which costs the file only a few bytes each time.
        if not items or not all(text_of(item) == f"{key}@@.{number}" for number, item in enumerate(items)):
            return f"the slices must be {quoted(key + '@@.0', 200)} and so on, in order"
        if key in arrays or not key.isprintable():
            return "the whole tensor is there too" if key in arrays else "expected a printable name"
        numbers = range(len(items))
        missing = [number for number in numbers if f"{key}@@.{number}" not in arrays]
        if missing:
            more = f" and {len(missing) - 12} more" if len(missing) > 12 else ""
            return f"missing {', '.join(quoted(f'{key}@@.{number}', 200) for number in missing[:12])}{more}"
        parts = [arrays.pop(f"{key}@@.{number}") for number in numbers]
        if any(len(part.shape) != 1 for part in parts) or len({part.dtype for part in parts}) != 1:
            return "the slices must be flat and of one dtype"
        found, expected = sum(part.shape[0] for part in parts), element_count(shape)
        if found != expected:
            return f"the slices have {found} elements, OriginShape {list(shape)} has {expected}"
        joined[key] = self._tensor(key, shape, parts)
        return None

    def _check_orders(self, tensors: dict[str, SourceTensor]) -> None:
        """Warn about a single matrix in column order: a flipped bit looks like that, and nothing contradicts it."""
        matrices = [tensor for tensor in tensors.values() if sum(size > 1 for size in tensor.shape) > 1]
        columns = [tensor.name for tensor in matrices if tensor.fortran]
        if len(columns) == 1 < len(matrices):
            self.warnings.append(f"{self.file}: {columns[0]} alone is stored in column order. Read as stored")

    def _problem(self, reason: str) -> None:
        if len(self.problems) < _MOST_PROBLEMS:
            self.problems.append(Problem("E306", about(self.file, reason)))


def _run_of(data: Extent) -> ByteSource:
    if data.kind == "coded":
        assert data.decoded is not None
        return Latin1Bytes(data.buffer, data.start, data.size, data.decoded)
    return MappedBytes(data.buffer, data.start, data.size)


def _array_of(value: object) -> PickleArray | None:
    """The array in a value: the value itself, or the second of a pair with its variable name, as in nested dicts."""
    if type(value) is tuple and len(value) == 2 and text_of(value[0]) is not None:
        value = value[1]
    return value if isinstance(value, PickleArray) else None


def _count_tensors(value: object, depth: int = _MOST_NESTED) -> int:
    """The number of tensors in a dict or, if it has none itself, in the fullest dict inside it."""
    if not isinstance(value, PickleDict) or depth == 0:
        return 0
    return _count_own(value) or max((_count_tensors(item, depth - 1) for item in value.items.values()), default=0)


def _count_own(value: PickleDict) -> int:
    return sum(_array_of(item) is not None for item in value.items.values())


def _names_at(key: str | int, value: object) -> list[str]:
    """The name of a value that is left out; for a dict the names of its tensors, prefixed with its own."""
    names = [str(key)]
    if isinstance(value, PickleDict):
        names = [f"{key}.{name}" for name, inner in value.items.items() if _array_of(inner) is not None]
    return [name for name in names if name.isprintable()]


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:12])
    return shown if len(names) <= 12 else f"{shown} and {len(names) - 12} more"


def _kind(value: object) -> str:
    if isinstance(value, PickleArray) or _array_of(value) is not None:
        return "one tensor"
    kinds = {PickleList: "a list", PickleDict: "a dict", tuple: "a tuple", type(None): "nothing"}
    return kinds.get(type(value), "a single value")
