"""What each failure of the Hub means while fetching and while publishing: one table from failures to errors.

It holds for both lines of huggingface_hub: 0.34 to 0.36 raise exceptions of requests, 1.x and 2.x those of httpx. No
message has a token in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from converter.common.errors import FetchError, Problem, PushError
from converter.fetch.retry import TRANSIENT_STATUSES
from converter.hub.messages import describe_exception, hide_secrets, quote_message, to_ascii
from converter.hub.retry import LONGEST_WAIT, HubTransientError, read_wait

LOG_IN = "Log in with `hf auth login`, or set HF_TOKEN"
#: What is being done where a repository is created: a pull request would need one that exists.
CREATING = "creating the repository"
_HTTP_LIBRARIES = ("requests", "urllib3", "httpx", "httpx2", "httpcore", "httpcore2")
_QUOTA_STATUSES = (402, 413, 507)
_QUOTA = re.compile(r"quota|storage (limit|space)|limit (exceeded|reached)|exceed\w* .*(storage|limit)|payment", re.I)
#: The Hub's message about a commit of a large file that it does not have: the next try sends the file again.
_LOST_FILE = re.compile(r"LFS pointer pointed to a file that does not exist", re.I)


class MissingError(PushError):
    """There is no such repository or revision, or the token does not give access to it."""


class ConflictError(PushError):
    """What was to be created exists, or something else has been committed in the meantime."""


class UnusableAnswerError(PushError):
    """A response that huggingface_hub cannot read. What was asked for may have been done."""


@dataclass(frozen=True)
class Activity:
    """What the Hub is called for: fetching a revision of a repository, or publishing to it."""

    repo_id: str
    publishing: bool
    revision: str = "main"
    token: str | None = None


_GATED = "E710", "{answer}: it is gated, ask for access on its page. {log_in}"
_UNKNOWN = "E710", "{answer}: no such repository on the Hub, or a private one. {log_in}. There is no such folder either"
_REFUSED = "E805", "{answer}: the token is refused. {log_in}"
_NO_ACCESS = "E805", "{answer}: the token is refused, or gives no access to it. {log_in}"
_FORBIDDEN = "E806", "{answer}: this token may not write there. Use one with the write role, or {alternative}"
_NOT_FOUND = "E807", "{answer}: no such repository or revision, or this token gives no access to it"
_CONFLICT = "E808", "{answer}: something else was committed in the meantime. Look at it, then run this again"
_FREE_SPACE = "a quota is used up, or a file is too large. Free space, or see your plan's limits"
_MISSING = "huggingface_hub is missing: pip install huggingface_hub"
_UNUSABLE = "{what}: the Hub's answer is not usable ({reason})"

#: A failure -> code and text while fetching, and while publishing. A failure is a name, or a response's status and
#: X-Error-Code (None: any other). None means the same as "other status", or as "unusable answer" without a response.
_TABLE: dict[str | tuple[int, str | None], tuple[tuple[str, str] | None, tuple[str, str] | None]] = {
    (401, "GatedRepo"): (_GATED, _REFUSED),
    (401, "RepoNotFound"): (_UNKNOWN, _NO_ACCESS),
    (401, None): (("E710", "{answer}: no such repository, a private one, or the token is refused. {log_in}"), _REFUSED),
    (403, "GatedRepo"): (_GATED, _FORBIDDEN),
    (403, None): (("E710", "{answer}: access is forbidden. {log_in}"), _FORBIDDEN),
    (404, "RevisionNotFound"): (("E710", "{answer}: there is no revision {revision}"), _NOT_FOUND),
    (404, "RepoNotFound"): (_UNKNOWN, _NOT_FOUND),
    (404, None): (("E710", "{answer}: there is no such file"), _NOT_FOUND),
    (409, None): (None, _CONFLICT),
    (412, None): (None, _CONFLICT),
    "blocked": (None, ("E806", "{answer}: the repository is blocked. Its page gives the reason")),
    "quota": (None, ("E810", "{answer}: " + _FREE_SPACE)),
    "other status": (("E710", "{answer}"), ("E812", "{answer}, which is not expected here")),
    "no library": (("E710", _MISSING), ("E812", _MISSING)),
    "offline": (
        ("E709", "HF_HUB_OFFLINE is set, and {what} is not in the cache"),
        ("E809", "HF_HUB_OFFLINE is set, so no server is asked. Unset it"),
    ),
    "no token": (None, ("E805", "there is no token. {log_in}")),
    "unusable token": (("E710", "{reason}. {log_in}"), ("E805", "{reason}. {log_in}")),
    "no Hub": (("E710", "{what}: the server is no Hub ({reason})"), None),
    "cut file": (("E704", "{what}: {reason} Not kept"), None),
    "invalid card": (None, ("E812", "the Hub refuses the card: {reason}. Fix README.md in OUTPUT")),
    "large file": (None, ("E812", "the Hub does not take a large file ({reason})")),
    "large file quota": (None, ("E810", "the Hub takes no more large files ({reason}): " + _FREE_SPACE)),
    "unusable answer": (("E710", _UNUSABLE), ("E812", _UNUSABLE + ". Is HF_ENDPOINT right?")),
}


def make_error(failure: str | tuple[int, str | None], activity: Activity, **values: str) -> FetchError | PushError:
    """The error of the table for a failure. `values`: what its text names."""
    default = "other status" if "answer" in values else "unusable answer"
    row = _TABLE[failure][activity.publishing] or _TABLE[default][activity.publishing]
    assert row is not None
    code, text = row
    text = text.format(
        log_in=f"{LOG_IN} to a token that may write" if activity.publishing else LOG_IN,
        alternative="a name that is yours or your organization's" if values.get("what") == CREATING else "--create-pr",
        revision=activity.revision,
        **values,
    )
    problem = Problem(code, f"{activity.repo_id}: {text}")
    if not activity.publishing:
        return FetchError(problem)
    classes = {_NOT_FOUND: MissingError, _NO_ACCESS: MissingError, _CONFLICT: ConflictError}
    return classes.get(row, UnusableAnswerError if failure == "unusable answer" else PushError)(problem)


def make_give_up_error(error: HubTransientError, activity: Activity) -> PushError:
    """The error of a push that a failure ended which stayed after several tries."""
    tries = ", after several tries" if error.wait <= LONGEST_WAIT else ""
    asked = f" It asks to wait {error.wait:.0f} seconds." if error.wait else ""
    again = "Run the same command again later: what has been uploaded is not sent again"
    return PushError(Problem("E809", f"{activity.repo_id}: {error}{tries}.{asked} {again}"))


def translate_error(error: Exception, activity: Activity, what: str, outer: BaseException | None) -> Exception | None:
    """The error to raise in place of one that huggingface_hub raised while doing `what`, HubTransientError for one that
    may pass. None for one that is not about the Hub: of this machine's disk, while fetching.

    `outer`: the exception that was being handled before the call, which is not about this request.
    """
    from huggingface_hub import errors

    chain = list(_follow_causes(error, outer))
    transient = next((each for each in chain if isinstance(each, HubTransientError)), None)
    if transient is not None:  # Raised within huggingface_hub, by refuse_long_waits.
        return transient
    if isinstance(error, OSError) and error.errno is not None and not _is_network(error) and not activity.publishing:
        return None
    failure, reason = _name_failure(error, chain, activity.token)
    if failure != "unusable answer":
        return make_error(failure, activity, what=what, reason=reason)
    upload = any(isinstance(each, RuntimeError) and "Error while uploading" in str(each) for each in chain)
    response = _find_response(chain)
    if response is not None:
        return _read_response(response, activity, what, upload)
    if any(map(_is_network, chain)) or isinstance(error, errors.LocalEntryNotFoundError):
        return HubTransientError(f"no network, or no answer from the Hub ({what}: {reason})", retried=upload)
    if activity.publishing and _is_json_error(error):
        return HubTransientError(f"the answer to {what} is not the Hub's ({reason}; is HF_ENDPOINT a login page?)")
    expected = (OSError, ValueError, KeyError, TypeError, RuntimeError)  # No JSON, missing fields, hf_xet.
    if not activity.publishing and not isinstance(error, expected):
        return None
    return make_error(failure, activity, what=what, reason=f"{type(error).__name__}: {reason}")


def _name_failure(error: Exception, chain: Sequence[BaseException], token: str | None) -> tuple[str, str]:
    """The key in the table of a failure that its class or its text names, and the reason to quote."""
    from huggingface_hub import errors

    text, reason = str(error), describe_exception(error, token)
    if isinstance(error, errors.OfflineModeIsEnabled):
        return "offline", reason
    if any(isinstance(each, errors.FileMetadataError) for each in chain):
        return "no Hub", reason
    if "onsistency check failed" in text:
        return "cut file", reason
    if isinstance(error, ValueError) and "Invalid metadata" in text:
        return "invalid card", to_ascii(hide_secrets(" ".join(text.split()), token))[:400].rstrip(".")
    if "LFS batch API returned errors" in text:
        messages = dict.fromkeys(re.findall(r"`([^`\n]*)", text))  # One for each file, most of them the same.
        listed = to_ascii(hide_secrets("; ".join(messages), token))[:300]
        return "large file quota" if _QUOTA.search(listed) else "large file", listed
    return "unusable answer", reason


def _follow_causes(error: BaseException | None, outer: BaseException | None) -> Iterator[BaseException]:
    """An error and those that it was raised from. Python continues the chain to `outer`, where this ends."""
    for _ in range(8):
        if error is None or error is outer:
            return
        yield error
        error = error.__cause__ or error.__context__


def _find_response(chain: Sequence[BaseException]) -> Any:
    """The response that an error is about, or None."""
    responses = (getattr(each, "response", None) for each in chain)
    return next((each for each in responses if isinstance(getattr(each, "status_code", None), int)), None)


def _is_network(error: BaseException) -> bool:
    """Whether an http library raised this. Which one huggingface_hub uses depends on its version."""
    modules = {kind.__module__.split(".")[0] for kind in type(error).__mro__}
    if _is_json_error(error):
        return False
    return bool(modules & set(_HTTP_LIBRARIES)) or isinstance(error, (ConnectionError, TimeoutError))


def _is_json_error(error: BaseException) -> bool:
    return "JSONDecodeError" in type(error).__name__


def _read_response(response: Any, activity: Activity, what: str, upload: bool) -> Exception:
    """The error that a response means. `upload`: it is about a large file's bytes, which huggingface_hub repeats."""
    status, wait = int(response.status_code), read_wait(response)
    message = _read_message(response, activity.token)
    quoted = f" ({message})" if message else ""
    answer = f"the Hub answers {status} for {what}{quoted}"
    retried = activity.publishing and _library_retries(response)
    if upload and status not in _QUOTA_STATUSES:
        # The store knows no token. It refuses an address that has expired (403), or has lost a part (404), and the
        # next try gets other addresses.
        retried = retried and status in TRANSIENT_STATUSES
        return HubTransientError(f"the Hub's store answers {status} for a large file", wait, retried=retried)
    if status == 400 and _LOST_FILE.search(message):
        return HubTransientError(f"the Hub has lost a large file in the meantime{quoted}", refused=True)
    if status in TRANSIENT_STATUSES:
        return HubTransientError(answer, wait, retried=retried, refused=status in (429, 503))
    if status in _QUOTA_STATUSES or (status in (400, 403) and _QUOTA.search(message)):
        return make_error("quota", activity, answer=answer)
    if status == 403 and "disabled" in message:
        return make_error("blocked", activity, answer=answer)
    keys = ((status, response.headers.get("X-Error-Code")), (status, None), "other status")
    return make_error(next(key for key in keys if key in _TABLE), activity, answer=answer, what=what)


def _read_message(response: Any, token: str | None) -> str:
    """The server's own words about a response, without secrets."""
    message = response.headers.get("X-Error-Message") or ""
    if not message:
        try:
            body = response.json()
            message = str(body.get("error") or body.get("message") or "") if isinstance(body, dict) else ""
        except Exception:  # Anything that a server may send in place of JSON.
            message = ""
    return quote_message(message, token)


def _library_retries(response: Any) -> bool:
    """Whether huggingface_hub repeats such an upload request itself: 1.x and 2.x all but the commit, 0.36 only the
    bytes of large files, and not on 429."""
    from huggingface_hub import __version__

    url = str(getattr(response, "url", ""))
    if __version__.startswith("0."):
        return "/api/" not in url and "/info/lfs/" not in url and response.status_code != 429
    return "/preupload/" in url or "/api/" not in url
