"""push against a local Hub, through the real huggingface_hub of this environment (2.x, or 0.36 with transformers 4)."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from huggingface_hub import ModelCard, constants

from converter import convert, push
from converter.publish.card import build_card, find_family
from tests.support.checkpoints import make_config, make_state, write_folder
from tests.support.local_hub import LocalHub
from tests.support.local_hub_store import Blob
from tests.support.publish_fixtures import ID, Pushes, refusal, sent, snapshot, write_report, write_trace


def test_a_push_makes_the_repository_and_sends_every_file(hub: LocalHub, output: Path, push_it: Pushes) -> None:
    before = snapshot(output)
    result = push_it()
    repository = hub.store.repositories[ID]
    there = repository.find("main").files
    assert {name for name in there} == {*before, ".gitattributes"}
    for name, data in before.items():
        if name != "README.md":
            assert there[name].data == data, name
    assert (result.commit, result.verified, result.new_repository) == (repository.refs["main"], True, True)
    assert result.url == f"{hub.url}/{ID}" and not repository.private
    assert {file.change for file in result.files} == {"add"}
    assert snapshot(output) == before  # Local files stay as they are.
    assert {file.name: file.sha256 for file in result.files if file.name != "README.md"} == {
        name: hashlib.sha256(data).hexdigest() for name, data in before.items() if name != "README.md"
    }


def test_a_second_push_has_nothing_to_do(hub: LocalHub, push_it: Pushes) -> None:
    first = push_it()
    hub.log.clear()
    second = push_it()
    assert (second.nothing_to_do, second.commit) == (True, first.commit)
    assert not [asked for asked in hub.log if asked.method != "GET"]


def test_only_what_changed_is_sent(hub: LocalHub, output: Path, push_it: Pushes) -> None:
    push_it()
    (output / "NOTICE").write_text("hello")
    hub.log.clear()
    result = push_it(commit_message="A notice")
    assert [file.name for file in result.files if file.change != "same"] == ["NOTICE"]
    assert sent(hub) == (0, 1)
    (commit,) = hub.asked("POST", "/commit/")
    assert commit.length < 500
    assert hub.store.repositories[ID].find("main").title == "A notice"


def test_a_changed_weight_is_verified_and_sent_alone(hub: LocalHub, tmp_path: Path, push_it: Pushes) -> None:
    push_it()
    output = tmp_path / "output"
    (output / "extra.txt").write_text("a file that may decide something")
    write_report(output)
    hub.log.clear()
    result = push_it()
    changed = {file.name for file in result.files if file.change != "same"}
    assert changed == {"extra.txt", "verification/report.json"} and sent(hub)[0] == 0


def test_what_an_earlier_push_left_is_deleted_and_what_is_others_stays(hub: LocalHub, push_it: Pushes) -> None:
    push_it()
    repository = hub.store.repositories[ID]
    stale = {"model-00001-of-00002.safetensors": Blob(b"old", True), "added_tokens.json": Blob(b"{}", False)}
    others = {"notes.txt": Blob(b"mine", False), "adapter_config.json": Blob(b"{}", False)}
    repository.add("main", "stale", {**repository.find("main").files, **stale, **others})
    result = push_it()
    assert result.deleted == ("added_tokens.json", "model-00001-of-00002.safetensors")
    assert set(others) <= set(repository.find("main").files) and not set(stale) & set(repository.find("main").files)
    assert any("adapter_config.json is on the Hub" in warning for warning in result.warnings)


def test_private(hub: LocalHub, push_it: Pushes) -> None:
    assert push_it(private=True).private
    assert hub.store.repositories[ID].private
    assert push_it(private=True).nothing_to_do


def test_private_does_not_push_to_a_public_repository(hub: LocalHub, push_it: Pushes) -> None:
    hub.store.create(ID, False, "me")
    assert refusal(push_it, private=True).startswith("error[E813]")
    assert sent(hub) == (0, 0)


def test_a_pull_request_leaves_main_and_is_opened_once(hub: LocalHub, push_it: Pushes) -> None:
    hub.store.create("you/theirs", False, "you")
    result = push_it(repo_id="you/theirs", create_pr=True)
    repository = hub.store.repositories["you/theirs"]
    assert result.pull_request == f"{hub.url}/you/theirs/discussions/1"
    assert set(repository.find("main").files) == {".gitattributes"}
    assert "model.safetensors" in repository.find("refs/pr/1").files
    again = push_it(repo_id="you/theirs", create_pr=True)
    assert again.nothing_to_do and again.pull_request == result.pull_request and len(repository.pulls) == 1


def test_a_branch_is_made_where_needed(hub: LocalHub, push_it: Pushes) -> None:
    push_it()
    main = hub.store.repositories[ID].refs["main"]
    result = push_it(revision="v1.0", commit_message="x")
    assert result.new_branch and set(hub.store.repositories[ID].refs) == {"main", "v1.0"}
    assert hub.store.repositories[ID].refs["main"] == main
    assert push_it(revision="v1.0").nothing_to_do
    assert "E807" in refusal(push_it, revision="not-there", create_pr=True)
    assert "E801" in refusal(push_it, revision="../main")


def test_the_owner_is_the_token_s_where_none_is_named(hub: LocalHub, push_it: Pushes) -> None:
    assert push_it(repo_id="tiny").repo_id == ID


def test_a_dry_run_says_what_would_change_and_changes_nothing(hub: LocalHub, output: Path, push_it: Pushes) -> None:
    result = push_it(dry_run=True, private=True)
    assert result.dry_run and result.new_repository and result.commit is None and not hub.store.repositories
    weights = next(file for file in result.files if file.name == "model.safetensors")
    data = (output / "model.safetensors").read_bytes()
    assert (weights.size, weights.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    push_it()
    (output / "NOTICE").write_text("hello")
    hub.log.clear()
    result = push_it(dry_run=True)
    assert [file.name for file in result.files if file.change == "add"] == ["NOTICE"] and not result.nothing_to_do
    assert not [asked for asked in hub.log if asked.method != "GET"]
    assert push_it(dry_run=True, revision="new").new_branch


def test_a_dry_run_of_a_public_repository_needs_no_token(
    hub: LocalHub, push_it: Pushes, monkeypatch: pytest.MonkeyPatch
) -> None:
    push_it()
    monkeypatch.delenv("HF_TOKEN")
    assert push_it(dry_run=True).nothing_to_do
    assert refusal(push_it).startswith("error[E805]: me/tiny: there is no token")


def test_the_trace_is_pushed_where_it_is_small(
    hub: LocalHub, output: Path, push_it: Pushes, monkeypatch: pytest.MonkeyPatch
) -> None:
    from converter.publish import folder

    for name in ("report.html", "junit.xml", "scratch.txt"):
        (output / "verification" / name).write_text("x" * 100)
    write_trace(output)
    push_it()
    there = hub.store.repositories[ID].find("main").files
    assert {name for name in there if name.startswith("verification/")} == {
        f"verification/{name}" for name in ("report.json", "report.html", "junit.xml", "trace.safetensors")
    }
    card = there["README.md"].data.decode()
    assert '```sh\npaddle2torch verify "me/tiny"\n```' in card
    assert "verification/trace.safetensors` holds what Paddle computed" in card
    monkeypatch.setattr(folder, "LARGEST_TRACE", 100)
    result = push_it()
    assert result.deleted == ("verification/trace.safetensors",)
    reason = dict(result.left_out)["verification/trace.safetensors"]
    assert reason.endswith("MB or more; --with-trace sends it")
    assert any(reason in warning for warning in result.warnings)
    push_it(with_trace=True)
    assert "verification/trace.safetensors" in hub.store.repositories[ID].find("main").files


def test_the_card_has_the_evidence_and_the_name(hub: LocalHub, push_it: Pushes) -> None:
    push_it()
    card = hub.store.repositories[ID].read("README.md").decode()
    assert "| weights | 38 tensors | 0 differ | 0 |" in card and "Weights are compared bit for bit" in card
    assert "| pooler | 1 site | 2.0e-15 | 1e-12 |" in card
    assert "| tokens | 385 texts | 0 differ | 0 |" in card
    assert "PaddleNLP 2.8.1 on Paddle 3.3.1, run next to it" in card
    assert f'AutoModel.from_pretrained("{ID}", trust_remote_code=True)' in card and "None yet" not in card
    assert ModelCard(card).data.library_name == "transformers"


def test_advice_for_the_author_is_a_warning_and_is_not_published(hub: LocalHub, output: Path, push_it: Pushes) -> None:
    own = (output / "README.md").read_text()
    assert "<!-- for the author: " in own
    warned = "README.md names no license, so that nobody may use these weights"
    assert any(warning.startswith(warned) for warning in push_it().warnings)
    card = hub.store.repositories[ID].read("README.md").decode()
    assert (
        "for the author" not in card and "Push leaves" not in card and "\n\n\n" not in card.partition("## Evidence")[0]
    )
    (output / "README.md").write_text(own.replace("---\n", "---\nlicense: mit\n", 1))
    assert not any(warning.startswith(warned) for warning in push_it().warnings)


def test_a_card_without_the_marks_gets_the_evidence_at_its_end(hub: LocalHub, output: Path, push_it: Pushes) -> None:
    (output / "README.md").write_text("---\nlicense: mit\n---\n\n# Mine\n")
    push_it()
    card = hub.store.repositories[ID].read("README.md").decode()
    assert card.startswith("---\nlicense: mit\n---\n\n# Mine\n") and "| weights | 38 tensors |" in card


def test_a_byte_order_mark_does_not_hide_the_metadata(hub: LocalHub, output: Path, push_it: Pushes) -> None:
    card = output / "README.md"
    card.write_bytes(b"\xef\xbb\xbf" + card.read_bytes())
    push_it()
    assert hub.store.repositories[ID].read("README.md").startswith(b"---\nlanguage")


def test_a_card_without_metadata_is_pushed_with_a_warning(
    hub: LocalHub, output: Path, push_it: Pushes, caplog: pytest.LogCaptureFixture
) -> None:
    (output / "README.md").write_text("# Mine\n")
    hub.plan("POST", "validate-yaml", lambda handler: handler.tell({"errors": [], "warnings": []}))
    assert any("README.md has no metadata" in warning for warning in push_it().warnings)
    assert {record.name for record in caplog.records} <= {"paddle2torch"}


def test_a_lost_card_is_replaced_and_broken_metadata_are_refused(hub: LocalHub, output: Path, push_it: Pushes) -> None:
    (output / "README.md").write_text("---\nlicense: [mit\n---\n\n# Mine\n")
    assert refusal(push_it).startswith("error[E812]: README.md")
    (output / "README.md").unlink()
    push_it()
    assert "library_name: transformers" in hub.store.repositories[ID].read("README.md").decode()


def test_a_lost_card_is_that_of_the_class_which_output_was_made_from(tmp_path: Path) -> None:
    """Several families become transformers' Ernie, whose model_type is that of one of them."""
    config = make_config("ErnieGramModel", model_type="ernie_gram", intermediate_size=32, type_vocab_size=4)
    source = write_folder(tmp_path / "source", make_state("ErnieGramModel", embedding_size=8), config)
    convert(source, tmp_path / "out")
    family = find_family(tmp_path / "out")
    card = build_card(None, "me/it", "", family).decode()
    assert "tags:\n- ernie-gram\n- ernie\n- paddle2torch\n---\n\n# ERNIE-Gram in PyTorch\n" in card
    (tmp_path / "out" / "paddle2torch.json").unlink()
    family = find_family(tmp_path / "out")
    assert family is not None and family.title == "ERNIE"
    (tmp_path / "out" / "config.json").unlink()
    assert find_family(tmp_path / "out") is None


