"""The table of errors: each failure has a message for a download and for a push."""

from __future__ import annotations

import pytest

from converter.common.errors import FetchError, PushError
from converter.hub.errors import _TABLE, Activity, ConflictError, MissingError, UnusableAnswerError, make_error

RESPONSES = [failure for failure in _TABLE if isinstance(failure, tuple)] + ["blocked", "quota", "other status"]
OTHERS = [failure for failure in _TABLE if failure not in RESPONSES]


@pytest.mark.parametrize("publishing", [False, True], ids=["fetching", "publishing"])
@pytest.mark.parametrize("failure", RESPONSES, ids=str)
def test_a_response_becomes_an_error_of_the_activity(failure: str | tuple[int, str | None], publishing: bool) -> None:
    error = make_error(failure, Activity("me/x", publishing), answer="the Hub answers 400 for this", what="this")
    (problem,) = error.problems
    assert isinstance(error, PushError if publishing else FetchError)
    assert problem.code.startswith("E8" if publishing else "E7")
    assert problem.text.startswith("me/x: the Hub answers 400 for this") and "{" not in problem.text


@pytest.mark.parametrize("publishing", [False, True], ids=["fetching", "publishing"])
@pytest.mark.parametrize("failure", OTHERS, ids=str)
def test_another_failure_becomes_an_error_of_the_activity(failure: str, publishing: bool) -> None:
    error = make_error(failure, Activity("me/x", publishing), what="this", reason="that")
    (problem,) = error.problems
    assert isinstance(error, PushError if publishing else FetchError)
    assert problem.code.startswith("E8" if publishing else "E7")
    assert problem.text.startswith("me/x: ") and "{" not in problem.text


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        ((401, "RepoNotFound"), MissingError),
        ((404, None), MissingError),
        ((404, "RevisionNotFound"), MissingError),
        ((409, None), ConflictError),
        ((412, None), ConflictError),
        ((401, None), PushError),
        ((403, "GatedRepo"), PushError),
    ],
)
def test_what_a_push_may_expect_has_a_class(failure: tuple[int, str | None], kind: type[PushError]) -> None:
    assert type(make_error(failure, Activity("me/x", True), answer="it answers", what="this")) is kind
    assert (
        type(make_error("unusable answer", Activity("me/x", True), what="this", reason="that")) is UnusableAnswerError
    )
