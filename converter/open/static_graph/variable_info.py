"""Read `.pdiparams.info`, which paddle.jit.save wrote before PIR: a pickle of variable -> structured name.

(paddle/jit/api.py, jit.save: a dict of dicts of `structured_name`, `stop_gradient` and `trainable`, protocol 2.)
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from converter.common.errors import FileError, Problem, file_error
from converter.files.regular_files import HEAD_BYTES, map_file, quoted, recognise
from converter.files.tensors import SourceFile
from converter.open.pickle.values import PickleDict, text_of
from converter.open.pickle.whole_file import load_pickle
from converter.open.static_graph.program import MOST_VARIABLES

_FIELDS = {"structured_name", "stop_gradient", "trainable"}


@dataclass(frozen=True)
class VariableInfo:
    """Variable name -> structured name (PaddleNLP's key), or None."""

    file: SourceFile
    structured: dict[str, str | None]


def read_variable_info(path: Path) -> VariableInfo:
    """Raises FileError."""
    buffer = map_file(path)
    foreign = recognise(buffer[:HEAD_BYTES], len(buffer))
    if foreign is not None:
        raise file_error("E304", path.name, f"is {foreign}")
    value, _ = load_pickle(buffer, path.name)
    if not isinstance(value, PickleDict) or not 0 < len(value.items) <= MOST_VARIABLES:
        raise file_error("E321", path.name, "is no table of variables")
    structured: dict[str, str | None] = {}
    bad: list[str] = []
    for name, entry in value.items.items():
        key = _structured_name(entry)
        if isinstance(name, str) and name and name.isprintable() and (key is None or (key and key.isprintable())):
            structured[name] = key
        else:
            bad.append(quoted(str(name), 200))
    if bad:
        text = f"{path.name}: expected a structured_name, stop_gradient and trainable for {', '.join(bad[:12])}"
        raise FileError(Problem("E321", text))
    counts = Counter(key for key in structured.values() if key is not None)
    twice = [quoted(key, 200) for key, count in counts.items() if count > 1]
    if twice:
        text = f"{path.name}: two variables have the structured name {', '.join(twice[:12])}"
        raise FileError(Problem("E321", text))
    return VariableInfo(SourceFile(path, path.name, len(buffer)), structured)


def _structured_name(entry: object) -> str | None:
    """The structured name; None where there is none, and "" where the entry is not of jit.save's form."""
    if not isinstance(entry, PickleDict) or not set(entry.items) <= _FIELDS:
        return ""
    texts = {key: text_of(value) for key, value in entry.items.items()}
    flags = all(value in (0, 1) for key, value in entry.items.items() if key != "structured_name")
    if not flags or ("structured_name" in texts and texts["structured_name"] is None):
        return ""
    return texts.get("structured_name")
