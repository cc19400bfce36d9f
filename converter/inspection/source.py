"""Inspect a checkpoint: format, class, sizes, tensors, and what a conversion would leave out."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from converter.common.errors import FileError, PlanError, Problem, SourceError
from converter.files.tensors import element_count
from converter.inspection.refused import inspect_refused
from converter.inspection.results import Inspection
from converter.locate.located import Located
from converter.open.options import SourceOptions
from converter.open.places import naming_paths, warnings_with_paths, with_paths
from converter.open.source import open_source
from converter.plan.check_tokenizer import CODE as MISFIT
from converter.plan.inner_tensors import CODE as INSIDE
from converter.plan.inner_tensors import warn_left_out
from converter.plan.make_plan import make_plan
from converter.plan.plan import Plan


def inspect_source(located: Located, options: SourceOptions) -> Inspection:
    """Open a checkpoint, and plan its conversion without reading tensor bytes. Raises SourceError or FileError when its
    weights cannot be opened; problems of the config and of the plan are in the result."""
    try:
        with naming_paths(located.path, located.origin, options.config):
            opened = open_source(located.path, options)
    except (SourceError, FileError) as error:
        refused = inspect_refused(located, options, error.problems)
        if refused is None:
            raise
        return refused
    plan: Plan | None = None
    problems: tuple[Problem, ...] = ()
    try:
        plan = make_plan(opened)
    except PlanError as error:
        problems = with_paths(error.problems, located.path, located.origin, options.config)
        if all(problem.code in (INSIDE, MISFIT) for problem in problems):  # Everything else is known.
            plan = make_plan(replace(opened, tokenizer=None), allow_unknown_tensors=True)
            plan = replace(plan, warnings=tuple(text for text in plan.warnings if text not in _left_out(plan)))
    tensors = opened.tensors.tensors.values()
    warnings = (*opened.warnings, *(plan.warnings if plan else ()))
    warnings = (*located.warnings, *warnings_with_paths(warnings, located.path, located.origin, options.config))
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
