"""The entry: a folder or a file -> its tensors, whatever the format."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from converter.errors import Problem, SourceError
from converter.open.files import is_file, quoted
from converter.open.folder import choose_weights
from converter.open.pdparams import open_pdparams
from converter.open.safetensors_file import open_safetensors
from converter.open.shards import open_index
from converter.tensors import TensorSet

#: Files that lie beside a model and are not the model.
_NOT_WEIGHTS = {
    ".pdopt": "an optimizer's state, not a model",
    ".pdmodel": "a program without weights",
    ".pdiparams": "a combined file of a static graph",
    ".bin": "a file of PyTorch or of a trainer",
    ".pth": "a file of PyTorch or a random generator's state",
}


def open_weights(path: Path) -> TensorSet:
    """The tensors of a PaddleNLP folder or of one weight file: facts now, bytes when asked for.

    Raises SourceError when there are no weights here, FileError when a file is damaged or hostile.
    """
    if os.path.isdir(path):
        choice = choose_weights(path)
        found = _open_file(choice.path)
        return replace(found, warnings=(*choice.warnings, *found.warnings)) if choice.warnings else found
    if not is_file(path):
        text = f"{path}: no such file or folder. SOURCE is a PaddleNLP folder or one weight file"
        raise SourceError(Problem("E001", text))
    return _open_file(path)


def _open_file(path: Path) -> TensorSet:
    name = path.name
    if name.endswith(".json") and ".safetensors.index." in name:
        return open_index(path, open_safetensors, ".safetensors")
    if name.endswith(".json") and ".pdparams.index." in name:
        return open_index(path, open_pdparams, ".pdparams")
    if name.endswith(".safetensors"):
        return open_safetensors(path)
    if name.endswith(".pdparams"):
        return open_pdparams(path)
    if (name.endswith(".bin") and name != "training_args.bin") or name.endswith(".bin.index.json"):
        from converter.open.torch_file import open_torch  # zipfile takes its time

        return open_torch(path) if name.endswith(".bin") else open_index(path, open_torch, ".bin")
    what = _NOT_WEIGHTS.get(path.suffix, "of an unknown kind")
    raise SourceError(
        Problem("E004", f"{quoted(name, 255)[1:-1]} is {what}. Expected a folder, a .pdparams or a .safetensors file")
    )
