"""Download the files of a Hub repository that a conversion needs, or find them in huggingface_hub's cache."""

from __future__ import annotations

import os
from pathlib import Path

from converter.common.errors import FetchError, Problem
from converter.common.progress import ByteProgress
from converter.fetch.cache import cache_failure
from converter.hub.download import HubDownload
from converter.hub.names import COMMIT
from converter.hub.retry import HubTransientError
from converter.locate.hub_files import index_of, needed_files, shards_of
from converter.locate.located import Located


def locate_on_hub(
    repo_id: str, revision: str | None, cache: Path | None, *, offline: bool, progress: ByteProgress
) -> Located:
    """The snapshot folder of a repository. `cache`: None for huggingface_hub's own. Raises FetchError."""
    hub = HubDownload(repo_id, revision, cache, progress)
    try:
        return _locate(hub, offline)
    except OSError as error:
        raise cache_failure(hub.cache, error) from error


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
    commit = hub.revision
    if not COMMIT.fullmatch(commit):
        try:
            commit = (hub.storage / "refs" / hub.revision).read_text().strip()
        except (OSError, ValueError):
            raise _not_cached(hub, reason, f"revision {hub.revision}") from None
    snapshot = hub.storage / "snapshots" / commit
    if not COMMIT.fullmatch(commit) or not snapshot.is_dir():
        raise _not_cached(hub, reason, f"commit {commit[:40]}")
    small, weights = needed_files(sorted(os.listdir(snapshot)), hub.repo_id)
    shards = shards_of(snapshot / weights) if index_of(weights) else []
    for name in (*small, weights, *shards):
        path = snapshot / name
        if not path.is_file():
            raise _not_cached(hub, reason, name)
        etag = os.path.basename(os.readlink(path)) if path.is_symlink() else ""
        difference = hub.compare(path, etag, None)
        if difference is not None:
            hub.discard(path)
            raise FetchError(Problem("E705", f"{hub.repo_id}/{name} in the cache: {difference}. Removed; {reason}"))
    warning = f"{reason}: {hub.repo_id} is taken from the cache, commit {commit}"
    return Located(snapshot, f"{hub.repo_id}@{commit}", (warning, *hub.warnings))


def _not_cached(hub: HubDownload, reason: str, missing: str) -> FetchError:
    text = f"{hub.repo_id}: {reason}, and the cache {hub.cache} does not have {missing}. Run it with a network"
    return FetchError(Problem("E709" if reason == "offline" else "E703", text))
