"""paddle2torch reference: the Python that has Paddle, and the script that runs there."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

import typer

from converter.cli.options import AS_JSON, DEBUG
from converter.cli.output import print_json
from converter.cli.pages import Page, add_command
from converter.cli.reporter import Reporter
from converter.cli.verbosity import QUIET, VERBOSE
from converter.common.printable import printable

SUMMARY = "Install or find the Python that has Paddle."
app = typer.Typer(
    name="reference",
    help="Paddle's side of `verify`: which Python has Paddle, and the script that records there.",
    short_help=SUMMARY,
    no_args_is_help=True,
    rich_markup_mode=None,
)
_PADDLE_PYTHON = typer.Option(None, metavar="PATH", help="The Python that has Paddle and PaddleNLP.")


def install(
    python: Optional[Path] = typer.Option(None, metavar="PATH", help="The Python 3.9 to 3.12 to make it with."),
    as_json: bool = AS_JSON,
    quiet: bool = QUIET,
    verbose: bool = VERBOSE,
    debug: bool = DEBUG,
) -> None:
    """Make the reference environment (Paddle and PaddleNLP) in your cache folder. Done already, it is left alone."""
    from verify.reference.install import install_reference

    with Reporter() as reporter:
        found = install_reference(python, reporter.print_line)
    if as_json:
        print_json({"python": found})
    else:
        typer.echo(str(found))


def print_path(
    paddle_python: Optional[Path] = _PADDLE_PYTHON,
    as_json: bool = AS_JSON,
    quiet: bool = QUIET,
    verbose: bool = VERBOSE,
    debug: bool = DEBUG,
) -> None:
    """Print the interpreter that `verify` would use. Exit code 2 if there is none that has Paddle and PaddleNLP."""
    from verify.reference.find import find_interpreter
    from verify.reference.installed import check_has_paddle

    found = find_interpreter(paddle_python)
    check_has_paddle(found)
    if as_json:
        print_json({"python": found})
    else:
        typer.echo(str(found))


def write_script(
    file: Optional[Path] = typer.Argument(
        None, metavar="[FILE]", help="Where the script goes (record_paddle.pyz); without it, to stdout."
    ),
    quiet: bool = QUIET,
    verbose: bool = VERBOSE,
    debug: bool = DEBUG,
) -> None:
    """Write the recorder as one file (a Python zip application), for a machine that has PaddleNLP and nothing of this
    project.

    There: python record_paddle.pyz SOURCE TRACE. Here: paddle2torch verify SOURCE OUTPUT --trace TRACE.
    """
    from verify.reference.bundle_recorder import bundle_recorder, write_recorder

    if file is None:
        typer.echo(bundle_recorder(), nl=False)
    else:
        write_recorder(file)
        typer.echo(
            f"wrote {printable(str(file))}: run it where PaddleNLP is, `python {printable(file.name)} --help` has more",
            err=True,
        )


_DOCUMENT = "docs/reference.md"
add_command(
    app,
    "install",
    install,
    Page(
        ("[OPTIONS]",),
        ("paddle2torch reference install", "paddle2torch reference install --python python3.11"),
        _DOCUMENT,
    ),
    "Make an environment that has Paddle (once, 2 GB).",
)
add_command(
    app,
    "path",
    print_path,
    Page(
        ("[OPTIONS]",),
        ("paddle2torch reference path", "paddle2torch reference path --paddle-python my-env/bin/python"),
        _DOCUMENT,
    ),
    "Print the Python that `verify` would use.",
)
add_command(
    app,
    "script",
    write_script,
    Page(
        ("[OPTIONS] [FILE]",),
        ("paddle2torch reference script record_paddle.pyz", "paddle2torch reference script > record_paddle.pyz"),
        _DOCUMENT,
    ),
    "Write the recorder for a machine that has PaddleNLP.",
)
