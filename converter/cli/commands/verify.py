"""paddle2torch verify."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

import typer

from converter.cli import options, verbosity
from converter.cli.errors import OUTPUT_IS_WRONG, STOPPED
from converter.cli.output import print_json, print_text
from converter.cli.pages import Page
from converter.cli.reporter import Reporter
from converter.cli.verbosity import QUIET, VERBOSE
from converter.common.arguments import expand_home
from converter.common.errors import MOST_LISTED, Problem, SourceError

PAGE = Page(
    ("[OPTIONS] SOURCE OUTPUT", "[OPTIONS] OUTPUT_OR_HUB_ID [--trace FILE]"),
    ("paddle2torch verify my-model out", "paddle2torch verify me/my-model"),
    "docs/verify.md",
    (
        ("SOURCE", "The checkpoint, as `convert` was given it. Not needed with a trace."),
        ("OUTPUT", "The Hugging Face folder; alone, it or a Hub id brings its own trace."),
    ),
)
SUMMARY = "Prove that OUTPUT is the same model as SOURCE."


def verify(
    paths: list[str] = typer.Argument(
        ..., metavar="SOURCE OUTPUT", help="The checkpoint and the folder; or OUTPUT, or its Hub id, alone."
    ),
    precision: str = options.choice(("float64", "float32"), "float64", "What both sides compute in."),
    report: Optional[Path] = typer.Option(
        None, metavar="DIR", help="Where the report goes (default: OUTPUT/verification)."
    ),
    record: Optional[Path] = typer.Option(None, metavar="FILE", help="Keep what Paddle computed, for --trace."),
    trace: Optional[Path] = typer.Option(None, metavar="FILE", help="Compare with a recorded trace: needs no Paddle."),
    static_only: bool = typer.Option(
        False, "--static-only", help="Compare the bytes of the weights, run neither framework."
    ),
    self_test: bool = typer.Option(
        False, "--self-test", help="After a pass, inject faults into copies of OUTPUT and look for each."
    ),
    title: str = typer.Option("", metavar="TEXT", help="A heading for the report, where many are shown together."),
    paddle_python: Optional[Path] = typer.Option(
        None, metavar="PATH", help="The Python that has Paddle and PaddleNLP."
    ),
    architecture: Optional[str] = options.ARCHITECTURE,
    config: Optional[Path] = options.CONFIG,
    num_attention_heads: Optional[int] = options.HEADS,
    prefix: Optional[str] = options.PREFIX,
    family: Optional[str] = options.FAMILY,
    tokenizer: Optional[Path] = options.TOKENIZER,
    revision: Optional[str] = options.REVISION,
    cache: Optional[Path] = options.CACHE,
    offline: bool = options.OFFLINE,
    as_json: bool = options.AS_JSON,
    quiet: bool = QUIET,
    verbose: bool = VERBOSE,
    debug: bool = options.DEBUG,
) -> None:
    """Prove that OUTPUT is the same model as SOURCE: weights bit for bit, numbers layer by layer, tokens.

    Exit code 0: it is. 1: it is not, whatever is wrong. 2: it could not be decided, or an injected fault was missed.
    """
    given = options.arguments(locals(), "paths", "report")
    paths = [expand_home(path) for path in paths]
    from verify import verify as verify_conversion
    from verify.report.terminal import render_table

    if len(paths) > 2:
        raise SourceError(Problem("E090", "verify takes SOURCE and OUTPUT, or OUTPUT alone"))
    source = paths[0] if len(paths) == 2 else None
    with Reporter() as reporter:
        result = verify_conversion(source, paths[-1], report_dir=report, **given, progress=reporter.show)
    if as_json:
        print_json(result.to_json())
    else:
        print_text(render_table(result, verbosity.most(MOST_LISTED)))
    if not result.passed:
        raise typer.Exit(STOPPED if result.unjudged else OUTPUT_IS_WRONG)
    published = result.subject is not None and result.subject.origin != ""
    if result.folder is None and (report is not None or not published):  # It belongs to what was asked for.
        raise typer.Exit(STOPPED)
