"""What may come of a damaged file: a typed refusal, or the tensors that are in it. Anything else is a finding.

What is in a pickle is what Python's own unpickler finds, in safetensors what its library finds; both are asked only
where a file was accepted. After a cut or a flipped bit outside the numbers, and whatever happens to the names of a
static graph, a tensor that still has its name must have its numbers.
"""

from __future__ import annotations

import contextlib
import io
import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy

from converter.common.errors import Paddle2TorchError
from converter.files.tensors import SourceTensor
from converter.open.options import SourceOptions
from converter.open.source import open_source
from converter.plan.make_plan import make_plan
from tests.support.fuzz.damage import NO_OTHER_SOUND_FILE, Damage
from tests.support.fuzz.subjects import Subject

CLASS = "ErnieMForSequenceClassification"
REFUSED, EQUAL = "refused", "loads equal"


def judge(subject: Subject, data: bytes, damage: Damage | None, folder: Path) -> str:
    """REFUSED, EQUAL, or what is wrong. `folder` is emptied. Exceptions that are not ours come through."""
    write(subject, data, folder)
    try:
        opened = open_source(folder / subject.open, SourceOptions(architecture=CLASS))
        found = {**opened.tensors.tensors, **opened.tensors.extras}
        arrays = {name: tensor.read() for name, tensor in found.items()}
        with contextlib.suppress(Paddle2TorchError):
            make_plan(opened, "keep")
    except Paddle2TorchError as error:
        texts = [problem.text for problem in error.problems]
        ours = texts and all(text.isprintable() and len(text) < 5000 for text in texts)
        return REFUSED if ours else f"a refusal that cannot be shown: {texts!r:.300}"
    if damage is None and set(subject.expected) - set(arrays):
        return f"lost: {sorted(set(subject.expected) - set(arrays))[:3]}"
    program_damaged = subject.names_are_elsewhere and subject.kind != "stream"
    if damage is None or damage in NO_OTHER_SOUND_FILE or program_damaged:
        wrong = [name for name, array in arrays.items() if not _equals(array, subject.expected.get(name))]
        if wrong:
            return f"wrong tensor: {', '.join(wrong[:5])}"
    return _differs_from_the_library(subject, data, found, arrays) or EQUAL


def write(subject: Subject, data: bytes, folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, content in {**subject.files, subject.target: data}.items():
        (folder / name).write_bytes(content)


def _equals(array: np.ndarray, expected: np.ndarray | None) -> bool:
    """The one bit that says in which order a matrix lies leaves a sound file."""
    if expected is None:
        return True
    if (array.shape, array.dtype) != (expected.shape, expected.dtype):
        return False
    orders = [expected.ravel(kept).reshape(expected.shape, order=taken) for kept in "CF" for taken in "CF"]  # type: ignore[call-overload]
    return any(np.array_equal(array.view("u4"), order.view("u4")) for order in orders)


def _differs_from_the_library(
    subject: Subject, data: bytes, found: dict[str, SourceTensor], arrays: dict[str, np.ndarray]
) -> str:
    if subject.target.endswith(".safetensors"):
        theirs = safetensors.numpy.load(data)
    elif subject.kind == "pickle" and subject.target.endswith(".pdparams") and b"UnpackBigParamInfor@@" not in data:
        theirs = dict(_walk(Lookups(io.BytesIO(data), encoding="latin1").load()))
    else:
        return ""
    for name, array in arrays.items():
        other = theirs.get(name)
        if other is None or other.shape != array.shape or other.tobytes() != array.tobytes():
            return f"the library has another {name!r}: {found[name]!r}"
    return ""


def _walk(value: Any) -> list[tuple[str, np.ndarray]]:
    """Every array of a pickle under its last key; Paddle's pairs of a name and an array are arrays."""
    made = []
    for key, item in value.items() if isinstance(value, dict) else ():
        if isinstance(item, tuple) and len(item) == 2 and isinstance(item[1], np.ndarray):
            item = item[1]
        made += [(key, item)] if isinstance(item, np.ndarray) else _walk(item)
    return made


class Lookups(pickle.Unpickler):
    """Python's unpickler with the names that a sound file may ask for. Only in a process that may crash."""

    def find_class(self, module: str, name: str) -> Any:
        if name == "eval" and module in ("builtins", "__builtin__"):
            return lambda text, names: names["data"]
        if module.split(".")[0] in ("numpy", "collections", "_codecs") or name in ("tuple", "bytes"):
            return super().find_class(module, name)
        raise AssertionError(f"was accepted, and asks for {module}.{name}")


def judge_command(subject: Subject, data: bytes, folder: Path) -> str:
    """The whole command, in this process: exit code 0 or 2, OUTPUT complete or absent, nothing beside it."""
    from converter.cli import app

    write(subject, data, folder)
    place = folder.with_name(f"{folder.name}-output")
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir()
    said, result = io.StringIO(), io.StringIO()
    words = ["convert", str(folder / subject.open), str(place / "out"), "--architecture", CLASS]
    with contextlib.redirect_stderr(said), contextlib.redirect_stdout(result):
        try:
            app(words)
            code: Any = 0
        except SystemExit as ended:
            code = ended.code
    left = sorted(path.name for path in place.iterdir())
    if code not in (0, 2) or left != ([] if code else ["out"]):
        return f"exit code {code}, and {left} is there: {said.getvalue()[-300:]}"
    if code == 2 and (not said.getvalue().startswith(("error[E", "warning:")) or "E099" in said.getvalue()):
        return f"says {said.getvalue()[-300:]}"
    return REFUSED if code else EQUAL
