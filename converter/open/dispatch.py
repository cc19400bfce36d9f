"""Open a folder or a weight file of any format."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

from converter.common.errors import FileError, NamesError, Paddle2TorchError, Problem, SourceError
from converter.files.regular_files import HEAD_BYTES, is_file, looks_like_text, map_file, quoted, recognise
from converter.files.tensors import TensorSet
from converter.open.adapters import refuse_adapter_name, refuse_adapter_tensors
from converter.open.contents import DESCRIPTIONS, PICKLE, SAFETENSORS, STREAM, TORCH, recognise_content
from converter.open.family_rank import Rank, rank_error, rank_tensors
from converter.open.folder import choose_weights
from converter.open.names.foreign_names import take_foreign_names
from converter.open.names.naming import ReadTensors, apply_names
from converter.open.pickle.pdparams import open_pdparams
from converter.open.safetensors_file import open_safetensors
from converter.open.shards import open_index
from converter.open.static_graph.combined_params import read_combined
from converter.open.static_graph.program_files import COMBINED, PARAMS, find_weights_of, is_program
from converter.open.static_graph.variable_folder import read_variables
from mappings import Family, all_families, load_family

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


def open_weights(path: Path, families: Sequence[Family] = ()) -> TensorSet:
    """The tensors of a folder or of one weight file under PaddleNLP's keys: facts now, bytes when asked for.

    `families`: those that the checkpoint may be of (none: any). Of several it is the one of which the fewest names are
    missing, and then the one that knows most: its reading is taken, or its reason to refuse the names. Of several that
    fit as well, the first, with a warning. Raises SourceError when there are no weights here, FileError when a file is
    damaged or hostile.
    """
    families = families or all_families()
    read = _read(path)
    found: list[tuple[Rank, TensorSet]] = []
    errors: list[tuple[Rank, Paddle2TorchError]] = []
    for family in families:
        try:
            opened = take_foreign_names(read(family), family, is_known=len(families) == 1)
            tensors = replace(opened, family=family.name)
        except Paddle2TorchError as error:
            # What is wrong whatever the names are is the file's, and no family reads it.
            if errors and str(error) == str(errors[0][1]) and not isinstance(error, NamesError):
                break
            errors.append((rank_error(error), _without_frames(error)))
        else:
            found.append((rank_tensors(tensors, family) if len(families) > 1 else (0, 0), tensors))
    best = min(rank for rank, _ in (*found, *errors))
    chosen = [tensors for rank, tensors in found if rank == best]
    if not chosen:
        raise next(error for rank, error in errors if rank == best)
    first, *others = chosen
    if not others:
        return first
    titles = [load_family(tensors.family).title for tensors in (first, *others)]
    text = (
        f"the names are those of {', '.join(titles[:-1])} and {titles[-1]} alike, and no config says which: "
        f"{titles[0]} is taken. --family NAME takes another ({', '.join(tensors.family for tensors in others)})"
    )
    return replace(first, warnings=(*first.warnings, text))


def open_whatever_names(path: Path) -> TensorSet:
    """The tensors of a folder or of a weight file of any model, by the names that the file has. A static graph, whose
    tensors are found by their names, raises FileError."""
    chosen = choose_weights(path).path if os.path.isdir(path) else path
    of_index, family = _OF_INDEX.fullmatch(chosen.name), all_families()[0]
    if of_index:
        return open_index(chosen, lambda shard: _open_shard(shard, family), f".{of_index[1]}")
    return _open_shard(chosen, family)


def _without_frames(error: Paddle2TorchError) -> Paddle2TorchError:
    """The error without its frames: they hold what was read, and a hostile file would be in memory once per family."""
    link: BaseException | None = error
    while link is not None:
        link.__traceback__, link = None, link.__cause__ or link.__context__
    return error


def _read(path: Path) -> ReadTensors:
    """Read once what is the same for every family."""
    if os.path.isdir(path):
        choice = choose_weights(path)
        read = read_variables(choice.path) if os.path.isdir(choice.path) else _read_model_file(choice.path)
        return _with_warnings(read, choice.warnings)
    if not is_file(path):
        text = f"{path}: no such file or folder. SOURCE is a folder of weights or one weight file"
        raise SourceError(Problem("E001", text))
    if path.suffix not in _WEIGHTS and ".index." not in path.name and is_program(path):
        found_path = find_weights_of(path)
        return read_variables(found_path) if os.path.isdir(found_path) else _read_model_file(found_path)
    return _read_model_file(path)


def _with_warnings(read: ReadTensors, warnings: tuple[str, ...]) -> ReadTensors:
    """The same with these warnings in front of the others."""

    def name(family: Family) -> TensorSet:
        found = read(family)
        return replace(found, warnings=(*warnings, *found.warnings))

    return name if warnings else read


def _read_model_file(path: Path) -> ReadTensors:
    """The tensors of one file, which are more than an adapter."""
    with _naming_adapters(path):
        read = _read_file(path)

    def name(family: Family) -> TensorSet:
        with _naming_adapters(path):
            found = read(family)
        refuse_adapter_tensors(path.name, found)
        return found

    return name


@contextmanager
def _naming_adapters(path: Path) -> Iterator[None]:
    """What is refused inside is refused as an adapter, where the file has the name of one."""
    try:
        yield
    except Paddle2TorchError as error:
        refuse_adapter_name(path.name, error)
        raise


#: Endings of weight files, which are never programs.
_WEIGHTS = (".pdparams", ".safetensors", ".pdiparams")


def _read_file(path: Path) -> ReadTensors:
    """A file is what its content is; where that is not recognised, what its name promises, and a reader's error."""
    name = path.name
    of_index = _OF_INDEX.fullmatch(name)
    if of_index:
        return lambda family: open_index(path, lambda shard: _open_shard(shard, family), f".{of_index[1]}")
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
        read = _READERS[content](path)
    except FileError as error:
        raise _also_why(error, warning) from None

    def name_or_explain(family: Family) -> TensorSet:
        try:
            return read(family)
        except FileError as error:
            raise _also_why(error, warning) from None

    return _with_warnings(name_or_explain, (warning,))


def _also_why(error: FileError, warning: str) -> FileError:
    """A reader's message names its own kind of file: the error with the reason why that reader was chosen."""
    first, *others = error.problems
    text = f"{first.text.rstrip('.')}. {warning}" if not first.text.endswith("?") else f"{first.text} {warning}"
    return FileError(Problem(first.code, text), *others)


_EXPECTED = "Expected a folder, a .pdparams, a .safetensors or a static graph's weights (.pdiparams, ...)"


def _open_shard(path: Path, family: Family) -> TensorSet:
    """One file of several. Names are not translated: a shard alone does not show which they are."""
    content = recognise_content(path) or _PROMISED.get(path.suffix, "")
    if content == SAFETENSORS:
        return open_safetensors(path, family)
    return _open_torch(path) if content == TORCH else open_pdparams(path)


def _open_torch(path: Path) -> TensorSet:
    from converter.open.torch.torch_file import open_torch  # zipfile takes its time

    return open_torch(path)


def _read_pickle(path: Path) -> ReadTensors:
    found = open_pdparams(path)
    return lambda family: apply_names(found, path.name, family)


def _read_torch(path: Path) -> ReadTensors:
    found = _open_torch(path)
    return lambda _: found


_READERS: dict[str, Callable[[Path], ReadTensors]] = {
    SAFETENSORS: lambda path: partial(open_safetensors, path),
    TORCH: _read_torch,
    PICKLE: _read_pickle,
    STREAM: read_combined,
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
