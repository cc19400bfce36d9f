"""A tokenizer of a sentencepiece model, and a vocabulary that gives its pieces their ids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from converter.common.layout import ADDED_TOKENS, SPECIAL_TOKENS_MAP, TOKENIZER_CONFIG, VOCABULARY
from converter.open.tokenizer.added_tokens import number_tokens, read_added_tokens
from converter.open.tokenizer.tokenizer_files import TokenizerFiles, files_there, read_optional, read_whole
from converter.open.tokenizer.tokenizer_names import choose_files
from converter.open.tokenizer.tokenizer_settings import read_settings
from converter.open.tokenizer.vocabulary import FILE_TOKENS, count_pieces, list_tokens, read_vocabulary
from mappings import Family

#: Files of other tokenizers, or of the same one for other programs, that PaddleNLP's does not need.
_NOT_READ = ("tokenizer.json", "chat_template.json", "chat_template.jinja")


def read_converted_sentencepiece(folder: Path, family: Family) -> TokenizerFiles | None:
    """The tokenizer in OUTPUT: the same files, and fields that PaddleNLP's tokenizer does not have. Those of them that
    decide tokens are compared with its rules by the plan of the way back. Raises SourceError for half of one."""
    found = read_sentencepiece(folder, family, converted=True)
    if found is None:
        return None
    sides = read_optional(folder / TOKENIZER_CONFIG, []).get("strip_sides") or {}
    return replace(found, settings=replace(found.settings, strip_sides=sides))


def read_sentencepiece(folder: Path, family: Family, *, converted: bool = False) -> TokenizerFiles | None:
    """The tokenizer in a folder, or None when it is not there. Raises SourceError for half of one."""
    warnings: list[str] = []
    names = choose_files(folder, family, warnings)
    if names is None:
        return None
    vocabulary, rows = read_vocabulary(read_whole(folder / names[0]), warnings)
    model = read_whole(folder / names[1])
    pieces = count_pieces(model, names[1])
    if rows > pieces + 2:
        warnings.append(
            f"{VOCABULARY} has {rows} tokens, {names[1]} {pieces} pieces, for which {pieces + 2} are usual: both are "
            "taken as they are, as PaddleNLP does. Is one of them another model's?"
        )
    config = read_optional(folder / TOKENIZER_CONFIG, warnings)
    table = read_optional(folder / SPECIAL_TOKENS_MAP, warnings)
    settings = read_settings(config, table, folder, warnings if not converted else [])
    files = read_added_tokens(read_optional(folder / ADDED_TOKENS, warnings), config, warnings)
    added: Mapping[str, int] = {}
    if files or set(settings.all_special()) != set(FILE_TOKENS):
        added = number_tokens(files, settings, list_tokens(vocabulary), pieces, warnings)
    ignored = files_there(folder, _NOT_READ)
    warnings += [f"ignored: {name}, which PaddleNLP's tokenizer does not read" for name in ignored]
    return TokenizerFiles(folder, vocabulary, model, rows, settings, added, tuple(warnings), names)
