"""From text to ids: PaddleNLP's, for every text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.ernie_m.tokenization_reference import (
    ask_paddle,
    differing,
    fuzz_texts,
    load,
    official_folder,
    plain_ids,
    read_sentences,
    small_folder,
    tatoeba,
)

# TOKENIZER.md section 8: PaddleNLP's ids, written down so that they are checked without PaddleNLP too.
CORNERS = [
    ("", []),
    (" \u3000\u2581\ufffd ", []),
    ("中国2024年3月", [514, 3024, 1549, 2357, 470, 363, 630]),
    ("in 1917, in 2023", [23, 3, 4, 23, 3]),
    ("(1917)", [15, 2947, 2489, 16]),
    ("x² ½", [1022, 304, 418, 244259, 304]),
    ("Ｈｅｌｌｏ１２３", [35378, 48636]),
    ("～～", [171283]),
    (":-) ok", [12, 3, 3664]),
    ("e\u0301", [393]),
    ("ê\u0301x", [26414, 4868, 425]),
    ("\ufdfa", [16509, 1423, 4472, 8756]),
    ("👩\u200d👧", [244785, 3, 245719]),
    ("a\u0085b", [10, 97636, 275]),
    ("\u0085", [97636]),
    ("[MASK]\u0085", [250001]),
    ("a [MASK]\u0085 b", [10, 250001, 876]),
    ("[mask] [[MASK]]", [378, 1510, 92, 268, 378, 250001, 10114]),
    ("<s>", [4426, 7, 2740]),
    ("\U00020000\U00020001", [3]),
    ("\U000200001\U00020001", [3, 418, 3]),
    ("\u9ffe\u9fff", [3, 3]),
]


# What the trie of PaddleNLP meets: overlaps, one inside another, whitespace beside and inside, parts of words.
# The last two are tokens of the small vocabulary: adding them changes nothing.
ADDED = ["<e>", "<e>x", "[X]", "berg", "new york", "\u4e2d\u56fd", "~~", "1917", "s", "年"]
AROUND_TOKENS = [
    "a<e>b",
    " <e>x<e> x <e>",
    "\u0085<e>\u0085x\u0085[MASK]\u0085",
    "[MASK][MASK] [MASK]\u3000[MASK]",
    "[CLS]in 1917[SEP]in[UNK]2023[PAD]",
    "Nürnberg bergberg NEW YORK new york",
    "中国中国人 中 国",
    "~~~ ~~~~",
    "[[X]] [MASK[MASK]]",
    "１９１７ 1917 in 1917",
    "[CLS",
    "<E> <e>X",
]


@pytest.fixture(scope="module")
def folder(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return official_folder(shared_data, tmp_path_factory.mktemp("official"))


@pytest.fixture(scope="module")
def official(folder: Path) -> Any:
    return load(folder)


@pytest.mark.parametrize(("text", "ids"), CORNERS, ids=ascii)
def test_corner_cases(official: Any, text: str, ids: list[int]) -> None:
    assert official(text)["input_ids"] == [0, *ids, 2]
    assert official([text, "x"])["input_ids"][0] == [0, *ids, 2]


def test_every_tatoeba_line_and_random_text(official: Any, folder: Path, shared_data: Path, run_paddle: Any) -> None:
    """All sentences in one batch; then text from every Unicode category with special tokens in it."""
    lines = tatoeba(shared_data)
    assert len(lines) > 45_000
    texts = [*lines, *read_sentences(), *AROUND_TOKENS, *fuzz_texts(6_000)]
    paddle = ask_paddle(run_paddle, folder, texts=texts)
    assert differing(texts, plain_ids(official, texts), paddle["ids"]) == []


def test_tokens_and_single_calls(official: Any, folder: Path, run_paddle: Any) -> None:
    """`tokenize` keeps the text of unknown tokens; one call a text gives what a batch gives."""
    texts = [*read_sentences(), *AROUND_TOKENS, *fuzz_texts(500, seed=7)]
    paddle = ask_paddle(run_paddle, folder, texts=texts, want=["ids", "tokens"])
    assert differing(texts, [official.tokenize(text) for text in texts], paddle["tokens"]) == []
    assert differing(texts, [official(text)["input_ids"][1:-1] for text in texts], paddle["ids"]) == []
    assert differing(texts, [official.encode(text, add_special_tokens=False) for text in texts], paddle["ids"]) == []


@pytest.mark.parametrize("lower", [False, True])
def test_added_tokens(tmp_path: Path, run_paddle: Any, lower: bool) -> None:
    """Added tokens are found as PaddleNLP finds them; ours get the ids after vocab.txt, PaddleNLP's collide with it."""
    small = small_folder(tmp_path)
    special = ["[E1]", "<New>"]
    texts = [*AROUND_TOKENS, *fuzz_texts(1_500, seed=11, insert=["[MASK]", *ADDED, *special])]
    paddle = ask_paddle(
        run_paddle,
        small,
        options={"do_lower_case": lower},
        add_tokens=ADDED,
        add_special_tokens=special,
        texts=texts,
        want=["ids", "tokens"],
    )
    tokenizer = load(small, do_lower_case=lower)
    tokenizer.add_tokens(ADDED)
    tokenizer.add_special_tokens({"additional_special_tokens": special})
    assert differing(texts, [tokenizer.tokenize(text) for text in texts], paddle["tokens"]) == []
    known = {**tokenizer.vocab, **tokenizer.get_added_vocab()}
    ids = [[known.get(token, 3) for token in tokens] for tokens in paddle["tokens"]]
    assert differing(texts, plain_ids(tokenizer, texts), ids) == []
    assert min(known[token] for token in special) >= tokenizer.vocab_size == 2_002


