"""Files of answers: what one side gave for a job."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from converter.common.errors import Problem, ReferenceFailure
from converter.files.hashing import sha256_of
from evaluation.options import Options
from mappings.registry import find_class
from verify.protocol.checked_file import read_checked
from verify.protocol.evaluation_job import ANSWERS, ANSWERS_FORMAT, Job, names_of

if TYPE_CHECKING:
    import numpy as np

    from converter.open.source import Source

_FIELDS = {"how": list, "files": list, "environment": dict, "config": dict, "precision": str, "architecture": str}


@dataclass(frozen=True)
class Answers:
    """The head of a file, and its arrays in the order of the job."""

    path: Path
    head: Mapping[str, Any]
    arrays: Mapping[str, np.ndarray]


def read_answers(path: Path, job: Job | None = None) -> Answers:
    """Read a file of answers; with `job`, those to this one. Raises ReferenceFailure."""
    if not path.is_file():
        raise ReferenceFailure(Problem("E604", f"{path}: no such file of answers"))
    try:
        head, arrays = read_checked(str(path), ANSWERS)
    except (ValueError, OSError, KeyError, TypeError) as error:
        reason = f"{path.name} is not what `evaluate --record` writes: {error}"
        raise ReferenceFailure(Problem("E604", reason)) from error
    if job is None:
        return Answers(path, head, arrays)
    if head["job"] != job.digest() or not set(arrays) >= set(names_of(job)):
        text = f"{path.name} has the answers to other texts, tokens or settings than these. Record it again"
        raise ReferenceFailure(Problem("E605", text))
    return Answers(path, head, {name: arrays[name] for name in names_of(job)})


def check_answers(kept: Answers, job: Job, options: Options, opened: Source | None) -> None:
    """Raise ReferenceFailure unless these are Paddle's answers in the same precision, and SOURCE's."""
    head, name = kept.head, kept.path.name
    wrong = [field for field, kind in _FIELDS.items() if not isinstance(head.get(field), kind)]
    if head.get("format") != ANSWERS_FORMAT or wrong or find_class(head["architecture"]) is None:
        raise ReferenceFailure(Problem("E604", f"{name} is not what `evaluate --record` of this version writes"))
    if head["precision"] != options.precision:
        text = f"{name} was recorded in {head['precision']}: --precision {head['precision']} compares with it"
        raise ReferenceFailure(Problem("E605", text))
    if opened is not None:
        files = [file.path for file in opened.tensors.files if file.path.suffix != ".json"]
        if sorted(map(sha256_of, files)) != sorted(file["sha256"] for file in head["files"]):
            raise ReferenceFailure(Problem("E605", f"{name} was recorded from another checkpoint than SOURCE"))
