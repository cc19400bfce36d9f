"""Inspect a checkpoint: format, class, sizes, tensors, and what a conversion would leave out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from converter.common.arguments import as_path
from converter.common.errors import PlanError, Problem
from converter.common.progress import OnProgress, in_bytes, listen, log_warnings
from converter.files.tensors import element_count
from converter.locate.locate import locate
from converter.locate.located import FetchOptions
from converter.open.options import SourceOptions
from converter.open.source import open_source
from converter.plan.inner_tensors import CODE as INSIDE
from converter.plan.inner_tensors import warn_left_out
from converter.plan.make_plan import make_plan
from converter.plan.plan import Plan


@dataclass(frozen=True)
class Inspection:
    """Facts about a checkpoint. Class and sizes may be unknown where there are problems.

    - source: where it is on this machine.
    - origin: the name, address or Hub id and commit that `source` was fetched from.
    - format: of the weights.
    - writer: what wrote them, where that is known.
    - files: the weight files.
    - source_class: the model's class in PaddleNLP.
    - target_class: its class in PyTorch.
    - sizes: the model's sizes by the names of the config's fields.
    - labels: the labels of a classifier.
    - dtypes: how many tensors have which dtype.
    - tensors: how many tensors it has.
    - parameters: how many numbers.
    - bytes: how many bytes.
    - tokenizer: whether it has a tokenizer.
    - behavior: the preset of quirks that a conversion follows.
    - behavior_means: what that is.
    - extras: weights that no PyTorch class has a place for; they go into a separate file.
    - dropped: name and reason of each tensor that a conversion leaves out.
    - warnings: what is odd, and stops nothing.
    - problems: the error lines of what would stop a conversion.
    """

    source: Path
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
    behavior: str
    behavior_means: str
    extras: tuple[str, ...]
    dropped: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]
    problems: tuple[str, ...]


def inspect(
    source: str | Path,
    *,
    architecture: str | None = None,
    config: str | Path | None = None,
    num_attention_heads: int | None = None,
    revision: str | None = None,
    cache: str | Path | None = None,
    offline: bool = False,
    progress: OnProgress | None = None,
    behavior: str | None = None,
    prefix: str | None = None,
    family: str | None = None,
) -> Inspection:
    """Open a checkpoint, downloading it first if needed, and plan its conversion without reading tensor bytes.

    - source: what `convert` takes.
    - architecture: the model's class, if no config names it: PaddleNLP's or transformers' name.
    - config: a config.json or model_config.json, if there is none next to the weights.
    - num_attention_heads: the number of attention heads, if no config has it.
    - revision: the branch, tag or commit of a Hub id.
    - cache: where downloads are kept; else PADDLE2TORCH_CACHE, else the user's cache folder.
    - offline: contact no server, use what is in the cache; so does the variable HF_HUB_OFFLINE.
    - progress: called with a `Progress` for every step; by default nothing, in a notebook a bar.
    - behavior: a preset of quirks; None is the checkpoint's own.
    - prefix: what stands in front of the tensors' names, and is taken off.
    - family: the name of a folder of mappings; None is the family that the config or the names show.

    Raises SourceError or FileError when it cannot be opened; problems of the plan are in the result.
    """
    located = locate(source, FetchOptions(revision, as_path(cache), offline), in_bytes(listen(progress)))
    opened = open_source(
        located.path,
        SourceOptions(
            config=as_path(config),
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
        problems = error.problems
        if all(problem.code == INSIDE for problem in problems):  # Everything else is known.
            plan = make_plan(opened, allow_unknown_tensors=True)
            plan = replace(plan, warnings=tuple(text for text in plan.warnings if text not in _left_out(plan)))
    tensors = opened.tensors.tensors.values()
    warnings = (*located.warnings, *opened.warnings, *(plan.warnings if plan else ()))
    log_warnings(warnings)
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
        warnings=warnings,
        problems=tuple(map(str, problems)),
    )


def _left_out(plan: Plan) -> list[str]:
    """The warnings of the plan about tensors left out, which `inspect` reports as problems."""
    return warn_left_out(plan.left_inside, plan.table)
