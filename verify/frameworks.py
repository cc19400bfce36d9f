"""The two frameworks of a verification: what is missing here, what Paddle is asked, and its recording."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from converter.common.errors import Problem, ReferenceFailure
from converter.common.progress import OnProgress
from verify.numbers.pytorch_process import check_installed
from verify.options import Options
from verify.protocol.request import Request
from verify.reference.find import Recording, find_interpreter, make_request, tokenizer_place
from verify.results.report import Report
from verify.results.trace import Trace, check_sums, copy_trace, read_trace
from verify.weights.check_weights import converted_to
from verify.weights.output_weights import read_written

if TYPE_CHECKING:
    from converter.open.source import Source
    from converter.plan.plan import Plan


def find_frameworks(options: Options, live: bool) -> Path | None:
    """The interpreter that has Paddle, if one is needed. Raises ReferenceFailure with all that is missing here, on
    Paddle's side and on PyTorch's."""
    problems: list[Problem] = []
    interpreter = None
    try:
        interpreter = find_interpreter(options.paddle_python) if live else None
    except ReferenceFailure as failure:
        problems += failure.problems
    try:
        if not options.static_only:
            check_installed()
    except ReferenceFailure as failure:
        problems += failure.problems
    if problems:
        raise ReferenceFailure(*problems)
    return interpreter


def ask_for(output: Path, report: Report, opened: Source, plan: Plan, options: Options, folder: Path) -> Request:
    """The request for a recording of SOURCE that OUTPUT can be compared with. `folder`: for temporary files."""
    round_to = converted_to(plan, read_written(output))
    request = make_request(opened, plan, report.precision, round_to, options.source.tokenizer, report.behavior)
    return replace(request, tokenizer=tokenizer_place(opened, folder))


def finish_recording(recording: Recording, sums: dict[str, str], options: Options, on_progress: OnProgress) -> Trace:
    """Wait for the trace, and keep it if that was asked for. `sums`: checksums of the files that the converter read,
    which must be those that Paddle read. Raises ReferenceFailure."""
    path = recording.finish(on_progress)
    if options.record is not None:
        copy_trace(path, options.record)
    trace = read_trace(path)
    check_sums(trace, list(sums.values()), "what the converter read")
    return trace
