"""One file over http: what is asked of the server, what a bad one can do, and what is left behind."""

from __future__ import annotations

import hashlib
import os
import pickle
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from converter.common import interrupts
from converter.common.errors import FetchError, FileError, Paddle2TorchError
from converter.fetch import request, transport
from converter.fetch.partial_download import PartialFile
from converter.fetch.url import parse_address, resolve_redirect
from converter.locate.locate import locate
from converter.locate.located import FetchOptions
from tests.support.checkpoints import make_state
from tests.support.server import Handler, Server, cut, moved, stall, status, whole

BODY = pickle.dumps(make_state(), 4)
OTHER = pickle.dumps({name: -tensor for name, tensor in make_state().items()}, 4)  # As long as BODY.
PATH = "/some/model_state.pdparams"


def kept(tmp_path: Path) -> list[str]:
    """Every file of the cache that a later run could take for whole."""
    return sorted(path.name for path in (tmp_path / "cache").rglob("*") if path.is_file() and "files" in path.parts)


def refusal(address: str, error: type[Paddle2TorchError] = FetchError) -> str:
    with pytest.raises(error) as caught:
        locate(address)
    assert len(caught.value.problems) == 1
    return str(caught.value)


def test_a_file_comes_whole_and_is_kept_under_its_name(server: Server) -> None:
    found = locate(server.on(PATH, whole(BODY)))
    assert found.path.name == "model_state.pdparams" and found.path.read_bytes() == BODY
    assert found.origin == server.url + PATH
    assert server.asked()[0].headers["Accept-Encoding"] == "identity"


@pytest.mark.parametrize("etag", ['"v1"', None])
def test_what_was_cut_goes_on_where_it_was_cut(server: Server, etag: str | None) -> None:
    address = server.on(PATH, cut(BODY, 3000, etag), cut(BODY, 2000, etag), whole(BODY, etag))
    assert locate(address).path.read_bytes() == BODY
    # With an ETag from the first byte that is missing; without one some bytes are fetched again, and compared.
    spans = [None, "bytes=3000-", "bytes=5000-"] if etag else [None, "bytes=1500-", "bytes=1750-"]
    assert server.ranges() == spans
    assert [asked.headers["If-Range"] for asked in server.asked()] == [None, etag, etag]


def test_a_later_run_goes_on_where_an_earlier_one_gave_up(server: Server, tmp_path: Path) -> None:
    server.on(PATH, *[cut(BODY, 10)] * 5)
    assert "error[E703]" in refusal(server.url + PATH)
    assert kept(tmp_path) == []
    server.log.clear()
    server.on(PATH, whole(BODY))
    assert locate(server.url + PATH).path.read_bytes() == BODY
    assert server.ranges() == ["bytes=50-"]


@pytest.mark.parametrize("etag", [('"v1"', '"v2"'), (None, None)])
def test_a_file_that_changed_between_the_tries_is_never_put_together(
    server: Server, etag: tuple[str | None, str | None]
) -> None:
    address = server.on(PATH, cut(BODY, 3000, etag[0]), whole(OTHER, etag[1]))
    assert locate(address).path.read_bytes() == OTHER


def test_a_server_that_ignores_if_range_and_continues_another_version_is_seen(server: Server) -> None:
    def careless(handler: Handler) -> None:
        del handler.headers["If-Range"]
        whole(OTHER, '"v2"')(handler)

    address = server.on(PATH, cut(BODY, 3000), careless)
    assert locate(address).path.read_bytes() == OTHER
    assert server.ranges() == [None, "bytes=3000-", None]


def test_a_server_that_knows_no_ranges_starts_anew(server: Server) -> None:
    address = server.on(PATH, cut(BODY, 3000), lambda handler: handler.reply(200, BODY))
    assert locate(address).path.read_bytes() == BODY


@pytest.mark.parametrize(
    "told",
    ["bytes 0-9/10", f"bytes 2999-9999/{len(BODY)}", "nonsense", f"bytes 3000-9999/{len(BODY) + 1}"],
)
def test_another_range_than_was_asked_for_starts_anew(server: Server, told: str) -> None:
    address = server.on(PATH, cut(BODY, 3000), status(206, BODY[3000:], Content_Range=told), whole(BODY))
    assert locate(address).path.read_bytes() == BODY
    assert server.ranges() == [None, "bytes=3000-", None]


