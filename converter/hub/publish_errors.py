"""What the Hub's refusals and failures mean while publishing: one table from exceptions to text, for both lines of
huggingface_hub. A token is never part of a text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from converter.common.errors import Problem, PushError
from converter.fetch.transport import PASSING
from converter.hub.fetch_errors import first_line, is_network, shown
from converter.hub.retry import LONGEST_WAIT, wait_asked
from converter.hub.secrets import hide_secrets

_QUOTA = re.compile(r"quota|storage (limit|space)|limit (exceeded|reached)|exceed\w* .*(storage|limit)|payment", re.I)
#: What the Hub says of a commit that names a large file that it does not have: the next try sends it again.
_LOST_FILE = re.compile(r"LFS pointer pointed to a file that does not exist", re.I)
_QUOTA_STATUS = (402, 413, 507)
LOG_IN = "Log in with `hf auth login`, or set HF_TOKEN to a token that may write"
#: What is asked for where a repository is made: a pull request needs one that is there.
MAKING = "making the repository"
_AGAIN = "Run the same command again later: what has been uploaded is not sent again"


class Passing(Exception):
    """A failure that may pass. `wait`: seconds that the server asks for. `tried`: huggingface_hub has tried it several
    times by itself. `refused`: the server has said that it did not do what was asked."""

    def __init__(self, reason: str, wait: float = 0.0, *, tried: bool = False, refused: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.wait, self.tried, self.refused = reason, wait, tried, refused

    def as_error(self, repo_id: str) -> PushError:
        asked = f" It asks to wait {self.wait:.0f} seconds." if self.wait else ""
        tries = ", after several tries" if self.wait <= LONGEST_WAIT else ""
        return PushError(Problem("E809", f"{repo_id}: {self.reason}{tries}.{asked} {_AGAIN}"))


class Missing(PushError):
    """There is no such repository or revision, or this token does not see it."""


class Unusable(PushError):
    """An answer that huggingface_hub cannot read. What was asked for may have been done."""


class Conflict(PushError):
    """It is there already, or something else has been committed meanwhile."""


def explain(error: Exception, repo_id: str, what: str, token: str | None, outer: BaseException | None) -> Exception:
    """A PushError or Passing to raise in place of what huggingface_hub raised. `outer`: what was being handled when it
    was called, which is not about this request."""
    from huggingface_hub import errors

    links = list(_chain(error, outer))
    said = first_line(error, token)
    if isinstance(error, errors.OfflineModeIsEnabled):
        return PushError(Problem("E809", f"{repo_id}: HF_HUB_OFFLINE is set, so no server is asked. Unset it"))
    passing = next((link for link in links if isinstance(link, Passing)), None)
    if passing is not None:  # Raised inside of huggingface_hub, by `impatient`.
        return passing
    if isinstance(error, ValueError) and "Invalid metadata" in str(error):
        reasons = shown(hide_secrets(" ".join(str(error).split()), token))[:400]
        return PushError(
            Problem("E812", f"{repo_id}: the Hub refuses the card: {reasons.rstrip('.')}. Mend README.md in OUTPUT")
        )
    response = _find_response(links)
    if response is not None and _is_upload(links) and response.status_code not in _QUOTA_STATUS:
        return _of_upload(response)
    if response is not None:
        return _of_status(response, repo_id, what, _server_says(response, token))
    if "LFS batch API returned errors" in str(error):
        told = dict.fromkeys(re.findall(r"`([^`\n]*)", str(error)))  # One for each file, and mostly the same.
        return _of_batch(shown(hide_secrets("; ".join(told), token))[:300], repo_id)
    if any(is_network(link) for link in links) or isinstance(error, errors.LocalEntryNotFoundError):
        return Passing(f"no network, or the connection broke ({what}: {said})", tried=_is_upload(links))
    if "JSONDecodeError" in type(error).__name__:
        return Passing(f"the answer to {what} is not the Hub's ({said}; a login page, or a wrong HF_ENDPOINT?)")
    text = f"{repo_id}: {what}: the Hub's answer is not usable ({type(error).__name__}: {said}). Is HF_ENDPOINT right?"
    return Unusable(Problem("E812", text))


def _chain(error: BaseException | None, outer: BaseException | None) -> Iterator[BaseException]:
    """An error and what it was raised from, as huggingface_hub wraps some; Python goes on to `outer`."""
    for _ in range(8):
        if error is None or error is outer:
            return
        yield error
        error = error.__cause__ or error.__context__


def _find_response(links: Sequence[BaseException]) -> Any:
    """The answer that an error is about, or None."""
    for link in links:
        response = getattr(link, "response", None)
        if isinstance(getattr(response, "status_code", None), int):
            return response
    return None


def _is_upload(links: Sequence[BaseException]) -> bool:
    """Whether a failure was that of a large file's bytes, which huggingface_hub sends again by itself."""
    return any(isinstance(link, RuntimeError) and "Error while uploading" in str(link) for link in links)


