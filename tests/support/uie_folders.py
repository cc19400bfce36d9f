"""Folders with UIE's tokenizer: as PaddleNLP has it (vocab.txt), and as transformers reads it (tokenizer.json)."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

SPECIAL_TOKENS = ("[PAD]", "[CLS]", "[SEP]", "[MASK]", "[UNK]")
WORDS = ("apple", "in", "company", "199", "steve", "time", "##ve", "##ted", "188", "北京", "##25")


def write_small_vocabulary(folder: Path, texts: Iterable[str]) -> Path:
    """vocab.txt with every character of these texts, so that none is [UNK], around which PaddleNLP guesses offsets."""
    text = "".join(texts).lower()
    characters = sorted({*text, *unicodedata.normalize("NFD", text)} - {" "})
    tokens = [*SPECIAL_TOKENS[:4], *characters, *(f"##{character}" for character in characters), *WORDS, "[UNK]"]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_bytes("".join(f"{token}\n" for token in tokens).encode())
    return folder


def read_vocabulary(folder: Path) -> dict[str, int]:
    """Token to id, the last of two where a token stands twice."""
    lines = (folder / "vocab.txt").read_bytes().decode().removesuffix("\n").split("\n")
    return {token: number for number, token in enumerate(lines)}


def state_that_finds(
    state: Mapping[str, np.ndarray], vocabulary: Mapping[str, int], starts: Iterable[str], ends: Iterable[str]
) -> dict[str, np.ndarray]:
    """UIE's weights with which every question has the same answers: from a token `starts` of the text to one of `ends`.
    The layers change nothing, each head reads a number of the embedding, and a third drowns both in the prompt."""
    found = {name: np.zeros_like(value) for name, value in state.items()}
    for name in found:
        if "norm" in name and name.endswith("weight"):
            found[name][:] = 1
    for column, tokens, head in ((0, starts, "linear_start"), (1, ends, "linear_end")):
        found["ernie.embeddings.word_embeddings.weight"][[vocabulary[token] for token in tokens], column] = 1
        found[f"{head}.weight"][column], found[f"{head}.bias"][:] = 4, -5
    found["ernie.embeddings.token_type_embeddings.weight"][0, 2] = 100
    return found


def write_tokenizer(folder: Path, vocabulary: dict[str, int]) -> None:
    """tokenizer.json and tokenizer_config.json with the tokens of PaddleNLP's ErnieTokenizer."""
    names = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "cls", "sep", "mask", "unk")}
    inputs = ["input_ids", "token_type_ids", "attention_mask"]
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "model_input_names": inputs, **names}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer(vocabulary)), "utf-8")
    (folder / "tokenizer_config.json").write_text(json.dumps(config), "utf-8")


def tokenizer(vocabulary: dict[str, int]) -> dict[str, Any]:
    flags = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    added = [{"id": vocabulary[token], "content": token, **flags} for token in SPECIAL_TOKENS]
    first, text, last = special("[CLS]", 0), sequence("A", 0), special("[SEP]", 0)
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": sorted(added, key=lambda token: token["id"]),
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": True,
            "strip_accents": None,
            "lowercase": True,
        },
        "pre_tokenizer": {
            "type": "Sequence",
            "pretokenizers": [
                {
                    "type": "Split",
                    "pattern": {"Regex": "[\\p{S}\u00b2\u00ba\u00b5\u014b\u01b1\u3007]"},
                    "behavior": "Isolated",
                    "invert": False,
                },
                {"type": "BertPreTokenizer"},
            ],
        },
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [first, text, last],
            "pair": [first, text, last, sequence("B", 1), special("[SEP]", 1)],
            "special_tokens": {
                token: {"id": token, "ids": [vocabulary[token]], "tokens": [token]} for token in ("[CLS]", "[SEP]")
            },
        },
        "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": True},
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": vocabulary,
        },
    }


def special(token: str, type_id: int) -> dict[str, Any]:
    return {"SpecialToken": {"id": token, "type_id": type_id}}


def sequence(name: str, type_id: int) -> dict[str, Any]:
    return {"Sequence": {"id": name, "type_id": type_id}}
