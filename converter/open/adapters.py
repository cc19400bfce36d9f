"""Recognise adapters without their model, and refuse a file or a folder that contains nothing else."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from converter.common.errors import Paddle2TorchError, Problem, SourceError
from converter.files.regular_files import quoted
from converter.files.tensors import TensorSet
from mappings import all_families
from mappings.names.inner import load_inner

CODE = "E006"
_ADVICE = "Merge it into its base model, then convert that"
#: Error codes of an adapter file that cannot be read as weights: torch is missing, or the layout is unknown.
_UNREAD = ("E004", "E040", "E304", "E323")


def refuse_adapter_folder(folder: Path, names: Iterable[str]) -> None:
    """For a folder without weights of a model. Raises SourceError when an adapter's files lie in it."""
    found = [name for name in names if load_inner().adapter_file(name) is not None]
    if found:
        raise SourceError(_problem(str(folder), _listed(found)))


def refuse_adapter_name(name: str, error: Paddle2TorchError) -> None:
    """For a file that was not read. Raises SourceError when its name is that of an adapter's file."""
    row = load_inner().adapter_file(name)
    if row is not None and error.problems[0].code in _UNREAD:
        raise SourceError(_problem(name, f"{row.holds}, by the file's name")) from None


def refuse_adapter_tensors(name: str, found: TensorSet) -> None:
    """For a file that was read. Raises SourceError when it holds adapters and no embedding that they belong to."""
    kinds = dict.fromkeys(kind for kind in map(_kind_of_adapter, found.tensors) if kind)
    if kinds and not any(_has_embedding(tensor) for tensor in found.tensors):
        raise SourceError(_problem(name, f"{', '.join(kinds)}, by the names of its tensors"))


@lru_cache(maxsize=4096)
def _kind_of_adapter(name: str) -> str:
    """The kind of adapter that a tensor is of by its name, or ''. The same names are asked about for each family."""
    kind = load_inner().recognise(name)
    return kind.name if kind is not None and kind.adapter else ""


def _has_embedding(name: str) -> bool:
    """Whether a name contains that of a table of words."""
    return any(family.probe.split(".")[-2] in name for family in all_families())


def warn_of_adapters(names: Iterable[str]) -> list[str]:
    """For a folder with weights of a model: an adapter's files next to them are not read."""
    found = [name for name in names if load_inner().adapter_file(name) is not None]
    if not found:
        return []
    return [f"{_listed(found)}: an adapter next to the weights, which is not read: OUTPUT is the model without it"]


def _problem(name: str, what: str) -> Problem:
    return Problem(CODE, f"{quoted(name, 255)[1:-1]}: an adapter only, not a model ({what}). {_ADVICE}")


def _listed(names: list[str]) -> str:
    shown = ", ".join(quoted(name, 255)[1:-1] for name in sorted(names)[:6])
    return shown + (f" and {len(names) - 6} more" if len(names) > 6 else "")
