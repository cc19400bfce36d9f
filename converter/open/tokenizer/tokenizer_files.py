"""The tokenizer's files next to a checkpoint: which they are, and whether they are valid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Union

from converter.common.errors import Problem, SourceError
from converter.common.layout import ADDED_TOKENS as ADDED
from converter.common.layout import SENTENCEPIECE, VOCABULARY
from converter.common.layout import SPECIAL_TOKENS_MAP as TABLE
from converter.common.layout import TOKENIZER_CONFIG as CONFIG
from converter.files.json_files import read_json
from converter.files.regular_files import is_file
from converter.open.tokenizer.added_tokens import number_tokens, read_added_tokens
from converter.open.tokenizer.tokenizer_names import choose_files
from converter.open.tokenizer.tokenizer_settings import TokenizerSettings, read_settings
from converter.open.tokenizer.vocabulary import FILE_TOKENS, count_pieces, list_tokens, read_vocabulary
from mappings import Family

#: Files of other tokenizers, or of the same one for other programs, that PaddleNLP's does not need.
_NOT_READ = ("tokenizer.json", "chat_template.json", "chat_template.jinja")
_MOST_BYTES = 64 << 20


@dataclass(frozen=True)
class TokenizerFiles:
    """The two files that decide tokens, as bytes, and the settings next to them.

    `vocabulary` has one token a line, whichever form the file had. `rows` is the number of tokens. `added_tokens` are
    those that vocab.txt does not hold, with their ids, which may be numbers of vocab.txt. `names` are the files' own.
    """

    folder: Path
    vocabulary: bytes
    sentencepiece: bytes
    rows: int
    settings: TokenizerSettings
    added_tokens: Mapping[str, int]
    warnings: tuple[str, ...] = ()
    names: tuple[str, ...] = field(default=(VOCABULARY, SENTENCEPIECE))


def find_tokenizer(folder: Path, family: Family) -> TokenizerFiles | None:
    """The tokenizer in a folder, or None when it is not there. Raises SourceError for half of one."""
    return _READERS[family.tokenizer.kind](folder, family)


def _read_sentencepiece(folder: Path, family: Family) -> TokenizerFiles | None:
    """A sentencepiece model, and the vocabulary that gives its pieces their ids."""
    warnings: list[str] = []
    names = choose_files(folder, family, warnings)
    if names is None:
        return None
    vocabulary, rows = read_vocabulary(_read(folder / names[0]), warnings)
    model = _read(folder / names[1])
    pieces = count_pieces(model, names[1])
    if rows > pieces + 2:
        warnings.append(
            f"{VOCABULARY} has {rows} tokens, {names[1]} {pieces} pieces, for which {pieces + 2} are usual: both are "
            "taken as they are, as PaddleNLP does. Is one of them another model's?"
        )
    config = _optional_json(folder / CONFIG, warnings)
    settings = read_settings(config, _optional_json(folder / TABLE, warnings), folder, warnings)
    files = read_added_tokens(_optional_json(folder / ADDED, warnings), config, warnings)
    added: Mapping[str, int] = {}
    if files or set(settings.all_special()) != set(FILE_TOKENS):
        added = number_tokens(files, settings, list_tokens(vocabulary), pieces, warnings)
    warnings += [f"ignored: {name}, which PaddleNLP's tokenizer does not read" for name in _present(folder, _NOT_READ)]
    return TokenizerFiles(folder, vocabulary, model, rows, settings, added, tuple(warnings), names)


#: Kind of tokenizer (family.toml) -> what reads its files.
_READERS: dict[str, Callable[[Path, Family], Union[TokenizerFiles, None]]] = {
    "sentencepiece with vocabulary": _read_sentencepiece,
    "wordpiece": lambda folder, family: None,  # being written
}


def _present(folder: Path, names: tuple[str, ...]) -> list[str]:
    return [name for name in names if is_file(folder / name)]


def _read(path: Path) -> bytes:
    size = path.stat().st_size
    if not 0 < size <= _MOST_BYTES:
        raise SourceError(Problem("E021", f"{path.name} has {size} bytes, expected 1 to {_MOST_BYTES}"))
    return path.read_bytes()


def _optional_json(path: Path, warnings: list[str]) -> Mapping[str, Any]:
    if not is_file(path):
        return {}
    data, odd = read_json(path)
    warnings += odd
    return data
