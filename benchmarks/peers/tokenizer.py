"""ERNIE-M's tokenizer beside transformers 4.57's port, PaddleNLP, and sentencepiece alone, which is the floor."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.contest import PADDLE, PRODUCT, PROGRAMS, TRANSFORMERS4, Contender, Contest
from benchmarks.figures import ROOT

TITLE = "The tokenizer"
ACROSS, PLOTTED = "texts a batch", ("time",)
TEXTS = 2000
NOTE = f"""{TEXTS:,} sentences of Tatoeba in many languages, ERNIE-M's own vocabulary. Times are those of all texts, in
a process that has loaded its tokenizer and is warm. sentencepiece alone, which answers no option, has as many threads
as the machine for a batch. PaddleNLP's offsets raise on some texts, the port has none. Loading: in a process that has
imported the library, with the first call, and the memory that both add."""

OURS, OURS4, FLOOR = "ours", "ours, transformers 4.57", "sentencepiece alone"
PORT, PADDLENLP = "port of transformers 4.57", "PaddleNLP"
#: What they are to programs/tokenize_texts.py, and the folder of the interpreter.
SIDES = {
    OURS: ("ours", PRODUCT),
    OURS4: ("ours", TRANSFORMERS4),
    PORT: ("port", TRANSFORMERS4),
    PADDLENLP: ("paddle", PADDLE),
    FLOOR: ("sentencepiece", PRODUCT),
}
ASKED = (OURS, OURS4, PORT, PADDLENLP)
BATCHES, FEW_BATCHES = (1, 4, 16, 64, 256, 1000), (1, 256)
CUT = {"truncation": True, "max_length": 64, "return_attention_mask": True}
#: Texts a call (1: a text alone, 0: a pair) and options.
OPTIONS: dict[str, tuple[int, Mapping[str, Any]]] = {
    "batches of 256, padded, truncated, with mask": (256, {"padding": True, **CUT}),
    "one text a call, truncated, with mask": (1, CUT),
    "one pair a call, with types": (0, {"return_token_type_ids": True}),
}
WITH_OFFSETS = {"return_offsets_mapping": True}


def contests(place: Path, full: bool) -> Iterator[Contest]:
    """Plain calls along the axis, calls with options, offsets beside plain calls, loading."""
    files = make_inputs(place)
    for batch in BATCHES if full else FEW_BATCHES:
        peers = tuple(contender(name, files, batch) for name in SIDES)
        label = f"batches of {batch:,}" if batch > 1 else "one text a call"
        yield Contest(label, batch, peers, table="plain calls")
    for label, (batch, options) in OPTIONS.items():
        yield Contest(label, None, tuple(contender(name, files, batch, options) for name in ASKED), table="options")
    for label, batch in (("batches of 256", 256), ("one text a call", 1)):
        yield Contest(label, None, tuple(offsets(files, batch)), table="offsets")
    words = (str(PROGRAMS / "tokenize_texts.py"), files[0])
    loading = tuple(
        Contender(name, environment, (words[0], side, words[1])) for name, (side, environment) in SIDES.items()
    )
    yield Contest("loading and the first call", None, loading, rounds=None if full else 1, warm=False)


def make_inputs(place: Path) -> tuple[str, str]:
    """The folder of the tokenizer, and the file of texts."""
    from tests.ernie_m.tokenization_reference import official_folder, tatoeba

    data, file = ROOT.parent / "shared" / "data", place / "texts.json"
    lines = tatoeba(data)
    file.write_text(json.dumps(lines[:: len(lines) // TEXTS][:TEXTS]), encoding="utf-8")
    return str(official_folder(data, place / "tokenizer")), str(file)


def contender(name: str, files: tuple[str, str], batch: int, options: Mapping[str, Any] | None = None) -> Contender:
    side, environment = SIDES[name]
    words = (str(PROGRAMS / "tokenize_texts.py"), side, *files)
    return Contender(name, environment, words, json.dumps({"batch": batch, "options": options or {}}))


def offsets(files: tuple[str, str], batch: int) -> Iterator[Contender]:
    """Ours with them and without, in both lines of transformers."""
    for name in (OURS, OURS4):
        side = contender(name, files, batch, WITH_OFFSETS)
        yield dataclasses.replace(side, name=f"{name}, with offsets")
        yield dataclasses.replace(contender(name, files, batch), name=f"{name}, without")
