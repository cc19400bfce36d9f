"""Back from ids to text, and PaddleNLP's small methods."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.ernie_m.tokenization_reference import ask_paddle, fuzz_texts, load, read_sentences, small_folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_folder(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def tokenizer(folder: Path) -> Any:
    return load(folder)


def test_equal_to_paddle(tokenizer: Any, folder: Path, run_paddle: Any) -> None:
    texts = [*read_sentences(), *fuzz_texts(300, seed=31)]
    batches = tokenizer(texts)["input_ids"]
    calls: list[list[Any]] = []
    for ids in batches:
        calls.append(["decode", [ids], {}])
        calls.append(["decode", [ids], {"skip_special_tokens": True, "clean_up_tokenization_spaces": False}])
        calls.append(["convert_ids_to_string", [ids], {}])
        calls.append(["convert_ids_to_tokens", [ids], {}])
    characters = " \t\n\r\x0b\x85\u00a0\u200b\u3000aZéß中\u4dff\u9fff\ua000,～。、0"
    for method in ("is_ch_char", "is_alpha", "is_punct", "is_whitespace", "clean_text"):
        calls += [[method, [character], {}] for character in characters]
    calls.append(["clean_text", ["Ｈｅｌｌｏ～！"], {}])
    calls += [["convert_tokens_to_ids", [token], {}] for token in ("<s>", "[MASK]", "▁", ["a", "no such token"])]
    answers = ask_paddle(run_paddle, folder, calls=calls)["calls"]
    wrong = [
        (call, ours, answer)
        for call, answer in zip(calls, answers)
        if {"value": (ours := getattr(tokenizer, call[0])(*call[1], **call[2]))} != answer
    ]
    assert wrong == []


def test_added_tokens_stand_apart(folder: Path, run_paddle: Any) -> None:
    """[CLS] joins what follows, an added token does not; PaddleNLP's has other ids but the same text."""
    tokenizer = load(folder)
    tokenizer.add_tokens(["<e>"])
    paddle = ask_paddle(run_paddle, folder, add_tokens=["<e>"], calls=[["decode", [[0, 2000, 2000, 1999, 2]], {}]])[
        "calls"
    ][0]["value"]
    assert tokenizer.decode([0, 2002, 2002, 1999, 2]) == paddle == f"[CLS] <e> <e> {tokenizer.tokens[1999]}[SEP]"
    assert tokenizer.decode([2002, 0], spaces_between_special_tokens=False) == "<e>[CLS]"


def test_clean_up_is_a_field(folder: Path, run_paddle: Any) -> None:
    """On by default as in PaddleNLP; transformers' own default is off."""
    letter = load(folder).vocab["a"]
    call = ["decode", [[letter, 2000]], {}]  # an ordinary token, and an added one with a space in front
    paddle = ask_paddle(run_paddle, folder, add_tokens=["?!"], calls=[call])["calls"][0]["value"]
    tokenizer = load(folder)
    tokenizer.add_tokens(["?!"])
    assert tokenizer.decode([letter, 2002]) == paddle == "a?!"
    assert tokenizer.decode([letter, 2002], clean_up_tokenization_spaces=False) == "a ?!"
    text = "It 's fine , is n't it ?"
    assert load(folder).clean_up_tokenization(text) == "It's fine, isn't it?"
    assert load(folder, clean_up_tokenization_spaces=False).clean_up_tokenization_spaces is False


def test_one_id_a_batch_and_tensors(tokenizer: Any) -> None:
    torch = pytest.importorskip("torch")
    ids = tokenizer("a b")["input_ids"]
    assert tokenizer.decode(ids[1]) == "a"
    assert tokenizer.decode(torch.tensor(ids)) == tokenizer.decode(ids) == "[CLS] a b[SEP]"
    assert tokenizer.batch_decode([ids, ids], skip_special_tokens=True) == ["a b", "a b"]


@pytest.mark.parametrize("number", [2002, -1, 10**9])
def test_an_id_that_is_not_there_is_an_error(tokenizer: Any, number: int) -> None:
    with pytest.raises(ValueError, match=f"no token with id {number}"):
        tokenizer.convert_ids_to_tokens([number])
