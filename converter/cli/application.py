"""The program: its commands, and the one place where errors become text and an exit code.

Each command has a module in commands/. Only they, this module and converter.cli.output print.
"""

from __future__ import annotations

import sys
import traceback
from typing import Any

import typer
import typer.core

from converter.cli.commands.convert import convert
from converter.cli.commands.evaluate import evaluate
from converter.cli.commands.inspect import inspect
from converter.cli.commands.push import push
from converter.cli.commands.reference import app as reference
from converter.cli.commands.to_paddle import to_paddle
from converter.cli.commands.verify import verify
from converter.cli.errors import DONE, STOPPED, find_problems
from converter.cli.output import describe_problems, print_json
from converter.common.errors import Problem, SourceError
from converter.common.printable import MESSAGE, printable, printable_message
from converter.common.version import __version__

#: A file with more problems than this is not the file that was meant.
_MOST_LINES = 50


class Commands(typer.core.TyperGroup):
    """Turns every error into text and an exit code, in one place."""

    def main(self, *args: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        words = list(extra.get("args") or (args[0] if args else None) or sys.argv[1:])
        try:
            if "" in words:
                raise SourceError(Problem("E090", "an argument is an empty string, expected a name or a value"))
            code = super().main(*args, standalone_mode=False, **extra)  # type: ignore[misc]
        except Exception as error:
            if _debug():
                for line in traceback.format_exc().splitlines():
                    typer.echo(printable(line, MESSAGE), err=True)
            code = report_error(error, "--json" in words)
        if not standalone_mode:
            return code
        if sys.stdout is not None:  # None where the caller closed it.
            sys.stdout.flush()
        sys.exit(code if isinstance(code, int) else DONE)


def _debug() -> bool:
    return "--debug" in sys.argv


def report_error(error: Exception, as_json: bool = False) -> int:
    """Print an error for the user; returns the exit code."""
    problems = find_problems(error)
    if as_json:
        print_json(describe_problems(problems))
    for problem in problems[:_MOST_LINES]:
        typer.echo(printable_message(str(problem)), err=True)
    if len(problems) > _MOST_LINES:
        typer.echo(f"and {len(problems) - _MOST_LINES} more problems", err=True)
    if not problems:  # The message is the help.
        typer.echo(str(error), err=True)
    return STOPPED


app = typer.Typer(
    cls=Commands,
    name="paddle2torch",
    help="Convert Paddle checkpoints to PyTorch, and prove that the result is the same model.",
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
    """Options of the program, given before the command."""


app.command()(convert)
app.command()(inspect)
app.command()(verify)
app.command()(evaluate)
app.command()(push)
app.command("to-paddle")(to_paddle)
app.add_typer(reference)
