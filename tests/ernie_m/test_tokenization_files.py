"""Files: both vocab.txt formats, what is refused, saving and loading, copies, threads and workers."""

from __future__ import annotations

import copy
import json
import os
import pickle
import shutil
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import ernie_m.tokenization_ernie_m as module
from ernie_m.tokenization_ernie_m import PaddleErnieMTokenizer
from tests.ernie_m.tokenization_reference import (
    ask_paddle,
    differing,
    load,
    official_folder,
    plain_ids,
    read_sentences,
    small_folder,
)

HERE = Path(module.__file__).parent
FIVE = "[CLS]\n[PAD]\n[SEP]\n[UNK]\n"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_folder(tmp_path_factory.mktemp("made"))


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return Path(shutil.copytree(made, tmp_path / "tokenizer"))


def two_columns(text: str) -> str:
    return "".join(f"{token}\t{number}\n" for number, token in enumerate(text.removesuffix("\n").split("\n")))


@pytest.mark.parametrize(
    "rewrite",
    [two_columns, lambda text: text.replace("\n", "\r\n"), lambda text: text.removesuffix("\n")],
    ids=["token TAB id", "CRLF", "no last line end"],
)
def test_other_ways_to_write_the_vocabulary(folder: Path, made: Path, rewrite: Callable[[str], str]) -> None:
    """All give the same tokens, and all are saved as one column."""
    text = (made / "vocab.txt").read_bytes().decode()
    (folder / "vocab.txt").write_bytes(rewrite(text).encode())
    tokenizer = load(folder)
    assert tokenizer.tokens == load(made).tokens
    for path in tokenizer.save_vocabulary(str(folder / "saved"), filename_prefix="x"):
        assert Path(path).read_bytes() == (made / Path(path).name.removeprefix("x-")).read_bytes()


def test_the_official_vocabulary(shared_data: Path, tmp_path: Path) -> None:
    """Token 97636 is U+0085, which many readers take for a line end; files are written back byte for byte."""
    official = official_folder(shared_data, tmp_path / "official")
    tokenizer = load(official)
    assert len(tokenizer) == tokenizer.vocab_size == 250_002
    assert tokenizer.convert_ids_to_tokens(97636) == "\x85"
    tokenizer.save_vocabulary(str(tmp_path))
    for name in ("vocab.txt", "sentencepiece.bpe.model"):
        assert (tmp_path / name).read_bytes() == (official / name).read_bytes()
    tokenizer.add_tokens(["<e>"])
    assert tokenizer.convert_tokens_to_ids(["<e>", "稣"]) == [250_002, 250_000]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (two_columns(FIVE + "[MASK]\n") + "a\n", "line 6: expected a token, a tab and 5 not seen yet, found 'a'"),
        (FIVE + "[MASK]\na\t5\n", r"line 6: expected a token not seen yet, found 'a\\t5'"),
        ("[CLS]\t0\t1\n", "line 1: expected a token, a tab and 0"),
        (two_columns(FIVE + "[MASK]\n").replace("3", "4"), "line 4: expected a token, a tab and 3"),
        (two_columns(FIVE + "[MASK]\n").replace("3", "2"), "line 4: expected a token, a tab and 3"),
        (two_columns(FIVE + "[MASK]\n").replace("3", "three"), "line 4: expected a token, a tab and 3"),
        (FIVE + "a\nb\na\n[MASK]\n", "line 7: expected a token not seen yet, found 'a'"),
        (FIVE + "a\n\nb\n[MASK]\n", "line 6: expected a token not seen yet, found ''"),
        (FIVE + "[MASK]\n\n", "line 6: expected a token not seen yet, found ''"),
        ("", "line 1: expected a token not seen yet, found ''"),
        (FIVE, r"has no \[MASK\]"),
        ("\ufeff" + FIVE + "[MASK]\n", r"has no \[CLS\].*byte order mark"),
        (FIVE.replace("\n", "\r\n") + "[MASK]\n", "has no"),
        (b"\xff\xfe[CLS]\n", "cannot be read"),
    ],
)
def test_a_wrong_vocabulary_is_refused(folder: Path, content: str | bytes, said: str) -> None:
    (folder / "vocab.txt").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ValueError, match=rf"(?s)vocab\.txt.*{said}"):
        load(folder)


