"""Inspect a checkpoint: format, class, sizes, tensors, and what a conversion would leave out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from converter.common.errors import PlanError, Problem
from converter.common.progress import ByteProgress
from converter.files.tensors import element_count
from converter.locate.locate import locate
from converter.locate.located import FetchOptions
from converter.open.options import SourceOptions
from converter.open.places import naming_paths, with_paths
from converter.open.source import open_source
from converter.plan.inner_tensors import CODE as INSIDE
from converter.plan.inner_tensors import warn_left_out
from converter.plan.make_plan import make_plan
from converter.plan.plan import Plan


@dataclass(frozen=True)
class Inspection:
    """Facts about a checkpoint. `problems` are the error lines of what would stop a conversion; class and sizes may be
    unknown then."""

    source: Path
    #: The name, address or Hub id and commit that `source` was fetched from.
    origin: str | None
    format: str
    writer: str
    files: tuple[str, ...]
    source_class: str | None
    target_class: str | None
    sizes: Mapping[str, int]
    labels: tuple[str, ...]
    dtypes: Mapping[str, int]
    tensors: int
    parameters: int
    bytes: int
    tokenizer: bool
    #: The preset of quirks that a conversion follows, and what it means.
    behavior: str
    behavior_means: str
    #: Auxiliary weights that no PyTorch class has a place for; they go into a separate file.
    extras: tuple[str, ...]
    dropped: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]
    problems: tuple[str, ...]


def inspect(
    source: str | Path,
    *,
    architecture: str | None = None,
    config: Path | None = None,
    num_attention_heads: int | None = None,
    revision: str | None = None,
    cache: Path | None = None,
    offline: bool = False,
    progress: ByteProgress | None = None,
    behavior: str | None = None,
    prefix: str | None = None,
    family: str | None = None,
) -> Inspection:
    """Open a checkpoint, downloading it first if needed, and plan its conversion without reading tensor bytes.

    Raises SourceError or FileError when it cannot be opened; problems of the plan are in the result.
    """
    located = locate(source, FetchOptions(revision, cache, offline), progress)
    with naming_paths(located.path, located.origin, config):
        opened = open_source(
            located.path,
            SourceOptions(
                config=config,
                architecture=architecture,
                num_attention_heads=num_attention_heads,
                behavior=behavior,
                prefix=prefix,
                family=family,
            ),
        )
    plan: Plan | None = None
    problems: tuple[Problem, ...] = ()
    try:
        plan = make_plan(opened)
    except PlanError as error:
        problems = with_paths(error.problems, located.path, located.origin, config)
        if all(problem.code == INSIDE for problem in problems):  # Everything else is known.
            plan = make_plan(opened, allow_unknown_tensors=True)
            plan = replace(plan, warnings=tuple(text for text in plan.warnings if text not in _left_out(plan)))
    tensors = opened.tensors.tensors.values()
    return Inspection(
        source=opened.path,
        origin=located.origin,
        format=opened.tensors.format,
        writer=opened.tensors.writer,
        files=tuple(file.name for file in opened.tensors.files),
        source_class=plan.table.source_class if plan else opened.config.architecture,
        target_class=plan.table.target_class if plan else None,
        sizes=plan.sizes.by_field() if plan else {},
        labels=plan.sizes.labels if plan else (),
        dtypes=dict(Counter(tensor.dtype for tensor in tensors)),
        tensors=len(tensors),
        parameters=sum(element_count(tensor.shape) for tensor in tensors),
        bytes=sum(tensor.size for tensor in tensors),
        tokenizer=opened.tokenizer is not None,
        behavior=opened.behavior,
        behavior_means=opened.preset.summary,
        extras=tuple(opened.tensors.extras),
        dropped=tuple((drop.name, drop.reason) for drop in plan.dropped) if plan else opened.tensors.left_out,
        warnings=(*located.warnings, *opened.warnings, *(plan.warnings if plan else ())),
        problems=tuple(map(str, problems)),
    )


def _left_out(plan: Plan) -> list[str]:
    """The warnings of the plan about tensors left out, which `inspect` reports as problems."""
    return warn_left_out(plan.left_inside, plan.table)
