"""Read weights in several files. An index maps tensors to files, and the files must agree with it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Callable

from converter.common.errors import FileError, Problem, about, file_error, fold_names
from converter.files.json_files import read_json
from converter.files.regular_files import is_file, quoted, unsafe_name
from converter.files.tensors import SourceFile, SourceTensor, TensorSet
from converter.open.bounds import NameCount, check_names_bounded

_MOST_SHARDS = 1000
_MOST_PROBLEMS = 40


def open_index(path: Path, open_shard: Callable[[Path], TensorSet], suffix: str) -> TensorSet:
    """The tensors of all files that an index names. Raises FileError with every problem found."""
    index, warnings = read_json(path)
    places = _read_places(index, path.name, suffix)
    check_names_bounded(places, path.name)
    _check_present(path.parent, places, path.name)
    parts: dict[str, TensorSet] = {}
    problems: list[Problem] = []
    count = NameCount(path.name)
    for shard in dict.fromkeys(places.values()):
        try:
            parts[shard] = open_shard(path.parent / shard)
        except FileError as error:
            problems += error.problems
        # After each file, because a thousand links to one large file are a thousand files.
        count.add(parts[shard].tensors if shard in parts else ())
        if len(problems) > _MOST_PROBLEMS:
            raise FileError(*problems[:_MOST_PROBLEMS])
    problems += _compare(places, parts, path.name)
    if problems:
        raise FileError(*problems)
    tensors = {name: parts[shard].tensors[name] for name, shard in places.items()}
    warnings = (*warnings, *_check_total(index, tensors, path.name), *_find_unnamed(path, parts))
    return _join(path, parts, tensors, warnings)


def _read_places(index: dict[str, Any], file: str, suffix: str) -> dict[str, str]:
    """Tensor name -> file name, every file name safe to open inside the folder."""
    places = index.get("weight_map")
    if not isinstance(places, dict) or not places:
        raise file_error("E309", file, "weight_map is missing, empty or no table. Is it an index of weights?")
    wrong = [name for name, shard in places.items() if not isinstance(shard, str)]
    if wrong:
        raise file_error("E309", file, f"weight_map gives no file name for {quoted(wrong[0], 200)}")
    odd = [name for name in places if not name or not name.isprintable()]
    if odd:
        raise file_error("E309", file, f"weight_map names a tensor {quoted(odd[0], 200)}, expected a printable name")
    shards = list(dict.fromkeys(places.values()))
    problems = []
    for shard in shards:
        reason = unsafe_name(shard)
        if reason is None and not shard.endswith(suffix):
            reason = f"is no {suffix} file"
        if reason:
            problems.append(Problem("E311", f"{file} names the file {quoted(shard, 120)}, which {reason}"))
    folded: dict[str, str] = {}
    for shard in shards:
        other = folded.setdefault(shard.casefold(), shard)
        if other != shard:
            text = (
                f"{file} names the files {quoted(other, 120)} and {quoted(shard, 120)}, which are one on some systems"
            )
            problems.append(Problem("E313", f"{text}. Which one is the model's?"))
    if len(shards) > _MOST_SHARDS:
        problems.append(Problem("E309", f"{file} names {len(shards)} files, expected at most {_MOST_SHARDS}"))
    if problems:
        raise FileError(*problems[:20])
    return places


def _check_present(folder: Path, places: dict[str, str], file: str) -> None:
    shards = list(dict.fromkeys(places.values()))
    missing = [shard for shard in shards if not is_file(folder / shard)]
    if missing:
        more = f" and {len(missing) - 20} more" if len(missing) > 20 else ""
        names = ", ".join(missing[:20]) + more
        reason = f"{len(missing)} of {len(shards)} files that it names are not there: {names}"
        raise file_error("E309", file, f"{reason}. Is the download complete?")


def _compare(places: dict[str, str], parts: dict[str, TensorSet], file: str) -> list[Problem]:
    """The differences between the index and the files that could be opened."""
    problems: list[Problem] = []
    by_shard: dict[str, list[str]] = {}
    for name, place in places.items():
        by_shard.setdefault(place, []).append(name)
    for shard, part in parts.items():
        named = by_shard[shard]
        lost = [name for name in named if name not in part.tensors]
        if lost:
            text = f"names tensors that are not in {shard}: {fold_names(sorted(lost))}"
            problems.append(Problem("E309", about(file, text)))
        for name in part.tensors:
            if places.get(name) != shard:
                where = f"the index has it in {places[name]}" if name in places else "the index does not name it"
                problems.append(Problem("E309", f"{shard} holds {quoted(name, 200)}; {where}"))
        if len(problems) > _MOST_PROBLEMS:
            break
    return problems[:_MOST_PROBLEMS]


def _find_unnamed(path: Path, parts: Mapping[str, object]) -> list[str]:
    """A warning about files with names like this index's shards that it does not list."""
    form = re.compile(
        re.escape(path.name.split(".")[0]) + r"-\d{5}-of-\d{5}" + re.escape(Path(next(iter(parts))).suffix)
    )
    names = sorted(name for name in os.listdir(path.parent) if form.fullmatch(name) and name not in parts)
    shown = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
    return [f"{shown}: not read, for {path.name} does not name it. Is the index this checkpoint's?"] if names else []


def _check_total(index: dict[str, Any], tensors: dict[str, SourceTensor], file: str) -> list[str]:
    metadata = index.get("metadata")
    total = metadata.get("total_size") if isinstance(metadata, dict) else None
    if total is None:
        return [f"{file} has no metadata with the total size, so it was not compared"]
    found = sum(tensor.size for tensor in tensors.values())
    return [] if total == found else [f"{file} gives a total size of {total!r:.40} bytes, the tensors have {found}"]


def _join(
    path: Path, parts: dict[str, TensorSet], tensors: dict[str, SourceTensor], warnings: tuple[str, ...]
) -> TensorSet:
    files = [SourceFile(path, path.name, path.stat().st_size)]
    writers: dict[str, None] = {}
    for part in parts.values():
        files += part.files
        warnings = (*warnings, *part.warnings)
        writers[part.writer] = None
    kind = next(iter(parts.values())).format
    # One shard may hold names that every layout has.
    naming = next((part.naming for part in parts.values() if part.naming != "structured"), "structured")
    writer = ", ".join(writers)
    others = tuple(name for part in parts.values() for name in part.not_tensors)
    return TensorSet(
        f"{kind} in {len(parts)} files", tensors, tuple(files), warnings, writer, naming, not_tensors=others
    )