def test_tokens_added_after_use(tmp_path: Path, run_paddle: Any) -> None:
    """They are found in text, and where a piece is cut into one: ７：３０ holds no "30", its piece ":30" does."""
    small, added, texts = small_folder(tmp_path), ["<e>", "30"], ["a<e>", "at 7：３０", "at 7:30"]
    tokenizer = load(small)
    assert plain_ids(tokenizer, texts)[1][-1] == 3
    tokenizer.add_tokens(added)
    paddle = ask_paddle(run_paddle, small, add_tokens=added, texts=texts)["ids"]
    assert paddle[1][-1] == 2_001  # PaddleNLP's ids for added tokens are two lower, they begin at the number of pieces
    ids = [[number + 2 if number in (2_000, 2_001) else number for number in row] for row in paddle]
    assert plain_ids(tokenizer, texts) == ids


def test_lower_case(tmp_path: Path, run_paddle: Any) -> None:
    """Each character by itself (a final sigma stays a sigma), special tokens not at all."""
    texts = ["ΟΔΟΣ", "İSTANBUL [MASK] Straße", "[mask] [MASK]X", "ÀÉ\nÖ", *read_sentences(), *fuzz_texts(1_500, seed=3)]
    small = small_folder(tmp_path)
    paddle = ask_paddle(run_paddle, small, options={"do_lower_case": True}, texts=texts)
    assert differing(texts, plain_ids(load(small, do_lower_case=True), texts), paddle["ids"]) == []


def test_without_the_official_files(tmp_path: Path, run_paddle: Any) -> None:
    """The same on a small vocabulary, where many characters are unknown."""
    small = small_folder(tmp_path)
    texts = [*read_sentences(), *AROUND_TOKENS, *fuzz_texts(3_000, seed=5)]
    paddle = ask_paddle(run_paddle, small, texts=texts, want=["ids", "tokens"])
    tokenizer = load(small)
    assert differing(texts, plain_ids(tokenizer, texts), paddle["ids"]) == []
    assert differing(texts, [tokenizer.tokenize(text) for text in texts], paddle["tokens"]) == []
    assert any(3 in ids for ids in paddle["ids"])


def test_special_tokens_can_be_ordinary_text(official: Any) -> None:
    """transformers' own option; PaddleNLP has none."""
    ids = official("a[MASK]", split_special_tokens=True)["input_ids"]
    assert 250001 not in ids and official.convert_ids_to_string(ids[1:-1]) == "a[MASK]"
    assert official.tokenize("a[MASK]", split_special_tokens=True) == official.convert_ids_to_tokens(ids[1:-1])
    assert official.get_offset_mapping("[CLS]", split_special_tokens=True)[-1][1] == 5


def test_a_lone_surrogate_is_named(official: Any) -> None:
    with pytest.raises(UnicodeEncodeError, match="surrogates not allowed"):
        official("a\ud800b")
