"""Help pages: usage lines as people write them, arguments, options, examples, and where to read more."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import typer.core

from converter.common.version import HOMEPAGE


@dataclass(frozen=True)
class Page:
    """What a help page has besides the options. `usage`: each line without the command. `examples`: two commands that
    can be copied. `document`: a file of docs/. `arguments`: name and help, where they are not those of the function."""

    usage: tuple[str, ...]
    examples: tuple[str, ...]
    document: str
    arguments: tuple[tuple[str, str], ...] = ()


def command_with(page: Page) -> type[typer.core.TyperCommand]:
    """The class of a command that has this page."""

    class CommandWithPage(typer.core.TyperCommand):
        def format_usage(self, ctx: Any, formatter: Any) -> None:
            for number, usage in enumerate(page.usage):
                formatter.write_usage(ctx.command_path, usage, "Usage: " if number == 0 else " " * 7)

        def format_options(self, ctx: Any, formatter: Any) -> None:
            params: list[Any] = self.get_params(ctx)
            own = [(one.metavar or str(one.name).upper(), one.help) for one in params if _is_argument(one)]
            options = [one.get_help_record(ctx) for one in params if not _is_argument(one)]
            _write_list(formatter, "Arguments", page.arguments or own)
            _write_list(formatter, "Options", [record for record in options if record is not None])

        def format_epilog(self, ctx: Any, formatter: Any) -> None:
            write_end(formatter, page.examples, page.document)

    return CommandWithPage


def _is_argument(parameter: Any) -> bool:
    return bool(parameter.param_type_name == "argument")


def _write_list(formatter: Any, title: str, rows: Any) -> None:
    if rows:
        with formatter.section(title):
            formatter.write_dl(rows)


def write_end(formatter: Any, examples: tuple[str, ...], document: str) -> None:
    """Examples, which are not wrapped so that they can be copied, and the address of the documentation."""
    with formatter.section("Examples"):
        for example in examples:
            formatter.write(f"  {example}\n")
    formatter.write(f"\nMore: {HOMEPAGE}/blob/main/{document}\n")


def add_command(app: typer.Typer, name: str, function: Callable[..., Any], page: Page, summary: str) -> None:
    """Add a command. `summary`: its line in the list of commands, whole in a terminal of 80 columns."""
    app.command(name, cls=command_with(page), short_help=summary)(function)
