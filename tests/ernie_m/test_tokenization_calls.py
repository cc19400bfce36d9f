"""What a call accepts besides lists and strings, and its errors for anything else."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import ernie_m
from tests.ernie_m.tokenization_reference import load, small_folder

TEXTS = ["a b", "中国 1917", ""]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_folder(tmp_path_factory.mktemp("small"))


@pytest.fixture(scope="module")
def tokenizer(folder: Path) -> Any:
    return load(folder)


def test_arrays_of_texts_are_lists_of_texts(tokenizer: Any) -> None:
    expected = tokenizer(TEXTS)["input_ids"]
    assert tokenizer(np.array(TEXTS))["input_ids"] == expected
    assert tokenizer(np.array(TEXTS, dtype=object))["input_ids"] == expected
    assert tokenizer(np.array(TEXTS[1]))["input_ids"] == expected[1]
    pairs = tokenizer(TEXTS, TEXTS)["input_ids"]
    assert tokenizer(np.array(TEXTS), np.array(TEXTS))["input_ids"] == pairs
    assert tokenizer(TEXTS, text_pair=np.array(TEXTS))["input_ids"] == pairs


def test_a_series_is_a_list_of_texts(tokenizer: Any) -> None:
    class Series:
        """What pandas has, as far as it matters here."""

        def tolist(self) -> list[str]:
            return TEXTS

    assert tokenizer(Series())["input_ids"] == tokenizer(TEXTS)["input_ids"]


@pytest.mark.parametrize("odd", [None, float("nan"), [], (), b"bytes", {"a": 1}])
@pytest.mark.parametrize("place", [0, 2])
def test_what_is_no_text_is_named_with_its_place(tokenizer: Any, odd: object, place: int) -> None:
    batch: list[object] = ["a", "b", "c"]
    batch[place] = odd
    for arguments in ((batch,), (np.array([*batch, None], dtype=object),), (["x"] * 3, batch)):
        with pytest.raises(ValueError, match=f"Text {place} of the batch is .*; expected a text, or words"):
            tokenizer(*arguments)


def test_questions_that_need_spans_say_so(tokenizer: Any) -> None:
    for encoding in (tokenizer("a b"), tokenizer(["a b"]), tokenizer("a", padding=True, return_attention_mask=True)):
        for question in ("sequence_ids", "word_ids", "tokens"):
            with pytest.raises(ValueError, match=rf"{question}\(\) needs spans: .* return_offsets_mapping=True"):
                getattr(encoding, question)()
    assert tokenizer("a", return_offsets_mapping=True).sequence_ids()[0] is None


def test_files_in_the_ports_order_are_recognised(folder: Path, tokenizer: Any) -> None:
    vocabulary, model = folder / "vocab.txt", folder / "sentencepiece.bpe.model"
    for files in ((vocabulary, model), (model, vocabulary), (str(model), str(vocabulary))):
        assert ernie_m.ErnieMTokenizer(*files)(TEXTS)["input_ids"] == tokenizer(TEXTS)["input_ids"]


def test_the_first_call_does_not_change_what_is_pickled(folder: Path) -> None:
    fresh = load(folder)
    before = pickle.dumps(fresh)
    fresh(TEXTS)
    assert len(pickle.dumps(fresh)) == len(before)
    assert pickle.loads(pickle.dumps(fresh))(TEXTS)["input_ids"] == fresh(TEXTS)["input_ids"]


def test_only_sides_that_are_named_are_stripped(folder: Path) -> None:
    text = "a \x85[MASK]\x85 b"
    both, none = load(folder)(text)["input_ids"], load(folder, strip_sides={"[MASK]": "none"})(text)["input_ids"]
    left = load(folder, strip_sides={"[MASK]": "left"})(text)["input_ids"]
    assert len(both) < len(left) < len(none)
    tokenizer = load(folder, strip_sides={"[MASK]": "left"})
    tokenizer.save_pretrained(folder.parent / "left")
    assert load(folder.parent / "left")(text)["input_ids"] == left


def test_an_id_that_two_tokens_have_means_the_added_one_also_after_saving(folder: Path, tmp_path: Path) -> None:
    import json
    import shutil

    source = shutil.copytree(folder, tmp_path / "in")
    mask = load(folder).mask_token_id
    (source / "added_tokens.json").write_text(json.dumps({"<e>": mask}))
    for name in ("in", "again"):
        tokenizer = load(tmp_path / name)
        assert tokenizer("a<e>b[MASK]")["input_ids"].count(mask) == 2
        assert tokenizer.convert_ids_to_tokens(mask) == "<e>" and "<e>" in tokenizer.decode([mask])
        tokenizer.save_pretrained(tmp_path / "again")
