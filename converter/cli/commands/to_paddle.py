"""paddle2torch to-paddle."""

from __future__ import annotations

import shlex
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Optional

import typer

from converter.cli import options
from converter.cli.output import Reporter, describe_written, print_json, print_warnings
from converter.common.printable import MESSAGE, printable

if TYPE_CHECKING:
    from converter.back_conversion import BackConversion


def to_paddle(
    output: Path = options.OUTPUT,
    folder: Path = typer.Argument(..., metavar="FOLDER", help="The PaddleNLP folder to make."),
    family: Optional[str] = options.FAMILY,
    dry_run: bool = typer.Option(False, "--dry-run", help="Check everything, write nothing."),
    force: bool = typer.Option(False, "--force", help="Replace a FOLDER that to-paddle made: it has a to_paddle.json."),
    as_json: bool = options.AS_JSON,
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
        paths = " ".join(shlex.quote(str(path)) for path in (result.folder, output))
        typer.echo(f"prove it: paddle2torch verify {printable(paths, MESSAGE)}")
