"""Read a `.safetensors` file of PaddleNLP, Paddle or transformers. The header is checked here and by the library."""

from __future__ import annotations

import mmap
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from converter.common.errors import FileError, Problem, file_error
from converter.files.json_files import MOST_BYTES, parse_json
from converter.files.regular_files import HEAD_BYTES, is_safetensors, map_file, quoted, recognise
from converter.files.tensors import DTYPES, MappedBytes, SourceFile, SourceTensor, TensorSet, element_count, is_shape
from converter.open.bounds import check_names_bounded
from mappings import Family
from mappings.tensors.patterns import Pattern

#: PaddleNLP stores bfloat16 as its bits, U16; paddle.save(safetensors=True) as BF16.
_DTYPES = {stored: name for name, (_, _, stored) in DTYPES.items()}
_DTYPES["U16"] = "bfloat16"


class _Entry(NamedTuple):
    name: str
    dtype: str
    shape: tuple[int, ...]
    start: int
    end: int


def open_safetensors(path: Path, family: Family) -> TensorSet:
    """The tensors of one file. Raises FileError with every problem of its header."""
    buffer = map_file(path)
    name = path.name
    header, begin, warnings = _read_header(buffer, name)
    naming = infer_naming(header, family)
    warnings += _check_metadata(header.pop("__metadata__", None), name, naming)
    entries, problems = _read_entries(header, name)
    problems += _check_layout(entries, len(buffer) - begin, name) if not problems else []
    if not entries and not problems:
        problems.append(Problem("E308", f"{name} holds no tensors"))
    if problems:
        raise FileError(*problems)
    _check_with_library(path)
    tensors = {
        entry.name: SourceTensor(
            entry.name,
            entry.shape,
            entry.dtype,
            name,
            (MappedBytes(buffer, begin + entry.start, entry.end - entry.start),),
        )
        for entry in entries
    }
    files = (SourceFile(path, name, len(buffer)),)
    return TensorSet("safetensors", tensors, files, tuple(warnings), "safetensors", naming)


class _Forms(NamedTuple):
    """Expressions that find a module's name in that of a tensor: those of one side alone, and those of both."""

    transformers: re.Pattern[str]
    paddle: re.Pattern[str]
    both: re.Pattern[str]


@cache
def _forms(family: Family) -> _Forms:
    rows = [row for row in family.base_table.backbone if row.targets]
    sources = {_module(row.source.text) for row in rows}
    targets = {_module(target.text) for row in rows for target in row.targets}
    tops = {target.text for table in family.tables.values() for row in table.head for target in row.targets}
    tops |= {target.text for row in rows for target in row.targets}
    before_layer = {text.partition(".{layer}")[0] if "{layer}" in text else text.partition(".")[0] for text in tops}
    heads = {choice for text in before_layer for choice in _spelled(text)}
    return _Forms(_search(targets - sources), _search(sources - targets), _search(heads))


def _module(name: str) -> str:
    return name.rpartition(".")[0]


def _spelled(text: str) -> list[str]:
    """A name with choices, spelled out."""
    pattern = Pattern(text)
    return [pattern.fill(values) for values in pattern.expand(1)]


def _search(modules: Iterable[str]) -> re.Pattern[str]:
    """Finds any of the modules in a name; nothing at all where there is none."""
    forms = "|".join(f"(?:{Pattern(module).expression})" for module in sorted(modules))
    return re.compile(rf"(?:^|\.)(?:{forms})\." if forms else r"(?!)")


def infer_naming(header: Mapping[str, Any], family: Family) -> str:
    """Which names a header has: "transformers" for those of the target's class, "structured" for PaddleNLP's. A shard
    may hold only names that both have: then format "pt" decides."""
    names, forms = [name for name in header if name != "__metadata__"], _forms(family)
    if any(forms.transformers.search(name) for name in names):
        return "transformers"
    metadata = header.get("__metadata__")
    written = metadata.get("format") if isinstance(metadata, dict) else None
    of_both = any(forms.both.search(name) for name in names) and not any(forms.paddle.search(name) for name in names)
    return "transformers" if written == "pt" and of_both else "structured"


