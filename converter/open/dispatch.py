"""Open a folder or a weight file of any format."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from converter.common.errors import FileError, Paddle2TorchError, Problem, SourceError
from converter.files.regular_files import HEAD_BYTES, is_file, looks_like_text, map_file, quoted, recognise
from converter.files.tensors import TensorSet
from converter.open.adapters import refuse_adapter_name, refuse_adapter_tensors
from converter.open.contents import DESCRIPTIONS, PICKLE, SAFETENSORS, STREAM, TORCH, recognise_content
from converter.open.folder import choose_weights
from converter.open.names.naming import apply_names
from converter.open.pickle.pdparams import open_pdparams
from converter.open.safetensors_file import open_safetensors
from converter.open.shards import open_index
from converter.open.static_graph.combined_params import open_combined
from converter.open.static_graph.program_files import COMBINED, PARAMS, find_weights_of, is_program
from converter.open.static_graph.variable_folder import open_variables

#: Endings of files that lie next to a model and are not the model, whatever they contain.
_NOT_WEIGHTS = (
    (".pdopt", "an optimizer's state, not a model"),
    ("training_args.bin", "a trainer's settings, not a model"),
)
#: The format that an ending promises; others promise none.
_PROMISED = {
    ".safetensors": SAFETENSORS,
    ".pdparams": PICKLE,
    PARAMS: STREAM,
    **dict.fromkeys((".bin", ".pt", ".pth", ".ckpt"), TORCH),
}
_OF_INDEX = re.compile(r".+\.(safetensors|pdparams|bin)\.index\.(.+\.)?json")


def open_weights(path: Path) -> TensorSet:
    """The tensors of a folder or of one weight file under PaddleNLP's keys. Their bytes are read on request.

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
    """The tensors of one file. Raises SourceError if they are only an adapter."""
    try:
        found = _read_file(path)
    except Paddle2TorchError as error:
        refuse_adapter_name(path.name, error)
        raise
    refuse_adapter_tensors(path.name, found)
    return found


#: Endings of weight files, which are never programs.
_WEIGHTS = (".pdparams", ".safetensors", ".pdiparams")


def _read_file(path: Path) -> TensorSet:
    """Read a file by its content or, if that is not recognised, by what its name promises."""
    name = path.name
    of_index = _OF_INDEX.fullmatch(name)
    if of_index:
        return open_index(path, _open_shard, f".{of_index[1]}")
    other = next((what for end, what in _NOT_WEIGHTS if name.endswith(end)), None)
    if other is not None:
        raise SourceError(Problem("E004", f"{_shown(path)} is {other}. {_EXPECTED}"))
    promised = _PROMISED.get(path.suffix, STREAM if name in COMBINED else "")
    content = recognise_content(path)
    if not (content or promised):
        raise SourceError(Problem("E004", f"{_shown(path)} is {_describe_foreign(path)}. {_EXPECTED}"))
    # Files of tensor streams may have any name, e.g. that of their variable.
    if content in ("", promised) or (content == STREAM and not promised):
        return _READERS[content or promised](path)
    warning = f"{_shown(path)} is {DESCRIPTIONS[content]} by its content, whatever it is called: taken as that"
    try:
        found = _READERS[content](path)
    except FileError as error:  # The reader's error is about its own format, so explain why it was chosen.
        first, *others = error.problems
        text = f"{first.text.rstrip('.')}. {warning}" if not first.text.endswith("?") else f"{first.text} {warning}"
        raise FileError(Problem(first.code, text), *others) from None
    return replace(found, warnings=(warning, *found.warnings))


_EXPECTED = "Expected a folder, a .pdparams, a .safetensors or a static graph's weights (.pdiparams, ...)"


def _open_shard(path: Path) -> TensorSet:
    """One of several shards. Names are not translated, because a shard alone does not show whose they are."""
    content = recognise_content(path) or _PROMISED[path.suffix]
    return {SAFETENSORS: open_safetensors, TORCH: _open_torch}.get(content, open_pdparams)(path)


def _open_torch(path: Path) -> TensorSet:
    from converter.open.torch.torch_file import open_torch  # zipfile is slow to import.

    return open_torch(path)


_READERS: dict[str, Callable[[Path], TensorSet]] = {
    SAFETENSORS: open_safetensors,
    TORCH: _open_torch,
    PICKLE: lambda path: apply_names(open_pdparams(path), path.name),
    STREAM: open_combined,
}


def _shown(path: Path) -> str:
    return quoted(path.name, 255)[1:-1]


def _describe_foreign(path: Path) -> str:
    """What a file that is not a weight file looks like."""
    with map_file(path) as buffer:
        head = bytes(buffer[:HEAD_BYTES])
        foreign = recognise(head, len(buffer))
    if foreign is None and looks_like_text(head):
        foreign = f"of an unknown kind, text: {quoted(head.decode('latin1'))}"
    return foreign or "of an unknown kind"
