"""The static check of a whole OUTPUT: weight files, manifest, config, other files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

from converter.common.errors import Problem
from verify.folder.check_fields import TOKENIZER_PLACE, check_config, check_tokenizer_config
from verify.folder.check_manifest import (
    asked_dtype,
    behavior_of,
    check_code,
    check_files,
    check_source,
    check_tensors,
    read_manifest,
)
from verify.folder.expected_config import Expected, expected_of_plan, expected_of_trace
from verify.folder.foreign_code import check_code_files, check_named_code
from verify.folder.tokenizer_files import expected_settings, judge_tokenizer
from verify.folder.whole_config import check_whole_config
from verify.results.checks import StaticResult
from verify.results.trace import Trace
from verify.weights.check_weights import check_weights
from verify.weights.output_weights import WrittenWeights, read_written
from verify.weights.traced_weights import check_against_trace

if TYPE_CHECKING:
    from converter.open.tokenizer.tokenizer_files import TokenizerFiles
    from converter.plan.make_plan import Plan


def check_folder(
    output: Path,
    plan: Plan | None,
    trace: Trace | None,
    sums: Mapping[str, str] | None,
    say: Callable[[str], None],
    tokenizer: TokenizerFiles | None = None,
) -> tuple[StaticResult | None, list[Problem], list[str]]:
    """Judge the tensors against the source (`plan`), else against the sums in a trace, and everything against the
    manifest. `sums` are those of the source's weight files, `tokenizer` is the source's. Returns the result, what is
    wrong, and warnings."""
    say("weights: reading OUTPUT")
    written = read_written(output)
    manifest, problems = read_manifest(output)
    problems = written.problems + problems
    result = StaticResult(0, (), "manifest")
    if plan is not None:
        result, more = check_weights(plan, written, lambda done, total: say(f"weights: {done} of {total} tensors"))
        problems += more
    elif trace is not None:
        result, more = check_against_trace(trace, manifest, written)
        problems += more
    more, idle = judge_fields(output, plan, trace, written, behavior_of(manifest), tokenizer)
    problems += more
    more, named = judge_named_code(output, plan, trace, manifest)
    problems += more + check_code_files(output, manifest)
    more, odd = judge_tokenizer(output, tokenizer, trace)
    problems += more
    code = written.warnings + idle + named + check_code(output) + odd
    if manifest is None:
        return result, problems, code
    say("weights: sums of the manifest")
    names, differing = check_tensors(manifest, written)
    # A tensor that already differs from the source is named once.
    problems += [problem for name, problem in zip(names, differing) if name not in result.mismatched]
    more, warnings = check_files(manifest, output)
    problems += more + (check_source(manifest, sums) if sums is not None else [])
    mismatched = tuple(dict.fromkeys([*result.mismatched, *names]))
    return StaticResult(result.tensors, mismatched, result.against, result.rounded), problems, warnings + code


def check_fields(
    output: Path, plan: Plan | None, trace: Trace | None, written: WrittenWeights, behavior: str
) -> list[Problem]:
    """What is wrong with the fields of config.json and tokenizer_config.json."""
    return judge_fields(output, plan, trace, written, behavior)[0]


def judge_fields(
    output: Path,
    plan: Plan | None,
    trace: Trace | None,
    written: WrittenWeights,
    behavior: str,
    tokenizer: TokenizerFiles | None = None,
) -> tuple[list[Problem], list[str]]:
    """The fields of config.json and tokenizer_config.json against the source's, else against the trace's; and what
    stands in config.json besides, with warnings of fields that decide nothing."""
    expected = _expect(plan, trace, behavior)
    if expected is None:
        return [], []
    asked = asked_dtype(read_manifest(output)[0], written)
    if asked is not None:  # A request for a dtype is one for what loading gives, too.
        expected = replace(expected, fields={**expected.fields, "dtype": asked})
    whole, idle = check_whole_config(output, expected, written)
    settings = expected_settings(tokenizer, trace, expected.longest)
    return [*check_config(output, expected), *whole, *check_tokenizer_config(output, settings, behavior)], idle


def judge_named_code(
    output: Path, plan: Plan | None, trace: Trace | None, manifest: Mapping[str, Any] | None
) -> tuple[list[Problem], list[str]]:
    """The code that files of OUTPUT name."""
    expected = _expect(plan, trace, behavior_of(manifest))
    if expected is None:
        return [], []
    judged = {"config.json": expected.fields["auto_map"]}
    if (output / "vocab.txt").is_file():
        judged["tokenizer_config.json"] = TOKENIZER_PLACE
    return check_named_code(output, manifest, judged)


def _expect(plan: Plan | None, trace: Trace | None, behavior: str) -> Expected | None:
    """What the fields must be: by SOURCE, else by a trace."""
    if plan is not None:
        return expected_of_plan(plan, behavior)
    return expected_of_trace(trace, behavior) if trace is not None else None
