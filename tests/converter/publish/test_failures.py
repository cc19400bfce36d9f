"""A Hub that refuses, is busy, hangs up or loses its answer; through the real huggingface_hub of this environment."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest

from benchmarks.local_hub import LocalHub, cut, lose, refuse
from benchmarks.local_hub_store import Blob
from converter import Paddle2TorchError, push
from tests.converter.publish.conftest import ID, TOKEN, Pushes, refusal, sent

COMMIT, UPLOAD, INFO, CREATE = "/commit/", "^/large/", f"^/api/models/{ID}$", "^/api/repos/create"


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_busy_hub_gets_the_commit_again(hub: LocalHub, push_it: Pushes, slept: list[float], status: int) -> None:
    hub.plan("POST", COMMIT, refuse(status), refuse(status, Retry_After="7"))
    assert push_it().commit == hub.store.repositories[ID].refs["main"]
    assert sent(hub) == (1, 3)
    assert slept == [1.0, 7.0]


@pytest.mark.parametrize("status", [429, 503])
def test_a_hub_that_stays_busy_is_given_up_with_a_next_step(
    hub: LocalHub, push_it: Pushes, slept: list[float], status: int
) -> None:
    hub.plan("POST", COMMIT, *[refuse(status)] * 20)
    text = refusal(push_it)
    assert text.startswith("error[E809]") and f"the Hub answers {status} for the commit" in text
    assert "Run the same command again later" in text and sum(slept) < 60
    hub.planned.clear()
    hub.log.clear()
    push_it()
    assert sent(hub) == (0, 1)  # The large file is there from the first try.


def test_a_hub_that_asks_for_a_long_wait_is_not_waited_for(hub: LocalHub, push_it: Pushes, slept: list[float]) -> None:
    hub.plan("POST", COMMIT, *[refuse(429, Retry_After="3600")] * 9)
    assert "It asks to wait 3600 seconds" in refusal(push_it)
    assert sent(hub) == (1, 1) and slept == []


def test_a_lost_answer_is_no_failure_and_no_second_commit(hub: LocalHub, push_it: Pushes) -> None:
    hub.plan("POST", COMMIT, lose)
    result = push_it()
    repository = hub.store.repositories[ID]
    assert result.commit == repository.refs["main"] and len(repository.commits) == 2
    assert sent(hub) == (1, 1) and not result.nothing_to_do


def test_the_lost_answer_to_a_pull_request_opens_no_second_one(hub: LocalHub, push_it: Pushes) -> None:
    push_it()
    repository = hub.store.repositories[ID]
    repository.add("main", "emptied", {".gitattributes": Blob(b"", False)})
    hub.plan("POST", COMMIT, lose)
    result = push_it(create_pr=True)
    assert result.pull_request == f"{hub.url}/{ID}/discussions/1" and len(repository.pulls) == 1


def test_a_connection_that_is_cut_at_the_commit_is_tried_again(hub: LocalHub, push_it: Pushes) -> None:
    hub.plan("POST", COMMIT, cut, cut)
    push_it()
    assert len(hub.store.repositories[ID].commits) == 2 and sent(hub) == (1, 3)


def test_an_upload_that_is_cut_goes_on(hub: LocalHub, push_it: Pushes) -> None:
    hub.plan("PUT", UPLOAD, cut, refuse(503))
    push_it()
    assert sent(hub) == (3, 1)


def test_an_upload_that_stays_cut_ends_with_one_line_and_goes_on_the_next_time(
    hub: LocalHub, output: Path, push_it: Pushes
) -> None:
    (output / "NOTICE").write_text("x")
    hub.plan("PUT", UPLOAD, *[cut] * 40)
    text = refusal(push_it)
    assert text.startswith("error[E809]") and len(text.splitlines()) == 1
    assert sent(hub)[0] < 10
    hub.planned.clear()
    assert push_it().commit


def test_a_lost_answer_to_making_the_repository_is_no_failure(hub: LocalHub, push_it: Pushes) -> None:
    hub.plan("POST", CREATE, lose)
    assert push_it().commit and len(hub.asked("POST", CREATE)) == 2


def test_a_busy_info_call_is_asked_again(hub: LocalHub, push_it: Pushes) -> None:
    push_it()
    hub.plan("GET", INFO, refuse(500), refuse(503))
    assert push_it().nothing_to_do
    hub.plan("GET", INFO, *[refuse(500)] * 20)
    assert "the Hub answers 500 for the repository" in refusal(push_it)


def test_a_wrong_token_is_one_clear_line(hub: LocalHub, push_it: Pushes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_wrongtoken")
    text = refusal(push_it)
    assert text.startswith("error[E805]") and "HF_TOKEN" in text and "hf_wrongtoken" not in text
    assert sent(hub) == (0, 0)


@pytest.mark.parametrize("dry", [False, True])
def test_a_401_that_says_no_such_repository_is_a_wrong_token_too(hub: LocalHub, push_it: Pushes, dry: bool) -> None:
    hub.plan("GET", "^/api/models/", *[refuse(401, "RepoNotFound", "Repository not found")] * 9)
    hub.plan("POST", CREATE, *[refuse(401, None, "Invalid username or password.")] * 9)
    hub.plan("GET", "whoami", *[refuse(401, None, "Invalid username or password.")] * 9)
    assert refusal(push_it, dry_run=dry).startswith("error[E805]")


REFUSALS = [
    ("POST", COMMIT, 401, "", "E805"),
    ("POST", COMMIT, 403, "you need a write token", "E806"),
    ("POST", COMMIT, 404, "", "E807"),
    ("POST", COMMIT, 409, "conflict", "E808"),
    ("POST", COMMIT, 412, "A commit has happened since", "E808"),
    ("POST", COMMIT, 402, "pay", "E810"),
    ("POST", COMMIT, 413, "too large", "E810"),
    ("POST", COMMIT, 403, "Private repository storage limit reached", "E810"),
    ("POST", COMMIT, 418, "teapot", "E812"),
    ("POST", CREATE, 403, "no rights under this namespace", "E806"),
    ("POST", "/preupload/", 403, "no", "E806"),
    ("POST", "/info/lfs/objects/batch", 403, "storage quota exceeded", "E810"),
    ("PUT", UPLOAD, 413, "", "E810"),
    ("PUT", UPLOAD, 403, "", "E806"),
]


@pytest.mark.parametrize(("method", "pattern", "status", "message", "code"), REFUSALS)
def test_a_refusal_is_one_line_with_a_next_step(
    hub: LocalHub, push_it: Pushes, method: str, pattern: str, status: int, message: str, code: str
) -> None:
    hub.plan(method, pattern, *[refuse(status, None, message or "no")] * 9)
    text = refusal(push_it)
    assert text.startswith(f"error[{code}]: me/tiny: ") and str(status) in text and message in text
    assert len(text.splitlines()) == 1 and text.count(". ") >= (code not in ("E812", "E807"))
    assert "hidden" not in text  # The signature of an address.


def test_a_quota_that_the_batch_tells_of_a_file_is_said(hub: LocalHub, push_it: Pushes) -> None:
    def over(handler: object) -> None:
        import json

        oid = json.loads(handler.body)["objects"][0]["oid"]  # type: ignore[attr-defined]
        error = {"code": 413, "message": "You have exceeded your storage limit"}
        handler.tell({"objects": [{"oid": oid, "size": 1, "error": error}]})  # type: ignore[attr-defined]

    hub.plan("POST", "objects/batch", over)
    assert refusal(push_it).startswith("error[E810]")


def test_something_committed_meanwhile_is_not_overwritten(hub: LocalHub, push_it: Pushes) -> None:
    push_it()
    repository = hub.store.repositories[ID]
    repository.add("main", "emptied", {})

    def meanwhile(handler: object) -> None:
        repository.add("main", "another's", {"x": Blob(b"y", False)})
        handler.serve()  # type: ignore[attr-defined]

    hub.plan("POST", COMMIT, meanwhile)
    assert refusal(push_it).startswith("error[E808]")
    assert repository.find("main").title == "another's"


def test_a_page_in_place_of_an_answer_is_one_line(hub: LocalHub, push_it: Pushes) -> None:
    page = lambda handler: handler.reply(200, b"<html>portal</html>")  # noqa: E731
    hub.plan("GET", "^/api/models/", *[page] * 20)
    text = refusal(push_it)
    assert text.startswith(("error[E809]", "error[E812]")) and len(text.splitlines()) == 1


@pytest.mark.parametrize("token", ["hf_two words", "hf_line\nbreak", "hf_“quoted”"])
def test_a_token_that_no_header_can_hold_is_not_shown(
    hub: LocalHub, output: Path, monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    monkeypatch.setattr("huggingface_hub.get_token", lambda: token)
    with pytest.raises(Paddle2TorchError, match="E805") as caught:
        push(output, ID)
    shown = "".join(traceback.format_exception(caught.type, caught.value, caught.tb))
    assert token not in shown and "two" not in str(caught.value)


def test_a_server_that_repeats_the_token_does_not_make_it_shown(
    hub: LocalHub, push_it: Pushes, capfd: pytest.CaptureFixture[str]
) -> None:
    for status in (400, 401, 403, 503):
        hub.planned.clear()
        hub.plan("POST", COMMIT, *[refuse(status, None, f"Bearer {TOKEN} is no good: {TOKEN}")] * 9)
        with pytest.raises(Paddle2TorchError) as caught:
            push_it()
        shown = "".join(traceback.format_exception(caught.type, caught.value, caught.tb))
        assert TOKEN not in shown and "is no good" in shown
    assert TOKEN not in "".join(capfd.readouterr())
