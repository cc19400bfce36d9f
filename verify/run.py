"""`paddle2torch verify`: check the arguments, fetch SOURCE, verify OUTPUT, write the report."""

from __future__ import annotations

from pathlib import Path

from converter.common.errors import Problem, ReferenceFailure, SourceError
from converter.common.progress import OnProgress
from converter.files.stale_folders import scratch_folder
from converter.locate.locate import locate
from converter.locate.located import FetchOptions
from converter.open.mistaken_paths import describe_swapped, did_you_mean
from converter.open.options import SourceOptions
from verify.numbers.pytorch_process import Start
from verify.options import Options
from verify.report.write_report import check_writable, write_report
from verify.results.layout import FOLDER
from verify.results.precision import PRECISIONS
from verify.results.report import Report
from verify.verification import Verification


def verify(
    source: Path | str | None,
    output: Path | str,
    *,
    precision: str = "float64",
    report_dir: Path | str | None = None,
    record: Path | str | None = None,
    trace: Path | str | None = None,
    static_only: bool = False,
    self_test: bool = False,
    paddle_python: Path | str | None = None,
    architecture: str | None = None,
    config: Path | str | None = None,
    num_attention_heads: int | None = None,
    tokenizer: Path | str | None = None,
    prefix: str | None = None,
    family: str | None = None,
    revision: str | None = None,
    cache: Path | None = None,
    offline: bool = False,
    progress: OnProgress | None = None,
    static: bool = True,
    start: Start | None = None,
) -> Report:
    """Verify `output` against `source`, or with `trace` against what was recorded from it, and write the report.

    `architecture`, `config`, `num_attention_heads`, `tokenizer`, `prefix` and `family` are what `convert` was given for
    a source that does not specify it. `source` may be a name, an address or a Hub id (see converter.locate). Raises
    SourceError, FileError, PlanError for a bad `source`, ReferenceFailure when there is no Paddle or the trace cannot
    be used, or when the source's own NaN leave nothing to compare. Whatever is wrong with `output` is in the report:
    `report.passed` is False then. `static=False` leaves it to numbers and tokens to find every fault; `self_test`
    injects faults after a pass and looks for each: a missed one makes the verdict worthless (E409). `start` takes the
    place of starting the process that runs OUTPUT.
    """
    output = Path(output)
    if precision not in PRECISIONS:
        raise ReferenceFailure(Problem("E606", f"precision is {precision!r}, expected one of {', '.join(PRECISIONS)}"))
    if source is None and trace is None:
        raise SourceError(Problem("E090", "there is neither a SOURCE nor a trace to compare with"))
    if static_only and (trace is not None or record is not None):
        raise SourceError(Problem("E090", "--static-only runs neither framework: it takes no --trace and no --record"))
    if record is not None and Path(record).is_dir():
        raise ReferenceFailure(Problem("E606", f"--record {record} is a folder, expected the name of a file"))
    if static_only and self_test:
        raise SourceError(Problem("E090", "--self-test needs the numbers: it does not go with --static-only"))
    specified = SourceOptions(
        architecture, _path(config), num_attention_heads, _path(tokenizer), prefix=prefix, family=family
    )
    if source is None and specified != SourceOptions():
        options = "--architecture, --config, --num-attention-heads, --tokenizer, --prefix and --family"
        text = f"{options} are about a SOURCE, and none is given"
        raise SourceError(Problem("E090", text))
    check_places(source, output)
    folder = _path(report_dir) or output / FOLDER
    check_writable(folder)
    verification = Verification(output, Report(precision), progress or (lambda text: None))
    located = None
    if source is not None:
        located = locate(source, FetchOptions(revision, cache, offline), verification.report_bytes)
        verification.report.warnings += located.warnings
        verification.origin = located.origin
    with scratch_folder("paddle2torch-verify-") as scratch:
        verification.folder = Path(scratch)
        verification.run(
            located.path if located else None,
            Options(
                _path(trace), _path(record), _path(paddle_python), static_only, static, self_test, start, specified
            ),
        )
    try:
        write_report(verification.report, folder)
    except OSError as error:  # The verdict is there, and cost minutes.
        reason = f"{error.filename or folder}: {error.strerror or error}"
        verification.report.warnings.append(f"the report was not written ({reason}); --report DIR names another place")
    return verification.report


def check_places(source: Path | str | None, output: Path) -> None:
    """Raise SourceError for an OUTPUT that is not there, and for SOURCE and OUTPUT in the wrong order."""
    if not output.is_dir():
        what = "is a file, expected a folder" if output.is_file() else "there is no such folder"
        text = f"{output}: {what}. OUTPUT is what paddle2torch convert made"
        raise SourceError(Problem("E405", text + did_you_mean(output)))
    swapped = describe_swapped("verify", source, output) if source is not None else ""
    if swapped:
        raise SourceError(Problem("E041", swapped))


def _path(given: Path | str | None) -> Path | None:
    return None if given is None else Path(given)
