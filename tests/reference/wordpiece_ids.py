"""What PaddleNLP's BERT-like tokenizer makes of given texts; run by the reference interpreter.

    python wordpiece_ids.py REQUEST.json ANSWER.json

The request holds `folders`, `texts` and `pairs`; the answer, for each folder, the ids of each text and of each pair,
whole and cut to the lengths of `cut`.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

from paddlenlp.transformers import ErnieTokenizer
from paddlenlp.utils.log import logger


def answer(request: dict, folder: str) -> dict:
    tokenizer = ErnieTokenizer.from_pretrained(folder)
    ids = [tokenizer(text)["input_ids"] for text in request["texts"]]
    pairs = [[plain(tokenizer(*pair, max_length=length)) for length in request["cut"]] for pair in request["pairs"]]
    return {"ids": ids, "pairs": pairs}


def plain(found: dict) -> list:
    return [list(map(int, found[name])) for name in ("input_ids", "token_type_ids")]


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logger.set_level("CRITICAL")
    request = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    answers = {folder: answer(request, folder) for folder in request["folders"]}
    Path(sys.argv[2]).write_text(json.dumps(answers), "utf-8")
