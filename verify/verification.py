"""One verification with its stages. Everything that can stop the work comes before anything that takes long."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from converter.common.errors import Problem, ReferenceFailure
from converter.common.layout import MANIFEST
from converter.common.progress import OnProgress, Progress
from converter.files.hashing import sha256_of
from converter.write.tokenizer_files import warn_of_misfits
from verify.folder.check_folder import Standard, check_folder
from verify.folder.check_manifest import check_behavior, check_regular, check_rounding, deciding_files, find_changed
from verify.folder.expected_tokenizer import has_tokenizer
from verify.folder.foreign_code import find_foreign
from verify.folder.left_inside import check_left_inside, warn_left_inside
from verify.folder.subject import describe_subject
from verify.folder.way_back import describe_way_back, is_made_of
from verify.frameworks import ask_for, find_frameworks, finish_recording
from verify.numbers.detection_margin import smallest_of
from verify.numbers.diagnose import first_difference, first_gradient
from verify.numbers.pytorch_process import PytorchRun
from verify.open_source import open_for
from verify.options import Options
from verify.reference.find import Recording, start_recording
from verify.report.messages import (
    describe_difference,
    describe_gradient,
    describe_hidden_fault,
    describe_known_difference,
    describe_left_out,
    describe_mode,
    describe_text_to_logits,
    describe_tokens,
)
from verify.results.manifest import behavior_of, read_manifest, weight_sums
from verify.results.numbers import DEFAULT_LOAD, PytorchResult
from verify.results.report import NUMBERS, TOKENS, WEIGHTS, Report
from verify.results.subject import Subject
from verify.results.trace import Trace, check_sums, copy_trace, read_trace
from verify.self_test import run_self_test
from verify.weights.nonfinite import explain_not_finite
from verify.weights.output_weights import find_names_outside

if TYPE_CHECKING:
    from converter.open.source import Source
    from converter.plan.plan import Plan


@dataclass
class Verification:
    """The verification of one OUTPUT: `report` has what was found, `folder` is for temporary files."""

    output: Path
    report: Report
    on_progress: OnProgress
    folder: Path = field(default_factory=Path)
    manifest: dict[str, Any] | None = None
    #: What SOURCE was fetched from.
    origin: str | None = None
    #: The Hub id and commit that OUTPUT was fetched from.
    published: str = ""

    def run(self, source: Path | None, options: Options) -> None:
        """Verify OUTPUT; `self.report` gets the results."""
        self.report.problems += check_regular(self.output)
        if self.report.problems:
            return
        trace = read_trace(options.trace) if options.trace is not None else None
        opened, plan = self._open(source, options) if source is not None else (None, None)
        live = trace is None and not options.static_only
        interpreter = find_frameworks(options, live)
        known = plan or trace
        self.report.family = known.family.name if known is not None else ""
        before = deciding_files(self.output)
        outside = find_names_outside(self.output)
        self.report.problems += outside
        self.report.foreign_code = find_foreign(self.output)
        self.manifest, damage = read_manifest(self.output)
        self._check_behavior(opened, trace)
        self._check_left_inside(plan)
        way_back = opened is not None and is_made_of(opened.folder, before)
        if way_back:
            damage = self._note_way_back(damage)
        with ExitStack() as stack:
            # Where names lead out of OUTPUT, loading it would open what lies elsewhere.
            runs = not outside and not options.static_only
            recording = None
            if runs and interpreter is not None and opened is not None and plan is not None:
                # Paddle is imported beside the check of the weights.
                request = ask_for(self.output, self.report, opened, plan, options, self.folder)
                recording = stack.enter_context(start_recording(interpreter, request, self.folder))
            sums = self._source_sums(opened, trace)
            self.report.subject = self._describe(plan, trace, sums)
            tokenizer = opened.tokenizer if opened is not None else None
            standard = Standard(plan, trace, self.manifest, None if way_back else sums, tokenizer)
            if options.static:
                with self._stage("static"):
                    self._check_static(standard, damage)
            pytorch = PytorchRun(self.output, self.folder, options.start) if runs else None
            if pytorch is not None:
                stack.enter_context(pytorch.started())
            if recording is not None and plan is not None and sums is not None:
                with self._stage("record"):
                    trace = self._try_recording(recording, plan, sums, options)
            elif options.record is not None and trace is not None and runs:
                copy_trace(trace.path, options.record)
            if trace is not None and pytorch is not None:
                self._compare(trace, standard, live, options, pytorch)
        self.report.files = deciding_files(self.output)
        self.report.problems += find_changed(before, self.report.files, self._in_output(options.record))

    def _describe(self, plan: Plan | None, trace: Trace | None, sums: dict[str, str] | None) -> Subject:
        """Which model this is about. SOURCE's files are those that Paddle read, where SOURCE itself is not here."""
        source_class = plan.table.source_class if plan is not None else trace.model_class.source if trace else ""
        if sums is None and trace is not None:
            sums = {str(file["name"]): str(file["sha256"]) for file in trace.head["files"]}
        return describe_subject(self.output, source_class, sums or {}, self.published)

    def _note_way_back(self, damage: list[Problem]) -> list[Problem]:
        """SOURCE was made of OUTPUT: a manifest that is lost is no fault then. A damaged one stays a fault."""
        lost = not (self.output / MANIFEST).exists()
        self.report.warnings.append(describe_way_back(lost=lost))
        return [] if lost else damage

    def _in_output(self, path: Path | None) -> Path | None:
        """The file, if it lies in OUTPUT itself."""
        return path if path is not None and path.absolute().parent.resolve() == self.output.resolve() else None

    def _compare(self, trace: Trace, standard: Standard, live: bool, options: Options, pytorch: PytorchRun) -> None:
        if not live:
            check_rounding(trace, self.manifest)
        self._describe_reference(trace, live)
        with self._stage("replay"):
            self._replay(trace, pytorch)
        if options.self_test and self.report.passed:
            with self._stage("self-test"):
                self._self_test(standard, trace, options)
        # A pass does not exclude what lies below its own limits.
        fault = self.report.smallest_fault
        if self.report.passed and fault is not None and fault.ratio is not None and fault.ratio <= 1:
            self.report.warnings.append(describe_hidden_fault(fault, WEIGHTS in self.report.checked))

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        start = time.monotonic()
        yield
        self.report.seconds[name] = time.monotonic() - start

    def _open(self, path: Path, options: Options) -> tuple[Source, Plan]:
        self.on_progress(Progress("opening SOURCE"))
        opened, plan, warnings = open_for(self.output, path, options.source, self.origin)
        self.report.warnings += [*warnings, *warn_of_misfits(opened, plan)]
        return opened, plan

    def _check_behavior(self, opened: Source | None, trace: Trace | None) -> None:
        """The preset of quirks that OUTPUT follows must be SOURCE's own, unless `convert` was asked for it."""
        report = self.report
        report.behavior = behavior_of(self.manifest)
        report.source_behavior = opened.behavior if opened is not None else trace.source_behavior if trace else None
        problems, warnings = check_behavior(self.manifest, report.source_behavior)
        report.problems += problems
        report.warnings += warnings

    def _check_left_inside(self, plan: Plan | None) -> None:
        """Tensors of the class's modules that OUTPUT leaves out: a fault unless the manifest records the request."""
        left, problems = check_left_inside(self.manifest, plan)
        self.report.left_inside = left
        self.report.problems += problems
        self.report.warnings += [warn_left_inside(left)] if left else []

    def _source_sums(self, opened: Source | None, trace: Trace | None) -> dict[str, str] | None:
        """Checksums of SOURCE's weight files; with a trace they must be those that Paddle read."""
        if opened is None:
            if trace is not None and self.manifest is not None:
                check_sums(trace, weight_sums(self.manifest), f"the one that OUTPUT's {MANIFEST} names")
            return None
        self.on_progress(Progress("hashing SOURCE"))
        sums = {file.name: sha256_of(file.path) for file in opened.tensors.files if file.path.suffix != ".json"}
        if trace is not None:
            check_sums(trace, list(sums.values()), "SOURCE")
        return sums

    def _check_static(self, standard: Standard, damage: list[Problem]) -> None:
        report = self.report
        report.checked.append(WEIGHTS)
        report.static, problems, warnings = check_folder(self.output, standard, self.on_progress)
        report.problems += damage + problems
        report.warnings += warnings

    def _try_recording(self, recording: Recording, plan: Plan, sums: dict[str, str], options: Options) -> Trace | None:
        """The recording. Where SOURCE's own NaN prevent it, a verdict on what was found before still stands."""
        try:
            return finish_recording(recording, sums, options, self.on_progress)
        except ReferenceFailure as failure:
            wrong = bool(self.report.problems)
            reason = explain_not_finite(plan, weights_agree=options.static and not wrong)
            if reason is None:
                raise
            if not wrong:
                raise reason from failure
            self.report.warnings.append(f"numbers and tokens were not compared: {reason.problems[0].text}")
            return None

    def _describe_reference(self, trace: Trace, live: bool) -> None:
        report, head = self.report, trace.head
        if report.precision != trace.precision:
            report.warnings.append(f"the trace was recorded in {trace.precision}, which is what is compared")
            report.precision = trace.precision
        facts = {name: head[name] for name in ("how", "files", "environment")}
        report.reference = {"kind": "live" if live else "trace", **facts}
        report.environment["reference"] = head["environment"]
        if head.get("tokenizer_problem"):
            reason = head["tokenizer_problem"]
            report.warnings.append(f"tokens were not compared: PaddleNLP does not load the tokenizer ({reason})")

    def _replay(self, trace: Trace, pytorch: PytorchRun) -> None:
        report = self.report
        report.left_out += describe_left_out(trace)
        found = pytorch.compare(trace, self.on_progress)
        report.checked.append(NUMBERS)
        report.sites, report.gradients, report.coverage = found.sites, found.gradients, found.coverage
        report.smallest_fault, report.uses = found.smallest_fault, found.uses
        report.environment["output"] = found.environment
        report.warnings += found.warnings
        report.problems += [Problem("E407", text) for text in found.problems]
        report.first_difference = first_difference(found.sites, trace)
        if report.first_difference is not None:
            report.problems.append(Problem("E402", describe_difference(report.first_difference)))
        elif any(not result.passed for result in found.gradients):
            report.first_difference = first_gradient(found.gradients, trace)
            report.problems.append(Problem("E402", describe_gradient(report.first_difference)))
        else:
            wrong = {mode: result for mode, result in found.uses.items() if result.differ}
            codes = {mode: "E418" if mode == DEFAULT_LOAD else "E402" for mode in wrong}
            report.problems += [Problem(codes[mode], describe_mode(mode, result)) for mode, result in wrong.items()]
        if report.first_difference is not None:
            report.warnings += describe_known_difference(trace)
        self._add_tokens(trace, found)

    def _self_test(self, standard: Standard, trace: Trace, options: Options) -> None:
        report = self.report
        standard = replace(standard, trace=trace, tokenizer=None)
        tested = run_self_test(self.output, standard, trace, self.folder, self.on_progress, options)
        report.self_test = tested
        if report.smallest_fault is not None:
            report.smallest_fault = smallest_of([report.smallest_fault, *tested.smallest])
        report.problems += tested.problems()
        report.warnings += [
            f"the numbers alone do not find this fault, which the check of bytes or fields found: {outcome.fault}"
            for outcome in tested.outcomes
            if outcome.found and not outcome.found_without_static and not outcome.unseen
        ]

    def _add_tokens(self, trace: Trace, found: PytorchResult) -> None:
        report, tokens = self.report, found.tokens
        if not trace.has_tokens:
            text = "no tokenizer was compared: the source has none, or PaddleNLP could not load it"
            if has_tokenizer(self.output, trace.family):
                text += ". OUTPUT has one: --tokenizer FOLDER names the folder that it came from"
            report.warnings.append(text)
            return
        report.checked.append(TOKENS)
        report.tokenizer = tokens
        if tokens is None:
            return
        if tokens.problem:
            report.problems.append(Problem("E403", f"the tokenizer of OUTPUT does not work: {tokens.problem}"))
        elif tokens.differ_in_numbers_alone:
            # The same ids: where the numbers differ already, this is no finding of its own.
            if all(site.passed for site in report.sites):
                report.problems.append(Problem("E402", describe_text_to_logits(found)))
        elif tokens.mismatched:
            report.problems.append(Problem("E403", describe_tokens(trace.head["environment"], found)))