def _read_header(buffer: mmap.mmap, file: str) -> tuple[dict[str, Any], int, list[str]]:
    """The header, where the data begin, and warnings."""
    head = buffer[:HEAD_BYTES]
    if not is_safetensors(head, len(buffer)):
        foreign = recognise(head, len(buffer))
        if foreign is None and head[:1] == b"\x80":
            foreign = "a pickle (.pdparams?), not a safetensors file"
        if foreign is not None:
            raise file_error("E304", file, f"is {foreign}")
    length = int.from_bytes(head[:8], "little")
    if len(buffer) < 8 or length > len(buffer) - 8:
        left = max(len(buffer) - 8, 0)
        reason = f"a header of {length} bytes is announced and {left} are left. Is the file complete?"
        raise file_error("E308", file, reason, offset=0)
    if length > MOST_BYTES:
        raise file_error("E308", file, f"a header of {length} bytes, which no checkpoint has", offset=0)
    text = buffer[8 : 8 + length]
    if not text.startswith(b"{"):
        raise file_error("E308", file, "the header is no JSON object", offset=8)
    header, odd = parse_json(text, file)
    check_names_bounded(header, file)
    return header, 8 + length, list(odd)


def _check_metadata(metadata: Any, file: str, naming: str) -> list[str]:
    of_transformers = naming == "transformers"
    if metadata is None and of_transformers:
        return [f"{file} does not specify its layout (no metadata): taken as PyTorch's, its names being transformers'"]
    if metadata is None:
        return [f"{file} does not specify which framework's layout it has (no metadata): taken as Paddle's"]
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise file_error("E308", file, "__metadata__ is not a table of strings")
    written = metadata.get("format")
    if written == ("pt" if of_transformers else "np"):
        return []
    if of_transformers:
        reason = f"has names of transformers and the format {quoted(str(written))}, expected 'pt'"
        raise file_error("E304", file, f"{reason}. Which layout has it? Save it again with save_pretrained")
    if written is None:
        return [f"{file} does not specify which framework's layout it has (no format): taken as Paddle's"]
    if written == "pd":
        return [f"{file} has format 'pd', which PaddleNLP itself does not read: taken as Paddle's layout"]
    reason = f"is in the layout of another framework (format {quoted(written)}), expected Paddle's ('np')"
    raise file_error("E304", file, reason)


def _read_entries(header: dict[str, Any], file: str) -> tuple[list[_Entry], list[Problem]]:
    entries: list[_Entry] = []
    problems: list[Problem] = []
    for name, facts in header.items():
        entry = _read_entry(name, facts)
        if isinstance(entry, _Entry):
            entries.append(entry)
        else:
            problems.append(Problem("E308", f"{file}: {quoted(name, 200)}: {entry}"))
    return entries, problems[:20]


def _read_entry(name: str, facts: Any) -> _Entry | str:
    """The entry, or what is wrong with it."""
    if not isinstance(facts, dict) or set(facts) != {"dtype", "shape", "data_offsets"}:
        return "expected dtype, shape and data_offsets"
    dtype, shape, offsets = facts["dtype"], facts["shape"], facts["data_offsets"]
    if not name or not name.isprintable():
        return "expected a printable name"
    if not isinstance(dtype, str) or dtype not in _DTYPES:
        return f"dtype {quoted(str(dtype))}, which is not supported"
    if not isinstance(shape, list) or not is_shape(shape):
        return "shape is no list of sizes"
    if not isinstance(offsets, list) or len(offsets) != 2 or not all(type(at) is int and at >= 0 for at in offsets):
        return "data_offsets are no two positions"
    start, end = offsets
    logical = _DTYPES[dtype]
    expected = element_count(tuple(shape)) * DTYPES[logical][1]
    if end - start != expected:
        return f"shape {shape} of {dtype} takes {expected} bytes, data_offsets have {end - start}"
    return _Entry(name, logical, tuple(shape), start, end)


def _check_layout(entries: list[_Entry], size: int, file: str) -> list[Problem]:
    """The tensors must cover the data exactly: no hole, no overlap, nothing after the last."""
    position, before = 0, "the header"
    for entry in sorted(entries, key=lambda entry: (entry.start, entry.end)):
        if entry.start != position:
            kind = "overlaps" if entry.start < position else "leaves a hole after"
            text = f"{entry.name} starts at byte {entry.start} of the data and {kind} {before}"
            return [Problem("E308", f"{file}: {text}")]
        position, before = entry.end, entry.name
    if position == size:
        return []
    what = "Is the file complete?" if position > size else "What follows?"
    return [Problem("E308", f"{file}: the tensors take {position} bytes, and {size} are there. {what}")]


def _check_with_library(path: Path) -> None:
    """Refuse a file that the safetensors library does not open."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(path), framework="np"):
            pass
    except (SafetensorError, OSError, ValueError) as error:
        raise file_error("E308", path.name, f"the safetensors library refuses it: {quoted(str(error), 200)}") from None
