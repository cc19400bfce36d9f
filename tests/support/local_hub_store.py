"""What a Hub keeps: repositories with branches, commits, files and pull requests, and the large files' bytes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: Kinds that the real Hub's .gitattributes send to LFS.
LARGE = (".safetensors", ".model", ".bin", ".pt", ".onnx", ".pdparams")


class Refused(Exception):
    """An answer that is no success: status, `X-Error-Code`, message."""

    def __init__(self, status: int, kind: str | None, message: str) -> None:
        super().__init__(message)
        self.status, self.kind, self.message = status, kind, message


@dataclass(frozen=True)
class Blob:
    """A file of a commit, in memory, or on disk where it came by LFS. `large`: git has a pointer in its place."""

    content: bytes | Path
    large: bool

    @property
    def data(self) -> bytes:
        return self.content if isinstance(self.content, bytes) else self.content.read_bytes()

    @property
    def size(self) -> int:
        return len(self.content) if isinstance(self.content, bytes) else self.content.stat().st_size

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest() if isinstance(self.content, bytes) else self.content.name

    @property
    def pointer(self) -> bytes:
        head = "version https://git-lfs.github.com/spec/v1"
        return f"{head}\noid sha256:{self.sha256}\nsize {self.size}\n".encode()

    @property
    def oid(self) -> str:
        """git's own sum."""
        stored = self.pointer if self.large else self.data
        return hashlib.sha1(b"blob %d\0" % len(stored) + stored, usedforsecurity=False).hexdigest()

    def describe(self, path: str) -> dict[str, Any]:
        entry: dict[str, Any] = {"type": "file", "path": path, "size": self.size, "oid": self.oid}
        if self.large:
            entry["lfs"] = {"oid": self.sha256, "size": self.size, "pointerSize": len(self.pointer)}
        return entry


@dataclass(frozen=True)
class Commit:
    oid: str
    title: str
    parent: str | None
    files: dict[str, Blob]


@dataclass
class PullRequest:
    number: int
    title: str
    author: str
    base: str


@dataclass
class Repository:
    """One repository. `refs`: branch or refs/pr/N -> commit."""

    name: str
    private: bool
    commits: dict[str, Commit] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    pulls: list[PullRequest] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.add("main", "initial commit", {".gitattributes": Blob(b"*.safetensors filter=lfs\n", False)})

    def add(self, ref: str, title: str, files: dict[str, Blob]) -> Commit:
        """A commit with exactly these files on `ref`."""
        parent = self.refs.get(ref)
        text = f"{self.name} {len(self.commits)} {title} {parent}"
        commit = Commit(hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest(), title, parent, files)
        self.commits[commit.oid] = commit
        self.refs[ref] = commit.oid
        return commit

    def find(self, revision: str) -> Commit:
        oid = self.refs.get(revision, revision)
        if oid not in self.commits:
            raise Refused(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return self.commits[oid]

    def read(self, path: str, revision: str = "main") -> bytes:
        return self.find(revision).files[path].data


@dataclass
class Store:
    """Everything on the server. `users`: token -> name. `folder`: large files under their sha256."""

    folder: Path
    users: dict[str, str] = field(default_factory=lambda: {"hf_local_token": "me"})
    repositories: dict[str, Repository] = field(default_factory=dict)

    def user(self, authorization: str | None) -> str | None:
        """Who asks; None without a token."""
        if not authorization:
            return None
        name = self.users.get(authorization.removeprefix("Bearer "))
        if name is None:
            raise Refused(401, None, "Invalid credentials in Authorization header")
        return name

    def find(self, name: str, user: str | None) -> Repository:
        repository = self.repositories.get(name)
        if repository is None or (repository.private and user != name.split("/")[0]):
            raise Refused(401 if user is None else 404, "RepoNotFound", "Repository not found")
        return repository

    def create(self, name: str, private: bool, user: str | None) -> Repository:
        if user is None:
            raise Refused(401, None, "Invalid username or password.")
        if name.split("/")[0] != user:
            raise Refused(403, None, "You don't have the rights to create a model under this namespace")
        if name in self.repositories:
            raise Refused(409, None, "You already created this model repo")
        self.repositories[name] = Repository(name, private)
        return self.repositories[name]

    def commit(
        self, repository: Repository, ref: str, lines: list[dict[str, Any]], pull: bool, user: str | None
    ) -> tuple[Commit, PullRequest | None]:
        """Apply the lines of a commit's body, on `ref` or as a pull request against it."""
        if user is None or (not pull and repository.name.split("/")[0] != user):
            raise Refused(401 if user is None else 403, None, "Forbidden: you must use a write token to upload")
        head = repository.find(ref)
        asked = lines[0]["value"]
        if asked.get("parentCommit") not in (None, head.oid) and not pull:
            raise Refused(412, None, "A commit has happened since. Please refresh and try again.")
        files = dict(head.files)
        for line in lines[1:]:
            self._apply(files, line["key"], line["value"])
        if not pull:
            if ref not in repository.refs:
                raise Refused(404, "RevisionNotFound", f"{ref} is not a branch")
            return repository.add(ref, asked["summary"], files), None
        opened = PullRequest(len(repository.pulls) + 1, asked["summary"], user, ref)
        repository.pulls.append(opened)
        repository.refs[f"refs/pr/{opened.number}"] = head.oid
        return repository.add(f"refs/pr/{opened.number}", asked["summary"], files), opened

    def _apply(self, files: dict[str, Blob], key: str, value: dict[str, Any]) -> None:
        import base64

        if key == "file":
            files[value["path"]] = Blob(base64.b64decode(value["content"]), False)
        elif key == "lfsFile":
            if not (self.folder / value["oid"]).exists():
                raise Refused(400, None, f"LFS pointer pointed to a file that does not exist: {value['path']}")
            files[value["path"]] = Blob(self.folder / value["oid"], True)
        elif key == "deletedFile":
            del files[value["path"]]
        else:
            raise Refused(400, None, f"unknown operation {key}")
