"""The same of OUTPUT's tokenizers, loaded without remote code; run by any interpreter with transformers.

python load_wordpiece.py REQUEST.json ANSWER.json
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from transformers import AutoTokenizer
from transformers.utils import logging


def answer(request: dict[str, Any], folder: str) -> dict[str, Any]:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    names = list(tokenizer("a"))
    ids = tokenizer(request["texts"])["input_ids"]
    pairs = [[cut(tokenizer, pair, length) for length in request["cut"]] for pair in request["pairs"]]
    with tempfile.TemporaryDirectory() as saved:
        tokenizer.save_pretrained(saved)
        again = AutoTokenizer.from_pretrained(saved)(request["texts"])["input_ids"]
    return {"names": names, "ids": ids, "pairs": pairs, "again": again}


def cut(tokenizer: Any, pair: list[str], length: int) -> list[list[int]]:
    found = tokenizer(*pair, max_length=length, truncation=True)
    return [found[name] for name in ("input_ids", "token_type_ids")]


if __name__ == "__main__":
    logging.set_verbosity_error()
    request = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    answers = {folder: answer(request, folder) for folder in request["folders"]}
    Path(sys.argv[2]).write_text(json.dumps(answers), "utf-8")
