"""The way back: a converted folder, or one fine-tuned in PyTorch, becomes a PaddleNLP folder. Open, plan, write."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from converter.common.arguments import as_path
from converter.common.errors import OutputError, Problem, SourceError
from converter.common.layout import BACK_MANIFEST, PDPARAMS_FILE
from converter.common.progress import ByteProgress, OnProgress, in_bytes, listen, log_warnings
from converter.conversion import source_files
from converter.files.source_hasher import SourceHasher
from converter.files.tensors import element_count
from converter.open.converted import ConvertedFolder, open_converted
from converter.open.mistaken_paths import describe_order
from converter.open.own_manifest import read_own_manifest
from converter.open.places import naming_paths, warnings_with_paths
from converter.plan.make_back_plan import BackPlan, make_back_plan
from converter.write.check_copies import check_copies
from converter.write.paddle.output import write_paddle_companions
from converter.write.paddle.pdparams import write_pdparams
from converter.write.paddle.tokenizer_files import other_tokenizer_rules
from converter.write.paddle.zeroed_rows import warn_of_zeroed_rows
from converter.write.shards import target_bytes
from converter.write.staging import check_output, clear_leftovers, staged

_COMPANION_BYTES = 16 << 20


@dataclass(frozen=True)
class BackConversion:
    """What was written, or would have been with `dry_run`.

    - folder: the PaddleNLP folder.
    - written: whether it was written.
    - source_class: the model's class in PyTorch.
    - target_class: its class in PaddleNLP.
    - tensors: how many tensors it has.
    - parameters: how many numbers.
    - bytes: how many bytes of weights.
    - copies: tensors that are written a second time under another name, as PaddleNLP has them.
    - lost: tensors of PaddleNLP's class that OUTPUT does not have, which PaddleNLP starts anew.
    - tokenizer: whether it has a tokenizer.
    - warnings: what Paddle cannot express, and what is odd.
    - seconds: how long it took.
    """

    folder: Path
    written: bool
    source_class: str
    target_class: str
    tensors: int
    parameters: int
    bytes: int
    copies: tuple[str, ...]
    lost: tuple[str, ...]
    tokenizer: bool
    warnings: tuple[str, ...]
    seconds: float


def to_paddle(
    output: str | Path,
    folder: str | Path,
    *,
    family: str | None = None,
    dry_run: bool = False,
    force: bool = False,
    progress: OnProgress | None = None,
) -> BackConversion:
    """Write a PaddleNLP folder from a converted one, without Paddle. Either all of it is written or nothing.

    - output: a folder that `convert` made, or one that `save_pretrained` wrote after training in PyTorch.
    - folder: the PaddleNLP folder, which is not there yet, or is empty.
    - family: the name of a folder of mappings, where several have the class and no manifest names the one.
    - dry_run: check everything, write nothing.
    - force: replace a `folder` that this function made.
    - progress: called with a `Progress` for every step; by default nothing, in a notebook a bar.

    Raises a Paddle2TorchError with every problem found.
    """
    start = time.monotonic()
    if not str(output) or not str(folder):
        raise SourceError(Problem("E090", "OUTPUT or FOLDER is an empty string, expected a name"))
    output, folder = as_path(output), as_path(folder)
    clear_leftovers(folder)
    if not output.is_dir() and read_own_manifest(folder):
        reason = f"there is no folder {output}, and paddle2torch made {folder}"
        raise SourceError(Problem("E042", describe_order(reason, "to-paddle", folder, output)))
    with naming_paths(output):
        opened = open_converted(output, family)
        plan = make_back_plan(opened)
    found = (*plan.warnings, *check_copies(plan.forward), *warn_of_zeroed_rows(plan), *other_tokenizer_rules(plan))
    warnings = list(warnings_with_paths(found, output))
    _check_apart(opened, folder)
    if dry_run:  # Otherwise the staging folder checks it, under its lock.
        check_output(folder, force=force, marker=BACK_MANIFEST, argument="FOLDER")
    else:
        warnings += _write(plan, folder, force, in_bytes(listen(progress)))
    log_warnings(warnings)
    return BackConversion(
        folder=folder,
        written=not dry_run,
        source_class=plan.opened.entry.target,
        target_class=plan.table.source_class,
        tensors=len(plan.tensors),
        parameters=sum(element_count(tensor.shape) for tensor in plan.tensors),
        bytes=sum(map(target_bytes, plan.tensors)),
        copies=plan.copies,
        lost=plan.lost,
        tokenizer=opened.source.tokenizer is not None,
        warnings=tuple(warnings),
        seconds=time.monotonic() - start,
    )


def _write(plan: BackPlan, folder: Path, force: bool, progress: ByteProgress) -> Sequence[str]:
    """Returns warnings about what was seen while it was written."""
    total = sum(map(target_bytes, plan.tensors))
    done = 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        progress("writing", done, total)

    needed = total + _COMPANION_BYTES
    with staged(folder, force=force, needed_bytes=needed, marker=BACK_MANIFEST, argument="FOLDER") as new:
        hashing = SourceHasher(source_files(plan.opened.source))
        hashing.start()
        try:
            written, odd = write_pdparams(new / PDPARAMS_FILE, plan.tensors, advance)
        except BaseException:
            hashing.stop()
            raise
        write_paddle_companions(new, plan, written, hashing.result())
    return [f"{odd} values of the weights are NaN or infinite, as in OUTPUT"] if odd else []


def _check_apart(opened: ConvertedFolder, folder: Path) -> None:
    """Refuse a FOLDER that is OUTPUT, contains it, or lies in it. Raises OutputError."""
    source, target = opened.source.folder.resolve(), folder.absolute().resolve()
    if source == target or target in source.parents:
        raise OutputError(Problem("E507", f"{folder}: FOLDER must not be OUTPUT or a folder that holds it"))
    if source in target.parents:
        text = f"{folder}: FOLDER lies in OUTPUT, to which nothing is written. Name a place outside it"
        raise OutputError(Problem("E507", text))
