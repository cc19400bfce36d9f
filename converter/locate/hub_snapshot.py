"""Download the files of a Hub repository that a conversion needs, or find them in huggingface_hub's cache."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from converter.common.errors import FetchError, Problem, SourceError
from converter.common.layout import MANIFEST, REPORTS
from converter.common.progress import ByteProgress
from converter.fetch.cache import cache_failure
from converter.files.regular_files import unsafe_name
from converter.hub.download import HubDownload
from converter.hub.names import COMMIT
from converter.hub.retry import HubTransientError
from converter.locate.hub_files import index_of, needed_files, shards_of
from converter.locate.located import Located

#: Files of any size; others are small.
_LARGE = (".safetensors", ".bin", ".h5", ".msgpack", ".onnx", ".pdparams")
_MOST_FILES = 1000


def locate_on_hub(
    repo_id: str, revision: str | None, cache: Path | None, *, offline: bool, progress: ByteProgress
) -> Located:
    """The snapshot folder of a repository. `cache`: None for huggingface_hub's own. Raises FetchError."""
    hub = HubDownload(repo_id, revision, cache, progress)
    try:
        return _locate(hub, offline)
    except OSError as error:
        raise cache_failure(hub.cache, error) from error


def locate_published(
    repo_id: str, revision: str | None, cache: Path | None, *, offline: bool, progress: ByteProgress
) -> Located:
    """The same of a repository that `push` published: every file at its top, and what is in the folder of the report.
    Raises FetchError, SourceError for a repository that was not made by this tool."""
    hub = HubDownload(repo_id, revision, cache, progress)
    try:
        if offline or hub.is_offline:
            return _find_published(hub, "offline")
        try:
            commit, names = hub.list_files()
        except HubTransientError as error:
            return _find_published(hub, str(error))
        return _download_published(hub, commit, names)
    except OSError as error:
        raise cache_failure(hub.cache, error) from error


def _download_published(hub: HubDownload, commit: str, names: list[str]) -> Located:
    chosen = _published_files(hub, names)
    try:
        for name in sorted(chosen, key=lambda name: name.endswith(_LARGE)):  # A wrong small file ends it early.
            hub.download(name, commit, small=not name.endswith(_LARGE))
        if hub.revision != commit:
            hub.record_revision(chosen[-1])
    except HubTransientError as error:
        raise FetchError(Problem("E703", f"{hub.repo_id}: {error}. Run it again later")) from None
    return Located(hub.storage / "snapshots" / commit, f"{hub.repo_id}@{commit}", tuple(hub.warnings))


def _find_published(hub: HubDownload, reason: str) -> Located:
    snapshot = _cached_snapshot(hub, reason)
    there = [path.relative_to(snapshot).as_posix() for path in snapshot.rglob("*") if path.is_file()]
    return _compare_cached(hub, snapshot, _published_files(hub, there), reason)


def _published_files(hub: HubDownload, names: list[str]) -> list[str]:
    """What loading could read, and the evidence. Raises SourceError where nothing shows that this tool made it."""
    if MANIFEST not in names:
        text = f"{hub.repo_id} has no {MANIFEST}: paddle2torch did not make it. Name its source too"
        raise SourceError(Problem("E045", f"{text}: paddle2torch verify SOURCE OUTPUT"))
    chosen = [name for name in names if _is_published(name)]
    if len(chosen) > _MOST_FILES:
        raise FetchError(Problem("E710", f"{hub.repo_id} lists more than {_MOST_FILES} files"))
    return chosen


def _is_published(name: str) -> bool:
    base = name.removeprefix(f"{REPORTS}/")
    return unsafe_name(base) is None and not base.startswith(".")


def _locate(hub: HubDownload, offline: bool) -> Located:
    if offline or hub.is_offline:
        return _find_in_cache(hub, "offline")
    try:
        commit, names = hub.list_files()
    except HubTransientError as error:
        return _find_in_cache(hub, str(error))
    snapshot = _download_snapshot(hub, commit, names)
    return Located(snapshot, f"{hub.repo_id}@{commit}", tuple(hub.warnings))


def _download_snapshot(hub: HubDownload, commit: str, names: list[str]) -> Path:
    """Download the files that are needed, the small ones first. The commit of the revision is recorded last, so that an
    offline run finds all files or none."""
    small, weights = needed_files(names, hub.repo_id)
    try:
        for name in small:
            hub.download(name, commit, small=True)
        path = hub.download(weights, commit, small=index_of(weights))
        for shard in shards_of(path) if index_of(weights) else ():
            if shard not in names:
                raise FetchError(Problem("E710", f"{hub.repo_id}: {weights} names {shard}, which is not there"))
            hub.download(shard, commit, small=False)
        if hub.revision != commit:
            hub.record_revision(weights)
    except HubTransientError as error:
        raise FetchError(Problem("E703", f"{hub.repo_id}: {error}. Run it again later")) from None
    return path.parent


def _find_in_cache(hub: HubDownload, reason: str) -> Located:
    """The snapshot of an earlier run, its checksums compared again. `reason`: why the Hub is not asked. Raises
    FetchError."""
    snapshot = _cached_snapshot(hub, reason)
    small, weights = needed_files(sorted(os.listdir(snapshot)), hub.repo_id)
    shards = shards_of(snapshot / weights) if index_of(weights) else []
    return _compare_cached(hub, snapshot, (*small, weights, *shards), reason)


def _cached_snapshot(hub: HubDownload, reason: str) -> Path:
    """The folder of the revision in the cache."""
    commit = hub.revision
    if not COMMIT.fullmatch(commit):
        try:
            commit = (hub.storage / "refs" / hub.revision).read_text().strip()
        except (OSError, ValueError):
            raise _not_cached(hub, reason, f"revision {hub.revision}") from None
    snapshot = hub.storage / "snapshots" / commit
    if not COMMIT.fullmatch(commit) or not snapshot.is_dir():
        raise _not_cached(hub, reason, f"commit {commit[:40]}")
    return snapshot


def _compare_cached(hub: HubDownload, snapshot: Path, names: Iterable[str], reason: str) -> Located:
    """The snapshot, after the checksums of these files were compared again."""
    for name in names:
        path = snapshot / name
        if not path.is_file():
            raise _not_cached(hub, reason, name)
        etag = os.path.basename(os.readlink(path)) if path.is_symlink() else ""
        difference = hub.compare(path, etag, None)
        if difference is not None:
            hub.discard(path)
            raise FetchError(Problem("E705", f"{hub.repo_id}/{name} in the cache: {difference}. Removed; {reason}"))
    warning = f"{reason}: {hub.repo_id} is taken from the cache, commit {snapshot.name}"
    return Located(snapshot, f"{hub.repo_id}@{snapshot.name}", (warning, *hub.warnings))


def _not_cached(hub: HubDownload, reason: str, missing: str) -> FetchError:
    text = f"{hub.repo_id}: {reason}, and the cache {hub.cache} does not have {missing}. Run it with a network"
    return FetchError(Problem("E709" if reason == "offline" else "E703", text))
