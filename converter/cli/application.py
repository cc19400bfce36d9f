"""The command line: which commands there are, and what an error means to the user.

One module per command in commands/: options in, text and exit codes out. They and cli_output alone print.
"""

from __future__ import annotations

import sys
import traceback
from typing import Any

import typer
import typer.core

from converter.cli.commands.convert import convert
from converter.cli.commands.inspect import inspect
from converter.cli.commands.push import push
from converter.cli.commands.reference import app as reference
from converter.cli.commands.verify import verify
from converter.cli.exit_codes import DONE, STOPPED
from converter.cli.output import describe_problems, print_json
from converter.common.errors import Paddle2TorchError, Problem, SourceError
from converter.common.printable import MESSAGE, printable, printable_message
from converter.common.version import __version__

#: A file with more problems than that is another file than was meant.
_MOST_LINES = 50


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
    """Print an error for the user, and give the exit code that it means."""
    problems = find_problems(error)
    if as_json:
        print_json(describe_problems(problems))
    for problem in problems[:_MOST_LINES]:
        typer.echo(printable_message(str(problem)), err=True)
    if len(problems) > _MOST_LINES:
        typer.echo(f"and {len(problems) - _MOST_LINES} more problems", err=True)
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
    help="Take a model from Paddle to PyTorch, and prove that it is the same model.",
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


app.command()(convert)
app.command()(inspect)
app.command()(verify)
app.command()(push)
app.add_typer(reference)
