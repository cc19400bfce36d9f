"""What SOURCE may be, in which order; the built-in names; the cache; and the command line with each of them."""

from __future__ import annotations

import hashlib
import json
import pickle
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from converter.cli import app
from converter.common.errors import FetchError, FileError, SourceError
from converter.fetch.cache import CacheEntry, cache_folder
from converter.fetch.url import parse_address, safe_name, weight_name
from converter.locate import builtin_models as table
from converter.locate.locate import kind_of, locate
from converter.locate.located import FetchOptions
from tests.support.checkpoints import make_config, make_state, write_folder
from tests.support.server import Handler, Server, cut, status, whole

BODY = pickle.dumps(make_state(), 4)
VOCABULARY = b"[CLS]\n[PAD]\n[SEP]\n[UNK]\n[MASK]\n"
SENTENCEPIECE = b"\x0a\x03\x0a\x01a"
AT = "/models/transformers/ernie_m"


def call(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("ernie-m-base", "name"),
        ("uie-m-large", "name"),
        ("http://host/x.pdparams", "address"),
        ("FILE:///etc/passwd", "address"),
        ("PaddlePaddle/ernie-m-base", "hub"),
        ("my-model", "nothing"),
        ("a/b/c", "nothing"),
        ("./a", "nothing"),
        ("../a", "nothing"),
        ("/no/such/place", "nothing"),
        ("folder/model_state.pdparams", "nothing"),
        ("zero\0byte", "nothing"),
        ("", "nothing"),
    ],
)
def test_what_a_text_is(text: str, kind: str) -> None:
    assert kind_of(text) == kind


def test_a_path_that_exists_comes_before_every_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for text in ("ernie-m-base", "PaddlePaddle/ernie-m-base"):
        write_folder(Path(text))
        found = locate(text)
        assert (found.path, found.origin) == (Path(text), None)
    assert locate(Path("uie-m-base")).path == Path("uie-m-base")  # A Path is a path, there or not.


def test_what_is_none_of_them_is_told_all_of_them() -> None:
    with pytest.raises(SourceError) as caught:
        locate("my-model")
    text = str(caught.value)
    for said in (
        "E001",
        "my-model",
        "ernie-m-base",
        "ernie-1.0",
        "pretrained.toml",
        "http(s)",
        "Hub id",
        "file or folder",
    ):
        assert said in text
    assert len(text) < 400, "the error lists every built-in name"


def test_a_revision_is_for_the_hub_alone() -> None:
    with pytest.raises(SourceError, match="E090.*--revision main"):
        locate("ernie-m-base", FetchOptions(revision="main"))


@pytest.mark.parametrize(
    "text", ["file:///etc/passwd", "ftp://h/x.pdparams", "http://", "http:///x.pdparams", "http://h:port/x.pdparams",
             "http://h/x y.pdparams", "http://h/\x01.pdparams", "http://[::1/x.pdparams", "http://h/", "http://h",
             "http://h/model.tar.gz", "http://h/.pdparams", "https://huggingface.co/PaddlePaddle/ernie-m-base"],
)  # fmt: skip
def test_an_address_that_cannot_be_meant_is_refused_before_anything_is_asked(text: str) -> None:
    with pytest.raises(FetchError, match="E701") as caught:
        locate(text)
    assert "Do you mean the Hub id" in str(caught.value) or "huggingface" not in text


def test_addresses_are_cleaned_and_told_without_secrets() -> None:
    address = parse_address("http://me:pass@h:81/a%20b/ä.pdparams?sig=1#top")
    assert address.url == "http://h:81/a%20b/%C3%A4.pdparams?sig=1"
    assert address.shown == "http://h:81/a%20b/%C3%A4.pdparams"
    assert "pass" not in repr(address)
    assert weight_name(parse_address("http://h/..%2F..%2Fmodel%20x.pdparams")) == "_.._model_x.pdparams"
    assert safe_name("x" * 300 + ".safetensors").endswith("x.safetensors") and len(safe_name("x" * 300 + ".a")) == 120


def test_addresses_that_differ_in_anything_but_credentials_do_not_share_a_folder() -> None:
    urls = ["http://h/a.pdparams", "http://h/a.pdparams?v=2", "https://h/a.pdparams", "http://h:81/a.pdparams"]
    assert len({parse_address(url).key for url in urls}) == 4
    assert parse_address("http://me:x@h/a.pdparams").key == parse_address(urls[0]).key


