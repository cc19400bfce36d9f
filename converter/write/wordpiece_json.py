"""tokenizer.json of the tokenizers library: the rules of PaddleNLP's BERT-like tokenizers as plain data.

The library has BERT's rules as parts of their own (BertNormalizer, BertPreTokenizer). They are not used: they go by the
Unicode tables of the library's release, PaddleNLP by those of its Python, and BERT does not cut symbols off. Every
character class is written out instead. PaddleNLP's order is that of `PretrainedTokenizer.tokenize`
(paddlenlp/transformers/tokenizer_utils.py of 2.8.1) and `BasicTokenizer.tokenize` (bert/tokenizer.py).
"""

from __future__ import annotations

import unicodedata
from typing import Any

from converter.open.tokenizer.tokenizer_files import TokenizerFiles
from converter.open.tokenizer.vocabulary import list_tokens
from converter.write.character_classes import ALONE, MARKS, REMOVED, SPACES

#: Of a longer word PaddleNLP makes [UNK] (`WordpieceTokenizer`).
_LONGEST_WORD = 100
#: The one character of Unicode 14 whose decomposition the library's tables lack, and that decomposition.
_NOT_DECOMPOSED = ("\U00011938", "\U00011935\U00011930")


def build_tokenizer_json(files: TokenizerFiles) -> dict[str, Any]:
    """The content of tokenizer.json, in the order in which the library writes it."""
    settings = files.settings
    special, lower = settings.special_tokens, settings.do_lower_case
    # A token that is there twice has its last id, and what no line of text can give is left out.
    vocabulary = {token: number for token, number in list_tokens(files.vocabulary).items() if token}
    # Added tokens too: otherwise the library counts their ids by itself.
    vocabulary.update(files.added_tokens)
    names = settings.all_special()
    # In the order of ids; of two tokens with one id the later is decoded, in PaddleNLP the added one.
    added = [token for token in names if token not in files.added_tokens]
    added = [*sorted(added, key=lambda token: vocabulary[token]), *files.added_tokens]
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [_added(token, vocabulary[token], token in names, lower) for token in added],
        "normalizer": {"type": "Sequence", "normalizers": _normalizers(lower)},
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
                _split({"String": " "}, "Removed"),
                _split({"Regex": _character_class(ALONE)}, "Isolated"),
            ],
        },
        "post_processor": _template(special["cls_token"], special["sep_token"], vocabulary),
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": False},
        "model": {
            "type": "WordPiece",
            "unk_token": special["unk_token"],
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": _LONGEST_WORD,
            "vocab": vocabulary,
        },
    }


def _added(token: str, number: int, special: bool, lower: bool) -> dict[str, Any]:
    """A token that is found before the text is split, in the text as it is or (`normalized`) in the lowered text."""
    return {
        "id": number,
        "content": token,
        "single_word": False,
        "lstrip": False,
        "rstrip": False,
        "normalized": lower and _is_lowered(token),
        "special": special,
    }


def _is_lowered(token: str) -> bool:
    """Whether PaddleNLP finds a token in every case of its letters: it lowers the text between special tokens before it
    looks for added ones. The library compares with the decomposed text as well: not where that would be another."""
    plain = "".join(char for char in unicodedata.normalize("NFD", token) if unicodedata.category(char) != "Mn")
    return token == plain == token.lower() != token.upper()


def _normalizers(lower: bool) -> list[dict[str, Any]]:
    steps = [_replace({"Regex": _character_class(REMOVED)}, ""), _replace({"Regex": _character_class(SPACES)}, " ")]
    if not lower:
        return steps
    decomposed = _replace({"String": _NOT_DECOMPOSED[0]}, _NOT_DECOMPOSED[1])
    marks = _replace({"Regex": _character_class(MARKS)}, "")
    return [*steps, {"type": "Lowercase"}, decomposed, {"type": "NFD"}, marks]


def _replace(pattern: dict[str, str], content: str) -> dict[str, Any]:
    return {"type": "Replace", "pattern": pattern, "content": content}


def _split(pattern: dict[str, str], behavior: str) -> dict[str, Any]:
    return {"type": "Split", "pattern": pattern, "behavior": behavior, "invert": False}


def _character_class(ranges: str) -> str:
    """A regular expression for one character of these ranges."""
    ends = (part.split("-") for part in ranges.split(" "))
    return "[" + "".join("-".join(f"\\x{{{end}}}" for end in pair) for pair in ends) + "]"


def _template(first: str, last: str, vocabulary: dict[str, int]) -> dict[str, Any]:
    """[CLS] A [SEP] and [CLS] A [SEP] B [SEP], with the types 0 and 1."""
    single = [_special(first, 0), _text("A", 0), _special(last, 0)]
    tokens = {token: {"id": token, "ids": [vocabulary[token]], "tokens": [token]} for token in (first, last)}
    return {
        "type": "TemplateProcessing",
        "single": single,
        "pair": [*single, _text("B", 1), _special(last, 1)],
        "special_tokens": tokens,
    }


def _special(token: str, kind: int) -> dict[str, Any]:
    return {"SpecialToken": {"id": token, "type_id": kind}}


def _text(name: str, kind: int) -> dict[str, Any]:
    return {"Sequence": {"id": name, "type_id": kind}}
