"""paddle2torch reference: the Python that has Paddle, and the script that runs there."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

import typer

from converter.cli.options import AS_JSON, DEBUG
from converter.cli.output import Reporter, print_json
from converter.common.printable import printable

app = typer.Typer(
    name="reference",
    help="Paddle's side of `verify`: which Python has Paddle, and the script that records there.",
    no_args_is_help=True,
    rich_markup_mode=None,
)
_PADDLE_PYTHON = typer.Option(None, metavar="PATH", help="The Python that has Paddle and PaddleNLP.")


@app.command("install")
def install(
    python: Optional[Path] = typer.Option(None, metavar="PATH", help="The Python 3.9 to 3.12 to make it with."),
    as_json: bool = AS_JSON,
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


@app.command("path")
def print_path(paddle_python: Optional[Path] = _PADDLE_PYTHON, as_json: bool = AS_JSON, debug: bool = DEBUG) -> None:
    """Print the interpreter that `verify` would use."""
    from verify.reference.find import find_interpreter

    found = find_interpreter(paddle_python)
    if as_json:
        print_json({"python": found})
    else:
        typer.echo(str(found))


@app.command("script")
def write_script(
    file: Optional[Path] = typer.Argument(
        None, metavar="[FILE]", help="Where the script goes (record_paddle.pyz); without it, to stdout."
    ),
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