def test_the_cache_is_where_it_is_said_to_be(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert cache_folder() == tmp_path / "cache" and cache_folder("there") == Path("there")
    monkeypatch.delenv("PADDLE2TORCH_CACHE")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_folder() == tmp_path / "xdg" / "paddle2torch"


def test_a_file_in_the_cache_is_asked_after_and_not_fetched_again(server: Server) -> None:
    address = server.on("/a.pdparams", whole(BODY))
    first = locate(address)
    assert locate(address) == first
    assert [asked.headers["If-None-Match"] for asked in server.asked()] == [None, '"v1"']
    other = pickle.dumps(make_state("UIEM"), 4)
    server.on("/a.pdparams", whole(other, '"v2"'))
    assert locate(address).path.read_bytes() == other


def test_a_cache_without_its_server_is_used_and_says_so(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    address = server.on("/a.pdparams", whole(BODY))
    locate(address)
    server.on("/a.pdparams", status(503))
    (warning,) = locate(address).warnings
    assert "503" in warning and "from the cache" in warning
    server.log.clear()
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert locate(address).warnings[0].startswith("offline: no server was asked")
    assert server.log == []
    with pytest.raises(FetchError, match="E709"):
        locate(address + "?other")


def test_a_cached_file_that_rotted_is_fetched_again(server: Server) -> None:
    address = server.on("/a.pdparams", whole(BODY))
    path = locate(address).path
    path.write_bytes(BODY[:-1] + b"x")
    assert locate(address).path.read_bytes() == BODY
    path.write_bytes(BODY[:-1] + b"x")
    with pytest.raises(FetchError, match="E709"):
        locate(address, FetchOptions(offline=True))


def test_two_runs_at_once_fetch_once(server: Server) -> None:
    def slow(handler: Handler) -> None:
        time.sleep(0 if handler.headers["If-None-Match"] else 3)
        whole(BODY)(handler)

    address = server.on("/a.pdparams", slow)
    script = "import sys; from converter.locate.locate import locate; print(locate(sys.argv[1]).path)"
    runs = [
        subprocess.Popen([sys.executable, "-c", script, address], stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    assert len({run.communicate(timeout=60)[0] for run in runs}) == 1
    assert all(run.returncode == 0 for run in runs)
    assert len([asked for asked in server.asked() if asked.headers["If-None-Match"] is None]) == 1


def test_what_a_killed_run_left_to_be_checked_is_cleared(tmp_path: Path) -> None:
    entry = CacheEntry(tmp_path, "names", "x", "y")
    (entry.folder / "incoming").mkdir(parents=True)
    (entry.folder / "incoming" / "model_state.pdparams").write_bytes(BODY)
    with entry.locked(print):
        assert not (entry.folder / "incoming").exists() and entry.find("model_state.pdparams") is None


def test_the_table_is_that_of_paddlenlp(live_paddle_python: Path) -> None:
    root = next((live_paddle_python.parent.parent / "lib").glob("python*/site-packages/paddlenlp"))
    told = "".join(
        path.read_text()
        for pattern in ("transformers/*/configuration.py", "transformers/*/tokenizer.py", "taskflow/*.py")
        for path in sorted(root.glob(pattern))
    ).replace("https://paddlenlp.bj.bcebos.com/", "https://bj.bcebos.com/paddlenlp/")
    for model in table.built_in_names().values():
        for file in model.files:
            assert f'"{table.endpoint().url}/{file.at}"' in told
            assert file.md5 is None or f'"{file.md5}"' in told
    space: dict[str, object] = {}
    source = (root / "transformers/ernie_m/configuration.py").read_text()
    start = source.index("ERNIE_M_PRETRAINED_INIT_CONFIGURATION = ")
    exec(source[start : source.index("\n}\n", start) + 3], space)
    for name in ("ernie-m-base", "ernie-m-large"):
        ours = dict(table.built_in_names()[name].config or {})
        assert (ours.pop("architectures"), ours.pop("model_type")) == (["ErnieMModel"], "ernie_m")
        assert ours == space["ERNIE_M_PRETRAINED_INIT_CONFIGURATION"][name]  # type: ignore[index]


@pytest.fixture
def store(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The community storage with a tiny model under ernie-m-base."""
    monkeypatch.setenv(table.VARIABLE, server.url + "/")
    server.on(f"{AT}/ernie_m_base.pdparams", whole(BODY))
    server.on(f"{AT}/ernie_m.vocab.txt", whole(VOCABULARY))
    server.on(f"{AT}/ernie_m.sentencepiece.bpe.model", whole(SENTENCEPIECE))
    return server


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table as it would be for that tiny model."""
    model = table.built_in_names()["ernie-m-base"]
    md5 = hashlib.md5(VOCABULARY).hexdigest()
    files = [table.StoredFile(file.name, file.at, file.md5 and md5) for file in model.files]
    changed = replace(model, files=tuple(files), config=make_config())
    monkeypatch.setattr(table, "built_in_names", lambda: {"ernie-m-base": changed})


def test_a_name_becomes_a_folder_like_paddlenlp_s_and_then_needs_no_network(store: Server, tiny: None) -> None:
    found = locate("ernie-m-base")
    made = {path.name: path.read_bytes() for path in found.path.iterdir()}
    assert sorted(made) == ["config.json", "model_state.pdparams", "sentencepiece.bpe.model", "vocab.txt"]
    assert made["model_state.pdparams"] == BODY and json.loads(made["config.json"]) == make_config()
    assert store.asked()[-1].path.endswith("ernie_m_base.pdparams")  # The small files come first.
    store.log.clear()
    assert locate("ernie-m-base") == found
    assert locate("ernie-m-base", FetchOptions(offline=True)).warnings == (
        "offline: ernie-m-base is taken from the cache",
    )
    assert store.log == []


def test_a_wrong_sum_of_a_name_s_file_is_refused_and_not_kept(store: Server, tmp_path: Path) -> None:
    with pytest.raises(FetchError, match=r"E705.*vocab.txt: md5 is [0-9a-f]{32}, expected e6e1091c9845"):
        locate("ernie-m-base")
    assert not list((tmp_path / "cache").rglob("vocab.txt"))


def test_two_versions_put_together_by_a_resume_are_fetched_once_more(store: Server, tiny: None) -> None:
    at = f"{AT}/ernie_m.vocab.txt"
    store.on(at, *[cut(b"x" * len(VOCABULARY), 3)] * 5)
    with pytest.raises(FetchError, match="E703"):
        locate("ernie-m-base")
    store.on(at, whole(VOCABULARY))
    assert (locate("ernie-m-base").path / "vocab.txt").read_bytes() == VOCABULARY


def test_a_damaged_or_huge_companion_is_refused(store: Server, tiny: None, tmp_path: Path) -> None:
    store.on(f"{AT}/ernie_m.sentencepiece.bpe.model", whole(SENTENCEPIECE[:-1]))
    with pytest.raises(FetchError, match="damaged or cut short"):
        locate("ernie-m-base")
    store.on(f"{AT}/ernie_m.sentencepiece.bpe.model", lambda handler: handler.reply(200, b"x", told=(64 << 20) + 1))
    with pytest.raises(FetchError, match="E704.*expected at most"):
        locate("ernie-m-base")
    assert not list((tmp_path / "cache").rglob("files/*.model"))


def test_convert_of_a_name_of_an_address_and_offline(store: Server, tiny: None, tmp_path: Path) -> None:
    done = call("convert", "ernie-m-base", tmp_path / "out", "--json")
    assert done.exit_code == 0, done.stderr
    manifest = json.loads((tmp_path / "out" / "paddle2torch.json").read_text())
    assert manifest["source"]["origin"] == "ernie-m-base" and str(tmp_path) not in json.dumps(manifest)
    assert f"fetching model_state.pdparams: {len(BODY):,} bytes" in done.stderr
    assert (tmp_path / "out" / "vocab.txt").read_bytes() == VOCABULARY
    config = tmp_path / "config.json"
    config.write_text(json.dumps(make_config()))
    address = store.on("/lone/model_state.pdparams", whole(BODY)) + "?token=s3cret"
    done = call("convert", address, tmp_path / "lone", "--config", config)
    assert done.exit_code == 0, done.stderr
    everything = "".join(path.read_text(errors="replace") for path in (tmp_path / "lone").iterdir())
    assert store.url + "/lone/model_state.pdparams" in everything and "s3cret" not in everything + done.stderr
    again = call("convert", address, tmp_path / "again", "--config", config, "--offline")
    assert again.exit_code == 0 and "warning: offline" in again.stderr
    for path in (tmp_path / "lone").iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.name).read_bytes()


def test_an_address_without_a_config_says_how_to_give_one(server: Server, tmp_path: Path) -> None:
    done = call("inspect", server.on("/lone/model_state.pdparams", whole(BODY)), "--cache", tmp_path / "here")
    assert "--architecture" in done.stdout + done.stderr and list((tmp_path / "here").rglob("model_state.pdparams"))


def test_the_sizes_of_a_name_are_those_of_its_config(
    store: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = table.built_in_names()["ernie-m-base"]
    files = tuple(table.StoredFile(file.name, file.at) for file in model.files)
    monkeypatch.setattr(table, "built_in_names", lambda: {"ernie-m-base": replace(model, files=files)})
    done = call("convert", "ernie-m-base", tmp_path / "out")
    assert done.exit_code == 2 and "768" in done.stderr and not (tmp_path / "out").exists()


def test_nothing_is_fetched_for_an_output_that_exists(store: Server, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("")
    done = call("convert", "ernie-m-base", tmp_path / "out")
    assert "E501" in done.stderr and store.log == []


def test_verify_takes_an_address_too(server: Server, tmp_path: Path) -> None:
    source = write_folder(tmp_path / "in")
    address = server.on("/a.pdparams", whole((source / "model_state.pdparams").read_bytes()))
    assert call("convert", source, tmp_path / "out").exit_code == 0
    done = call("verify", address, tmp_path / "out", "--static-only", "--json")
    assert done.exit_code == 0, done.stderr
    assert json.loads(done.stdout)["passed"] and str(tmp_path) not in done.stdout


def test_an_endpoint_that_is_no_address_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(table.VARIABLE, "file:///models")
    with pytest.raises(SourceError, match=f"E701.*{table.VARIABLE}"):
        locate("ernie-m-base")


def test_a_hostile_file_of_a_name_is_the_reader_s_to_refuse(store: Server, tiny: None) -> None:
    store.on(f"{AT}/ernie_m_base.pdparams", whole(b"\x80\x04cposix\nsystem\n(S'touch executed'\ntR."))
    with pytest.raises(FileError, match="system"):
        locate("ernie-m-base")
