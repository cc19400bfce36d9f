"""paddle2torch inspect."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

import typer

from converter.cli import options
from converter.cli.errors import STOPPED
from converter.cli.output import print_inspection
from converter.cli.pages import Page
from converter.cli.reporter import Reporter
from converter.cli.verbosity import QUIET, VERBOSE

PAGE = Page(
    ("[OPTIONS] SOURCE_OR_OUTPUT",),
    ("paddle2torch inspect my-model", "paddle2torch inspect out --json"),
    "docs/sources.md",
)
SUMMARY = "Show what a checkpoint or a converted folder is."


def inspect(
    source: str = options.SOURCE,
    architecture: Optional[str] = options.ARCHITECTURE,
    config: Optional[Path] = options.CONFIG,
    num_attention_heads: Optional[int] = options.HEADS,
    prefix: Optional[str] = options.PREFIX,
    family: Optional[str] = options.FAMILY,
    revision: Optional[str] = options.REVISION,
    cache: Optional[Path] = options.CACHE,
    offline: bool = options.OFFLINE,
    behavior: Optional[str] = options.BEHAVIOR,
    as_json: bool = options.AS_JSON,
    quiet: bool = QUIET,
    verbose: bool = VERBOSE,
    debug: bool = options.DEBUG,
) -> None:
    """Print what a checkpoint is, without converting it; or what a converted folder was made from, and whether it is
    verified.

    Exit code 0: it converts, or is whole. 2: it does not, or is not; what is wrong stands on stderr.
    """
    given = options.arguments(locals())
    from converter.inspection import inspect as inspect_checkpoint

    with Reporter() as reporter:
        result = inspect_checkpoint(**given, progress=reporter.show)
    print_inspection(result, as_json)
    if result.problems:
        raise typer.Exit(STOPPED)
