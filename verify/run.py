"""`paddle2torch verify`: check the arguments, fetch SOURCE, verify OUTPUT, write the report."""

from __future__ import annotations

from pathlib import Path

from converter.common.arguments import as_path
from converter.common.errors import Problem, ReferenceFailure, SourceError
from converter.common.progress import OnProgress, in_bytes, listen, log_warnings
from converter.files.stale_folders import scratch_folder
from converter.locate.locate import locate, locate_output
from converter.locate.located import FetchOptions, Located
from converter.open.mistaken_paths import check_places
from converter.open.options import SourceOptions
from verify.numbers.pytorch_process import Start
from verify.options import Options
from verify.report.write_report import check_writable, write_report
from verify.results.layout import FOLDER, TRACE
from verify.results.precision import PRECISIONS
from verify.results.report import Report
from verify.verification import Verification


def verify(
    source: Path | str | None,
    output: Path | str | None = None,
    *,
    precision: str = "float64",
    report_dir: Path | str | None = None,
    record: Path | str | None = None,
    trace: Path | str | None = None,
    static_only: bool = False,
    self_test: bool = False,
    title: str = "",
    paddle_python: Path | str | None = None,
    architecture: str | None = None,
    config: Path | str | None = None,
    num_attention_heads: int | None = None,
    tokenizer: Path | str | None = None,
    prefix: str | None = None,
    family: str | None = None,
    revision: str | None = None,
    cache: Path | str | None = None,
    offline: bool = False,
    progress: OnProgress | None = None,
    static: bool = True,
    start: Start | None = None,
) -> Report:
    """Verify `output` against `source`, or against a trace, which is what Paddle computed; write the report.

    One argument, `verify("out")`, is the `output`: a folder, or a Hub id as text, which is fetched as it was published
    and not written to.

    - source: what `convert` took: a path, a built-in name, an address or a Hub id; None for a trace alone.
    - output: the folder that `convert` made.
    - precision: what both sides compute in, "float64" or "float32".
    - report_dir: where the report goes; by default `output`/verification, for a Hub id nowhere.
    - record: a file for what Paddle computed, which a later call takes as `trace`.
    - trace: compare with this recorded file: needs neither `source` nor Paddle. Without it, and without `source`, it is
      the one that `output` brings, verification/trace.safetensors.
    - static_only: compare the bytes of the weights, run neither framework.
    - self_test: after a pass, inject faults into copies of `output` and look for each; a missed one makes the verdict
      worthless (E409).
    - title: a heading for the report, where many are shown together.
    - paddle_python: the Python that has Paddle and PaddleNLP.
    - architecture: the model's class, if no config names it: PaddleNLP's or transformers' name.
    - config: a config.json or model_config.json, if there is none next to the weights.
    - num_attention_heads: the number of attention heads, if no config has it.
    - tokenizer: the folder of the tokenizer's files, if they are not next to the weights.
    - prefix: what stands in front of the tensors' names, and is taken off.
    - family: the name of a folder of mappings; None is the family that the config or the names show.
    - revision: the branch, tag or commit of a Hub id.
    - cache: where downloads are kept; else PADDLE2TORCH_CACHE, else the user's cache folder.
    - offline: contact no server, use what is in the cache; so does the variable HF_HUB_OFFLINE.
    - progress: called with a `Progress` for every step; by default nothing, in a notebook a bar.
    - static: False leaves it to numbers and tokens to find every fault.
    - start: takes the place of starting the process that runs `output`.

    Whatever is wrong with `output` is in the report, which is false then. Raises SourceError, FileError, PlanError for
    a bad `source`, ReferenceFailure when there is no Paddle or the trace cannot be used, or when the source's own NaN
    leave nothing to compare.
    """
    if output is None:
        source, output = None, source
    if output is None:
        raise SourceError(Problem("E090", "there is nothing to verify: name OUTPUT"))
    if precision not in PRECISIONS:
        raise ReferenceFailure(Problem("E606", f"precision is {precision!r}, expected one of {', '.join(PRECISIONS)}"))
    if static_only and (trace is not None or record is not None or source is None):
        text = "--static-only runs neither framework: it takes SOURCE and OUTPUT, no --trace and no --record"
        raise SourceError(Problem("E090", text))
    if record is not None and as_path(record).is_dir():
        raise ReferenceFailure(Problem("E606", f"--record {record} is a folder, expected the name of a file"))
    if static_only and self_test:
        raise SourceError(Problem("E090", "--self-test needs the numbers: it does not go with --static-only"))
    specified = SourceOptions(
        architecture, as_path(config), num_attention_heads, as_path(tokenizer), prefix=prefix, family=family
    )
    if source is None and specified != SourceOptions():
        options = "--architecture, --config, --num-attention-heads, --tokenizer, --prefix and --family"
        text = f"{options} are about a SOURCE, and none is given"
        raise SourceError(Problem("E090", text))
    hear, fetch = listen(progress), FetchOptions(revision, as_path(cache), offline)
    place = Located(as_path(output)) if source is not None else locate_output(output, fetch, in_bytes(hear))
    check_places("verify", source, place.path)
    trace = as_path(trace) if source is not None or trace is not None else _find_trace(place)
    folder = as_path(report_dir) or (place.path / FOLDER if place.origin is None else None)
    if folder is not None:
        check_writable(folder)
    located = locate(source, fetch, in_bytes(hear)) if source is not None else None
    verification = Verification(place.path, Report(precision, title=title), hear)
    verification.report.warnings += (*(located.warnings if located else ()), *place.warnings)
    verification.origin, verification.published = located.origin if located else None, place.origin or ""
    with scratch_folder("paddle2torch-verify-") as scratch:
        verification.folder = Path(scratch)
        verification.run(
            located.path if located else None,
            Options(
                as_path(trace),
                as_path(record),
                as_path(paddle_python),
                static_only,
                static,
                self_test,
                start,
                specified,
            ),
        )
    if folder is not None:
        _write(verification.report, folder)
    log_warnings(verification.report.warnings)
    return verification.report


def _write(report: Report, folder: Path) -> None:
    try:
        write_report(report, folder)
    except OSError as error:  # The verdict is there, and cost minutes.
        reason = f"{error.filename or folder}: {error.strerror or error}"
        report.warnings.append(f"the report was not written ({reason}); --report DIR names another place")


def _find_trace(place: Located) -> Path:
    """The trace that OUTPUT brings. Raises SourceError where it brings none."""
    trace = place.path / FOLDER / TRACE
    if not trace.is_file():
        name = place.origin or place.path
        text = f"{name} brings no {FOLDER}/{TRACE} to compare with. Name the SOURCE that it was made from"
        raise SourceError(Problem("E090", f"{text}, or --trace FILE"))
    return trace
