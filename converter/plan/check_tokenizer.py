"""Whether the tokenizer can be the model's."""

from __future__ import annotations

from converter.common.errors import Problem
from converter.common.layout import VOCABULARY
from converter.open.tokenizer.tokenizer_files import TokenizerFiles

#: The code of a tokenizer that is another model's.
CODE = "E025"


def check_tokenizer(files: TokenizerFiles | None, model_rows: int) -> list[Problem]:
    """A vocabulary with more tokens than the word embedding has rows is another model's: a text that holds one of the
    others fails. Fewer tokens are usual. Added tokens are not counted: PaddleNLP itself gives ids without a row."""
    if files is None or files.rows <= model_rows:
        return []
    text = (
        f"{VOCABULARY} has {files.rows:,} tokens, and the model {model_rows:,} rows for them: it is another model's. "
        "--tokenizer FOLDER names the right one; without a tokenizer next to the weights they are converted alone"
    )
    return [Problem(CODE, text)]
