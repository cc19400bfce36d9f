"""push: OUTPUT to a repository on the Hub, proven before and compared after."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from converter.common.errors import Problem, PushError
from converter.hub.changes import Changes, find_changes, find_foreign
from converter.hub.client import Head, Hub
from converter.hub.find_commit import Landed, find_pull_request
from converter.hub.publish_errors import LOG_IN
from converter.hub.token import find_token
from converter.publish.arguments import check_arguments
from converter.publish.card import build_card, describe_doubts, describe_evidence, describe_left_inside
from converter.publish.evidence import check_evidence, find_foreign_code, refuse_foreign_code
from converter.publish.folder import CARD, EVIDENCE, TRACE, Listing, LocalFile, in_memory, list_files

MESSAGE = "Publish with paddle2torch"


@dataclass(frozen=True)
class PushedFile:
    """A file of the repository: "add", "change" or "same". `size` in bytes."""

    name: str
    size: int
    sha256: str
    change: str


@dataclass(frozen=True)
class Push:
    """What was published, or with `dry_run` would be."""

    repo_id: str
    url: str
    revision: str
    dry_run: bool
    verified: bool
    #: Whether the repository, or the branch, was (or would be) made.
    new_repository: bool
    new_branch: bool
    private: bool
    #: The commit that has the files; None for a dry run that finds something to do.
    commit: str | None
    pull_request: str | None
    files: tuple[PushedFile, ...]
    deleted: tuple[str, ...]
    left_out: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]
    #: Whether the Hub had everything before this run.
    nothing_to_do: bool
    #: Code files that are not this tool's own.
    foreign_code: tuple[str, ...] = ()


def push(
    output: str | Path,
    repo_id: str,
    *,
    private: bool = False,
    revision: str | None = None,
    create_pr: bool = False,
    commit_message: str | None = None,
    dry_run: bool = False,
    allow_unverified: bool = False,
    allow_foreign_code: bool = False,
    progress: Callable[[str], None] | None = None,
) -> Push:
    """Publish the folder `output` as `repo_id` ("owner/name"; "name" alone is the token's owner's).

    Wants a passing full report of exactly these bytes in `output`/verification, unless `allow_unverified`, and code
    that is this tool's own, unless `allow_foreign_code`; the card then states that. Sends only what the Hub lacks, and
    compares the sums that the Hub tells afterwards. Nothing in `output` changes. `progress` is called with lines.
    Raises PushError with every problem found.
    """
    say = progress or (lambda text: None)
    check_arguments(output, repo_id, revision, commit_message)
    output = Path(output)
    say("checking the folder against its report")
    listing = list_files(output)
    report, problems = check_evidence(output, listing)
    foreign = find_foreign_code(output, listing)
    refused = [*([] if allow_unverified else problems), *([] if allow_foreign_code else refuse_foreign_code(foreign))]
    if refused:
        raise PushError(*refused)
    token = find_token()
    if token is None and not (dry_run and "/" in repo_id):
        raise PushError(Problem("E805", f"there is no token. {LOG_IN}"))
    hub = Hub(repo_id, token, say)
    if "/" not in repo_id:
        hub.repo_id = repo_id = f"{hub.owner()['name']}/{repo_id}"
    trace = report is not None and not problems and listing.find(TRACE) is not None
    if problems or report is None:
        section = describe_doubts(problems, foreign)
    else:
        section = describe_evidence(report, trace, foreign)
    section += describe_left_inside(output, report)
    files = files_to_push(output, listing, repo_id, section, proven=not problems)
    job = _Job(hub, files, revision, create_pr, commit_message or MESSAGE, private, say, tuple(foreign))
    return job.run(dry_run, listing, tuple(problem.text for problem in problems))


def files_to_push(output: Path, listing: Listing, repo_id: str, section: str, *, proven: bool) -> tuple[LocalFile, ...]:
    """The files of OUTPUT with the card in place of its own. A report that does not prove these bytes stays here: on
    the Hub it would look as if it did."""
    text = None
    if listing.find(CARD) is not None:
        try:
            text = (output / CARD).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise PushError(Problem("E804", f"{CARD} cannot be read: {error}. Mend it, or remove it")) from None
    card = in_memory(CARD, build_card(text, repo_id, section))
    others = listing.without({CARD, *(() if proven else EVIDENCE)})
    return tuple(sorted((card, *others), key=lambda file: file.name))


def _is_bare(file: LocalFile) -> bool:
    return file.name == CARD and isinstance(file.content, bytes) and not file.content.startswith(b"---\n")


@dataclass
class _Job:
    """One push under way."""

    hub: Hub
    files: Sequence[LocalFile]
    revision: str | None
    create_pr: bool
    message: str
    private: bool
    say: Callable[[str], None]
    foreign_code: tuple[str, ...] = ()
    new_repository: bool = False
    new_branch: bool = False
    nothing_to_do: bool = False

    def run(self, dry_run: bool, listing: Listing, doubts: tuple[str, ...]) -> Push:
        self.say(f"asking {self.hub.shown} what {self.hub.repo_id} has")
        head = self._look(dry_run)
        remote = head.files if head is not None else {}
        changes = find_changes(self.files, remote)
        landed = self._land(head, changes, dry_run)
        warnings = [f"not verified: {doubt}" for doubt in doubts]
        warnings += [f"{name} is not paddle2torch's own code; the card names it" for name in self.foreign_code]
        warnings += [
            f"{CARD} has no metadata: the Hub will know neither library nor license" for f in self.files if _is_bare(f)
        ]
        warnings += self.hub.foresee(self.create_pr) if dry_run and not self.nothing_to_do else []
        warnings += [f"left out: {name} ({reason})" for name, reason in listing.left_out if reason != "hidden"]
        warnings += [
            f"{name} is on the Hub and not in OUTPUT, and loading this model could read it. Remove it there?"
            for name in find_foreign(self.files, remote)
        ]
        kinds = {"add": changes.added, "change": changes.changed, "same": changes.same}
        rows = [PushedFile(f.name, f.size, f.sha256, kind) for kind, group in kinds.items() for f in group]
        return Push(
            repo_id=self.hub.repo_id,
            url=self.hub.page,
            revision=self.revision or "main",
            dry_run=dry_run,
            verified=not doubts,
            new_repository=self.new_repository,
            new_branch=self.new_branch,
            private=bool(head.private) if head is not None else self.private,
            commit=landed.commit if landed else None,
            pull_request=landed.pull_request if landed else None,
            files=tuple(sorted(rows, key=lambda row: row.name)),
            deleted=changes.deleted,
            left_out=listing.left_out,
            warnings=tuple(warnings),
            nothing_to_do=self.nothing_to_do,
            foreign_code=self.foreign_code,
        )

    def _look(self, dry_run: bool) -> Head | None:
        """The revision to compare with; what is not there yet is made, unless `dry_run`."""
        head = self.hub.look()
        if head is None:
            self.new_repository = True
            self.new_branch = self.revision not in (None, "main")
            if dry_run:
                return None
            self.say(f"making the {'private ' if self.private else ''}repository {self.hub.repo_id}")
            self.hub.create(self.private)
            head = self.hub.look()
            if head is None:
                text = f"{self.hub.repo_id}: the repository cannot be seen with this token. {LOG_IN}"
                raise PushError(Problem("E807", text))
        self._check_private(head)
        if self.revision is None:
            return head
        return self._look_at_branch(head, dry_run)

    def _check_private(self, head: Head) -> None:
        if self.private and head.private is False:
            text = f"{self.hub.repo_id} is there and is public: --private only makes new repositories private"
            raise PushError(Problem("E813", f"{text}. Make it private in its settings, or leave --private out"))

    def _look_at_branch(self, head: Head, dry_run: bool) -> Head:
        from converter.hub.publish_errors import Missing

        assert self.revision is not None
        try:
            found = self.hub.look(self.revision)
        except Missing:
            if self.create_pr or self.revision.startswith("refs/"):
                raise
            self.new_branch = True
            if dry_run:
                return head
            self.say(f"making the branch {self.revision}")
            self.hub.create_branch(self.revision)
            found = self.hub.look(self.revision)
        return found if found is not None else head

    def _land(self, head: Head | None, changes: Changes, dry_run: bool) -> Landed | None:
        """The commit that has every file: the present one, that of an open pull request, or a new one."""
        if head is not None and not changes and head.commit:
            self.nothing_to_do = not self.new_branch
            return Landed(head.commit, f"{self.hub.page}/commit/{head.commit}")
        if dry_run:
            return None
        assert head is not None
        landed = self._find_pull_request() if self.create_pr else None
        self.nothing_to_do = landed is not None
        if landed is None:
            size = sum(file.size for file in changes.sent)
            self.say(f"sending {len(changes.sent)} of {len(self.files)} files, {size / 1e6:,.1f} MB")
            landed = self.hub.commit(
                changes.sent,
                self.files,
                changes.deleted,
                over_ignored=".gitignore" in head.files,
                commit_message=self.message,
                revision=self.revision or "main",
                create_pr=self.create_pr,
                parent_commit=head.commit or None,
            )
        self._read_back(landed)
        return landed

    def _find_pull_request(self) -> Landed | None:
        try:
            return find_pull_request(self.hub, self.files)
        except PushError:  # Not every server lists them, and what is not found is sent.
            return None

    def _read_back(self, landed: Landed) -> None:
        """Compare what the Hub tells of every file with what was sent. Raises PushError (E811)."""
        self.say("reading the sums back")
        named = f"refs/pr/{landed.number}" if landed.number else self.revision or "main"
        there = self.hub.tree(landed.commit, named)
        problems = []
        for file in self.files:
            found = there.get(file.name)
            told = (
                "it is not there" if found is None else f"it has {found.sha256 or found.git_sum}, {found.size:,} bytes"
            )
            if found is None or not found.equals(file):
                text = f"{self.hub.repo_id}/{file.name} in commit {landed.commit}: {told}, expected {file.sha256}"
                problems.append(Problem("E811", f"{text} ({file.size:,} bytes). Do not use this commit; push again"))
        if problems:
            raise PushError(*problems)


__all__ = ["Push", "PushedFile", "push"]
