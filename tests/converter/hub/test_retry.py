"""How long a server is waited for, whatever huggingface_hub would do."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from converter.hub.retry import read_wait
from tests.support.local_hub import LocalHub, refuse
from tests.support.publish_fixtures import Pushes, refusal, sent

DATE = "Wed, 21 Oct 2026 07:28:00 GMT"
ASKED = [
    ({}, 429, 0.0),
    ({"Retry-After": "7"}, 503, 7.0),
    ({"Retry-After": "Wed, 21 Oct 2026 07:28:30 GMT", "Date": DATE}, 503, 30.0),
    ({"Retry-After": "soon"}, 503, 0.0),
    ({"RateLimit": '"api";r=0;t=55'}, 429, 55.0),
    ({"RateLimit": '"api";r=480;t=280'}, 429, 0.0),
    ({"RateLimit": '"api";r=0;t=55'}, 503, 0.0),
    ({"RateLimit": '"api";r=10;t=55'}, 429, 0.0),
]


@pytest.mark.parametrize(("headers", "status", "seconds"), ASKED)
def test_the_wait_is_what_the_answer_says(headers: dict[str, str], status: int, seconds: float) -> None:
    assert read_wait(SimpleNamespace(headers=headers, status_code=status)) == seconds


@pytest.mark.parametrize(("method", "pattern"), [("POST", "/preupload/"), ("PUT", "^/large/"), ("GET", "/tree/")])
def test_a_long_wait_is_given_up_where_huggingface_hub_would_sleep(
    hub: LocalHub, push_it: Pushes, slept: list[float], method: str, pattern: str
) -> None:
    push_it() if method == "GET" else None
    hub.plan(method, pattern, *[refuse(503, Retry_After="3600")] * 99)
    text = refusal(push_it)
    assert text.startswith("error[E809]") and "Run the same command again later" in text
    assert max(slept, default=0.0) <= 120.0
    hub.planned.clear()
    assert push_it().commit


def test_a_busy_answer_with_the_limits_of_the_account_is_tried_again(
    hub: LocalHub, push_it: Pushes, slept: list[float]
) -> None:
    hub.plan("POST", "/commit/", refuse(503, RateLimit='"api";r=480;t=280'))
    push_it()
    assert slept == [1.0] and sent(hub) == (1, 2)
