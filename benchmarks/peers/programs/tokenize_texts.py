"""A contender of the subject `tokenizer`: loads once, then cuts all texts for each line of standard input.

    python tokenize_texts.py ours|port|paddle|sentencepiece FOLDER TEXTS
    python tokenize_texts.py ours|port|paddle|sentencepiece FOLDER

FOLDER has vocab.txt and sentencepiece.bpe.model, TEXTS is a list in JSON. A task is {"batch": B, "options": {...}}: B
texts a call, 1 a single text, 0 a pair. Without TEXTS it prints what loading and the first call took, and the memory
that they added. Runs in the environments of all contenders and imports nothing of this project but `ernie_m`.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

from answering import answer

MODEL = "sentencepiece.bpe.model"

Cut = Callable[..., object]


def find_loader(contender: str) -> Callable[[str], Cut]:
    """Import the library; return what loads from FOLDER a function of a text or texts, and options."""
    if contender == "ours":
        from ernie_m.tokenization_ernie_m import PaddleErnieMTokenizer

        return PaddleErnieMTokenizer.from_pretrained
    if contender == "port":
        from transformers.models.deprecated.ernie_m.tokenization_ernie_m import ErnieMTokenizer

        return lambda folder: ErnieMTokenizer(os.path.join(folder, MODEL), os.path.join(folder, "vocab.txt"))
    if contender == "paddle":
        from paddlenlp.transformers import ErnieMTokenizer as PaddleNLPs

        return PaddleNLPs.from_pretrained
    from sentencepiece import SentencePieceProcessor

    def load_alone(folder: str) -> Cut:
        encode = SentencePieceProcessor(model_file=os.path.join(folder, MODEL)).encode
        return lambda texts: encode(texts, num_threads=os.cpu_count() if isinstance(texts, list) else 1)

    return load_alone


def cut_all(cut: Cut, texts: list[str], batch: int, options: dict[str, Any]) -> None:
    """Every text once, in calls of this kind."""
    if batch == 0:
        for one, two in zip(texts[::2], texts[1::2]):
            cut(one, text_pair=two, **options)
    elif batch == 1:
        for text in texts:
            cut(text, **options)
    else:
        for place in range(0, len(texts), batch):
            cut(texts[place : place + batch], **options)


def measure_loading(contender: str, folder: str) -> dict[str, float]:
    """Seconds, and megabytes of its own, with the libraries imported before."""
    load = find_loader(contender)
    before, wall, used = own_megabytes(), time.perf_counter(), time.process_time()
    cut = load(folder)
    cut("one text")
    return {
        "seconds": time.perf_counter() - wall,
        "cpu_seconds": time.process_time() - used,
        "own_megabytes": own_megabytes() - before,
    }


def own_megabytes() -> float:
    with open("/proc/self/status", encoding="utf-8") as file:
        return int(next(line for line in file if line.startswith("RssAnon")).split()[1]) * 1024 / 1e6


if __name__ == "__main__":
    contender, folder, *files = sys.argv[1:]
    if files:
        cut = find_loader(contender)(folder)
        with open(files[0], encoding="utf-8") as file:
            texts: list[str] = json.load(file)
        answer(lambda task: lambda: cut_all(cut, texts, task["batch"], task["options"]))
    else:
        print(json.dumps(measure_loading(contender, folder)))
