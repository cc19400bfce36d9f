"""One verification under way: everything that can stop the work comes before anything that takes long."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Callable

from converter.common.errors import Problem, ReferenceFailure
from converter.common.layout import MANIFEST
from converter.files.hashing import sha256_of
from converter.open.options import SourceOptions
from verify.folder.check_folder import check_folder
from verify.folder.check_manifest import (
    behavior_chosen,
    behavior_of,
    check_regular,
    check_rounding,
    deciding_files,
    find_changed,
    read_manifest,
    weight_sums,
)
from verify.folder.foreign_code import find_foreign
from verify.folder.left_inside import check_left_inside, warn_left_inside
from verify.numbers.detection_margin import smallest_of
from verify.numbers.diagnose import first_difference, first_gradient
from verify.numbers.pytorch_process import Start, check_installed, judge
from verify.open_source import open_for
from verify.reference.find import find_interpreter, make_request, record_trace, tokenizer_place
from verify.report.messages import tell_difference, tell_gradient, tell_hidden, tell_tokens, tell_use
from verify.results.numbers import DEFAULT_LOAD, PytorchResult
from verify.results.report import NUMBERS, TOKENS, WEIGHTS, Report
from verify.results.trace import Trace, check_sums, copy_trace, read_trace
from verify.weights.check_weights import converted_to
from verify.weights.nonfinite import explain_not_finite
from verify.weights.output_weights import find_names_outside, read_written

if TYPE_CHECKING:
    from converter.open.source import Source
    from converter.open.tokenizer.tokenizer_files import TokenizerFiles
    from converter.plan.make_plan import Plan

#: Called with one line that says what is being done.
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Options:
    """What the caller of `verify` asked for besides SOURCE and OUTPUT."""

    trace: Path | None = None
    record: Path | None = None
    paddle_python: Path | None = None
    static_only: bool = False
    #: False leaves it to numbers and tokens to find every fault.
    static: bool = True
    #: After a pass, plant faults and look for each.
    self_test: bool = False
    #: Takes the place of starting the process that runs OUTPUT.
    start: Start | None = None
    source: SourceOptions = field(default_factory=SourceOptions)


@dataclass
class Job:
    """One verification under way: what it judges, what it has found."""

    output: Path
    report: Report
    say: Progress
    folder: Path = field(default_factory=Path)

    def run(self, source: Path | None, options: Options) -> None:
        """Judge OUTPUT; what is found is in `self.report`."""
        self.report.problems += check_regular(self.output)
        if self.report.problems:
            return
        trace = read_trace(options.trace) if options.trace is not None else None
        opened, plan = self._open(source, options.source) if source is not None else (None, None)
        if not self.output.is_dir():  # Nothing can come of minutes with Paddle.
            text = f"{self.output}: there is no such folder. OUTPUT is what paddle2torch convert made"
            self.report.problems.append(Problem("E405", text))
            return
        live = trace is None and not options.static_only
        interpreter = find_interpreter(options.paddle_python) if live else None
        if not options.static_only:
            check_installed()
        before = deciding_files(self.output)
        outside = find_names_outside(self.output)
        self.report.problems += outside
        self.report.foreign_code = find_foreign(self.output)
        self._state_behavior(opened, trace)
        self._state_left_inside(plan)
        sums = self._source_sums(opened, trace)
        if options.static:
            with self._stage("static"):
                self._check_static(plan, trace, sums, opened.tokenizer if opened is not None else None)
        if not outside:  # Else loading would open what lies elsewhere.
            if interpreter is not None and opened is not None and plan is not None and sums is not None:
                with self._stage("record"):
                    trace = self._try_recording(interpreter, opened, plan, sums, options)
            elif options.record is not None and trace is not None:
                copy_trace(trace.path, options.record)
            if trace is not None:
                self._judge_by(trace, plan, live, options)
        self.report.files = deciding_files(self.output)
        self.report.problems += find_changed(before, self.report.files, self._in_output(options.record))

    def _in_output(self, path: Path | None) -> Path | None:
        """The file, if it lies in OUTPUT itself."""
        return path if path is not None and path.absolute().parent.resolve() == self.output.resolve() else None

    def _judge_by(self, trace: Trace, plan: Plan | None, live: bool, options: Options) -> None:
        """Numbers and tokens, by what Paddle recorded."""
        if not live:
            check_rounding(trace, self.output)
        self._describe_reference(trace, live)
        with self._stage("replay"):
            self._replay(trace, options.start)
        if options.self_test and self.report.passed:
            with self._stage("self-test"):
                self._test_itself(plan, trace, options)
        self._weigh_margin()

    def say_bytes(self, stage: str, done: int, total: int) -> None:
        """Progress of a download."""
        self.say(f"{stage}: {done / 1e6:,.1f} of {total / 1e6:,.1f} MB" if total else stage)

    @contextmanager
    def _stage(self, name: str) -> Iterator[None]:
        start = time.monotonic()
        yield
        self.report.seconds[name] = time.monotonic() - start

    def _open(self, path: Path, options: SourceOptions) -> tuple[Source, Plan]:
        self.say("opening SOURCE")
        opened, plan, warnings = open_for(self.output, path, options)
        self.report.warnings += warnings
        return opened, plan

    def _state_behavior(self, opened: Source | None, trace: Trace | None) -> None:
        """Whose rules OUTPUT follows: those of the release that wrote SOURCE, unless `convert` was asked for others."""
        report, (manifest, _) = self.report, read_manifest(self.output)
        report.behavior = behavior_of(manifest)
        report.source_behavior = opened.behavior if opened is not None else trace.source_behavior if trace else None
        if manifest is None or report.source_behavior in (None, report.behavior):
            return
        text = f"OUTPUT follows the behavior {report.behavior!r}; SOURCE's own is {report.source_behavior!r}"
        if behavior_chosen(manifest):
            report.warnings.append(f"{text}. convert was asked for it, as {MANIFEST} records")
        else:
            again = (
                f"and {MANIFEST} does not record that convert was asked for it. Convert again, with --behavior if it"
            )
            report.problems.append(Problem("E412", f"{text}, {again} is meant"))

    def _state_left_inside(self, plan: Plan | None) -> None:
        """What OUTPUT leaves out of the class's modules: a fault unless its manifest records that it was asked for."""
        left, problems = check_left_inside(read_manifest(self.output)[0], plan)
        self.report.left_inside = left
        self.report.problems += problems
        self.report.warnings += [warn_left_inside(left)] if left else []

    def _source_sums(self, opened: Source | None, trace: Trace | None) -> dict[str, str] | None:
        """Sums of SOURCE's weight files; with a trace they must be those that Paddle read."""
        if opened is None:
            manifest, _ = read_manifest(self.output)
            if trace is not None and manifest is not None:
                check_sums(trace, weight_sums(manifest), f"the one that OUTPUT's {MANIFEST} names")
            return None
        self.say("hashing SOURCE")
        sums = {file.name: sha256_of(file.path) for file in opened.tensors.files if file.path.suffix != ".json"}
        if trace is not None:
            check_sums(trace, list(sums.values()), "SOURCE")
        return sums

    def _check_static(
        self, plan: Plan | None, trace: Trace | None, sums: dict[str, str] | None, tokenizer: TokenizerFiles | None
    ) -> None:
        report = self.report
        report.checked.append(WEIGHTS)
        report.static, problems, warnings = check_folder(self.output, plan, trace, sums, self.say, tokenizer)
        report.problems += problems
        report.warnings += warnings

    def _try_recording(
        self, interpreter: Path, opened: Source, plan: Plan, sums: dict[str, str], options: Options
    ) -> Trace | None:
        """The recording. Where SOURCE's own NaN makes it impossible that is said; what was found stays a verdict."""
        try:
            return self._record(interpreter, opened, plan, sums, options)
        except ReferenceFailure as failure:
            wrong = bool(self.report.problems)
            reason = explain_not_finite(plan, weights_agree=options.static and not wrong)
            if reason is None:
                raise
            if not wrong:
                raise reason from failure
            self.report.warnings.append(f"numbers and tokens were not compared: {reason.problems[0].text}")
            return None

    def _record(self, interpreter: Path, opened: Source, plan: Plan, sums: dict[str, str], options: Options) -> Trace:
        round_to = converted_to(plan, read_written(self.output))
        request = make_request(
            opened, plan, self.report.precision, round_to, options.source.tokenizer, self.report.behavior
        )
        request = replace(request, tokenizer=tokenizer_place(opened, self.folder))
        path = record_trace(interpreter, request, self.folder, self.say)
        if options.record is not None:
            copy_trace(path, options.record)
        trace = read_trace(path)
        check_sums(trace, list(sums.values()), "what the converter read")
        return trace

    def _describe_reference(self, trace: Trace, live: bool) -> None:
        report, head = self.report, trace.head
        if report.precision != trace.precision:
            report.warnings.append(f"the trace was recorded in {trace.precision}, which is what is compared")
            report.precision = trace.precision
        report.reference = {
            "kind": "live" if live else "trace",
            "how": head["how"],
            "files": head["files"],
            "environment": head["environment"],
        }
        report.environment["reference"] = head["environment"]
        if head.get("tokenizer_problem"):
            report.warnings.append(
                f"tokens were not compared: PaddleNLP does not load the tokenizer ({head['tokenizer_problem']})"
            )

    def _replay(self, trace: Trace, start: Start | None) -> None:
        report = self.report
        found = judge(trace, self.output, self.folder, self.say, start)
        report.checked.append(NUMBERS)
        report.sites, report.gradients, report.coverage = found.sites, found.gradients, found.coverage
        report.smallest_fault, report.uses = found.smallest_fault, found.uses
        report.environment["output"] = found.environment
        report.warnings += found.warnings
        report.problems += [Problem("E407", text) for text in found.problems]
        report.first_difference = first_difference(found.sites, trace)
        if report.first_difference is not None:
            report.problems.append(Problem("E402", tell_difference(report.first_difference)))
        elif any(not result.passed for result in found.gradients):
            report.first_difference = first_gradient(found.gradients)
            report.problems.append(Problem("E402", tell_gradient(report.first_difference)))
        else:
            report.problems += [
                Problem("E418" if way == DEFAULT_LOAD else "E402", tell_use(way, use))
                for way, use in found.uses.items()
                if use.differ
            ]
        self._judge_tokens(trace, found)

    def _test_itself(self, plan: Plan | None, trace: Trace, options: Options) -> None:
        from verify.self_test import run_self_test

        report = self.report
        tested = run_self_test(self.output, plan, trace, self.folder, self.say, options.start, options.static)
        report.self_test = tested
        if report.smallest_fault is not None:
            report.smallest_fault = smallest_of([report.smallest_fault, *tested.smallest])
        report.problems += tested.problems()
        report.warnings += [
            f"the numbers alone do not find this fault, which the check of bytes or fields found: {outcome.fault}"
            for outcome in tested.outcomes
            if outcome.found and not outcome.found_without_static and not outcome.unseen
        ]

    def _weigh_margin(self) -> None:
        """A pass does not exclude what lies below its own limits; that must be said."""
        fault = self.report.smallest_fault
        if self.report.passed and fault is not None and fault.ratio is not None and fault.ratio <= 1:
            self.report.warnings.append(tell_hidden(fault, WEIGHTS in self.report.checked))

    def _judge_tokens(self, trace: Trace, found: PytorchResult) -> None:
        report, tokens = self.report, found.tokens
        if not trace.has_tokens:
            text = "no tokenizer was compared: the source has none, or PaddleNLP could not load it"
            if (self.output / "vocab.txt").is_file():
                text += ". OUTPUT has one: --tokenizer FOLDER names the folder that it came from"
            report.warnings.append(text)
            return
        report.checked.append(TOKENS)
        report.tokenizer = tokens
        if tokens is None:
            return
        if tokens.problem:
            report.problems.append(Problem("E403", f"the tokenizer of OUTPUT does not work: {tokens.problem}"))
        elif tokens.mismatched and not (tokens.differ_in_numbers_alone and not all(s.passed for s in report.sites)):
            report.problems.append(Problem("E403", tell_tokens(trace.head["environment"], found)))
