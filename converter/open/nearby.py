"""Find weights to propose when there are none in the usual place: other file names, folders further down."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from converter.common.errors import Paddle2TorchError
from converter.open.contents import recognise_content
from converter.open.static_graph.program_files import COMBINED, PARAMS
from converter.open.static_graph.variable_folder import holds_variables, list_folder

_ENDS = (".pdparams", ".safetensors", ".bin", ".pt", ".pth", ".ckpt")
#: Names of files that are not a whole model: what trainers write next to one, shards, adapters.
_NO_MODEL = re.compile(
    r"(scheduler|optimizer|scaler|rng_state|training_args|lora|prefix|vera|adapter)([._-].*)?|.*-\d{5}-of-\d{5}\..*"
)
#: Limits of the search: levels, folders, names in a folder.
_DEPTH, _MOST_FOLDERS, _MOST_NAMES = 2, 200, 2_000


def list_lone(folder: Path) -> list[str]:
    """Files that may be a whole model under another name; proposed, not used. Raises SourceError."""
    names = [name for name in list_folder(folder, 1_000_000) if is_lone_name(name)]
    return [
        name for name in names[:_MOST_FOLDERS] if os.path.isfile(folder / name) and recognise_content(folder / name)
    ]


def is_lone_name(name: str) -> bool:
    return name.endswith(_ENDS) and not _NO_MODEL.fullmatch(name)


def find_below(folder: Path, known: Sequence[str]) -> list[str]:
    """Folders up to two levels down that hold weights by the names of their files, nearest first. `known` are names of
    weight files."""
    found: list[str] = []
    level = [""]
    left = _MOST_FOLDERS
    for _ in range(_DEPTH):
        deeper: list[str] = []
        for place in level:
            for name in _folders_in(folder / place):
                left -= 1
                if left < 0:
                    return found
                path = f"{place}/{name}" if place else name
                (found if holds_weights(folder / path, known) else deeper).append(path)
        level = deeper
    return found


def holds_weights(folder: Path, known: Sequence[str]) -> bool:
    """Whether a folder has files with the names of weights; none of them is opened."""
    names = _names_in(folder)
    if any(name in known or name.endswith(PARAMS) or is_lone_name(name) for name in names) or holds_variables(names):
        return True
    inside = [name for name in names if name in COMBINED]
    return any(not os.path.isdir(folder / name) or holds_variables(_names_in(folder / name)) for name in inside)


def _names_in(folder: Path) -> list[str]:
    try:
        return list_folder(folder, _MOST_NAMES)
    except Paddle2TorchError:  # Not readable, or too many names: nothing to propose.
        return []


def _folders_in(folder: Path) -> Iterator[str]:
    return (name for name in _names_in(folder) if name.isprintable() and os.path.isdir(folder / name))
