"""A program in front of an interpreter, which takes from a cache what `verify` asks of it.

`verify` asks its two processes by a file: the command's last word is a request, JSON with the paths that it is about
and the path of the answer to write. The same request about files of the same content has the same answer, so the
process runs for the first; the others get a copy. A command that asks nothing, or whose process gives no answer, is
the interpreter's.

    python cached_answers.py KIND FOLDER INTERPRETER... COMMAND...
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.support.cached import cached, hash_files, hash_of, hash_sources

#: Traces outlive the run: what decides their content, besides the request and the files that it names.
RECORDER = ("verify/recorder", "verify/protocol", "verify/sentences.txt", "requirements/paddle.txt")
TRACES, RESULTS = "traces", "results"
#: Kind -> the field of the request that says where the answer goes.
ANSWERS = {TRACES: "output", RESULTS: "result"}
#: What `verify` writes into OUTPUT, and does not read.
_REPORTS = "verification"


class NoAnswerError(Exception):
    """The process ended without an answer; `status` is its exit status."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def main(kind: str, folder: str, *words: str) -> int:
    """Run the command `words`, or copy the answer that an equal request got. The exit status."""
    asked = read_request(words[-1], kind)
    if asked is None:
        return run(words)
    answer = Path(asked.pop(ANSWERS[kind]))

    def make(place: Path) -> None:
        status = run(words)
        if status != 0 or not answer.is_file():
            raise NoAnswerError(status)
        shutil.copyfile(answer, place)

    try:
        shutil.copyfile(cached(kind, key_of(kind, asked), make, Path(folder)), answer)
    except NoAnswerError as error:
        return error.status
    return 0


def read_request(word: str, kind: str) -> dict[str, Any] | None:
    """The request that a command's last word names; None if it names none, or asks for faults to be injected."""
    if not word.endswith(".json") or not os.path.isfile(word):
        return None
    asked = json.loads(Path(word).read_text(encoding="utf-8"))
    return asked if ANSWERS[kind] in asked and "faults" not in asked else None


def run(words: Sequence[str]) -> int:
    """The exit status of a command; a signal that ended it ends this process too."""
    status = subprocess.call(words)
    if status < 0:
        os.kill(os.getpid(), -status)
    return status


def key_of(kind: str, asked: dict[str, Any]) -> str:
    """A request with the content of the files in place of their paths."""
    if kind == RESULTS:
        trace, output = hash_files(Path(asked["trace"])), hash_files(Path(asked["output"]))
        kept = {name: content for name, content in output.items() if not name.startswith(f"{_REPORTS}/")}
        return hash_of(list(trace.values()), kept, sorted(set(asked) - {"trace", "output"}))
    source = Path(asked["source"])
    around = source if source.is_dir() else source.parent

    def describe(value: Any) -> Any:
        if isinstance(value, list):
            return [describe(one) for one in value]
        if isinstance(value, str) and os.path.isabs(value):
            path = Path(value)
            below = os.path.relpath(path, around)
            return [below if not below.startswith("..") else path.name, hash_files(path)]
        return value

    described = {name: describe(value) for name, value in asked.items()}
    return hash_of(hash_sources(RECORDER), hash_files(around), described)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
