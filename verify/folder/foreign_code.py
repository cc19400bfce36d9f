"""Code in OUTPUT that is not this tool's own. What a model computes can be compared; what code does besides, or only
while nobody looks, cannot be found by running it. So all of it is named, and code from outside OUTPUT is refused."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from converter.common.errors import Problem
from converter.common.layout import MANIFEST
from converter.files.hashing import sha256_of
from verify.folder.check_manifest import OWN_CODE
from verify.folder.json_objects import MOST_BYTES
from verify.results.layout import FOLDER

#: What Python imports, or runs in place of a source file.
CODE_SUFFIXES = (".py", ".pyw", ".pyc", ".pyo", ".pyd", ".so")
_MODULES = "modules.json"
#: Files in which transformers or sentence-transformers look for the names of classes.
NAMING_FILES = (
    "config.json",
    "tokenizer_config.json",
    "generation_config.json",
    "processor_config.json",
    "preprocessor_config.json",
    "video_preprocessor_config.json",
    _MODULES,
    "config_sentence_transformers.json",
)
#: Fields of those files whose texts are classes: `file.Class`, or `owner/repository--file.Class`.
_NAMING_FIELDS = ("auto_map", "custom_pipelines")
_ANOTHER = "another repository"
_OF_A_FILE = re.compile(r"(\w+)\.\w+")
#: Under these names a loader finds another model, which it loads in place of OUTPUT.
LEADING_ELSEWHERE = {
    "adapter_config.json": "with PEFT installed from_pretrained loads the model that it names, with an adapter"
}


def find_foreign(output: Path) -> dict[str, str]:
    """Name and sha256 of each code file in OUTPUT whose bytes are not those of this tool's file of that name."""
    found = {}
    for name, path in find_code(output):
        digest, own = sha256_of(path), OWN_CODE / name
        if "/" in name or not own.is_file() or sha256_of(own) != digest:
            found[name] = digest
    return found


def find_code(output: Path) -> list[tuple[str, Path]]:
    """Every code file in OUTPUT and below, in the order of names. What is in folders with a name that begins with a dot
    nobody loads."""
    return sorted((name, path) for name, path in _walk(output) if is_code(name) and path.is_file())


def is_code(name: str) -> bool:
    """Whether a file of this name is code."""
    return PurePosixPath(name).suffix.lower() in CODE_SUFFIXES


def _walk(output: Path) -> Iterator[tuple[str, Path]]:
    """Files below OUTPUT, and links to folders, which are not entered; with their names from OUTPUT on."""
    for folder, folders, files in os.walk(output):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in [*files, *(name for name in folders if os.path.islink(os.path.join(folder, name)))]:
            path = Path(folder) / name
            yield path.relative_to(output).as_posix(), path


def check_code_files(output: Path, manifest: Mapping[str, Any] | None) -> list[Problem]:
    """Code that the manifest does not know, folders elsewhere, and files that lead a loader to another model."""
    known: Collection[str] = manifest["files"] if manifest is not None else ()
    there = [name for name, _ in find_code(output) if manifest is not None and name not in known]
    problems = [
        Problem("E411", f"{name}: code that {MANIFEST} does not know, so convert did not write it. Remove it")
        for name in there
    ]
    problems += [
        Problem("E411", f"{name} is a link to a folder elsewhere, where code could change. Put the folder in its place")
        for name, path in _walk(output)
        if path.is_dir() and name != FOLDER
    ]
    return problems + check_leading_files(output)


def check_leading_files(output: Path) -> list[Problem]:
    """Files that lead a loader to another model."""
    return [
        Problem("E414", f"{name}: {why}. Remove it, or convert again")
        for name, why in LEADING_ELSEWHERE.items()
        if os.path.lexists(output / name)
    ]


def check_named_code(
    output: Path, manifest: Mapping[str, Any] | None, judged: Mapping[str, Collection[str]]
) -> tuple[list[Problem], list[str]]:
    """Every class that a file of OUTPUT names must be in a code file of OUTPUT that the manifest knows. `judged`: for
    each file the entries of its auto_map that another check compares with what is expected. Entries that `convert`
    does not write and that name OUTPUT's own code are a warning."""
    problems, warnings = [], []
    for file in NAMING_FILES:
        for place, text in _texts(_read_pairs(output / file)):
            field = next((key for key in place if key in _NAMING_FIELDS), "")
            entry = place[-1] if place else ""
            if place in {("auto_map", auto) for auto in judged.get(file, ())}:
                continue
            named = f"{field}'s {entry:.60}" if field else f"{entry:.60}"
            reason = _where_else(text, output, manifest) if field else _of_a_module(file, text)
            if reason:
                said = f"{file}: {named} is {text!r:.120}: it names code of {reason}"
                problems.append(Problem("E411", f"{said}. Nothing in OUTPUT may name code that is not in OUTPUT"))
            elif field:
                warnings.append(f"{file}: {named} is {text!r:.80}, which convert does not write")
    return problems, warnings


def _of_a_module(file: str, text: str) -> str:
    """sentence-transformers takes the classes of its modules from other repositories too."""
    return _ANOTHER if file == _MODULES and "--" in text else ""


def _where_else(text: str, output: Path, manifest: Mapping[str, Any] | None) -> str:
    """What the class is of, if not of a file of OUTPUT that the manifest knows."""
    if "--" in text:
        return _ANOTHER
    match = _OF_A_FILE.fullmatch(text)
    if match is None:
        return "no file of OUTPUT"
    name = f"{match[1]}.py"
    if not (output / name).is_file():
        return f"{name}, which is not in OUTPUT"
    known = manifest is None or name in manifest["files"]
    return "" if known else f"{name}, which {MANIFEST} does not know"


def _read_pairs(path: Path) -> Any:
    """A JSON file with objects as lists of pairs, so that no key hides another. None for what is no JSON: then no
    loader finds anything in it, or another check names it."""
    try:
        if not path.is_file() or path.stat().st_size > MOST_BYTES:
            return None
        return json.loads(path.read_bytes().decode("utf-8-sig"), object_pairs_hook=_Pairs)
    except (OSError, ValueError, RecursionError):
        return None


class _Pairs(tuple):  # type: ignore[type-arg]
    """The pairs of an object, in the order of the file."""


def _texts(data: Any) -> Iterator[tuple[tuple[str, ...], str]]:
    """Every text in a parsed file, with the keys that lead to it, in the order of the file."""
    left: list[tuple[tuple[str, ...], Any]] = [((), data)]
    while left:
        place, value = left.pop()
        if isinstance(value, str):
            yield place, value
        elif isinstance(value, _Pairs):
            left += [((*place, key), item) for key, item in reversed(value)]
        elif isinstance(value, list):
            left += [(place, item) for item in reversed(value)]