def refuse_wait(response: Any, what: str) -> Passing:
    """What an answer means that asks for too long a wait."""
    return Passing(f"the Hub answers {response.status_code} for {what}", wait_asked(response), refused=True)


def _server_says(response: Any, token: str | None) -> str:
    told = response.headers.get("X-Error-Message") or ""
    if not told:
        try:
            body = response.json()
            told = str(body.get("error") or body.get("message") or "") if isinstance(body, dict) else ""
        except Exception:  # Whatever a server sends in place of JSON.
            told = ""
    return shown(re.sub(r"\?\S*", "", hide_secrets(told, token)))[:200]


def _of_status(response: Any, repo_id: str, what: str, message: str) -> Exception:
    status = int(response.status_code)
    told = f" ({message})" if message else ""
    answers = f"{repo_id}: the Hub answers {status} for {what}{told}"
    if status in _QUOTA_STATUS or (status in (400, 403) and _QUOTA.search(message)):
        text = f"{answers}: a quota is used up, or a file is too large. Free space, or see your plan's limits"
        return PushError(Problem("E810", text))
    if status == 401 and response.headers.get("X-Error-Code") == "RepoNotFound":
        return Missing(Problem("E805", f"{answers}: the token is refused, or may not see it. {LOG_IN}"))
    if status == 401:
        return PushError(Problem("E805", f"{answers}: the token is refused. {LOG_IN}"))
    if status == 403 and "disabled" in message:
        return PushError(Problem("E806", f"{answers}: the repository is blocked. Its page says why"))
    if status == 403:
        way = "a name that is yours or your organization's" if what == MAKING else "--create-pr"
        text = f"{answers}: this token may not write there. Use one with the write role, or {way}"
        return PushError(Problem("E806", text))
    if status == 404:
        return Missing(Problem("E807", f"{answers}: no such repository or revision, or this token does not see it"))
    if status == 400 and _LOST_FILE.search(message):
        return Passing(f"the Hub has lost a large file meanwhile{told}", refused=True)
    if status in (409, 412):
        text = f"{answers}: something else was committed meanwhile. Look at it, then run this again"
        return Conflict(Problem("E808", text))
    if status in PASSING:
        return Passing(
            f"the Hub answers {status} for {what}{told}",
            wait_asked(response),
            tried=_client_tries(response),
            refused=status in (429, 503),
        )
    return PushError(Problem("E812", f"{answers}, which is not expected here"))


def _of_upload(response: Any) -> Passing:
    """What the store of the large files answers, which knows no token: an address that is used up (403), a part that
    is lost (404). The next try gets other addresses."""
    status = int(response.status_code)
    reason = f"the Hub's store answers {status} for a large file"
    return Passing(reason, wait_asked(response), tried=_client_tries(response) and status in PASSING)


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
