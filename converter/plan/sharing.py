"""What one array of a file makes many times over: a name costs the file a few bytes, and OUTPUT all of a tensor's."""

from __future__ import annotations

from collections.abc import Iterable

from converter.common.errors import Problem
from converter.files.tensors import SourceTensor

#: A tied weight is there twice. Below so many bytes it does not matter.
_MOST_TIMES = 4
_FREE_BYTES = 64 << 20


def check_sharing(tensors: Iterable[SourceTensor], file: str) -> list[Problem]:
    """A problem where the tensors take many times the bytes that the files hold for them."""
    places = sorted(run.place for tensor in tensors for run in tensor.runs)
    taken = sum(end - start for _, start, end in places)
    distinct, before, reached = 0, "", 0
    for owner, start, end in places:
        reached = reached if owner == before else 0
        distinct += max(0, end - max(start, reached))
        before, reached = owner, max(reached, end)
    if taken <= _MOST_TIMES * distinct + _FREE_BYTES:
        return []
    text = f"{file}: {distinct:,} bytes stand under so many names that OUTPUT would take {taken:,}"
    return [Problem("E314", f"{text}. No checkpoint has its layers in common: is the file what it should be?")]
