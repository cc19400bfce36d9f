"""paddle2torch push."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

import typer

from converter.cli import options
from converter.cli.output import print_push
from converter.cli.pages import Page
from converter.cli.reporter import Reporter
from converter.cli.verbosity import QUIET, VERBOSE

PAGE = Page(
    ("[OPTIONS] OUTPUT REPO_ID",),
    ("paddle2torch push out me/my-model --dry-run", "paddle2torch push out me/my-model --private"),
    "docs/publish.md",
)
SUMMARY = "Publish a verified folder on the Hugging Face Hub."


def push(
    output: Path = options.OUTPUT,
    repo_id: str = typer.Argument(..., metavar="REPO_ID", help="The repository on the Hub: OWNER/NAME."),
    private: bool = typer.Option(False, "--private", help="Make a new repository a private one."),
    revision: Optional[str] = typer.Option(None, metavar="REV", help="Push to this branch, made where needed."),
    create_pr: bool = typer.Option(False, "--create-pr", help="Open a pull request with it."),
    commit_message: Optional[str] = typer.Option(None, metavar="TEXT", help="The commit message."),
    dry_run: bool = typer.Option(False, "--dry-run", help="Print what would be sent and changed, and change nothing."),
    allow_unverified: bool = typer.Option(
        False, "--allow-unverified", help="Push without a passing report of these files. The card notes it."
    ),
    allow_foreign_code: bool = typer.Option(
        False, "--allow-foreign-code", help="Push code that is not this tool's own. The card names it."
    ),
    model_index: Optional[str] = typer.Option(
        None, metavar="NAME", help="Your own model: put OUTPUT/evaluation on the card as results on this data set."
    ),
    with_trace: bool = typer.Option(False, "--with-trace", help="Send the trace too if it has 20 MB or more."),
    as_json: bool = options.AS_JSON,
    quiet: bool = QUIET,
    verbose: bool = VERBOSE,
    debug: bool = options.DEBUG,
) -> None:
    """Publish a verified OUTPUT on the Hugging Face Hub.

    The token is taken from HF_TOKEN or `hf auth login`. Files that are already on the Hub are skipped.
    """
    given = options.arguments(locals())
    from converter.publish.push import push as push_folder

    with Reporter() as reporter:
        result = push_folder(**given, progress=reporter.print_line)
    print_push(result, as_json)