def test_unverified_needs_the_option_and_the_card_says_so(hub: LocalHub, output: Path, push_it: Pushes) -> None:
    (output / "config.json").write_text((output / "config.json").read_text() + " ")
    text = refusal(push_it)
    assert text.startswith("error[E803]: config.json has changed since it was verified")
    assert hub.log == []
    result = push_it(allow_unverified=True)
    repository = hub.store.repositories[ID]
    card = repository.read("README.md").decode()
    assert not result.verified and "## Not verified" in card and "config.json has changed" in card
    assert "verification/report.json" not in repository.find("main").files
    assert any(warning.startswith("not verified: config.json") for warning in result.warnings)


def test_a_proven_push_after_an_unverified_one_takes_the_warning_away(
    hub: LocalHub, output: Path, push_it: Pushes
) -> None:
    report = output / "verification" / "report.json"
    kept = report.read_bytes()
    report.unlink()
    push_it(allow_unverified=True)
    report.write_bytes(kept)
    push_it()
    repository = hub.store.repositories[ID]
    assert "Not verified" not in repository.read("README.md").decode()
    assert json.loads(repository.read("verification/report.json"))["passed"]


def test_a_repository_that_was_renamed_is_told(hub: LocalHub, output: Path) -> None:
    store = hub.store.repositories
    push(output, ID)
    store[ID].name = "me/renamed"
    lines: list[str] = []
    assert push(output, ID, progress=lines.append).nothing_to_do
    assert f"{ID} is called me/renamed now: the Hub leads there" in lines


