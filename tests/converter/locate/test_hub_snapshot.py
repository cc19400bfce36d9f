"""Hub ids through the real huggingface_hub (2.x in .venv, 0.36 in .venv-transformers4) and a server's sockets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants

from converter import convert
from converter.common.errors import FetchError, SourceError
from converter.locate.hub_files import needed_files
from converter.locate.locate import locate
from converter.locate.located import FetchOptions, Located
from tests.support.checkpoints import write_folder
from tests.support.hub_server import COMMIT, SECOND, Repository, git_sum, refusing
from tests.support.hub_sessions import forget_connections
from tests.support.server import Server, cut, status, whole

ID = "PaddlePaddle/tiny"


@pytest.fixture(autouse=True)
def endpoint(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)  # Other tests' environment.
    forget_connections()


@pytest.fixture
def files(tmp_path: Path) -> dict[str, bytes]:
    folder = write_folder(tmp_path / "made")
    return {"README.md": b"# tiny\n", **{path.name: path.read_bytes() for path in folder.iterdir()}}


def refusal(**options: Any) -> str:
    with pytest.raises(FetchError) as caught:
        locate(ID, FetchOptions(**options))
    return str(caught.value)


def names(found: Located) -> list[str]:
    return sorted(path.name for path in found.path.iterdir())


def blobs(tmp_path: Path) -> list[bytes]:
    return [path.read_bytes() for path in (tmp_path / "cache").rglob("blobs/*")]


def test_only_what_is_needed_is_fetched_and_the_commit_is_told(server: Server, files: dict[str, bytes]) -> None:
    Repository(server, ID, {**files, "optimizer.pdopt": b"x", "notes/model_state.pdparams": b"x"}).open()
    found = locate(ID)
    assert names(found) == ["config.json", "model_state.pdparams"]
    assert (found.path / "model_state.pdparams").read_bytes() == files["model_state.pdparams"]
    assert (found.origin, found.warnings) == (f"{ID}@{COMMIT}", ())
    assert not [asked for asked in server.log if "README" in asked.path or "opt" in asked.path]


def test_a_wrong_body_of_the_right_length_is_refused_and_not_kept(
    server: Server, files: dict[str, bytes], tmp_path: Path
) -> None:
    good = files["model_state.pdparams"]
    wrong = good[:-40] + bytes([good[-40] ^ 1]) + good[-39:]
    Repository(server, ID, files, wrong={"model_state.pdparams": wrong}).open()
    text = refusal()
    assert text.startswith("error[E705]") and "model_state.pdparams: sha256 is" in text and "hidden" not in text
    assert wrong not in blobs(tmp_path)
    assert "E709" in refusal(offline=True)
    Repository(server, ID, files).open()
    assert (locate(ID).path / "model_state.pdparams").read_bytes() == good


def test_the_sum_of_a_small_file_is_git_s(server: Server, files: dict[str, bytes], tmp_path: Path) -> None:
    wrong = files["config.json"].replace(b'"hidden_size": 8', b'"hidden_size": 9')
    assert len(wrong) == len(files["config.json"]) and wrong != files["config.json"]
    Repository(server, ID, files, wrong={"config.json": wrong}).open()
    assert "config.json: git's blob id is" in refusal()
    assert wrong not in blobs(tmp_path)
    assert git_sum(b"hello world\n") == "3b18e512dba79e4c8300dd08aeb37f8e728b8dad"  # As `git hash-object` says.


def test_a_blob_that_rotted_in_the_cache_is_fetched_again(server: Server, files: dict[str, bytes]) -> None:
    Repository(server, ID, files).open()
    path = locate(ID).path / "model_state.pdparams"
    path.resolve().write_bytes(bytes(path.stat().st_size))
    assert "in the cache: sha256 is" in refusal(offline=True)
    assert (locate(ID).path / "model_state.pdparams").read_bytes() == files["model_state.pdparams"]


def test_a_file_without_a_usual_sum_is_taken_with_a_warning(server: Server, files: dict[str, bytes]) -> None:
    Repository(server, ID, files, etags={"config.json": "v1"}).open()
    assert locate(ID).warnings == ("config.json: the Hub reports no checksum for it, only its size was checked",)


@pytest.mark.parametrize("etag", ["../../../escaped", ".."])
def test_an_etag_that_leaves_the_cache_is_refused(server: Server, files: dict[str, bytes], etag: str) -> None:
    Repository(server, ID, files, etags={"config.json": etag}).open()
    assert "no usable ETag" in refusal()


def test_offline_takes_the_cache_and_says_so(
    server: Server, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    Repository(server, ID, files).open()
    online = locate(ID)
    server.log.clear()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    found = locate(ID)
    assert (found.path, found.origin) == (online.path, online.origin)
    assert found.warnings == (f"offline: {ID} is taken from the cache, commit {COMMIT}",)
    assert server.log == []
    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    (said,) = locate(ID).warnings
    assert "no network" in said and "taken from the cache" in said


def test_offline_without_the_file_says_what_is_missing() -> None:
    text = refusal(offline=True)
    assert text.startswith("error[E709]") and ID in text and "revision main" in text


def test_a_revision_is_fetched_and_named(server: Server, files: dict[str, bytes]) -> None:
    Repository(server, ID, files).open()
    Repository(server, ID, files, commit=SECOND).open("v2.0")
    assert locate(ID, FetchOptions(revision="v2.0")).origin == f"{ID}@{SECOND}"
    assert locate(ID, FetchOptions(revision=COMMIT)).origin == f"{ID}@{COMMIT}"
    assert locate(ID, FetchOptions(revision="v2.0", offline=True)).origin == f"{ID}@{SECOND}"
    for revision in ("../main", "a b", ""):
        if revision:
            with pytest.raises(SourceError, match="E090"):
                locate(ID, FetchOptions(revision=revision))


REFUSALS = [
    (404, "RepoNotFound", "no such repository on the Hub, or a private one"),
    (401, "RepoNotFound", "no such repository on the Hub, or a private one"),
    (403, "GatedRepo", "it is gated"),
    (404, "RevisionNotFound", "there is no revision main"),
    (401, None, "HF_TOKEN"),
    (403, None, "forbidden"),
]


@pytest.mark.parametrize(("code", "kind", "said"), REFUSALS)
def test_a_refusal_of_the_hub_says_what_to_do(server: Server, code: int, kind: str | None, said: str) -> None:
    refusing(server, ID, code, kind)
    text = refusal()
    assert text.startswith("error[E710]") and ID in text and said in text
    assert len(text.splitlines()) == 1


@pytest.mark.parametrize("code", [429, 500, 503])
def test_a_busy_hub_is_asked_again_and_then_given_up(server: Server, files: dict[str, bytes], code: int) -> None:
    refusing(server, ID, code)
    text = refusal()
    assert text.startswith("error[E703]") and f"the Hub answers {code}" in text
    assert len(server.asked("/api")) >= 3
    repository = Repository(server, ID, files).open()
    path = f"/api/models/{ID}/revision/main"
    server.on(path, status(code), server.answers[path][0])
    server.on(repository.cdn("model_state.pdparams"), status(code), whole(files["model_state.pdparams"], '"cdn"'))
    assert names(locate(ID)) == ["config.json", "model_state.pdparams"]


def test_what_was_cut_goes_on_where_it_was_cut(
    server: Server, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "DOWNLOAD_CHUNK_SIZE", 1000)  # What does not fill one is fetched again.
    repository = Repository(server, ID, files).open()
    body = files["model_state.pdparams"]
    server.on(repository.cdn("model_state.pdparams"), cut(body, 4000, '"cdn"'), whole(body, '"cdn"'))
    assert (locate(ID).path / "model_state.pdparams").read_bytes() == body
    assert "bytes=4000-" in server.ranges()


def test_a_page_in_place_of_the_list_is_one_clear_line(server: Server) -> None:
    server.on(f"/api/models/{ID}/revision/main", status(200, b"<html>portal</html>", Content_Type="text/html"))
    text = refusal()
    assert text.startswith("error[E710]") and "not usable" in text and len(text.splitlines()) == 1


def test_an_index_brings_its_shards_and_none_from_elsewhere(server: Server, files: dict[str, bytes]) -> None:
    def index(*shards: str) -> bytes:
        return json.dumps({"weight_map": {str(number): shard for number, shard in enumerate(shards)}}).encode()

    parts = {f"model_state-0000{n}-of-00002.pdparams": b"part %d" % n for n in (1, 2)}
    sharded = {"config.json": files["config.json"], **parts, "model_state-00003-of-00002.pdparams": b"not named"}
    Repository(server, ID, {**sharded, "model_state.pdparams.index.json": index(*parts)}).open()
    assert names(locate(ID)) == ["config.json", *parts, "model_state.pdparams.index.json"]
    for name, said in (("../config.json", "no plain file name"), ("gone.pdparams", "is not there")):
        other = {**sharded, "model_state.pdparams.index.json": index(name)}
        Repository(server, ID, other, commit=SECOND).open()
        assert said in refusal()


@pytest.mark.parametrize(
    ("there", "chosen"),
    [
        (["model_state.pdparams", "model.safetensors"], "model.safetensors"),
        (["model_state.pdparams", "pytorch_model.bin"], "model_state.pdparams"),
        (["pytorch_model.bin", "config.json"], "pytorch_model.bin"),
        (["model_state.tp00.pdparams"], "model_state.tp00.pdparams"),
    ],
)
def test_the_weights_are_chosen_as_in_a_folder(there: list[str], chosen: str) -> None:
    assert needed_files(there, ID)[1] == chosen


def test_a_repository_without_weights_says_what_it_has(server: Server) -> None:
    Repository(server, ID, {"README.md": b"hello", "vocab.txt": b"x"}).open()
    with pytest.raises(
        SourceError, match=r"E002.*Hub id PaddlePaddle/tiny: repository: no weights.*README.md, vocab.txt"
    ):
        locate(ID)


@pytest.mark.parametrize(
    ("there", "said"),
    [
        (
            ["README.md", "pd/model_state.pdparams"],
            r"weights in pd, .*--include 'pd/\*' --local-dir DIR` and convert DIR/pd",
        ),
        (["a/b/x.pdiparams", "a/b/x.json", "c/model.safetensors", "d/README.md"], r"weights in a/b, c, .*DIR/a/b$"),
        (["params/word_embedding", "params/pos_embedding"], "weights in params, .*DIR/params$"),
        (
            ["a b/model.safetensors"],
            r"weights in a b, .*`hf download PaddlePaddle/tiny --local-dir DIR` and convert the fol",
        ),
        (["\x1b[31m/model.safetensors", "../model.safetensors", "/model.safetensors"], "no usable file is at the top"),
        (["word_embedding", "pos_embedding"], "a file for each variable.* --local-dir DIR` and convert DIR$"),
    ],
)
def test_weights_that_are_not_fetched_are_told_with_a_way_out(there: list[str], said: str) -> None:
    with pytest.raises(SourceError, match=f"E002.*Hub id PaddlePaddle/tiny: .*{said}") as refused:
        needed_files(there, ID)
    assert "\x1b" not in str(refused.value)


def test_a_hub_id_is_converted_twice_to_the_same_bytes(server: Server, files: dict[str, bytes], tmp_path: Path) -> None:
    Repository(server, ID, files).open()
    first, second = tmp_path / "first", tmp_path / "second"
    convert(ID, first)
    convert(ID, second, offline=True)
    manifest = json.loads((first / "paddle2torch.json").read_text())
    assert manifest["source"]["origin"] == f"{ID}@{COMMIT}" and str(tmp_path) not in json.dumps(manifest)
    for path in first.iterdir():
        assert path.read_bytes() == (second / path.name).read_bytes(), path.name


def test_the_command_line_fetches_from_the_endpoint_of_the_variable(
    server: Server, files: dict[str, bytes], tmp_path: Path
) -> None:
    Repository(server, ID, files).open("v2.0")
    command = [sys.executable, "-m", "converter", "convert", ID, str(tmp_path / "out"), "--revision", "v2.0", "--json"]
    environment = {**os.environ, "HF_ENDPOINT": server.url, "HF_HUB_DISABLE_XET": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=100, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["tensors"] == 38
    assert f"fetching model_state.pdparams: {len(files['model_state.pdparams']):,} bytes" in done.stderr
    assert f"{ID}@{COMMIT}" in (tmp_path / "out" / "README.md").read_text()


def test_the_token_goes_to_the_hub_and_not_to_where_it_sends(
    server: Server, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    Repository(server, ID, files).open()
    locate(ID)
    assert {asked.headers["Authorization"] for asked in server.asked("/api")} == {"Bearer hf_secret"}


@pytest.mark.parametrize("token", ["hf_two words", "hf_“quoted”", "hf_\x01control"])
def test_a_token_that_no_header_can_hold_is_told_and_not_shown(
    server: Server, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, token: str
) -> None:
    Repository(server, ID, files).open()
    monkeypatch.setattr("huggingface_hub.get_token", lambda: token)
    text = refusal()
    assert text.startswith(f"error[E710]: {ID}: the token has characters") and token[3:8] not in text
    assert server.log == []


def test_a_wait_that_the_hub_asks_for_is_kept_when_it_is_short(
    server: Server, files: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("converter.hub.client.time.sleep", waits.append)
    Repository(server, ID, files).open()
    path = f"/api/models/{ID}/revision/main"
    answer = server.answers[path][0]
    server.on(path, status(429, Retry_After="7"), answer)
    assert names(locate(ID)) == ["config.json", "model_state.pdparams"] and waits == [7.0]
    server.log.clear()
    server.on(path, status(503, Retry_After="3600"), answer)
    (warning,) = locate(ID).warnings
    assert warning.startswith("the Hub answers 503 for its list of files: ") and "from the cache" in warning
    assert waits == [7.0] and len(server.asked("/api")) == 1
