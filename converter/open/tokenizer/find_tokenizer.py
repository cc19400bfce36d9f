"""The tokenizer in a folder, by the kind that the family has."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Callable, Union

from converter.common.layout import SENTENCEPIECE_KIND, WORDPIECE_KIND
from converter.open.tokenizer.sentencepiece_files import read_converted_sentencepiece, read_sentencepiece
from converter.open.tokenizer.tokenizer_files import TokenizerFiles
from converter.open.tokenizer.tokenizer_json import read_tokenizer_json
from converter.open.tokenizer.wordpiece_files import read_wordpiece
from mappings import Family

#: Kind of tokenizer (family.toml) -> what reads its files.
_READERS: Mapping[str, Callable[[Path, Family], Union[TokenizerFiles, None]]] = {
    SENTENCEPIECE_KIND: read_sentencepiece,
    WORDPIECE_KIND: read_wordpiece,
}
#: The same for a folder that `convert` or transformers wrote.
_CONVERTED: Mapping[str, Callable[[Path, Family], Union[TokenizerFiles, None]]] = {
    SENTENCEPIECE_KIND: read_converted_sentencepiece,
    WORDPIECE_KIND: read_tokenizer_json,
}


def find_tokenizer(folder: Path, family: Family) -> TokenizerFiles | None:
    """The tokenizer in a folder, or None when it is not there. Raises SourceError for one that cannot be read, for half
    of one and for one of another kind."""
    return _READERS[family.tokenizer.kind](folder, family)


def find_converted_tokenizer(folder: Path, family: Family) -> TokenizerFiles | None:
    """The same of a converted folder, as the files that PaddleNLP's tokenizer would have."""
    return _CONVERTED[family.tokenizer.kind](folder, family)