def test_a_gitignore_on_the_hub_keeps_nothing_back(hub: LocalHub, push_it: Pushes) -> None:
    push_it()
    ignore = Blob(b"vocab.txt\nmodel.safetensors\n", False)
    hub.store.repositories[ID].add("main", "ignoring", {".gitignore": ignore})
    assert {"vocab.txt", "model.safetensors"} < {file.name for file in push_it().files if file.change == "add"}
    assert push_it().nothing_to_do


def test_sums_that_differ_after_the_push_are_an_error(hub: LocalHub, push_it: Pushes) -> None:
    hub.lies = {"model.safetensors", "config.json"}
    text = refusal(push_it)
    assert text.count("error[E811]") == 2 and "me/tiny/model.safetensors in commit" in text
    hub.lies = set()
    assert push_it().nothing_to_do


def test_a_server_without_xet_gets_the_large_files_by_lfs(
    hub: LocalHub, push_it: Pushes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", False)
    push_it()
    assert sent(hub) == (1, 1)


def test_an_endpoint_that_is_named_after_the_import_serves_too(
    hub: LocalHub, push_it: Pushes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "https://huggingface.co")  # 0.36 then cannot read the commit's answer.
    assert push_it().commit == hub.store.repositories[ID].refs["main"]
    assert sent(hub) == (1, 1)


def test_offline_is_said(hub: LocalHub, push_it: Pushes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert "HF_HUB_OFFLINE" in refusal(push_it, dry_run=True)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert refusal(push_it, dry_run=True).startswith("error[E809]: me/tiny: no network")
