"""The entry: a folder or a file -> its tensors, whatever the format."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from converter.errors import Paddle2TorchError, Problem, SourceError
from converter.open.adapters import refuse_adapter_name, refuse_adapter_tensors
from converter.open.combined import open_combined
from converter.open.files import HEAD_BYTES, is_file, map_file, quoted
from converter.open.folder import choose_weights
from converter.open.lod_tensor import starts_as_stream
from converter.open.naming import apply_names
from converter.open.pdparams import open_pdparams
from converter.open.program_files import COMBINED, PARAMS, find_weights_of, is_program
from converter.open.safetensors_file import open_safetensors
from converter.open.shards import open_index
from converter.open.variables import open_variables
from converter.tensors import TensorSet

#: Files that lie beside a model and are not the model.
_NOT_WEIGHTS = {
    ".pdopt": "an optimizer's state, not a model",
    ".bin": "a file of PyTorch or of a trainer",
    ".pth": "a file of PyTorch or a random generator's state",
}


def open_weights(path: Path) -> TensorSet:
    """The tensors of a folder or of one weight file under PaddleNLP's keys: facts now, bytes when asked for.

    Raises SourceError when there are no weights here, FileError when a file is damaged or hostile.
    """
    if os.path.isdir(path):
        choice = choose_weights(path)
        found = open_variables(choice.path) if os.path.isdir(choice.path) else _open_file(choice.path)
        return replace(found, warnings=(*choice.warnings, *found.warnings)) if choice.warnings else found
    if not is_file(path):
        text = f"{path}: no such file or folder. SOURCE is a folder of weights or one weight file"
        raise SourceError(Problem("E001", text))
    if path.suffix not in _WEIGHTS and ".index." not in path.name and is_program(path):
        found_path = find_weights_of(path)
        return open_variables(found_path) if os.path.isdir(found_path) else _open_file(found_path)
    return _open_file(path)


def _open_file(path: Path) -> TensorSet:
    """The tensors of one file, which are more than an adapter."""
    try:
        found = _read_file(path)
    except Paddle2TorchError as error:
        refuse_adapter_name(path.name, error)
        raise
    refuse_adapter_tensors(path.name, found)
    return found


#: Endings of weight files, which need not be looked into to know that they are no programs.
_WEIGHTS = (".pdparams", ".safetensors", ".pdiparams")


def _read_file(path: Path) -> TensorSet:
    name = path.name
    if name.endswith(".json") and ".safetensors.index." in name:
        return open_index(path, open_safetensors, ".safetensors")
    if name.endswith(".json") and ".pdparams.index." in name:
        return open_index(path, open_pdparams, ".pdparams")
    if name.endswith(".safetensors"):
        return open_safetensors(path)
    if name.endswith(PARAMS) or name in COMBINED or (path.suffix not in _NOT_WEIGHTS and _is_stream(path)):
        return open_combined(path)
    if name.endswith(".pdparams"):
        return apply_names(open_pdparams(path), name)
    if (name.endswith(".bin") and name != "training_args.bin") or name.endswith(".bin.index.json"):
        from converter.open.torch_file import open_torch  # zipfile takes its time

        return open_torch(path) if name.endswith(".bin") else open_index(path, open_torch, ".bin")
    what = _NOT_WEIGHTS.get(path.suffix, "of an unknown kind")
    expected = "Expected a folder, a .pdparams, a .safetensors or a static graph's weights (.pdiparams, ...)"
    raise SourceError(Problem("E004", f"{quoted(name, 255)[1:-1]} is {what}. {expected}"))


def _is_stream(path: Path) -> bool:
    """Whether a file begins as a tensor of a static graph, whatever its name; zeros alone are a broken download."""
    with map_file(path) as buffer:
        head = bytes(buffer[:HEAD_BYTES])
    return any(head) and starts_as_stream(head)
