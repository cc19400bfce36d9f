"""A Hub that refuses, is busy, hangs up or loses its answer; through the real huggingface_hub of this environment."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from pathlib import Path

import pytest
from huggingface_hub.errors import HfHubHTTPError

from converter import Paddle2TorchError, push
from tests.support.local_hub import Handler, LocalHub, cut, lose, refuse
from tests.support.local_hub_store import Blob
from tests.support.publish_fixtures import ID, TOKEN, Pushes, refusal, sent

COMMIT, UPLOAD, INFO, CREATE = "/commit/", "^/large/", f"^/api/models/{ID}$", "^/api/repos/create"


class Answer:
    """As much of an answer as an error looks at."""

    status_code, headers, request = 403, {}, None  # type: ignore[var-annotated]


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


@pytest.mark.parametrize("answer", [lose, refuse(502)])
def test_a_pull_request_that_nobody_can_see_is_not_opened_again(
    hub: LocalHub, push_it: Pushes, answer: Callable[[Handler], None]
) -> None:
    push_it()
    repository = hub.store.repositories[ID]
    repository.add("main", "emptied", {".gitattributes": Blob(b"", False)})
    hub.plan("GET", "/discussions", *[refuse(403)] * 9)
    hub.plan("GET", "/refs$|/refs[?]", *[refuse(404)] * 9)
    hub.plan("POST", COMMIT, answer)
    text = refusal(push_it, create_pr=True)
    assert text.startswith("error[E809]") and f"Look at {hub.url}/{ID}/discussions" in text
    assert len(hub.asked("POST", COMMIT)) == 2  # The first push's, and one.


def test_a_pull_request_is_found_by_its_revision_where_discussions_are_not_listed(
    hub: LocalHub, push_it: Pushes
) -> None:
    push_it()
    hub.store.repositories[ID].add("main", "emptied", {".gitattributes": Blob(b"", False)})
    hub.plan("GET", "/discussions", *[refuse(403)] * 9)
    hub.plan("POST", COMMIT, lose)
    assert push_it(create_pr=True).pull_request == f"{hub.url}/{ID}/discussions/1"
    assert push_it(create_pr=True).nothing_to_do and len(hub.store.repositories[ID].pulls) == 1


def test_the_lost_answer_to_a_branch_is_not_taken_for_the_look_before_it(hub: LocalHub, push_it: Pushes) -> None:
    push_it()
    hub.plan("POST", "/branch/", lose)
    result = push_it(revision="dev")
    assert result.new_branch and hub.store.repositories[ID].refs["dev"] == result.commit


def test_another_error_that_is_being_handled_is_not_the_hub_s(hub: LocalHub, push_it: Pushes) -> None:
    hub.plan("POST", COMMIT, cut)
    try:
        raise HfHubHTTPError("another's", response=Answer())  # type: ignore[arg-type]
    except HfHubHTTPError:
        assert push_it().commit


def test_a_large_file_that_the_hub_has_lost_is_sent_again(hub: LocalHub, push_it: Pushes) -> None:
    def forget(handler: Handler) -> None:
        for path in hub.store.folder.iterdir():
            path.unlink()
        handler.serve()

    hub.plan("POST", COMMIT, forget)
    push_it()
    assert sent(hub) == (2, 2)


@pytest.mark.parametrize(("method", "pattern"), [("PUT", UPLOAD), ("POST", "/info/lfs/verify")])
def test_an_address_of_the_store_that_is_used_up_is_asked_for_again(
    hub: LocalHub, push_it: Pushes, method: str, pattern: str
) -> None:
    hub.plan(method, pattern, refuse(403, None, "Request has expired"))
    push_it()
    assert len(hub.asked("POST", "/info/lfs/objects/batch")) == 2


def test_a_card_that_the_hub_refuses_is_told_with_the_reasons(hub: LocalHub, push_it: Pushes) -> None:
    reasons = {"errors": [{"message": '"license" must be one of [mit]'}], "warnings": []}
    hub.plan("POST", "validate-yaml", lambda handler: handler.tell(reasons, status=400))
    text = refusal(push_it)
    assert text.startswith("error[E812]") and '"license" must be one of [mit]' in text and "Fix README.md" in text


def test_quotes_in_what_the_hub_says_stay_as_they_are(hub: LocalHub, push_it: Pushes) -> None:
    hub.plan("POST", CREATE, refuse(403, None, 'You don\'t have the rights under "me"\x1b[2J'))
    text = refusal(push_it)
    assert 'You don\'t have the rights under "me"\\x1b[2J)' in text and "--create-pr" not in text


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
    ("PUT", UPLOAD, 403, "", "E809"),
]


@pytest.mark.parametrize(("method", "pattern", "status", "message", "code"), REFUSALS)
def test_a_refusal_is_one_line_with_a_next_step(
    hub: LocalHub, push_it: Pushes, method: str, pattern: str, status: int, message: str, code: str
) -> None:
    hub.plan(method, pattern, *[refuse(status, None, message or "no")] * 9)
    text = refusal(push_it)
    assert text.startswith(f"error[{code}]: me/tiny: ") and str(status) in text
    assert message in text
    assert len(text.splitlines()) == 1 and text.count(". ") >= (code not in ("E812", "E807"))
    assert "hidden" not in text  # The signature of an address.


def test_a_quota_that_the_batch_tells_of_a_file_is_said(hub: LocalHub, push_it: Pushes) -> None:
    def over(handler: object) -> None:
        import json

        oid = json.loads(handler.body)["objects"][0]["oid"]  # type: ignore[attr-defined]
        error = {"code": 413, "message": "You have exceeded your storage limit"}
        handler.tell({"objects": [{"oid": oid, "size": 1, "error": error}] * 2})  # type: ignore[attr-defined]

    hub.plan("POST", "objects/batch", over)
    text = refusal(push_it)
    assert text.startswith("error[E810]") and "(You have exceeded your storage limit)" in text


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


def test_what_looks_like_a_token_and_credentials_of_the_endpoint_are_not_shown(
    hub: LocalHub, output: Path, push_it: Pushes, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.plan("POST", COMMIT, refuse(403, None, "the token hf_somebodyelses is no good"))
    assert "hf_somebodyelses" not in refusal(push_it)
    lines: list[str] = []
    monkeypatch.setenv("HF_ENDPOINT", hub.url.replace("//", "//me:s3cret@"))
    try:
        lines.append(str(push(output, ID, progress=lines.append)))
    except Paddle2TorchError as error:
        lines.append(str(error))
    assert len(lines) > 2 and "s3cret" not in "".join(lines)


def test_a_server_that_knows_no_commits_is_asked_for_the_branch(hub: LocalHub, push_it: Pushes) -> None:
    hub.plan("GET", r"/tree/[0-9a-f]{40}", *[refuse(404, "RevisionNotFound")] * 30)
    push_it()
    assert push_it().nothing_to_do
    hub.lies = {"config.json"}
    assert "E811" in refusal(push_it)
