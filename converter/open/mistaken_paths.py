"""Arguments that are no folder of the kind that is expected: mistyped, or given in the wrong order."""

from __future__ import annotations

import difflib
import os
import shlex
from pathlib import Path

from converter.open.folder import ORDER
from converter.open.nearby import holds_weights, is_lone_name
from converter.open.own_manifest import read_own_manifest


def did_you_mean(path: str | Path) -> str:
    """What to append to a sentence about a path that does not exist: the one next to it with almost the same name. ''
    if there is none."""
    folder, name = os.path.split(os.fspath(path).rstrip("/"))
    try:
        there = {other.lower(): other for other in os.listdir(folder or ".") if not other.startswith(".")}
    except OSError:
        return ""
    close = difflib.get_close_matches(name.lower(), there, n=1, cutoff=0.75)
    return f". Did you mean {os.path.join(folder, there[close[0]])}?" if close else ""


def holds_checkpoint(path: Path) -> bool:
    """Whether something of a checkpoint is at a path, by names alone: a weight file, or a folder that has one."""
    if path.is_dir():
        return not read_own_manifest(path) and holds_weights(path, ORDER)
    return path.is_file() and is_lone_name(path.name)


def describe_swapped(command: str, made: str | Path, other: str | Path) -> str:
    """What to say where OUTPUT, `made` by this tool, was given first and is expected second; '' where it was not.

    `other`: what was given second, which this tool did not make.
    """
    if not (os.path.isdir(made) and os.path.exists(other)):
        return ""
    if not read_own_manifest(Path(made)) or read_own_manifest(Path(other)):
        return ""
    right = " ".join(shlex.quote(os.fspath(path)) for path in (other, made))
    text = f"paddle2torch made {made}, and did not make {other}: are they the wrong way round?"
    return f"{text} Use: paddle2torch {command} {right}"
