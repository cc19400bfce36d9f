"""paddle2torch push."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

import typer

from converter.cli.options import AS_JSON, DEBUG, OUTPUT
from converter.cli.output import Reporter, print_push


def push(
    output: Path = OUTPUT,
    repo_id: str = typer.Argument(..., metavar="REPO_ID", help="The repository on the Hub: OWNER/NAME."),
    private: bool = typer.Option(False, "--private", help="Make a new repository a private one."),
    revision: Optional[str] = typer.Option(None, metavar="REV", help="Push to this branch, made where needed."),
    create_pr: bool = typer.Option(False, "--create-pr", help="Open a pull request with it."),
    commit_message: Optional[str] = typer.Option(None, metavar="TEXT", help="What the commit says."),
    dry_run: bool = typer.Option(False, "--dry-run", help="Say what would be sent and change, and change nothing."),
    allow_unverified: bool = typer.Option(
        False, "--allow-unverified", help="Push without a passing report of these files. The card says so."
    ),
    allow_foreign_code: bool = typer.Option(
        False, "--allow-foreign-code", help="Push code that is not this tool's own. The card names it."
    ),
    as_json: bool = AS_JSON,
    debug: bool = DEBUG,
) -> None:
    """Publish a verified OUTPUT on the Hugging Face Hub.

    The token is HF_TOKEN's, or that of `hf auth login`. What is there already is not sent again.
    """
    from converter.publish.push import push as push_folder

    with Reporter() as reporter:
        result = push_folder(
            output,
            repo_id,
            private=private,
            revision=revision,
            create_pr=create_pr,
            commit_message=commit_message,
            dry_run=dry_run,
            allow_unverified=allow_unverified,
            allow_foreign_code=allow_foreign_code,
            progress=reporter.say,
        )
    print_push(result, as_json)
