"""What `push` returns."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PushedFile:
    """A file of the repository.

    - name: its path there.
    - size: in bytes.
    - sha256: of its bytes.
    - change: "add", "change" or "same".
    """

    name: str
    size: int
    sha256: str
    change: str


@dataclass(frozen=True)
class Push:
    """What was published, or with `dry_run` would be.

    - repo_id: the repository.
    - url: its page.
    - revision: the branch.
    - dry_run: whether nothing was sent.
    - verified: whether a passing full report proves these bytes.
    - new_repository: whether the repository was (or would be) made.
    - new_branch: whether the branch was (or would be) made.
    - private: whether the repository is private.
    - commit: the commit that has the files; None for a dry run that finds something to do.
    - pull_request: the address of the pull request, with `create_pr`.
    - files: every file of the repository that OUTPUT has.
    - deleted: files that were removed from the repository.
    - left_out: name and reason of each file of OUTPUT that is not sent.
    - warnings: what is odd, and stopped nothing.
    - nothing_to_do: whether the Hub had everything before this run.
    - foreign_code: code files that are not this tool's own.
    """

    repo_id: str
    url: str
    revision: str
    dry_run: bool
    verified: bool
    new_repository: bool
    new_branch: bool
    private: bool
    commit: str | None
    pull_request: str | None
    files: tuple[PushedFile, ...]
    deleted: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]
    nothing_to_do: bool
    foreign_code: tuple[str, ...] = ()
