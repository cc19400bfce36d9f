"""Convert a checkpoint: locate, open, plan, write."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from converter.common.arguments import as_path, parse_size
from converter.common.errors import Problem, SourceError
from converter.common.layout import EXTRAS_FILE
from converter.common.progress import ByteProgress, OnProgress, in_bytes, listen, log_warnings
from converter.files.regular_files import quoted
from converter.files.source_hasher import SourceHasher
from converter.files.tensors import SourceFile, element_count
from converter.locate.locate import kind_of, locate
from converter.locate.located import FetchOptions
from converter.open.mistaken_paths import describe_order, holds_checkpoint
from converter.open.options import SourceOptions
from converter.open.places import naming_paths, warnings_with_paths
from converter.open.source import Source, open_source
from converter.plan.make_plan import make_plan
from converter.plan.plan import Plan
from converter.write.card import CardFacts
from converter.write.check_copies import check_copies
from converter.write.output import write_companions
from converter.write.shards import Shard, split_into_shards, target_bytes, with_extras, write_weights
from converter.write.staging import check_output, clear_leftovers, staged
from converter.write.tokenizer_files import warn_of_misfits

DTYPE_CHOICES = ("keep", "float32", "float16", "bfloat16")
_COMPANION_BYTES = 16 << 20


@dataclass(frozen=True)
class Conversion:
    """What was written, or would have been with `dry_run`.

    - output: the folder.
    - written: whether it was written.
    - source_class: the model's class in PaddleNLP.
    - target_class: its class in PyTorch.
    - source_format: the format of SOURCE's weights.
    - tensors: how many tensors OUTPUT's weights have.
    - parameters: how many numbers.
    - bytes: how many bytes.
    - shards: the weight files.
    - extras: weights that no PyTorch class has a place for, which are in a file of their own.
    - behavior: the preset of quirks that OUTPUT follows.
    - dropped: name and reason of each tensor that was left out.
    - left_inside: name and kind of the tensors inside modules of the class that `allow_unknown_tensors` left out.
    - tokenizer: whether OUTPUT has a tokenizer.
    - warnings: what is odd, and stopped nothing.
    - seconds: how long it took.
    """

    output: Path
    written: bool
    source_class: str
    target_class: str
    source_format: str
    tensors: int
    parameters: int
    bytes: int
    shards: tuple[str, ...]
    extras: tuple[str, ...]
    behavior: str
    dropped: tuple[tuple[str, str], ...]
    left_inside: tuple[tuple[str, str], ...]
    tokenizer: bool
    warnings: tuple[str, ...]
    seconds: float


def convert(
    source: str | Path,
    output: str | Path,
    *,
    dtype: str = "keep",
    max_shard_size: int | str = "5GB",
    architecture: str | None = None,
    config: str | Path | None = None,
    num_attention_heads: int | None = None,
    tokenizer: str | Path | None = None,
    behavior: str | None = None,
    prefix: str | None = None,
    family: str | None = None,
    license: str | None = None,
    base_model: str | None = None,
    allow_nonfinite: bool = False,
    allow_unknown_tensors: bool = False,
    dry_run: bool = False,
    force: bool = False,
    revision: str | None = None,
    cache: str | Path | None = None,
    offline: bool = False,
    progress: OnProgress | None = None,
) -> Conversion:
    """Convert a Paddle checkpoint into a Hugging Face folder. Either all of `output` is written or nothing.

    - source: a folder of PaddleNLP's, of a family's original release or of transformers, or one weight file; as text
      also a built-in name, an http(s) address or a Hub id, which is fetched first.
    - output: a folder that is not there yet, or is empty.
    - dtype: store the weights as "float32", "float16" or "bfloat16"; "keep" leaves each as it is.
    - max_shard_size: the largest weight file, "5GB", "500MB", "2GiB" or a number of bytes.
    - architecture: the model's class, if no config names it: PaddleNLP's or transformers' name.
    - config: a config.json or model_config.json, if there is none next to the weights.
    - num_attention_heads: the number of attention heads, if no config has it.
    - tokenizer: the folder of the tokenizer's files, if they are not next to the weights.
    - behavior: a preset of quirks (`convert --help` lists them); None is the checkpoint's own.
    - prefix: what stands in front of the tensors' names and is taken off (`model.`); None takes off the usual wrappers
      (`_layers.`, `module.`) where every name has them.
    - family: the name of a folder of mappings; None is the family that the config or the names show.
    - license: for the card: the license of these weights by the Hub's name; None where only the file is known.
    - base_model: for the card: the Hub id of the model that these weights were trained from.
    - allow_nonfinite: convert NaN and infinity too, which are an error else.
    - allow_unknown_tensors: leave out unknown tensors inside modules of the class (adapters, a quantiser's scales),
      which are an error else; the manifest and the card record it.
    - dry_run: check everything, write nothing.
    - force: replace an `output` that this function made, after the new one is complete.
    - revision: the branch, tag or commit of a Hub id.
    - cache: where downloads are kept; else PADDLE2TORCH_CACHE, else the user's cache folder.
    - offline: contact no server, use what is in the cache; so does the variable HF_HUB_OFFLINE.
    - progress: called with a `Progress` for every step; by default nothing, in a notebook a bar.

    Raises a Paddle2TorchError with every problem found.
    """
    start = time.monotonic()
    if not str(source) or not str(output):
        raise SourceError(Problem("E090", "SOURCE or OUTPUT is an empty string, expected a name"))
    output, report = as_path(output), in_bytes(listen(progress))
    clear_leftovers(output)
    if dtype not in DTYPE_CHOICES:
        raise SourceError(Problem("E091", f"dtype is {dtype!r}, expected one of {', '.join(DTYPE_CHOICES)}"))
    largest, facts = parse_size(max_shard_size), CardFacts(license, base_model)
    facts.check()
    config, tokenizer = as_path(config), as_path(tokenizer)
    if not as_path(source).exists():  # Check OUTPUT before downloading anything.
        _check_order(source, output)
        check_output(output, force=force)
    located = locate(source, FetchOptions(revision, as_path(cache), offline), report)
    with naming_paths(located.path, located.origin, config, tokenizer):
        opened = open_source(
            located.path,
            SourceOptions(
                config=config,
                architecture=architecture,
                num_attention_heads=num_attention_heads,
                tokenizer=tokenizer,
                behavior=behavior,
                prefix=prefix,
                family=family,
            ),
        )
        opened = replace(opened, origin=located.origin, warnings=(*located.warnings, *opened.warnings))
        _check_file_names(opened)
        plan = make_plan(opened, dtype, allow_unknown_tensors=allow_unknown_tensors)
        plan = replace(plan, warnings=(*plan.warnings, *check_copies(plan)))
    _check_apart(opened, output)
    if dry_run:  # Otherwise the staging folder checks it, under its lock.
        check_output(output, force=force)
    shards = with_extras(split_into_shards(plan.tensors, largest), plan.extras)
    warnings = (*opened.warnings, *plan.warnings, *warn_of_misfits(opened, plan))
    warnings = (*warnings_with_paths(warnings, located.path, located.origin, config, tokenizer), *_replaced(output))
    warnings = (*warnings, *_shard_warnings(shards, largest))
    log_warnings(warnings)
    if not dry_run:
        _write(opened, plan, output, shards, force, allow_nonfinite, report, facts)
    return Conversion(
        output=output,
        written=not dry_run,
        source_class=plan.table.source_class,
        target_class=plan.table.target_class,
        source_format=opened.tensors.format,
        tensors=len(plan.tensors),
        parameters=sum(element_count(tensor.shape) for tensor in plan.tensors),
        bytes=sum(map(target_bytes, plan.tensors)),
        shards=tuple(shard.file for shard in shards if shard.file != EXTRAS_FILE),
        extras=tuple(extra.target for extra in plan.extras),
        behavior=opened.behavior,
        dropped=tuple((drop.name, drop.reason) for drop in plan.dropped),
        left_inside=tuple((tensor.name, tensor.kind) for tensor in plan.left_inside),
        tokenizer=opened.tokenizer is not None,
        warnings=warnings,
        seconds=time.monotonic() - start,
    )


def _write(
    opened: Source,
    plan: Plan,
    output: Path,
    shards: Sequence[Shard],
    force: bool,
    allow: bool,
    progress: ByteProgress,
    facts: CardFacts,
) -> None:
    total = sum(map(target_bytes, (*plan.tensors, *plan.extras)))
    done = 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        progress("writing", done, total)

    with staged(output, force=force, needed_bytes=total + _COMPANION_BYTES) as folder:
        hashing = SourceHasher(source_files(opened))
        hashing.start()
        try:
            written = write_weights(folder, shards, allow_nonfinite=allow, advance=advance)
        except BaseException:
            hashing.stop()
            raise
        write_companions(folder, opened, plan, written, hashing.result(), facts)


def source_files(opened: Source) -> tuple[SourceFile, ...]:
    """Every file of SOURCE that decides the output's numbers."""
    config = (opened.config_file,) if opened.config_file is not None else ()
    return (*config, *opened.tensors.files)


def _check_file_names(opened: Source) -> None:
    """OUTPUT's manifest and card, which are UTF-8, name the files of SOURCE. Raises SourceError."""
    problems = []
    for file in source_files(opened):
        try:
            file.name.encode()
        except UnicodeEncodeError:
            text = f"{quoted(file.name, 255)}: the file's name is not UTF-8, and OUTPUT's manifest would name it"
            problems.append(Problem("E315", f"{text}. Rename the file"))
    if problems:
        raise SourceError(*problems[:20])


def _replaced(output: Path) -> tuple[str, ...]:
    """A warning of what --force removes besides the model: the evidence of an earlier verification."""
    folder = output / "verification"
    if not folder.is_dir():
        return ()
    names = ", ".join(sorted(path.name for path in folder.iterdir())[:8]) or "nothing"
    return (f"{folder} ({names}) is of the earlier {output}, and is removed with it. Verify the new one",)


def _check_apart(opened: Source, output: Path) -> None:
    """Refuse an OUTPUT that is SOURCE or contains it, because --force would remove the source, and one inside a SOURCE
    folder, where it could be read as part of the checkpoint next time. Raises SourceError."""
    source, target = opened.folder.resolve(), output.absolute().resolve()
    if source == target or target in source.parents:
        raise SourceError(Problem("E507", f"{output}: OUTPUT must not be SOURCE or a folder that holds it"))
    if source in target.parents and opened.path.is_dir():
        other = os.path.normpath(opened.path / os.pardir / target.name)
        text = f"{output}: OUTPUT lies in the folder SOURCE, to which nothing is written. Name a place outside it"
        raise SourceError(Problem("E507", f"{text}, such as {shlex.quote(other)}"))


def _shard_warnings(shards: Sequence[Shard], largest: int) -> tuple[str, ...]:
    alone = sum(len(shard.tensors) == 1 for shard in shards)
    if alone < 20 or 2 * alone < len(shards):
        return ()
    return (f"{alone} weight files hold one tensor each: the largest weight file is to have {largest:,} bytes",)


def _check_order(source: str | Path, output: Path) -> None:
    """Raise SourceError for a SOURCE that is nowhere and an OUTPUT that is a checkpoint: the wrong way round."""
    if not holds_checkpoint(output) or kind_of(str(source)) in ("name", "address"):
        return
    reason = f"there is no {source}, and {output} is a checkpoint"
    raise SourceError(Problem("E001", describe_order(reason, "convert", output, source)))
