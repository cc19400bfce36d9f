"""What huggingface_hub's errors mean: one table from exceptions to text, for its two lines (requests, httpx)."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

from converter.common.errors import FetchError, Problem
from converter.fetch.transport import PASSING
from converter.hub.secrets import hide_secrets

_NETWORK_MODULES = ("requests", "urllib3", "httpx", "httpx2", "httpcore", "httpcore2")
LOG_IN = "Log in with `hf auth login`, or set HF_TOKEN"


class Passing(Exception):
    """A failure that may pass: no network, a busy or broken server, a cut."""


def explain(error: Exception, repo_id: str, revision: str, what: str) -> Exception | None:
    """A FetchError or Passing to raise in place of `error`; None for what is not huggingface_hub's to say."""
    from huggingface_hub import errors

    status = getattr(getattr(error, "response", None), "status_code", None)
    known = (
        (errors.GatedRepoError, f"it is gated: ask for access on its page. {LOG_IN}"),
        (errors.RevisionNotFoundError, f"there is no revision {revision}"),
        (errors.RepositoryNotFoundError, f"no such repository on the Hub, or a private one. {LOG_IN}"),
    )
    for kind, meaning in known:
        if isinstance(error, kind):
            here = " There is no such folder here either" if kind is errors.RepositoryNotFoundError else ""
            return FetchError(Problem("E710", f"{repo_id}: {meaning}.{here}"))
    if isinstance(error, errors.OfflineModeIsEnabled):
        return FetchError(Problem("E709", f"{repo_id}: HF_HUB_OFFLINE is set, and {what} is not in the cache"))
    if isinstance(error, errors.HfHubHTTPError) and status is not None:
        return _of_status(int(status), repo_id, what)
    if isinstance(error.__cause__ or error, errors.FileMetadataError):
        return FetchError(Problem("E710", f"{repo_id}: {what}: the server is no Hub ({first_line(error)})"))
    if isinstance(error, errors.LocalEntryNotFoundError) or is_network(error):
        return Passing(f"no network, or no answer from the Hub ({first_line(error)})")
    if "onsistency check failed" in str(error):
        return FetchError(Problem("E704", f"{repo_id}/{what}: {first_line(error)} Not kept"))
    if isinstance(error, OSError) and error.errno is not None:
        return None
    if isinstance(error, (OSError, ValueError, KeyError, TypeError, RuntimeError)):  # No JSON, fields missing, xet.
        return FetchError(Problem("E710", f"{repo_id}: {what}: the Hub's answer is not usable ({first_line(error)})"))
    return None


def _of_status(status: int, repo_id: str, what: str) -> Exception:
    if status in PASSING:
        return Passing(f"the Hub answers {status} for {what}")
    meaning = {401: LOG_IN, 403: f"access is forbidden. {LOG_IN}", 404: "there is no such file"}.get(status, "")
    return FetchError(Problem("E710", f"{repo_id}: the Hub answers {status} for {what}. {meaning}".rstrip()))


def is_network(error: BaseException) -> bool:
    """Whether a library for http raised this: which one depends on huggingface_hub's version."""
    modules = {kind.__module__.split(".")[0] for kind in type(error).__mro__}
    decoding = "JSONDecodeError" in type(error).__name__
    return not decoding and (
        bool(modules & set(_NETWORK_MODULES)) or isinstance(error, (ConnectionError, TimeoutError))
    )


def first_line(error: BaseException, token: str | None = None) -> str:
    """A short account without secrets and without queries: those of signed addresses are secrets. What is secret goes
    before the text is cut: half of it is not recognised."""
    text = hide_secrets((str(error).strip().splitlines() or [""])[0] or type(error).__name__, token)
    return shown(re.sub(r"\?\S*", "", text))[:200]


def shown(text: str) -> str:
    """A server's words, with every letter that a terminal could take for more than a letter escaped."""
    return "".join(letter if " " <= letter <= "~" else ascii(letter)[1:-1] for letter in text)


@contextmanager
def quiet(*, bars: bool = False) -> Iterator[None]:
    """huggingface_hub's own log lines off for a while, and its bars unless `bars`: what is to say is said here."""
    from huggingface_hub.utils.tqdm import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    logger = logging.getLogger("huggingface_hub")
    level, shown = logger.level, not bars and not are_progress_bars_disabled()
    logger.setLevel(logging.CRITICAL)
    if shown:
        disable_progress_bars()
    try:
        yield
    finally:
        logger.setLevel(level)
        if shown:
            enable_progress_bars()
