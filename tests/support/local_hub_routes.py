"""What the local Hub answers to: one function for each endpoint that huggingface_hub asks."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from tests.support.local_hub_request import Handler, LocalHub
from tests.support.local_hub_store import LARGE, Blob, Commit, Refused, Repository

TIME = "2024-01-01T00:00:00.000Z"
Route = Callable[[Handler, LocalHub, "re.Match[str]"], None]
_ROUTES: list[tuple[str, re.Pattern[str], Route]] = []
_REPOSITORY = r"(?P<repository>[\w.-]+/[\w.-]+)"


def route(handler: Handler, hub: LocalHub) -> None:
    """Find and call what answers. Raises Refused."""
    path = handler.plain_path()
    for method, pattern, answer in _ROUTES:
        found = pattern.fullmatch(path)
        if found and handler.command in method.split():
            return answer(handler, hub, found)
    raise Refused(404, None, f"no such endpoint: {handler.command} {path}")


def on(method: str, pattern: str) -> Callable[[Route], Route]:
    def keep(answer: Route) -> Route:
        _ROUTES.append((method, re.compile(pattern), answer))
        return answer

    return keep


@on("GET", "/api/whoami-v2")
def _whoami(handler: Handler, hub: LocalHub, found: re.Match[str]) -> None:
    name = handler.user()
    if name is None:
        raise Refused(401, None, "Invalid username or password.")
    handler.tell({"type": "user", "name": name, "auth": {"accessToken": {"role": "write"}}, "orgs": []})


@on("POST", "/api/repos/create")
def _create(handler: Handler, hub: LocalHub, found: re.Match[str]) -> None:
    asked = json.loads(handler.body)
    user = handler.user()
    name = f"{asked.get('organization') or user}/{asked['name']}"
    private = bool(asked.get("private")) or asked.get("visibility") == "private"
    told = {"url": f"{hub.url}/{name}", "name": name, "id": name}
    try:
        hub.store.create(name, private, user)
    except Refused as refused:
        if refused.status != 409:
            raise
        return handler.tell({**told, "error": refused.message}, {"X-Error-Message": refused.message}, 409)
    return handler.tell(told)


@on("GET", f"/api/models/{_REPOSITORY}(/revision/(?P<revision>[^/]+))?")
def _information(handler: Handler, hub: LocalHub, found: re.Match[str]) -> None:
    repository, commit = _at(handler, found)
    siblings = [{"rfilename": path} for path in commit.files]
    told = {"id": repository.name, "modelId": repository.name, "sha": commit.oid, "siblings": siblings, "tags": []}
    handler.tell({**told, "private": repository.private, "downloads": 0, "likes": 0, "lastModified": TIME})


def _at(handler: Handler, found: re.Match[str]) -> tuple[Repository, Commit]:
    repository = handler.repository(found["repository"])
    return repository, repository.find(unquote(found["revision"] or "main"))


@on("GET", f"/api/models/{_REPOSITORY}/tree/(?P<revision>[^/]+)(/(?P<path>.+))?")
def _tree(handler: Handler, hub: LocalHub, found: re.Match[str]) -> None:
    """Five entries a page, so that the client has to turn pages."""
    commit = _at(handler, found)[1]
    whole = handler.query().get("recursive", "").lower() in ("true", "1")
    entries = [_describe(hub, path, blob) for path, blob in sorted(commit.files.items()) if whole or "/" not in path]
    start = int(handler.query().get("cursor", "0"))
    more = start + 5 < len(entries)
    following = f"{hub.url}{handler.plain_path()}?recursive={whole}&cursor={start + 5}"
    handler.tell(entries[start : start + 5], {"Link": f'<{following}>; rel="next"'} if more else None)


def _describe(hub: LocalHub, path: str, blob: Blob) -> dict[str, Any]:
    return Blob(b"other" + blob.data[5:], blob.large).describe(path) if path in hub.lies else blob.describe(path)


@on("POST", f"/api/models/{_REPOSITORY}/paths-info/(?P<revision>[^/]+)")
def _paths(handler: Handler, hub: LocalHub, found: re.Match[str]) -> None:
    commit = _at(handler, found)[1]
    asked = json.loads(handler.body)["paths"]
    handler.tell([_describe(hub, path, commit.files[path]) for path in asked if path in commit.files])


@on("POST", "/api/validate-yaml")
def _validate(handler: Handler, hub: LocalHub, found: re.Match[str]) -> None:
    content = json.loads(handler.body)["content"]
    if not re.match(r"---\n(.*\n)+?---\n", content):
        handler.tell({"errors": [{"message": "no metadata"}], "warnings": []}, status=400)
    else:
        handler.tell({"errors": [], "warnings": []})


@on("POST", f"/api/models/{_REPOSITORY}/preupload/(?P<revision>[^/]+)")
def _preupload(handler: Handler, hub: LocalHub, found: re.Match[str]) -> None:
    commit = _at(handler, found)[1]
    answers, asked = [], json.loads(handler.body)
    there = commit.files.get(".gitignore")
    ignored = asked.get("gitIgnore", there.data.decode() if there else "").splitlines()  # Plain names only.
    for file in asked["files"]:
        mode = "lfs" if file["path"].endswith(LARGE) else "regular"
        there = commit.files.get(file["path"])
        oid = {"oid": there.sha256 if there.large else there.oid} if there else {}
        answers.append({"path": file["path"], "uploadMode": mode, "shouldIgnore": file["path"] in ignored, **oid})
    handler.tell({"files": answers})


@on("POST", f"/{_REPOSITORY}\\.git/info/lfs/objects/batch")
def _batch(handler: Handler, hub: LocalHub, found: re.Match[str]) -> None:
    handler.repository(found["repository"])
    objects = []
    for asked in json.loads(handler.body)["objects"]:
        entry = {"oid": asked["oid"], "size": asked["size"]}
        if not (hub.store.folder / asked["oid"]).exists():
            upload = {"href": f"{hub.url}/large/{asked['oid']}?X-Signature=hidden"}
            verify = {"href": f"{hub.url}/{found['repository']}.git/info/lfs/verify"}
            entry["actions"] = {"upload": upload, "verify": verify}
        objects.append(entry)
    handler.tell({"transfer": "basic", "objects": objects}, {"Content-Type": "application/vnd.git-lfs+json"})


@on("PUT", "/large/(?P<oid>[0-9a-f]{64})")
def _upload(handler: Handler, hub: LocalHub, found: re.Match[str]) -> None:
    assert handler.upload is not None
    digest = hashlib.sha256()
    with open(handler.upload, "rb") as file:
        for piece in iter(lambda: file.read(1 << 20), b""):
            digest.update(piece)
    if digest.hexdigest() != found["oid"]:
        raise Refused(400, None, "the bytes have another sum")
    handler.upload.replace(hub.store.folder / found["oid"])
    handler.reply(200, b"", {"ETag": '"x"'})


@on("POST", f"/{_REPOSITORY}\\.git/info/lfs/verify")
def _verify(handler: Handler, hub: LocalHub, found: re.Match[str]) -> None:
    if not (hub.store.folder / json.loads(handler.body)["oid"]).exists():
        raise Refused(404, None, "not here")
    handler.tell({})


@on("POST", f"/api/models/{_REPOSITORY}/commit/(?P<revision>[^/]+)")
def _commit(handler: Handler, hub: LocalHub, found: re.Match[str]) -> None:
    repository = handler.repository(found["repository"])
    lines = [json.loads(line) for line in handler.body.splitlines() if line]
    pull = handler.query().get("create_pr") == "1"
    commit, opened = hub.store.commit(repository, unquote(found["revision"]), lines, pull, handler.user())
    told = {"success": True, "commitOid": commit.oid, "commitUrl": f"{hub.url}/{repository.name}/commit/{commit.oid}"}
    if opened is not None:
        told["pullRequestUrl"] = f"{hub.url}/{repository.name}/discussions/{opened.number}"
    handler.tell(told)


@on("POST", f"/api/models/{_REPOSITORY}/branch/(?P<revision>[^/]+)")
def _branch(handler: Handler, hub: LocalHub, found: re.Match[str]) -> None:
    repository = handler.repository(found["repository"])
    name = unquote(found["revision"])
    if name in repository.refs:
        raise Refused(409, None, "the branch is there already")
    repository.refs[name] = repository.find(json.loads(handler.body).get("startingPoint") or "main").oid
    handler.tell({})


@on("GET", f"/api/models/{_REPOSITORY}/refs")
def _refs(handler: Handler, hub: LocalHub, found: re.Match[str]) -> None:
    refs = handler.repository(found["repository"]).refs
    pulls = [{"name": ref[5:], "ref": ref, "targetCommit": oid} for ref, oid in refs.items() if ref.startswith("refs/")]
    branches = [
        {"name": ref, "ref": f"refs/heads/{ref}", "targetCommit": oid}
        for ref, oid in refs.items()
        if not ref.startswith("refs/")
    ]
    shown = {"pullRequests": pulls} if handler.query().get("include_prs") else {}
    handler.tell({"branches": branches, "tags": [], "converts": [], **shown})


@on("GET", f"/api/models/{_REPOSITORY}/discussions")
def _discussions(handler: Handler, hub: LocalHub, found: re.Match[str]) -> None:
    repository = handler.repository(found["repository"])
    discussions = [
        {
            "num": pull.number,
            "title": pull.title,
            "author": {"name": pull.author},
            "createdAt": TIME,
            "status": "open",
            "isPullRequest": True,
            "repo": {"name": repository.name, "type": "model"},
        }
        for pull in repository.pulls
    ]
    handler.tell({"discussions": discussions, "count": len(discussions), "start": 0})


@on("GET HEAD", f"/{_REPOSITORY}/resolve/(?P<revision>[^/]+)/(?P<path>.+)")
def _resolve(handler: Handler, hub: LocalHub, found: re.Match[str]) -> None:
    commit = _at(handler, found)[1]
    blob = commit.files.get(unquote(found["path"]))
    if blob is None:
        raise Refused(404, "EntryNotFound", "Entry not found")
    sums = {"ETag": f'"{blob.sha256 if blob.large else blob.oid}"', "X-Repo-Commit": commit.oid}
    if blob.large:
        sums.update({"X-Linked-Etag": sums["ETag"], "X-Linked-Size": str(blob.size)})
    span = re.fullmatch(r"bytes=(\d+)-(\d*)", handler.headers.get("Range", ""))
    if span is None:
        return handler.reply(200, blob.content, sums)
    first, last = int(span[1]), min(int(span[2] or len(blob.data)), len(blob.data) - 1)
    told = {**sums, "Content-Range": f"bytes {first}-{last}/{len(blob.data)}"}
    return handler.reply(206, blob.data[first : last + 1], told)
