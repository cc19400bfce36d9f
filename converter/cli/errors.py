"""What each kind of error means to the user: its problems and the exit code."""

from __future__ import annotations

import re
from typing import Any

from converter.common.errors import Paddle2TorchError, Problem
from converter.common.version import HOMEPAGE

#: OUTPUT_IS_WRONG is for verify and evaluate alone; STOPPED is everything else that ends the work.
DONE, OUTPUT_IS_WRONG, STOPPED = 0, 1, 2


def find_problems(error: Exception) -> tuple[Problem, ...]:
    """The problems that an exception stands for; none for a call without arguments, which prints the help."""
    if isinstance(error, Paddle2TorchError):
        return error.problems
    if type(error).__name__ == "NoArgsIsHelpError":
        return ()
    return (_problem_of(error),)


def _problem_of(error: Exception) -> Problem:
    if hasattr(error, "format_message"):  # A usage error of typer.
        return Problem("E090", f"{_describe_usage(error)} See `{_path_of(error)} --help`")
    if isinstance(error, OSError):
        return Problem("E505", f"{error.filename or 'a file'}: {error.strerror or error}")
    if isinstance(error, MemoryError):
        return Problem("E506", "not enough memory")
    text = f"an internal error (a bug in paddle2torch): {type(error).__name__}: {error}. --debug shows where"
    return Problem("E099", f"{text}; please report it: {HOMEPAGE}/issues")


def _describe_usage(error: Any) -> str:
    """typer's text as a sentence, without the words of the library that reads values."""
    text = str(error.format_message()).replace("Value error, ", "").strip()
    text = re.sub(r" \(Possible options: ([^)]*)\)", r". Did you mean \1?", text)
    return text if text.endswith((".", "?", "!")) else f"{text}."


def _path_of(error: Any) -> str:
    """The command whose help explains the usage."""
    context = getattr(error, "ctx", None)
    return str(context.command_path) if context is not None else "paddle2torch"
