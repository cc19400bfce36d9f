"""Find what SOURCE names: a path on this machine, or something to fetch into the cache."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from converter.common.arguments import expand_home
from converter.common.errors import FetchError, Problem, SourceError
from converter.common.progress import ByteProgress
from converter.common.redaction import redact
from converter.hub.names import is_repo_id
from converter.locate.located import FetchOptions, Located
from converter.open.mistaken_paths import did_you_mean

_USUAL = FetchOptions()
_FILE_SUFFIXES = (".pdparams", ".pdiparams", ".pdmodel", ".safetensors", ".bin", ".json")


def locate(source: str | Path, options: FetchOptions = _USUAL, progress: ByteProgress | None = None) -> Located:
    """Find SOURCE, which is the first that fits: a path that exists, a built-in name, an http(s) address, a Hub id.

    A `Path` is always a path. Raises SourceError, FetchError, or the reader's FileError for a download that is damaged.
    """
    text = expand_home(os.fspath(source))
    kind = "path" if isinstance(source, Path) else kind_of(text)
    if options.revision is not None and kind != "hub":
        raise SourceError(Problem("E090", f"--revision {options.revision} is for Hub ids (owner/name); SOURCE is none"))
    if kind == "path":
        return Located(Path(text))
    if kind == "nothing":
        raise SourceError(Problem("E001", _describe_unknown(text)))
    from converter.fetch.cache import cache_failure, cache_folder

    root, offline = cache_folder(options.cache), _is_offline(options)
    report = progress or (lambda *_: None)
    try:
        if kind == "hub":
            from converter.locate.hub_snapshot import locate_on_hub

            report(f"{text}: no such file or folder here, taken as a Hub id", 0, 0)
            with _naming_what_is_not_here(text):
                return locate_on_hub(text, options.revision, _hub_cache(options), offline=offline, progress=report)
        return (_locate_name if kind == "name" else _locate_address)(text, root, offline, report)
    except OSError as error:
        raise cache_failure(root, error) from error


def locate_output(output: str | Path, options: FetchOptions = _USUAL, progress: ByteProgress | None = None) -> Located:
    """Find OUTPUT: a path, or the Hub id of a folder that `push` published, which is fetched whole. What is neither is
    taken for a path. Raises SourceError, FetchError."""
    text = expand_home(os.fspath(output))
    if isinstance(output, Path) or _exists(text) or not is_repo_id(text, needs_owner=True):
        if options.revision is not None:
            raise SourceError(Problem("E090", f"--revision {options.revision} is for Hub ids; OUTPUT is a path"))
        return Located(Path(text))
    from converter.locate.hub_snapshot import locate_published

    report = progress or (lambda *_: None)
    report(f"{text}: no such folder here, taken as a Hub id", 0, 0)
    with _naming_what_is_not_here(text):
        cache, offline = _hub_cache(options), _is_offline(options)
        return locate_published(text, options.revision, cache, offline=offline, progress=report)


def _is_offline(options: FetchOptions) -> bool:
    return options.offline or os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE")


def _hub_cache(options: FetchOptions) -> Path | None:
    """Where repositories are kept; None for huggingface_hub's own cache."""
    from converter.fetch.cache import cache_folder

    named = options.cache is not None or bool(os.environ.get("PADDLE2TORCH_CACHE"))
    return cache_folder(options.cache) / "hub" if named else None


@contextmanager
def _naming_what_is_not_here(text: str) -> Iterator[None]:
    """A Hub id that leads nowhere may be a mistyped path: add that none is here, and what is."""
    try:
        yield
    except SourceError as error:
        first, *others = error.problems
        note = f"There is no file or folder {text} here{did_you_mean(text)}"
        told = f"{first.text.rstrip('.')}. {note}" if "no such folder either" not in first.text else first.text
        error.problems = (Problem(first.code, told), *others)
        error.args = ("\n".join(map(str, error.problems)),)
        raise


def kind_of(text: str) -> str:
    """What a SOURCE is: path, name, address, hub or nothing. Raises SourceError for a name that is not converted."""
    from converter.fetch.url import is_address
    from converter.locate.builtin_models import built_in_names
    from mappings.refused import refused_by

    if _exists(text):
        return "path"
    refused = refused_by("names", [text])
    if refused is not None:
        raise SourceError(Problem("E011", f"{text}: {refused[0].text}"))
    if text in built_in_names():
        return "name"
    if is_address(text):
        return "address"
    return "hub" if is_repo_id(text, needs_owner=True) and not text.endswith(_FILE_SUFFIXES) else "nothing"


def _exists(text: str) -> bool:
    try:
        return os.path.lexists(text)
    except ValueError:  # A zero byte.
        return False


def _describe_unknown(text: str) -> str:
    from converter.locate.builtin_models import built_in_names
    from mappings import all_families

    text = redact(text)  # before it is cut, or half a password might stay
    shown = text if text.isprintable() and len(text) <= 300 else ascii(text)[1:301]
    names = built_in_names()
    lower = {name.lower(): name for name in names}
    begun = [name for name in lower if name.startswith(f"{text.lower()}-")]
    sure = [name for name in lower if name == text.lower()] or begun
    close = "" if sure else did_you_mean(text)
    if not close:
        found = sure[:3] or difflib.get_close_matches(text.lower(), lower, n=3, cutoff=0.75)
        close = f". Did you mean {' or '.join(lower[name] for name in found)}?" if found else ""
    of_family = (model.name for family in all_families() for model in family.pretrained[:1])
    few = f"{', '.join(of_family)} and others: mappings/FAMILY/pretrained.toml lists all {len(names)}"
    return (
        f"{shown}: no such file or folder, none of the built-in names ({few}), no http(s) "
        f"address, and no Hub id (owner/name). SOURCE is one of these{close}"
    )


def _locate_name(text: str, root: Path, offline: bool, progress: ByteProgress) -> Located:
    from converter.fetch.cache import CacheEntry
    from converter.locate.builtin_models import built_in_names, endpoint, gather

    store = endpoint()
    entry = CacheEntry(root, "names", text, store.key)
    with entry.locked(lambda line: progress(line, 0, 0)):
        gather(built_in_names()[text], entry, store, offline=offline, progress=progress)
    warnings = (f"offline: {text} is taken from the cache",) if offline else ()
    return Located(entry.files, text, warnings)


def _locate_address(text: str, root: Path, offline: bool, progress: ByteProgress) -> Located:
    from converter.fetch.cache import CacheEntry
    from converter.fetch.download import fetch_file
    from converter.fetch.request import RequestedFile, is_current
    from converter.fetch.retry import TransientError
    from converter.fetch.url import parse_address, weight_name
    from converter.locate.check_download import check_content

    address = parse_address(text)
    name = weight_name(address)
    entry = CacheEntry(root, "addresses", name, address.key)
    with entry.locked(lambda line: progress(line, 0, 0)):
        found = entry.find(name)
        if found is None and offline:
            raise FetchError(
                Problem("E709", f"offline, and the cache {root} does not have {address.shown}. Run it with a network")
            )
        warning = "offline: no server was asked"
        try:
            current = found is not None and (offline or is_current(address, found[1]))
            warning = warning if offline else ""
        except TransientError as error:
            current, warning = True, f"{address.shown}: {error}"
        if not current:
            fetch_file(entry, RequestedFile(name, address, check_content), progress)
            warning = ""
    warnings = (f"{warning}. {name} is taken from the cache, as it was fetched before",) if warning else ()
    return Located(entry.files / name, address.shown, warnings)
