"""What PaddleNLP's own ErnieMTokenizer makes of given texts; run by the reference interpreter.

    python tokenizer_ids.py REQUEST.json ANSWER.json

The request holds `folder`, and optionally `options` (for from_pretrained), `add_tokens`, `add_special_tokens`, and any
of `texts` (answered by `ids`; with `want` also by `tokens` and `offsets`, null where PaddleNLP raises) and `calls`
(a list of [method, positional arguments, keyword arguments]; an answer is {"value": ...} or {"error": type name}).
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

from paddlenlp.transformers import ErnieMTokenizer
from paddlenlp.utils.log import logger


def answer(request: dict) -> dict:
    """Load the tokenizer, ask it everything that the request holds."""
    tokenizer = ErnieMTokenizer.from_pretrained(request["folder"], **request.get("options", {}))
    if request.get("add_tokens"):
        tokenizer.add_tokens(request["add_tokens"])
    if request.get("add_special_tokens"):
        tokenizer.add_special_tokens({"additional_special_tokens": request["add_special_tokens"]})
    texts, want = request.get("texts", []), request.get("want", ["ids"])
    answers: dict = {}
    if "ids" in want:
        answers["ids"] = [tokenizer(text)["input_ids"][1:-1] for text in texts]
    if "tokens" in want:
        answers["tokens"] = [tokenizer.tokenize(text) for text in texts]
    if "offsets" in want:
        answers["offsets"] = [offsets(tokenizer, text) for text in texts]
    answers["calls"] = [call(tokenizer, *entry) for entry in request.get("calls", [])]
    return answers


def offsets(tokenizer: ErnieMTokenizer, text: str) -> list | None:
    """PaddleNLP's offsets, or None for the texts on which its search for the token fails."""
    try:
        return tokenizer.get_offset_mapping(text)
    except (ValueError, IndexError):
        return None


def call(tokenizer: ErnieMTokenizer, method: str, arguments: list, keywords: dict) -> dict:
    """Call one method and return its value, or the type of what it raised."""
    try:
        value = getattr(tokenizer, method)(*arguments, **keywords)
    except Exception as error:
        return {"error": type(error).__name__}
    return {"value": {**value} if hasattr(value, "keys") else value}


if __name__ == "__main__":
    logger.disable()
    warnings.simplefilter("ignore")
    request_path, answer_path = map(Path, sys.argv[1:])
    made = answer(json.loads(request_path.read_text("utf-8")))
    answer_path.write_text(json.dumps(made), "utf-8")