def test_missing_and_damaged_files(folder: Path) -> None:
    model = folder / "sentencepiece.bpe.model"
    whole = model.read_bytes()
    for damaged in (b"", b"not a model", whole[: len(whole) // 2], whole[:-7]):
        model.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"sentencepiece\.bpe\.model .* is missing or damaged"):
            load(folder)
    vocab = folder / "vocab.txt"
    with pytest.raises(ValueError, match=r"sentencepiece\.bpe\.model .* is missing"):
        PaddleErnieMTokenizer(str(vocab), str(folder / "nothing"))
    with pytest.raises(ValueError, match=r"vocab\.txt cannot be read"):
        PaddleErnieMTokenizer(None, str(model))  # type: ignore[arg-type]
    model.write_bytes(whole)


def test_more_tokens_than_pieces(folder: Path, run_paddle: Any) -> None:
    """PaddleNLP loads a vocabulary that was added to; only a model that is cut between two pieces is refused."""
    vocab, model, texts = folder / "vocab.txt", folder / "sentencepiece.bpe.model", read_sentences()
    vocab.write_text(vocab.read_text("utf-8") + "more\n", "utf-8")
    assert plain_ids(load(folder), texts) == ask_paddle(run_paddle, folder, texts=texts)["ids"]
    whole = model.read_bytes()
    model.write_bytes(whole[: end_of_piece(whole, 1000)])
    with pytest.raises(ValueError, match="is cut: 1000 pieces, 2003 tokens"):
        load(folder)


def end_of_piece(model: bytes, count: int) -> int:
    """Where the first `count` pieces of a sentencepiece model end: each is field 1, shorter than 128 bytes."""
    place = 0
    for _ in range(count):
        assert model[place] == 0x0A and model[place + 1] < 128
        place += 2 + model[place + 1]
    return place


@pytest.mark.parametrize("copied", [copy.deepcopy, copy.copy, lambda t: pickle.loads(pickle.dumps(t))])
def test_copies(folder: Path, copied: Callable[[Any], Any]) -> None:
    tokenizer = load(folder)
    tokenizer.add_tokens(["<e>"])
    expected = tokenizer(read_sentences())["input_ids"]
    again = copied(tokenizer)
    assert again(read_sentences())["input_ids"] == expected
    assert again("<e>")["input_ids"] == [0, 2002, 2]


def test_pieces_are_looked_up_when_they_are_met(folder: Path) -> None:
    """All 250,000 of the official vocabulary would take longer than the first thousand texts."""
    tokenizer = load(folder)
    for text in ("In 1917", "In 1917 the bridge"):
        tokenizer(text)
        assert set(tokenizer._rows) == set(tokenizer._model.encode(text))


def test_threads(folder: Path) -> None:
    """Several threads may be the first to use a tokenizer, and see nothing of each other."""
    tokenizer, texts = load(folder), read_sentences()
    found: dict[int, list[list[int]]] = {}

    def work(part: int) -> None:
        found[part] = tokenizer(texts[part::4])["input_ids"]

    threads = [threading.Thread(target=work, args=(part,)) for part in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {n: tokenizer(texts[n::4])["input_ids"] for n in range(4)}


def test_data_loader_workers(folder: Path) -> None:
    loading = pytest.importorskip("torch.utils.data")
    tokenizer, texts = load(folder), read_sentences()
    tokenizer(texts)  # sentencepiece has used its threads before the workers are forked
    loader = loading.DataLoader(texts, batch_size=200, num_workers=2, collate_fn=tokenizer, timeout=60)
    assert [ids for batch in loader for ids in batch["input_ids"]] == tokenizer(texts)["input_ids"]


def test_saved_and_loaded_again(folder: Path, tmp_path: Path, product_python: Path, run_paddle: Any) -> None:
    """By itself, as remote code in a process of its own, and in PaddleNLP: always the same ids."""
    texts = [*read_sentences(), "a<e> [MASK]<f>b"]
    tokenizer = load(folder)
    tokenizer.add_special_tokens({"additional_special_tokens": ["<f>"]})
    tokenizer.add_tokens(["<e>"])
    expected = plain_ids(tokenizer, texts)
    saved = tmp_path / "saved"
    tokenizer.save_pretrained(str(saved))
    assert (saved / "vocab.txt").read_bytes() == (folder / "vocab.txt").read_bytes()
    assert differing(texts, plain_ids(load(saved), texts), expected) == []
    assert load(saved).get_added_vocab() == tokenizer.get_added_vocab()
    assert remote(product_python, saved, texts) == expected
    plain = [text for text in texts if "<e>" not in text]
    load(folder).save_pretrained(str(tmp_path / "plain"))
    paddle = ask_paddle(run_paddle, tmp_path / "plain", texts=plain)
    assert differing(plain, expected[: len(plain)], paddle["ids"]) == []


REMOTE = """
import json, socket, sys, warnings
warnings.simplefilter("error")
def refuse(*arguments): raise AssertionError("the network was asked for")
socket.socket.connect = refuse
from transformers import AutoTokenizer
folder, texts = json.load(sys.stdin)
tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=True)
assert type(tokenizer).__name__ == "PaddleErnieMTokenizer"
assert type(tokenizer).__module__.startswith("transformers_modules")
json.dump([ids[1:-1] for ids in tokenizer(texts)["input_ids"]], sys.stdout)
"""


def remote(python: Path, folder: Path, texts: list[str]) -> Any:
    """Ids from AutoTokenizer with remote code, in a process that may not say anything on stderr."""
    shutil.copy(HERE / "configuration_ernie_m.py", folder)
    auto_map = {"AutoConfig": "configuration_ernie_m.ErnieMConfig"}
    (folder / "config.json").write_text(json.dumps({"model_type": "ernie_m", "auto_map": auto_map}), "utf-8")
    request, home = json.dumps([str(folder), texts]), {**os.environ, "HF_HOME": str(folder / "home")}
    done = subprocess.run([python, "-c", REMOTE], input=request, capture_output=True, text=True, env=home)
    assert done.returncode == 0 and done.stderr == "", done.stderr
    return json.loads(done.stdout)


def test_as_the_converter_writes_it(folder: Path, product_python: Path) -> None:
    shutil.copy(HERE / "tokenization_ernie_m.py", folder)
    assert remote(product_python, folder, ["in 1917"]) == plain_ids(load(folder), ["in 1917"])
    assert module.ErnieMTokenizer is PaddleErnieMTokenizer
