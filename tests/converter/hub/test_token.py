"""The form of a token, and what a push with it would be refused for."""

from __future__ import annotations

from typing import Any

import pytest

from converter.hub.token import find_token_flaw, predict_refusals
from tests.support.local_hub import LocalHub, refuse
from tests.support.publish_fixtures import ID, Pushes, refusal


def owner(role: str = "write", *groups: str) -> dict[str, Any]:
    return {"name": "me", "auth": {"accessToken": {"role": role}}, "orgs": [{"name": name} for name in groups]}


def test_a_token_that_may_write_in_its_own_name_or_group_passes() -> None:
    assert predict_refusals(owner(), "me/x", create_pr=False) == []
    assert predict_refusals(owner("fineGrained", "Lab"), "lab/x", create_pr=False) == []
    assert predict_refusals({"name": "me"}, "me/x", create_pr=False) == []
    assert predict_refusals({"name": "me", "auth": "odd", "orgs": ["odd"]}, "me/x", create_pr=False) == []
    assert predict_refusals(owner(), "others/x", create_pr=True) == []


def test_one_that_may_only_read_and_the_name_of_others_are_told() -> None:
    assert "may only read" in predict_refusals(owner("read"), "me/x", create_pr=True)[0]
    assert predict_refusals(owner(), "others/x", create_pr=False)[0].startswith("others is neither me")


def warnings_about_the_token(push_it: Pushes) -> list[str]:
    """The folder's card names no license, which is warned of too."""
    return [warning for warning in push_it(dry_run=True).warnings if "names no license" not in warning]


def test_a_dry_run_tells_what_the_push_would_be_refused_for(hub: LocalHub, push_it: Pushes) -> None:
    assert warnings_about_the_token(push_it) == []
    told = push_it(dry_run=True, repo_id="others/x").warnings
    assert any("others is neither me" in warning for warning in told)


def test_a_dry_run_without_a_token_says_what_it_cannot_see(
    hub: LocalHub, push_it: Pushes, monkeypatch: pytest.MonkeyPatch
) -> None:
    push_it(private=True)
    monkeypatch.delenv("HF_TOKEN")
    result = push_it(dry_run=True)
    assert result.new_repository and any("without a token" in warning for warning in result.warnings)
    assert refusal(push_it, dry_run=True, repo_id="tiny").startswith("error[E805]: tiny: there is no token")


@pytest.mark.parametrize("answer", [refuse(404), refuse(429, Retry_After="3600")])
def test_a_server_that_does_not_say_whose_token_it_is_passes(hub: LocalHub, push_it: Pushes, answer: Any) -> None:
    hub.plan("GET", "whoami", *[answer] * 9)
    assert warnings_about_the_token(push_it) == []


def test_an_owner_without_a_name_is_one_line(hub: LocalHub, push_it: Pushes) -> None:
    hub.plan("GET", "whoami", lambda handler: handler.tell({}))
    assert refusal(push_it, repo_id=ID.split("/")[1]).startswith("error[E812]")


def test_what_no_header_can_hold_is_a_flaw() -> None:
    assert find_token_flaw(None) is None and find_token_flaw("hf_abc~!") is None
    assert all(find_token_flaw(token) for token in ("a b", "a\n", "é", "\x7f"))
