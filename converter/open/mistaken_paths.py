"""Arguments that are no folder of the kind that is expected: mistyped, or given in the wrong order."""

from __future__ import annotations

import difflib
import os
import shlex
from pathlib import Path

from converter.common.errors import Problem, SourceError, about
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


def describe_order(reason: str, command: str, *right: str | Path) -> str:
    """A sentence about arguments in the wrong order. `right`: the words of the command in the right one."""
    words = " ".join(shlex.quote(os.fspath(word)) for word in right)
    return f"{reason}: are they the wrong way round? Use: paddle2torch {command} {words}"


def check_places(command: str, source: str | Path | None, output: Path, *more: str) -> None:
    """Raise SourceError for an OUTPUT that is not there, and for SOURCE and OUTPUT in the wrong order: SOURCE is what
    this tool made, and OUTPUT is not. `more`: what follows on them in a command."""
    made = source is not None and os.path.isdir(source) and read_own_manifest(Path(source))
    if source is not None and made and output.exists() and not read_own_manifest(output):
        reason = f"paddle2torch made {source}, and did not make {output}"
        raise SourceError(Problem("E041", describe_order(reason, command, output, source, *more)))
    if not output.is_dir():
        what = "is a file, expected a folder" if output.is_file() else "there is no such folder"
        text = f"{about(str(output), what)}. OUTPUT is what paddle2torch convert made"
        raise SourceError(Problem("E405", text + ("" if output.exists() else did_you_mean(output))))
