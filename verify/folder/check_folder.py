"""The static check of a whole OUTPUT: weight files, manifest, config, other files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from converter.common.errors import Problem
from converter.common.layout import SENTENCEPIECE_KIND, WORDPIECE_KIND
from converter.common.progress import OnProgress, Progress
from mappings.quirks import MODEL_CONFIG, TOKENIZER_CONFIG
from verify.folder.check_fields import check_config, check_tokenizer_config, tokenizer_place
from verify.folder.check_manifest import asked_dtype, check_code, check_files, check_source, check_tensors
from verify.folder.expected_config import Expected, expected_of_plan, expected_of_trace
from verify.folder.expected_tokenizer import expected_settings, has_tokenizer
from verify.folder.foreign_code import check_code_files, check_named_code
from verify.folder.tokenizer_files import check_tokenizer_files
from verify.folder.whole_config import check_whole_config
from verify.folder.wordpiece_files import check_wordpiece_files
from verify.results.checks import StaticResult
from verify.results.findings import fold_findings
from verify.results.manifest import behavior_of
from verify.results.trace import Trace
from verify.weights.check_weights import check_weights
from verify.weights.output_weights import WrittenWeights, read_written
from verify.weights.traced_weights import check_against_trace

if TYPE_CHECKING:
    from converter.open.tokenizer.tokenizer_files import TokenizerFiles
    from converter.plan.plan import Plan

#: Kind of tokenizer (family.toml) -> what checks its files.
_TOKENIZER_CHECKS = {SENTENCEPIECE_KIND: check_tokenizer_files, WORDPIECE_KIND: check_wordpiece_files}


@dataclass(frozen=True)
class Standard:
    """What OUTPUT is compared with: SOURCE, opened and planned, else a trace; and OUTPUT's own manifest.

    `sums`: SHA-256 of each weight file of SOURCE. `tokenizer`: SOURCE's.
    """

    plan: Plan | None
    trace: Trace | None
    manifest: Mapping[str, Any] | None
    sums: Mapping[str, str] | None = None
    tokenizer: TokenizerFiles | None = None

    def expected(self) -> Expected | None:
        """What the fields must be."""
        behavior = behavior_of(self.manifest)
        if self.plan is not None:
            return expected_of_plan(self.plan, behavior)
        return expected_of_trace(self.trace, behavior) if self.trace is not None else None


def check_folder(
    output: Path, standard: Standard, on_progress: OnProgress
) -> tuple[StaticResult, list[Problem], list[str]]:
    """Compare the tensors with SOURCE's, else with the checksums in a trace, and everything with the manifest. Returns
    the result, what is wrong, and warnings."""
    on_progress(Progress("weights", "reading OUTPUT"))
    written, manifest = read_written(output), standard.manifest
    problems = list(written.problems)
    result = StaticResult(0, (), "manifest")
    if standard.plan is not None:
        result, more = check_weights(
            standard.plan,
            written,
            lambda done, total: on_progress(Progress("weights", f"{done} of {total} tensors", done, total)),
        )
        problems += more
    elif standard.trace is not None:
        result, more = check_against_trace(standard.trace, manifest, written)
        problems += more
    more, warnings = _check_small_files(output, standard, written)
    problems += more
    if manifest is None:
        return result, problems, [*written.warnings, *warnings]
    on_progress(Progress("weights", "checksums of the manifest"))
    findings = check_tensors(manifest, written)
    # A tensor that already differs from the source is named once.
    problems += fold_findings(finding for finding in findings if finding.name not in result.mismatched)
    more, changed = check_files(manifest, output)
    # Another source explains all the rest: it comes first.
    other = check_source(manifest, standard.sums) if standard.sums is not None else []
    problems = [*other, *problems, *more]
    mismatched = tuple(dict.fromkeys([*result.mismatched, *(finding.name for finding in findings)]))
    return replace(result, mismatched=mismatched), problems, [*changed, *written.warnings, *warnings]


def _check_small_files(output: Path, standard: Standard, written: WrittenWeights) -> tuple[list[Problem], list[str]]:
    """Config, code and tokenizer."""
    problems, warnings = check_fields(output, standard, written)
    expected = standard.expected()
    if expected is not None:
        checked: dict[str, Any] = {MODEL_CONFIG: expected.fields["auto_map"]}
        if has_tokenizer(output, expected.family):
            checked[TOKENIZER_CONFIG] = tokenizer_place(expected)
        more, named = check_named_code(output, standard.manifest, checked)
        problems += more
        warnings += named
    problems += check_code_files(output, standard.manifest)
    more, odd = check_tokenizer(output, standard)
    return problems + more, [*warnings, *check_code(output), *odd]


def check_tokenizer(output: Path, standard: Standard) -> tuple[list[Problem], list[str]]:
    """The tokenizer's files against SOURCE's, else against the trace's; and warnings."""
    expected = standard.expected()
    kind = expected.family.tokenizer.kind if expected is not None else SENTENCEPIECE_KIND
    return _TOKENIZER_CHECKS[kind](output, standard.tokenizer, standard.trace)


def check_fields(output: Path, standard: Standard, written: WrittenWeights) -> tuple[list[Problem], list[str]]:
    """The fields of config.json and tokenizer_config.json against SOURCE's, else against the trace's; and what else
    config.json holds, with warnings of fields that decide nothing."""
    expected = standard.expected()
    if expected is None:
        return [], []
    asked = asked_dtype(standard.manifest, written)
    if asked is not None:  # A request for a dtype is one for what loading gives, too.
        expected = replace(expected, fields={**expected.fields, "dtype": asked})
    whole, idle = check_whole_config(output, expected, written)
    settings = expected_settings(standard.tokenizer, standard.trace, expected)
    return [*check_config(output, expected), *whole, *check_tokenizer_config(output, settings, expected)], idle
