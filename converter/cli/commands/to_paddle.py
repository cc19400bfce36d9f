"""paddle2torch to-paddle."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Optional

import typer

from converter.cli import options
from converter.cli.output import describe_written, print_advice, print_json, print_warnings
from converter.cli.pages import Page
from converter.cli.reporter import Reporter
from converter.cli.verbosity import QUIET, VERBOSE

if TYPE_CHECKING:
    from converter.back_conversion import BackConversion

PAGE = Page(
    ("[OPTIONS] OUTPUT FOLDER",),
    ("paddle2torch to-paddle out my-paddle-folder", "paddle2torch to-paddle out my-paddle-folder --dry-run"),
    "docs/to-paddle.md",
)
SUMMARY = "Convert a Hugging Face folder back to PaddleNLP's form."


def to_paddle(
    output: Path = options.OUTPUT,
    folder: Path = typer.Argument(..., metavar="FOLDER", help="The PaddleNLP folder to make."),
    family: Optional[str] = options.FAMILY,
    dry_run: bool = typer.Option(False, "--dry-run", help="Check everything, write nothing."),
    force: bool = typer.Option(False, "--force", help="Replace a FOLDER that to-paddle made: it has a to_paddle.json."),
    as_json: bool = options.AS_JSON,
    quiet: bool = QUIET,
    verbose: bool = VERBOSE,
    debug: bool = options.DEBUG,
) -> None:
    """Write a PaddleNLP folder from a converted or fine-tuned one."""
    given = options.arguments(locals())
    from converter.back_conversion import to_paddle as write_paddle_folder

    with Reporter() as reporter:
        result = write_paddle_folder(**given, progress=reporter.show)
    print_result(result, output, as_json)


def print_result(result: BackConversion, output: Path, as_json: bool) -> None:
    """Warnings on stderr, then what was written."""
    print_warnings(result.warnings)
    if as_json:
        print_json(asdict(result))
        return
    typer.echo(f"{describe_written(result, result.folder)}, {result.seconds:.1f} s")
    if result.written:
        print_advice(f"prove it: {options.command('verify', result.folder, output)}")
