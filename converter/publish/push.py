"""push: publish OUTPUT to a repository on the Hub. It is checked before, and compared with the Hub afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from converter.common.arguments import as_path
from converter.common.errors import Problem, PushError
from converter.common.progress import OnProgress, Progress, listen, log_warnings
from converter.hub.contents import Commit, LocalFile, RemoteFile, RemoteRevision, make_local_file
from converter.hub.errors import LOG_IN, MissingError
from converter.hub.repository import HubRepository
from converter.publish.arguments import check_arguments
from converter.publish.card import build_card, describe_doubts, describe_evidence, describe_left_inside, find_family
from converter.publish.changes import Changes, find_changes, find_foreign
from converter.publish.evaluation import describe_evaluations, find_evaluations, without_these
from converter.publish.evidence import check_evidence, find_foreign_code, refuse_foreign_code
from converter.publish.folder import CARD, EVIDENCE, TRACE, Listing, list_files, with_paths_of_evidence
from converter.publish.model_index import refuse_results, with_results
from converter.publish.pushed import Push, PushedFile

MESSAGE = "Publish with paddle2torch"


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
    model_index: str | None = None,
    with_trace: bool = False,
    progress: OnProgress | None = None,
) -> Push:
    """Publish a verified folder on the Hugging Face Hub.

    Sends only the files that the Hub lacks, and afterwards compares the checksums that the Hub reports. Nothing in
    `output` changes.

    - output: the folder that `convert` made, with its report in `output`/verification.
    - repo_id: "owner/name"; "name" alone belongs to the token's owner.
    - private: make a new repository a private one.
    - revision: push to this branch, made where needed.
    - create_pr: open a pull request instead of committing to the branch.
    - commit_message: the message of the commit.
    - dry_run: find out what would be sent and changed, and change nothing.
    - allow_unverified: publish without a passing full report of exactly these bytes; the card states that.
    - allow_foreign_code: publish code that is not this tool's own; the card names it.
    - model_index: the name of your own data set: makes the evaluations in `output`/evaluation that passed with these
      bytes results of your own fine-tuned model in the card's metadata. The card shows them in any case.
    - with_trace: publish what Paddle computed (verification/trace.safetensors) whatever its size; else below 20 MB.
    - progress: called with a `Progress` for every step; by default nothing, in a notebook a bar.

    Raises PushError with every problem found.
    """
    hear = listen(progress)

    def report(line: str) -> None:
        hear(Progress(line))

    output = as_path(output)
    check_arguments(output, repo_id, revision, commit_message)
    report("checking the folder against its report")
    listing = list_files(output, with_trace=with_trace)
    evidence, problems = check_evidence(output, listing)
    foreign = find_foreign_code(output, listing)
    refused = [*([] if allow_unverified else problems), *([] if allow_foreign_code else refuse_foreign_code(foreign))]
    evaluations, unbelieved = find_evaluations(output, listing, verified=not problems)
    if model_index is not None:
        refused += refuse_results(output, model_index, evaluations, unbelieved)
    if refused:
        raise PushError(*with_paths_of_evidence(refused, output))
    hub = HubRepository(repo_id, report, needs_token=not (dry_run and "/" in repo_id))
    if problems or evidence is None:
        section = describe_doubts(problems, foreign)
    else:
        section = describe_evidence(evidence, listing.find(TRACE) is not None, foreign)
    section += describe_left_inside(output, evidence) + describe_evaluations(evaluations)
    listing = without_these(listing, unbelieved)
    files = files_to_push(output, listing, hub.repo_id, section, proven=not problems)
    if model_index is not None:
        files = with_results(files, hub.repo_id, model_index, evaluations)
    message = commit_message or MESSAGE
    run = _PushRun(hub, files, revision, create_pr, message, private, dry_run, report)
    warnings = [f"not verified: {problem.text}" for problem in problems]
    warnings += [f"{name} is not paddle2torch's own code; the card names it" for name in foreign]
    warnings += [f"{name} is left out: {reason}" for name, reason in unbelieved.items()]
    result = run.run(listing, warnings, verified=not problems, foreign_code=tuple(foreign))
    log_warnings(result.warnings)
    return result


def files_to_push(output: Path, listing: Listing, repo_id: str, section: str, *, proven: bool) -> tuple[LocalFile, ...]:
    """The files of OUTPUT, with `section` in the card. A report that does not prove these bytes is left out: on the Hub
    it would look as if it did."""
    text = None
    if listing.find(CARD) is not None:
        try:
            text = (output / CARD).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise PushError(Problem("E804", f"{CARD} cannot be read: {error}. Fix it, or remove it")) from None
    card = make_local_file(CARD, build_card(text, repo_id, section, find_family(output)))
    others = listing.without({CARD, *(() if proven else EVIDENCE)})
    return tuple(sorted((card, *others), key=lambda file: file.name))


@dataclass
class _PushRun:
    """One push: looks at the repository, commits what it lacks, and compares the result."""

    hub: HubRepository
    files: tuple[LocalFile, ...]
    revision: str | None
    create_pr: bool
    message: str
    private: bool
    dry_run: bool
    report: Callable[[str], None]
    new_repository: bool = False
    new_branch: bool = False
    nothing_to_do: bool = False

    def run(self, listing: Listing, warnings: list[str], *, verified: bool, foreign_code: tuple[str, ...]) -> Push:
        self.report(f"asking {self.hub.shown_endpoint} what {self.hub.repo_id} has")
        before = self._look_up()
        remote = before.files if before is not None else {}
        changes = find_changes(self.files, remote)
        commit = self._commit_changes(before, changes)
        kinds = {"add": changes.added, "change": changes.changed, "same": changes.same}
        rows = [PushedFile(f.name, f.size, f.sha256, kind) for kind, group in kinds.items() for f in group]
        return Push(
            repo_id=self.hub.repo_id,
            url=self.hub.page,
            revision=self.revision or "main",
            dry_run=self.dry_run,
            verified=verified,
            new_repository=self.new_repository,
            new_branch=self.new_branch,
            private=bool(before.private) if before is not None else self.private,
            commit=commit.commit if commit else None,
            pull_request=commit.pull_request if commit else None,
            files=tuple(sorted(rows, key=lambda row: row.name)),
            deleted=changes.deleted,
            left_out=listing.left_out,
            warnings=(*warnings, *self._list_warnings(listing, remote)),
            nothing_to_do=self.nothing_to_do,
            foreign_code=foreign_code,
        )

    def _look_up(self) -> RemoteRevision | None:
        """The revision to compare with. A repository or branch that does not exist is created, unless `dry_run`."""
        found = self.hub.read_revision()
        if found is None:
            self.new_repository = True
            self.new_branch = self.revision not in (None, "main")
            if self.dry_run:
                return None
            self.report(f"creating the {'private ' if self.private else ''}repository {self.hub.repo_id}")
            self.hub.create(self.private)
            found = self.hub.read_revision()
            if found is None:
                text = f"{self.hub.repo_id}: this token gives no access to the repository. {LOG_IN}"
                raise PushError(Problem("E807", text))
        if self.private and found.private is False:
            text = f"{self.hub.repo_id} exists and is public: --private only makes new repositories private"
            raise PushError(Problem("E813", f"{text}. Make it private in its settings, or leave --private out"))
        return found if self.revision is None else self._look_up_branch(found, self.revision)

    def _look_up_branch(self, main: RemoteRevision, revision: str) -> RemoteRevision:
        try:
            return self.hub.read_revision(revision) or main
        except MissingError:
            if self.create_pr or revision.startswith("refs/"):
                raise
        self.new_branch = True
        if self.dry_run:
            return main
        self.report(f"creating the branch {revision}")
        self.hub.create_branch(revision)
        return self.hub.read_revision(revision) or main

    def _commit_changes(self, before: RemoteRevision | None, changes: Changes) -> Commit | None:
        """The commit that has every file: the present one, that of an open pull request, or a new one. None for a dry
        run that finds something to do."""
        if before is not None and not changes and before.commit:
            self.nothing_to_do = not self.new_branch
            return Commit(before.commit, f"{self.hub.page}/commit/{before.commit}")
        if self.dry_run:
            return None
        assert before is not None
        commit = self._find_pull_request() if self.create_pr else None
        self.nothing_to_do = commit is not None
        if commit is None:
            size = sum(file.size for file in changes.sent)
            self.report(f"sending {len(changes.sent)} of {len(self.files)} files, {size / 1e6:,.1f} MB")
            commit = self.hub.commit(
                changes.sent,
                changes.deleted,
                self._is_complete,
                has_gitignore=".gitignore" in before.files,
                commit_message=self.message,
                revision=self.revision or "main",
                create_pr=self.create_pr,
                parent_commit=before.commit or None,
            )
        self._compare_checksums(commit)
        return commit

    def _is_complete(self, remote: Mapping[str, RemoteFile]) -> bool:
        return not find_changes(self.files, remote)

    def _find_pull_request(self) -> Commit | None:
        try:
            return self.hub.find_pull_request(self._is_complete)
        except PushError:  # Not every server lists them; without the list, a new one is opened.
            return None

    def _compare_checksums(self, commit: Commit) -> None:
        """Compare the checksums that the Hub reports with those of the files. Raises PushError (E811)."""
        self.report("comparing the checksums")
        revision = f"refs/pr/{commit.number}" if commit.number else self.revision or "main"
        remote = self.hub.read_files(commit.commit, revision)
        problems = []
        for file in self.files:
            found = remote.get(file.name)
            if found is None or not found.equals(file):
                there = f"{found.sha256 or found.blob_id}, {found.size:,} bytes" if found else "no such file"
                text = f"{self.hub.repo_id}/{file.name} in commit {commit.commit}: {there}, expected {file.sha256}"
                problems.append(Problem("E811", f"{text} ({file.size:,} bytes). Do not use this commit; push again"))
        if problems:
            raise PushError(*problems)

    def _list_warnings(self, listing: Listing, remote: Mapping[str, RemoteFile]) -> list[str]:
        card = next(file.content for file in self.files if file.name == CARD)
        warnings = []
        if isinstance(card, bytes) and not card.startswith(b"---\n"):
            warnings.append(f"{CARD} has no metadata: the Hub will know neither library nor license")
        elif isinstance(card, bytes) and b"\nlicense:" not in card.partition(b"\n---\n")[0]:
            advice = "put it into the metadata, or convert with --license ID"
            warnings.append(f"{CARD} names no license, so that nobody may use these weights: {advice}")
        if self.dry_run and not self.nothing_to_do:
            warnings += self.hub.predict_refusals(self.create_pr)
        warnings += [f"left out: {name} ({reason})" for name, reason in listing.left_out if reason != "hidden"]
        return warnings + [
            f"{name} is on the Hub and not in OUTPUT, and loading this model could read it. Remove it there?"
            for name in find_foreign(self.files, remote)
        ]
