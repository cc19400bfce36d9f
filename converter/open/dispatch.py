"""Open a folder or a weight file of any format."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from converter.common.errors import FileError, NamesError, Paddle2TorchError, Problem, SourceError
from converter.files.regular_files import HEAD_BYTES, is_file, looks_like_text, map_file, quoted, recognise
from converter.files.tensors import TensorSet
from converter.open.adapters import refuse_adapter_name, refuse_adapter_tensors
from converter.open.contents import DESCRIPTIONS, PICKLE, SAFETENSORS, STREAM, TORCH, recognise_content
from converter.open.folder import choose_weights
from converter.open.names.foreign_names import take_foreign_names
from converter.open.names.naming import apply_names
from converter.open.pickle.pdparams import open_pdparams
from converter.open.safetensors_file import open_safetensors
from converter.open.shards import open_index
from converter.open.static_graph.combined_params import open_combined
from converter.open.static_graph.program_files import COMBINED, PARAMS, find_weights_of, is_program
from converter.open.static_graph.variable_folder import open_variables
from mappings import Family, Scheme, Table, all_families, load_family, matches_row
from mappings.tensors.expand import row_names

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
#: How well a family fits.
_Rank = tuple[float, int]
_OF_INDEX = re.compile(r".+\.(safetensors|pdparams|bin)\.index\.(.+\.)?json")


def open_weights(path: Path, families: Sequence[Family] = ()) -> TensorSet:
    """The tensors of a folder or of one weight file under PaddleNLP's keys: facts now, bytes when asked for.

    `families`: those that the checkpoint may be of (none: any). Of several it is the one of which the fewest names are
    missing, and then the one that knows most: its reading is taken, or its reason to refuse the names. Of several that
    fit as well, the first, with a warning. Raises SourceError when there are no weights here, FileError when a file is
    damaged or hostile.
    """
    families = families or all_families()
    found: list[tuple[_Rank, TensorSet]] = []
    errors: list[tuple[_Rank, Paddle2TorchError]] = []
    for family in families:
        try:
            opened = take_foreign_names(_open(path, family), family, is_known=len(families) == 1)
            tensors = replace(opened, family=family.name)
        except Paddle2TorchError as error:
            # What is wrong whatever the names are is the file's, and no family reads it.
            if errors and str(error) == str(errors[0][1]) and not isinstance(error, NamesError):
                break
            errors.append((_rank_error(error), _without_frames(error)))
        else:
            found.append((_rank(tensors, family) if len(families) > 1 else (0, 0), tensors))
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


def _rank(found: TensorSet, family: Family) -> _Rank:
    """How many names of an encoder of the family are missing, and how many it knows, negative: lowest is best. A family
    may have every name of another and more."""
    schemes = [(table, scheme) for table in family.tables.values() for scheme in table.schemes]
    known = sum(any(matches_row(name, table, scheme) for table, scheme in schemes) for name in found.tensors)
    identity = found.naming == "transformers"
    of_kind = [(table, scheme) for table, scheme in schemes if scheme.identity == identity]
    return min(_count_missing(found, table, scheme) for table, scheme in of_kind), -known


def _rank_error(error: Paddle2TorchError) -> _Rank:
    """The same of a family that refuses the names; last, but before one that knows none, what else is wrong."""
    return (error.lacking, -error.known) if isinstance(error, NamesError) else (math.inf, -1)


def _count_missing(found: TensorSet, table: Table, scheme: Scheme) -> int:
    """How many names of the encoder, of its layers the first, a class of this scheme needs and the file has not."""
    rows = [row for row in table.backbone if not (row.drop or row.optional or row.same_as)]
    pairs = [pair for row in rows for pair in row_names(row, 1)]
    needed = [name for source, targets in pairs for name in (targets if scheme.identity else (source,))]
    return sum(scheme.prefix + name not in found.tensors for name in needed)


def _open(path: Path, family: Family) -> TensorSet:
    if os.path.isdir(path):
        choice = choose_weights(path)
        found = open_variables(choice.path, family) if os.path.isdir(choice.path) else _open_file(choice.path, family)
        return replace(found, warnings=(*choice.warnings, *found.warnings)) if choice.warnings else found
    if not is_file(path):
        text = f"{path}: no such file or folder. SOURCE is a folder of weights or one weight file"
        raise SourceError(Problem("E001", text))
    if path.suffix not in _WEIGHTS and ".index." not in path.name and is_program(path):
        found_path = find_weights_of(path)
        is_folder = os.path.isdir(found_path)
        return open_variables(found_path, family) if is_folder else _open_file(found_path, family)
    return _open_file(path, family)


def _open_file(path: Path, family: Family) -> TensorSet:
    """The tensors of one file, which are more than an adapter."""
    try:
        found = _read_file(path, family)
    except Paddle2TorchError as error:
        refuse_adapter_name(path.name, error)
        raise
    refuse_adapter_tensors(path.name, found)
    return found


#: Endings of weight files, which are never programs.
_WEIGHTS = (".pdparams", ".safetensors", ".pdiparams")


def _read_file(path: Path, family: Family) -> TensorSet:
    """A file is what its content is; where that is not recognised, what its name promises, and a reader's error."""
    name = path.name
    of_index = _OF_INDEX.fullmatch(name)
    if of_index:
        return open_index(path, lambda shard: _open_shard(shard, family), f".{of_index[1]}")
    other = next((what for end, what in _NOT_WEIGHTS if name.endswith(end)), None)
    if other is not None:
        raise SourceError(Problem("E004", f"{_shown(path)} is {other}. {_EXPECTED}"))
    promised = _PROMISED.get(path.suffix, STREAM if name in COMBINED else "")
    content = recognise_content(path)
    if not (content or promised):
        raise SourceError(Problem("E004", f"{_shown(path)} is {_describe_foreign(path)}. {_EXPECTED}"))
    # Files of tensor streams may have any name, e.g. that of their variable.
    if content in ("", promised) or (content == STREAM and not promised):
        return _READERS[content or promised](path, family)
    warning = f"{_shown(path)} is {DESCRIPTIONS[content]} by its content, whatever it is called: taken as that"
    try:
        found = _READERS[content](path, family)
    except FileError as error:  # The reader's message names its own kind of file: add why it was chosen.
        first, *others = error.problems
        text = f"{first.text.rstrip('.')}. {warning}" if not first.text.endswith("?") else f"{first.text} {warning}"
        raise FileError(Problem(first.code, text), *others) from None
    return replace(found, warnings=(warning, *found.warnings))


_EXPECTED = "Expected a folder, a .pdparams, a .safetensors or a static graph's weights (.pdiparams, ...)"


def _open_shard(path: Path, family: Family) -> TensorSet:
    """One file of several. Names are not translated: a shard alone does not show which they are."""
    content = recognise_content(path) or _PROMISED.get(path.suffix, "")
    if content == SAFETENSORS:
        return open_safetensors(path, family)
    return _open_torch(path, family) if content == TORCH else open_pdparams(path)


def _open_torch(path: Path, _family: Family) -> TensorSet:
    from converter.open.torch.torch_file import open_torch  # zipfile takes its time

    return open_torch(path)


_READERS: dict[str, Callable[[Path, Family], TensorSet]] = {
    SAFETENSORS: open_safetensors,
    TORCH: _open_torch,
    PICKLE: lambda path, family: apply_names(open_pdparams(path), path.name, family),
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
