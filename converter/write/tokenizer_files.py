"""The tokenizer of the output: the source's two files and a configuration that names our class."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from converter.open.tokenizer import SENTENCEPIECE, VOCABULARY, TokenizerFiles
from converter.write.config_file import write_json
from converter.write.new_files import write_file

#: A name that transformers 4.57 does not know: with the one it knows it would take its own port, which gives other
#: tokens, without a word.
TOKENIZER_CLASS = "PaddleErnieMTokenizer"


def build_tokenizer_config(files: TokenizerFiles, longest: int, piece_rule: str) -> dict[str, Any]:
    """`longest`: the most tokens that the model takes."""
    return {
        "tokenizer_class": TOKENIZER_CLASS,
        "auto_map": {"AutoTokenizer": [f"tokenization_ernie_m.{TOKENIZER_CLASS}", None]},
        "do_lower_case": files.do_lower_case,
        "piece_rule": piece_rule,
        "model_max_length": longest,
        **files.special_tokens,
    }


def write_tokenizer(folder: Path, files: TokenizerFiles, longest: int, piece_rule: str) -> None:
    write_file(folder / VOCABULARY, files.vocabulary)
    write_file(folder / SENTENCEPIECE, files.sentencepiece)
    write_json(folder / "tokenizer_config.json", build_tokenizer_config(files, longest, piece_rule))
    write_json(folder / "special_tokens_map.json", dict(files.special_tokens))
    if files.added_tokens:
        write_json(folder / "added_tokens.json", dict(files.added_tokens))
