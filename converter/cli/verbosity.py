"""How much is printed: -q/--quiet and -v/--verbose of the command that runs."""

from __future__ import annotations

import typer

#: -q: no progress and no advice. Errors, warnings and results are printed whatever was chosen.
quiet = False
#: -v: lists are not cut, and every stage is told with its seconds.
verbose = False


def _set_quiet(wanted: bool) -> bool:
    global quiet
    quiet = wanted
    return wanted


def _set_verbose(wanted: bool) -> bool:
    global verbose
    verbose = wanted
    return wanted


QUIET = typer.Option(
    False, "--quiet", "-q", callback=_set_quiet, help="Print no progress and no advice: results and errors only."
)
VERBOSE = typer.Option(
    False, "--verbose", "-v", callback=_set_verbose, help="Print every stage with its time, and lists in full."
)


def most(usual: int) -> int:
    """How many entries of a list are printed."""
    return 1_000_000 if verbose else usual
