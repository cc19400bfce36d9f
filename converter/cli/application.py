"""The program: its commands, and the one place where errors become text and an exit code.

Each command has a module in commands/. Only they, this module, converter.cli.output and converter.cli.reporter print.
"""

from __future__ import annotations

import sys
import traceback
from typing import Any

import typer
import typer.core

from converter.cli import verbosity
from converter.cli.commands import convert, env, evaluate, inspect, push, reference, to_paddle, verify
from converter.cli.errors import DONE, STOPPED, find_problems
from converter.cli.output import describe_problems, print_json, print_text
from converter.cli.pages import Page, add_command, write_end
from converter.common.errors import Problem, SourceError
from converter.common.printable import MESSAGE, printable, printable_message
from converter.common.version import __version__

#: A file with more problems than this is not the file that was meant.
_MOST_LINES = 50


class Commands(typer.core.TyperGroup):
    """Turns every error into text and an exit code, in one place."""

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        write_end(formatter, PAGE.examples, PAGE.document)

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
    most = verbosity.most(_MOST_LINES)
    for problem in problems[:most]:
        print_text(printable_message(str(problem)), err=True)
    if len(problems) > most:
        print_text(f"and {len(problems) - most} more problems (-v prints them)", err=True)
    if not problems:  # The message is the help.
        typer.echo(str(error), err=True)
    return STOPPED


PAGE = Page(
    ("[OPTIONS] COMMAND [ARGS]...",),
    ("paddle2torch convert my-model out", "paddle2torch verify my-model out"),
    "README.md",
)
app = typer.Typer(
    cls=Commands,
    name="paddle2torch",
    help="Convert Paddle checkpoints to PyTorch, and prove that the result is the same model.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"paddle2torch {__version__}")
        raise typer.Exit()


@app.callback()
def options(
    version: bool = typer.Option(
        False, "--version", "-V", callback=_print_version, is_eager=True, help="Print the version."
    ),
    debug: bool = typer.Option(False, "--debug", help="Show the tracebacks of errors."),
) -> None:
    """Options of the program, given before the command."""


add_command(app, "convert", convert.convert, convert.PAGE, convert.SUMMARY)
add_command(app, "inspect", inspect.inspect, inspect.PAGE, inspect.SUMMARY)
add_command(app, "verify", verify.verify, verify.PAGE, verify.SUMMARY)
add_command(app, "evaluate", evaluate.evaluate, evaluate.PAGE, evaluate.SUMMARY)
add_command(app, "push", push.push, push.PAGE, push.SUMMARY)
add_command(app, "to-paddle", to_paddle.to_paddle, to_paddle.PAGE, to_paddle.SUMMARY)
app.add_typer(reference.app)
add_command(app, "env", env.env, env.PAGE, env.SUMMARY)
