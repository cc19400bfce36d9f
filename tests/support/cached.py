"""A cache on disk for what takes Paddle: checkpoints that PaddleNLP made and traces that it recorded.

An entry's name is a hash of everything that decides its content: the sources of the recorder, the pins of the
reference environment, the script, its options and the files that it reads. Nothing is ever out of date, a change
makes another entry. One process makes an entry, behind a lock, and others wait for it: the workers of one run and the
runs under both lines of transformers share them. `make clean` removes the folder.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from filelock import FileLock

ROOT = Path(__file__).resolve().parents[2]
VARIABLE = "PADDLE2TORCH_TEST_CACHE"
#: The pins of the interpreters.
PADDLE, TRANSFORMERS4 = "requirements/paddle.txt", "requirements/transformers4.txt"
#: What decides the content of a checkpoint, besides the options.
MAKER = ("tests/support/{script}", "tests/support/make_checkpoint.py", PADDLE)


def cache_folder() -> Path:
    """Where entries are kept: in the project's root, unless the environment names another folder."""
    return Path(os.environ.get(VARIABLE) or ROOT / ".test-cache")


def cached(kind: str, key: str, make: Callable[[Path], None], folder: Path | None = None) -> Path:
    """The entry for `key`; `make` gets the path of a file or folder to create where there is none yet."""
    place = (folder or cache_folder()) / kind / key
    if place.exists():
        return place
    place.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{place}.lock"):
        if not place.exists():
            with tempfile.TemporaryDirectory(dir=place.parent, prefix="making-") as folder:
                make(Path(folder) / "entry")
                os.replace(Path(folder) / "entry", place)
    return place


def hash_of(*parts: Any) -> str:
    """SHA-256 of what json.dumps makes of the parts."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


def hash_sources(paths: Iterable[str]) -> str:
    """SHA-256 of files and folders of this project, by content; one that does not exist counts as empty."""
    return hash_of(*(hash_files(ROOT / path) for path in paths))


def hash_files(path: Path) -> dict[str, str]:
    """Name below `path` -> SHA-256, for every file of a folder, or for one file."""
    if path.is_file():
        return {path.name: _hash_file(path)}
    found = sorted(file for file in path.rglob("*") if file.is_file() and "__pycache__" not in file.parts)
    return {str(file.relative_to(path)): _hash_file(file) for file in found}


def _hash_file(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def cached_script(
    run: Callable[..., None], script: str, *words: object, name: str, about: Any = None, pins: str = PADDLE
) -> Path:
    """What a script of tests/reference/ makes at the path that is its last word, a file or folder called `name`, and
    nothing else may change. `about`: what decides it besides the script and the pins of its interpreter."""

    def make(place: Path) -> None:
        place.mkdir()
        run(script, *words, place / name)

    return cached("scripts", hash_of(hash_sources(("tests/reference", pins)), script, about), make) / name


def make_cached_checkpoint(
    run: Callable[..., None],
    output: Path,
    *options: object,
    tokenizer: Path | None,
    script: str = "make_checkpoint.py",
) -> None:
    """Copy into `output` what a script of tests/support/ makes with these options; `run` runs it."""
    more = ("--tokenizer", tokenizer) if tokenizer is not None else ()
    key = hash_of(
        hash_sources(path.format(script=script) for path in MAKER),
        list(map(str, options)),
        hash_files(tokenizer) if tokenizer is not None else {},
    )
    made = cached("checkpoints", key, lambda place: run("--output", place, *options, *more))
    shutil.copytree(made, output, dirs_exist_ok=True)