def test_416_starts_anew(server: Server) -> None:
    address = server.on(PATH, cut(BODY, 3000), status(416, b"", Content_Range="bytes */3000"), whole(BODY))
    assert locate(address).path.read_bytes() == BODY
    assert server.ranges() == [None, "bytes=3000-", None]


def test_416_without_a_range_ends(server: Server) -> None:
    assert "answers 416" in refusal(server.on(PATH, status(416)))


def test_a_stall_is_a_cut(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_DOWNLOAD_TIMEOUT", "0.2")
    assert locate(server.on(PATH, stall(BODY, 3000, 5), whole(BODY))).path.read_bytes() == BODY
    assert server.ranges() == [None, "bytes=3000-"]
    server.on("/other.pdparams", stall(BODY, 0, 5))
    assert "nothing came for 0.2 seconds" in refusal(server.url + "/other.pdparams")


def test_a_trickle_is_a_stall(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request, "_SLOW_SECONDS", 0.0)
    monkeypatch.setattr(request, "_READ", 500)
    address = server.on(PATH, whole(BODY))
    assert "less than 60 kB came" in refusal(address)


@pytest.mark.parametrize("code", [429, 500, 502, 503])
def test_a_busy_server_is_asked_again(server: Server, code: int) -> None:
    assert locate(server.on(PATH, status(code), status(code), whole(BODY))).path.read_bytes() == BODY
    assert len(server.asked()) == 3


def test_a_server_that_stays_busy_ends_after_five_tries(server: Server) -> None:
    assert "the server answers 500. Tried 5 times" in refusal(server.on(PATH, status(500, b"oops")))
    assert len(server.asked()) == 5


def test_retry_after_is_waited_for_when_it_is_short(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("converter.fetch.download.time.sleep", waits.append)
    locate(server.on(PATH, status(429, Retry_After="7"), whole(BODY)))
    assert waits == [7.0]
    server.on("/other.pdparams", status(429, Retry_After="3600"))
    assert "asks to wait 3600 seconds" in refusal(server.url + "/other.pdparams")
    assert waits == [7.0]


@pytest.mark.parametrize(
    ("code", "said"),
    [(401, "NAME:PASSWORD@HOST"), (403, "forbidden"), (404, "no such file"), (410, "gone"), (204, "no file came")],
)
def test_a_refusal_ends_at_once(server: Server, tmp_path: Path, code: int, said: str) -> None:
    text = refusal(server.on(PATH, status(code)))
    assert text.startswith("error[E702]") and str(code) in text and said in text
    assert len(server.asked()) == 1 and kept(tmp_path) == []


PAGES = [
    (b"<!DOCTYPE html><html><body>Sign in</body></html>", "a web page"),
    (b"\n\n  <html><head>" + b"x" * 5000, "a web page"),
    (b'{"error": "no such key"}', "a JSON document"),
    (b"Service temporarily unavailable\n", "text, not weights"),
    (b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3\n", "a git-LFS pointer"),
]


@pytest.mark.parametrize(("page", "said"), PAGES, ids=[page[1] for page in PAGES])
def test_a_page_with_status_200_is_no_file(server: Server, tmp_path: Path, page: bytes, said: str) -> None:
    text = refusal(server.on(PATH, status(200, page)))
    assert text.startswith("error[E706]") and said in text
    assert kept(tmp_path) == []
    server.on(PATH, whole(BODY))
    assert locate(server.url + PATH).path.read_bytes() == BODY


def test_a_length_that_is_too_large_is_a_cut(server: Server, tmp_path: Path) -> None:
    address = server.on(PATH, lambda handler: handler.reply(200, BODY, told=len(BODY) + 10))
    assert f"cut after {len(BODY):,} of {len(BODY) + 10:,} bytes" in refusal(address)
    assert kept(tmp_path) == []


def test_a_length_that_is_too_small_leaves_nothing_that_counts_as_whole(server: Server, tmp_path: Path) -> None:
    address = server.on(PATH, lambda handler: handler.reply(200, BODY, told=len(BODY) - 10))
    assert "not kept" in refusal(address, FileError)
    assert kept(tmp_path) == []
    server.on(PATH, whole(BODY))
    assert locate(address).path.read_bytes() == BODY


@pytest.mark.parametrize("told", ["-1", "1e3", "0x10", "5, 5"])
def test_a_length_that_is_no_number_is_refused(server: Server, tmp_path: Path, told: str) -> None:
    def answer(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", told)
        handler.end_headers()
        handler.wfile.write(BODY)

    assert "E704" in refusal(server.on(PATH, answer))
    assert kept(tmp_path) == []


def without_length(body: bytes, chunked: bool = False) -> object:
    def answer(handler: Handler) -> None:
        handler.send_response(200)
        if chunked:
            handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        if chunked:
            body_sent = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        handler.wfile.write(body_sent if chunked else body)

    return answer


@pytest.mark.parametrize("chunked", [False, True])
def test_without_a_length_the_reader_tells_whether_the_file_is_whole(
    server: Server, tmp_path: Path, chunked: bool
) -> None:
    address = server.on(PATH, without_length(BODY[:-9], chunked))  # type: ignore[arg-type]
    assert "not kept" in refusal(address, FileError)
    assert kept(tmp_path) == []
    server.on(PATH, without_length(BODY, chunked))  # type: ignore[arg-type]
    assert locate(address).path.read_bytes() == BODY


def test_without_a_length_a_format_that_does_not_mark_its_end_is_refused(server: Server, tmp_path: Path) -> None:
    address = server.on("/x.pdiparams", without_length(bytes(5000)))  # type: ignore[arg-type]
    assert "does not send the length of the file, and this format does not mark its end" in refusal(address)
    assert kept(tmp_path) == []


def test_an_empty_file_and_a_compressed_one_are_refused(server: Server, tmp_path: Path) -> None:
    assert "empty" in refusal(server.on(PATH, status(200)))
    assert "is compressed, which was not asked for" in refusal(
        server.on(PATH, status(200, BODY, Content_Encoding="gzip"))
    )
    assert kept(tmp_path) == []


def test_a_damaged_or_hostile_file_is_refused_and_not_kept(server: Server, tmp_path: Path) -> None:
    hostile = b"\x80\x04cposix\nsystem\n(S'touch executed'\ntR."
    assert "system" in refusal(server.on(PATH, whole(hostile)), FileError)
    assert kept(tmp_path) == []


def test_a_sum_that_the_hub_tells_on_the_way_is_compared(server: Server, tmp_path: Path) -> None:
    for linked, good in ((hashlib.sha256(BODY).hexdigest(), True), ("0" * 64, False)):
        server.on("/hub.pdparams", status(302, b"", Location=PATH, X_Linked_Etag=f'"{linked}"'))
        server.on(PATH, whole(BODY))
        if good:
            assert locate(server.url + "/hub.pdparams", FetchOptions(cache=tmp_path / "good")).path.read_bytes() == BODY
        else:
            assert "E705" in refusal(server.url + "/hub.pdparams")
    assert kept(tmp_path) == []


def test_redirects_are_followed_to_http_alone_and_not_for_ever(server: Server) -> None:
    for code in (301, 302, 303, 307, 308):
        address = server.on(f"/{code}.pdparams", moved(f"{PATH}?signed=1", code))
        server.on(PATH, whole(BODY))
        assert locate(address).path.name == f"{code}.pdparams"
    assert "more than 10 redirects" in refusal(server.on("/loop.pdparams", moved("/loop.pdparams")))
    for target in ("file:///etc/passwd", "ftp://127.0.0.1/x", "gopher://x", "http://[half", "//"):
        assert "E707" in refusal(server.on("/away.pdparams", moved(target))), target
    assert "nowhere" in refusal(server.on("/away.pdparams", status(302)))


def test_a_redirect_from_https_to_http_is_not_followed() -> None:
    start = parse_address("https://me:x@host/a.pdparams")
    assert resolve_redirect(start, "/b").authorization
    assert resolve_redirect(start, "https://other/b").authorization is None
    with pytest.raises(FetchError, match="E707.*from https to http"):
        resolve_redirect(start, "http://host/a.pdparams")


def test_credentials_go_to_their_host_alone_and_are_never_shown(server: Server) -> None:
    with_password = server.url.replace("http://", "http://me:s3cret%21@")
    server.on(PATH, moved(server.url.replace("127.0.0.1", "localhost") + "/elsewhere.pdparams"))
    server.on("/elsewhere.pdparams", status(404))
    text = refusal(with_password + PATH + "?token=hidden")
    assert "s3cret" not in text and "hidden" not in text
    first, second = server.asked()
    assert first.headers["Authorization"] == "Basic bWU6czNjcmV0IQ==" and first.path.endswith("?token=hidden")
    assert second.headers["Authorization"] is None


def test_the_proxy_of_the_usual_variable_is_asked(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", server.url)
    monkeypatch.delenv("no_proxy", raising=False)
    address = "http://paddle2torch.invalid/model_state.pdparams"
    server.on(address, whole(BODY))
    assert locate(address).path.read_bytes() == BODY
    assert server.asked()[0].path == address


def test_ctrl_c_ends_with_one_line_and_the_next_run_goes_on(server: Server, tmp_path: Path) -> None:
    address = server.on(PATH, stall(BODY, 3000, 20), whole(BODY))
    command = [sys.executable, "-m", "converter", "inspect", address]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    part = None
    for _ in range(400):
        part = next((tmp_path / "cache").rglob("model_state.pdparams.part"), None)
        if part is not None and server.log:
            break
        time.sleep(0.05)
    assert part is not None
    run.send_signal(signal.SIGINT)
    _, errors = run.communicate(timeout=20)
    assert run.returncode == -signal.SIGINT
    told = errors.splitlines()[-1]
    kept_bytes = r"[\d,]+ bytes of model_state\.pdparams are kept: the same command goes on from there\."
    assert re.fullmatch(rf"error\[E009\]: stopped by the user\. (Nothing was left half-written\.|{kept_bytes})", told)
    assert "Traceback" not in errors and kept(tmp_path) == []
    assert locate(address).path.read_bytes() == BODY


def test_retries_a_resumed_download_and_what_is_kept_are_told(server: Server) -> None:
    address = server.on(PATH, cut(BODY, 3000), whole(BODY))
    told: list[str] = []
    kept_then: list[str] = []

    def progress(stage: str, done: int, total: int) -> None:
        told.append(stage)
        kept_then.append(interrupts.kept)

    assert locate(address, progress=progress).path.read_bytes() == BODY
    notes = list(dict.fromkeys(told))
    assert any("cut after 3,000 of" in note and "try 2 in" in note for note in notes), notes
    assert "model_state.pdparams: going on at 3,000 bytes, which an earlier try fetched" in notes
    assert "3,000 bytes of model_state.pdparams are kept: the same command goes on from there." in kept_then
    assert interrupts.kept == ""


def test_nobody_there_ends_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    text = refusal("http://127.0.0.1:9/model_state.pdparams")
    assert text.startswith("error[E703]") and "no connection" in text and "Tried 5 times" in text


def test_a_full_disk_and_an_unwritable_cache_say_so(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = server.on(PATH, whole(BODY))
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PADDLE2TORCH_CACHE", str(tmp_path / "file" / "below"))
    text = refusal(address)
    assert text.startswith("error[E708]") and "--cache" in text
    monkeypatch.setenv("PADDLE2TORCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("shutil.disk_usage", lambda path: os.terminal_size((0, 0)) and type("Usage", (), {"free": 9}))
    assert "0.00 GB free" in refusal(address)
    assert kept(tmp_path) == []


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_a_disk_that_fills_up_on_the_way_is_one_line(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = server.on(PATH, whole(BODY))
    begin = PartialFile.begin

    def full(self: PartialFile, reply: transport.Reply) -> None:
        begin(self, reply)
        self.path.symlink_to("/dev/full")

    monkeypatch.setattr(PartialFile, "begin", full)
    text = refusal(address)
    assert text.startswith("error[E708]") and "No space left" in text
    assert kept(tmp_path) == []
