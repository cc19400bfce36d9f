"""What the tokenizer's tests share: folders to load, texts to cut, and PaddleNLP's answers."""

from __future__ import annotations

import json
import random
import sys
import tempfile
import unicodedata
from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from ernie_m.tokenization_ernie_m import PaddleErnieMTokenizer
from tests.support.cached import cached_script, hash_files
from tests.support.train_tokenizer import read_sentences, train_tokenizer

SPECIAL_TOKENS = ("[CLS]", "[SEP]", "[PAD]", "[UNK]", "[MASK]")
CONFIG = {
    "tokenizer_class": "PaddleErnieMTokenizer",
    "auto_map": {"AutoTokenizer": ["tokenization_ernie_m.PaddleErnieMTokenizer", None]},
    "do_lower_case": False,
    "piece_rule": "paddlenlp",
    "model_max_length": 512,
    **{f"{name}_token": f"[{name.upper()}]" for name in ("cls", "sep", "pad", "unk", "mask")},
}


def official_folder(shared_data: Path, folder: Path) -> Path:
    """The official vocabulary and sentencepiece model, laid out as the converter does."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_bytes((shared_data / "ernie_m.vocab.txt").read_bytes())
    (folder / "sentencepiece.bpe.model").write_bytes((shared_data / "ernie_m.sentencepiece.bpe.model").read_bytes())
    return write_config(folder)


def small_folder(folder: Path) -> Path:
    """A tokenizer of 2,002 tokens, trained on the project's own sentences."""
    return write_config(train_tokenizer(folder))


def write_config(folder: Path, **changes: Any) -> Path:
    (folder / "tokenizer_config.json").write_text(json.dumps({**CONFIG, **changes}), "utf-8")
    return folder


def load(folder: Path, **options: Any) -> Any:
    return PaddleErnieMTokenizer.from_pretrained(str(folder), **options)


def ask_paddle(run_paddle: Callable[..., None], folder: Path, **request: Any) -> dict[str, Any]:
    """PaddleNLP's answers (tests/reference/tokenizer_ids.py says what can be asked)."""
    with tempfile.TemporaryDirectory() as place:
        question, about = Path(place, "request.json"), [hash_files(folder), request]
        question.write_text(json.dumps({"folder": str(folder), **request}), "utf-8")
        answer = cached_script(run_paddle, "tokenizer_ids.py", question, name="answer.json", about=about)
        found: dict[str, Any] = json.loads(answer.read_text("utf-8"))
        return found


def plain_ids(tokenizer: Any, texts: Sequence[str]) -> list[list[int]]:
    """Ids without [CLS] and [SEP], from one batch call."""
    return [ids[1:-1] for ids in tokenizer(list(texts))["input_ids"]]


def differing(texts: Sequence[str], ours: Sequence[Any], paddle: Sequence[Any]) -> list[tuple[str, Any, Any]]:
    """The texts whose answers differ, with both answers."""
    assert len(texts) == len(ours) == len(paddle)
    return [row for row in zip(texts, ours, paddle) if row[1] != row[2]]


def tatoeba(shared_data: Path) -> list[str]:
    lines: list[str] = []
    for path in sorted((shared_data / "tatoeba").iterdir()):
        lines += filter(None, path.read_bytes().decode().split("\n"))
    return lines


@lru_cache(maxsize=1)
def characters_by_category() -> list[list[str]]:
    found: dict[str, list[str]] = {}
    for code in range(sys.maxunicode + 1):
        found.setdefault(unicodedata.category(chr(code)), []).append(chr(code))
    del found["Cs"]
    return list(found.values())


def fuzz_texts(count: int, seed: int = 2022, insert: Sequence[str] = SPECIAL_TOKENS) -> list[str]:
    """Random texts in which every Unicode category but surrogates takes part, with words and tokens in between."""
    chance = random.Random(seed)
    characters = characters_by_category()
    words = " ".join(read_sentences()).split(" ")
    near = "0123456789²①٣,;:.?!~，；：。？！《》「」()▁ \t\n\u3000\u200b\u200d\ufe0f\u0301\u3099\x85\u00ad中文年月aEéß"

    def chunk() -> str:
        kind = chance.random()
        if kind < 0.35:
            return "".join(chance.choice(chance.choice(characters)) for _ in range(chance.randint(1, 4)))
        if kind < 0.65:
            return "".join(chance.choice(near) for _ in range(chance.randint(1, 5)))
        return chance.choice(words) if kind < 0.93 or not insert else chance.choice(list(insert))

    return ["".join(chunk() + chance.choice(("", "", " ")) for _ in range(chance.randint(1, 8))) for _ in range(count)]
