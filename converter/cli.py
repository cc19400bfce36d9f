"""The command line: options in, text and exit codes out. Only this module and cli_output print."""

from __future__ import annotations

import re
import sys
from enum import Enum
from pathlib import Path
from typing import Any, Optional

import typer
import typer.core

from converter.cli_output import Reporter, describe_problems, print_conversion, print_inspection, print_json
from converter.errors import Paddle2TorchError, Problem, SourceError
from converter.version import __version__

#: The one table of exit codes.
DONE, OUTPUT_IS_WRONG, STOPPED = 0, 1, 2


class DtypeChoice(str, Enum):
    keep = "keep"
    float32 = "float32"
    float16 = "float16"
    bfloat16 = "bfloat16"


class BehaviorChoice(str, Enum):
    paddlenlp = "paddlenlp"
    release = "release"


class PrecisionChoice(str, Enum):
    float64 = "float64"
    float32 = "float32"


class Commands(typer.core.TyperGroup):
    """Turns every error into text and an exit code, in one place."""

    def main(self, *args: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        words = list(extra.get("args") or (args[0] if args else None) or sys.argv[1:])
        try:
            if "" in words:
                raise SourceError(Problem("E090", "an argument is an empty text, expected a name or a value"))
            code = super().main(*args, standalone_mode=False, **extra)  # type: ignore[misc]
        except Exception as error:
            if _debug():
                raise
            code = report_error(error, "--json" in words)
        if not standalone_mode:
            return code
        if sys.stdout is not None:  # None where the caller closed it.
            sys.stdout.flush()
        sys.exit(code if isinstance(code, int) else DONE)


def _debug() -> bool:
    return "--debug" in sys.argv


def report_error(error: Exception, as_json: bool = False) -> int:
    """Print an error for the user, and give the exit code that it means."""
    problems = find_problems(error)
    if as_json:
        print_json(describe_problems(problems))
    for problem in problems:
        typer.echo(str(problem), err=True)
    if not problems:  # Its message is the help.
        typer.echo(str(error), err=True)
    return STOPPED


def find_problems(error: Exception) -> tuple[Problem, ...]:
    """What an exception means to the user; nothing for a call without words, which gets the help."""
    if isinstance(error, Paddle2TorchError):
        return error.problems
    if type(error).__name__ == "NoArgsIsHelpError":
        return ()
    if hasattr(error, "format_message"):  # A usage error of typer's.
        return (Problem("E090", f"{error.format_message()} See paddle2torch --help"),)
    if isinstance(error, OSError):
        return (Problem("E505", f"{error.filename or 'a file'}: {error.strerror or error}"),)
    if isinstance(error, MemoryError):
        return (Problem("E506", "not enough memory"),)
    said = f"an error of paddle2torch itself: {type(error).__name__}: {error}. --debug shows where"
    return (Problem("E099", said),)


app = typer.Typer(
    cls=Commands,
    name="paddle2torch",
    help="Take ERNIE-M from Paddle to PyTorch, and prove that it is the same model.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"paddle2torch {__version__}")
        raise typer.Exit()


@app.callback()
def options(
    version: bool = typer.Option(False, "--version", callback=_print_version, is_eager=True, help="Print the version."),
    debug: bool = typer.Option(False, "--debug", help="Show tracebacks of errors."),
) -> None:
    """Options that stand before the command."""


SOURCE = typer.Argument(
    ..., metavar="SOURCE", help="A PaddleNLP folder, one weight file, a built-in name, an http(s) address or a Hub id."
)
OUTPUT = typer.Argument(..., metavar="OUTPUT", help="The Hugging Face folder.")
ARCHITECTURE = typer.Option(
    None, metavar="NAME", help="The model's class, where no config says it: PaddleNLP's or transformers' name."
)
CONFIG = typer.Option(
    None, metavar="FILE", help="A config.json or model_config.json, where none lies beside the weights."
)
HEADS = typer.Option(None, metavar="N", min=1, help="Number of attention heads, where no config says it.")
TOKENIZER = typer.Option(
    None, metavar="FOLDER", help="Where vocab.txt and sentencepiece.bpe.model are, if not beside the weights."
)
REVISION = typer.Option(None, metavar="REV", help="Branch, tag or commit of a Hub id.")
CACHE = typer.Option(None, metavar="DIR", help="Keep downloads here (else PADDLE2TORCH_CACHE, else your cache folder).")
OFFLINE = typer.Option(False, "--offline", help="Ask no server: use what is in the cache.")
BEHAVIOR = typer.Option(
    None, help="Whose rules for missing masks and tokens; else those of the release that wrote SOURCE."
)
AS_JSON = typer.Option(False, "--json", help="Print one JSON object on stdout; everything else goes to stderr.")
DEBUG = typer.Option(False, "--debug", hidden=True)

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(i?)B?", re.IGNORECASE)


def parse_size(text: str) -> int:
    """Bytes of a size like 5GB (1000s), 5GiB (1024s) or 123. Raises SourceError."""
    match = _SIZE.fullmatch(text.strip())
    size = 0
    if match:
        base = 1024 if match[3] else 1000
        size = int(float(match[1]) * base ** " KMGT".index(match[2].upper() or " "))
    if size < 1:
        raise SourceError(Problem("E091", f"--max-shard-size {text!r}: expected a size like 5GB, 500MB or 2GiB"))
    return size


@app.command()
def convert(
    source: str = SOURCE,
    output: Path = OUTPUT,
    dtype: DtypeChoice = typer.Option(DtypeChoice.keep, help="Store the weights in this dtype."),
    max_shard_size: str = typer.Option("5GB", metavar="SIZE", help="The largest weight file."),
    architecture: Optional[str] = ARCHITECTURE,
    config: Optional[Path] = CONFIG,
    num_attention_heads: Optional[int] = HEADS,
    tokenizer: Optional[Path] = TOKENIZER,
    revision: Optional[str] = REVISION,
    cache: Optional[Path] = CACHE,
    offline: bool = OFFLINE,
    behavior: Optional[BehaviorChoice] = BEHAVIOR,
    allow_nonfinite: bool = typer.Option(False, "--allow-nonfinite", help="Convert NaN and infinity too."),
    dry_run: bool = typer.Option(False, "--dry-run", help="Check everything, write nothing."),
    force: bool = typer.Option(False, "--force", help="Replace an OUTPUT that this tool made."),
    as_json: bool = AS_JSON,
    debug: bool = DEBUG,
) -> None:
    """Convert a Paddle checkpoint into a Hugging Face folder."""
    from converter.conversion import convert as convert_checkpoint

    with Reporter() as reporter:
        result = convert_checkpoint(
            source,
            output,
            dtype=dtype.value,
            max_shard_size=parse_size(max_shard_size),
            architecture=architecture,
            config=config,
            num_attention_heads=num_attention_heads,
            tokenizer=tokenizer,
            behavior=behavior.value if behavior else None,
            allow_nonfinite=allow_nonfinite,
            dry_run=dry_run,
            force=force,
            revision=revision,
            cache=cache,
            offline=offline,
            progress=reporter.progress,
        )
    print_conversion(result, as_json)


@app.command()
def inspect(
    source: str = SOURCE,
    architecture: Optional[str] = ARCHITECTURE,
    config: Optional[Path] = CONFIG,
    num_attention_heads: Optional[int] = HEADS,
    revision: Optional[str] = REVISION,
    cache: Optional[Path] = CACHE,
    offline: bool = OFFLINE,
    behavior: Optional[BehaviorChoice] = BEHAVIOR,
    as_json: bool = AS_JSON,
    debug: bool = DEBUG,
) -> None:
    """Say what a checkpoint is, without converting it."""
    from converter.inspection import inspect as inspect_checkpoint

    with Reporter() as reporter:
        result = inspect_checkpoint(
            source,
            architecture=architecture,
            config=config,
            num_attention_heads=num_attention_heads,
            behavior=behavior.value if behavior else None,
            revision=revision,
            cache=cache,
            offline=offline,
            progress=reporter.progress,
        )
    print_inspection(result, as_json)


@app.command()
def verify(
    paths: list[str] = typer.Argument(
        ..., metavar="SOURCE OUTPUT", help="The checkpoint and the folder. With --trace, OUTPUT alone."
    ),
    precision: PrecisionChoice = typer.Option(PrecisionChoice.float64, help="What both sides compute in."),
    report: Optional[Path] = typer.Option(
        None, metavar="DIR", help="Where the report goes (default: OUTPUT/verification)."
    ),
    record: Optional[Path] = typer.Option(None, metavar="FILE", help="Keep what Paddle computed, for --trace."),
    trace: Optional[Path] = typer.Option(
        None, metavar="FILE", help="Judge against what was recorded: needs no Paddle."
    ),
    static_only: bool = typer.Option(
        False, "--static-only", help="Compare the bytes of the weights, run neither framework."
    ),
    self_test: bool = typer.Option(
        False, "--self-test", help="After a pass, plant faults in copies of OUTPUT and look for each."
    ),
    paddle_python: Optional[Path] = typer.Option(
        None, metavar="PATH", help="The Python that has Paddle and PaddleNLP."
    ),
    revision: Optional[str] = REVISION,
    cache: Optional[Path] = CACHE,
    offline: bool = OFFLINE,
    as_json: bool = AS_JSON,
    debug: bool = DEBUG,
) -> None:
    """Prove that OUTPUT is the same model as SOURCE: weights bit for bit, numbers layer by layer, tokens.

    Exit code 0: it is. 1: it is not, whatever is wrong. 2: it could not be judged, or a planted fault was missed.
    """
    from verify import verify as verify_conversion
    from verify.report import render_table

    if len(paths) != (1 if trace is not None and len(paths) == 1 else 2):
        raise SourceError(Problem("E090", "verify takes SOURCE and OUTPUT, or with --trace FILE OUTPUT alone"))
    with Reporter() as reporter:
        result = verify_conversion(
            paths[0] if len(paths) == 2 else None,
            paths[-1],
            precision=precision.value,
            report_dir=report,
            record=record,
            trace=trace,
            static_only=static_only,
            self_test=self_test,
            paddle_python=paddle_python,
            revision=revision,
            cache=cache,
            offline=offline,
            progress=reporter.say,
        )
    if as_json:
        print_json(result.to_json())
    else:
        typer.echo(render_table(result))
    if not result.passed:
        raise typer.Exit(STOPPED if result.unjudged else OUTPUT_IS_WRONG)
