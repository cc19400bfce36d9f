"""What the Hub's refusals and failures mean while publishing: one table from exceptions to text, for both lines of
huggingface_hub. A token is never part of a text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from typing import Any

from converter.errors import Problem, PushError
from converter.fetch.hub_errors import first_line, is_network
from converter.fetch.transport import PASSING

_QUOTA = re.compile(r"quota|storage (limit|space)|limit (exceeded|reached)|exceed\w* .*(storage|limit)|payment", re.I)
_TOKENS = re.compile(r"hf_[A-Za-z0-9_]{6,}|(?<=Bearer )\S+|(?<=://)[^/\s@]+@", re.I)
LOG_IN = "Log in with `hf auth login`, or set HF_TOKEN to a token that may write"
_AGAIN = "Run the same command again later: what has been uploaded is not sent again"


class Passing(Exception):
    """A failure that may pass. `wait`: seconds that the server asks for. `tried`: huggingface_hub has tried it several
    times by itself."""

    def __init__(self, reason: str, wait: float = 0.0, *, tried: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.wait, self.tried = reason, wait, tried

    def as_error(self, repo_id: str) -> PushError:
        asked = f" It asks to wait {self.wait:.0f} seconds." if self.wait else ""
        return PushError(Problem("E809", f"{repo_id}: {self.reason}, after several tries.{asked} {_AGAIN}"))


class Missing(PushError):
    """There is no such repository or revision, or this token does not see it."""


class Unusable(PushError):
    """An answer that huggingface_hub cannot read. What was asked for may have been done."""


class Conflict(PushError):
    """It is there already, or something else has been committed meanwhile."""


def hide_secrets(text: str, token: str | None) -> str:
    """A text without the token, and without what looks like one."""
    if token:
        text = text.replace(token, "***")
    return _TOKENS.sub("***", text)


def explain(error: Exception, repo_id: str, what: str, token: str | None) -> Exception:
    """A PushError or Passing to raise in place of what huggingface_hub raised."""
    from huggingface_hub import errors

    said = hide_secrets(first_line(error), token)
    response = find_response(error)
    if isinstance(error, errors.OfflineModeIsEnabled):
        return PushError(Problem("E809", f"{repo_id}: HF_HUB_OFFLINE is set, so no server is asked. Unset it"))
    if response is not None:
        message = hide_secrets(_server_says(response, error), token)
        return _of_status(response, repo_id, what, message)
    if "LFS batch API returned errors" in str(error):
        return _of_batch(hide_secrets(" ".join(str(error).split("\n")[1:]), token), repo_id)
    if isinstance(error, ValueError) and "Invalid metadata" in str(error):
        reasons = hide_secrets(" ".join(str(error).split()), token)[:300]
        return PushError(Problem("E812", f"{repo_id}: the Hub refuses the card: {reasons}. Mend README.md in OUTPUT"))
    if any(is_network(link) for link in _chain(error)) or isinstance(error, errors.LocalEntryNotFoundError):
        return Passing(f"no network, or the connection broke during {what} ({said})", tried=_is_upload(error))
    if "JSONDecodeError" in type(error).__name__:
        return Passing(f"the answer to {what} is not the Hub's ({said})")
    text = f"{repo_id}: {what}: the Hub's answer is not usable ({type(error).__name__}: {said}). Is HF_ENDPOINT right?"
    return Unusable(Problem("E812", text))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what it was raised from: huggingface_hub wraps some."""
    for _ in range(8):
        if error is None:
            return
        yield error
        error = error.__cause__ or error.__context__


def find_response(error: BaseException) -> Any:
    """The answer that an error is about, or None."""
    for link in _chain(error):
        response = getattr(link, "response", None)
        if isinstance(getattr(response, "status_code", None), int):
            return response
    return None


def _is_upload(error: BaseException) -> bool:
    """Whether a broken connection was that of a large file's bytes, which huggingface_hub sends again by itself."""
    return any(isinstance(link, RuntimeError) and "Error while uploading" in str(link) for link in _chain(error))


def _server_says(response: Any, error: Exception) -> str:
    told = response.headers.get("X-Error-Message") or ""
    if not told:
        try:
            body = response.json()
            told = str(body.get("error", "")) if isinstance(body, dict) else ""
        except Exception:  # Whatever a server sends in place of JSON.
            told = ""
    return ascii(re.sub(r"\?\S*", "", told))[1:-1][:200]


def _of_status(response: Any, repo_id: str, what: str, message: str) -> Exception:
    status = int(response.status_code)
    told = f" ({message})" if message else ""
    answers = f"{repo_id}: the Hub answers {status} for {what}{told}"
    if status in (402, 413, 507) or (status in (400, 403) and _QUOTA.search(message)):
        text = f"{answers}: a quota is used up, or a file is too large. Free space, or see your plan's limits"
        return PushError(Problem("E810", text))
    if status == 401 and response.headers.get("X-Error-Code") == "RepoNotFound":
        return Missing(Problem("E805", f"{answers}: the token is refused, or may not see it. {LOG_IN}"))
    if status == 401:
        return PushError(Problem("E805", f"{answers}: the token is refused. {LOG_IN}"))
    if status == 403:
        text = f"{answers}: this token may not write there. Use one with the write role, or --create-pr"
        return PushError(Problem("E806", text))
    if status == 404:
        return Missing(Problem("E807", f"{answers}: no such repository or revision, or this token does not see it"))
    if status in (409, 412):
        text = f"{answers}: something else was committed meanwhile. Look at it, then run this again"
        return Conflict(Problem("E808", text))
    if status in PASSING:
        return Passing(
            f"the Hub answers {status} for {what}{told}", wait_asked(response), tried=_client_tries(response)
        )
    return PushError(Problem("E812", f"{answers}, which is not expected here"))


def _of_batch(message: str, repo_id: str) -> PushError:
    if _QUOTA.search(message):
        text = f"{repo_id}: the Hub takes no more large files ({message}). Free space, or see your plan's limits"
        return PushError(Problem("E810", text))
    return PushError(Problem("E812", f"{repo_id}: the Hub does not take a large file ({message})"))


def _client_tries(response: Any) -> bool:
    """Whether huggingface_hub has tried this request several times by itself: 2.x everything of an upload but the
    commit, 0.36 the bytes alone, and not on 429."""
    from huggingface_hub import __version__

    url = str(getattr(response, "url", ""))
    if __version__.startswith("0."):
        return "/api/" not in url and "/info/lfs/" not in url and response.status_code != 429
    return "/preupload/" in url or "/api/" not in url


def wait_asked(response: Any) -> float:
    """Seconds that an answer asks to wait: Retry-After, or the reset of `RateLimit`. 0 when it does not say."""
    text = str(response.headers.get("Retry-After") or "").strip()
    if re.fullmatch(r"[0-9]{1,9}", text):
        return float(text)
    reset = re.search(r"\bt=([0-9]{1,9})", str(response.headers.get("RateLimit") or ""))
    if reset:
        return float(reset[1])
    try:
        then = parsedate_to_datetime(text)
        return max(0.0, (then - parsedate_to_datetime(str(response.headers.get("Date") or ""))).total_seconds())
    except (TypeError, ValueError, IndexError):
        return 0.0
