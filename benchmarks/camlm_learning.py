"""The curves of docs/objectives.md: CAMLM's loss on held-out translations, trained with true and with shuffled pairs.

    python -m benchmarks.camlm_learning [--data FOLDER] [--write]

FOLDER has Tatoeba's pairs as LASER's test set does (`tatoeba.deu-eng.deu` and `.eng`). A tiny model is trained from
random weights, once with translations and once with the second sides of the same pairs shuffled; all else is the same.
Each is evaluated on held-out pairs of its kind. With --write the numbers go to docs/measurements.json
and the picture and the table to docs/, else they are printed. About fifteen minutes of one core.
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import torch

import ernie_m
from benchmarks.figures import DOCS, ROOT, Figures, cite, origin, record, table
from benchmarks.line_chart import draw_lines
from ernie_m import objectives
from tests.support.train_tokenizer import train_tokenizer

SECTION, PICTURE = "CAMLM learning", "camlm-learning.svg"
COMMAND = "python -m benchmarks.camlm_learning --write"
LANGUAGES = ("deu", "nld", "afr", "fra", "spa", "por", "ita")
SEEDS = (1, 2)
STEPS, EVERY, BATCH, RATIO, RATE = 2000, 200, 32, 0.25, 3e-3
HELD_OUT = 30  # of each language
SIZES = {"hidden_size": 64, "num_attention_heads": 4, "num_hidden_layers": 2, "max_position_embeddings": 66}
LONGEST = 16  # tokens of a side
PIECES = 2000

Pair = tuple[list[int], list[int]]


def read_pairs(data: Path) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """(training pairs, held-out pairs): the last of each language are held out, with all that share an English side."""
    train, held = [], []
    for language in LANGUAGES:
        sides = [
            (data / f"tatoeba.{language}-eng.{side}").read_text(encoding="utf-8").rstrip("\n").split("\n")
            for side in (language, "eng")
        ]
        pairs = list(zip(*sides))
        train, held = train + pairs[:-HELD_OUT], held + pairs[-HELD_OUT:]
    known = {english for _, english in held}
    return [pair for pair in train if pair[1] not in known], held


def shuffle(pairs: list[Pair], seed: int) -> list[Pair]:
    """The same texts, each first side with the second side of another pair."""
    order = np.random.default_rng(seed).permutation(len(pairs))
    return [(pairs[place][0], pairs[other][1]) for place, other in zip(order, np.roll(order, 1))]


def tokenize(tokenizer: Any, pairs: list[tuple[str, str]]) -> list[Pair]:
    """The ids of pairs with two short sides, each with a token that is not [UNK]."""
    sides = [tokenizer(list(texts), add_special_tokens=False)["input_ids"] for texts in zip(*pairs)]
    return [pair for pair in zip(*sides) if all(set(ids) - {3} and len(ids) <= LONGEST for ids in pair)]


def loss_of(model: Any, pairs: list[Pair], options: dict[str, Any]) -> float:
    """The mean over all predicted tokens of the pairs."""
    model.eval()
    total, count = 0.0, 0
    for start in range(0, len(pairs), 100):
        inputs = objectives.to_tensors(objectives.camlm(pairs[start : start + 100], ratio=RATIO, **options))
        predicted = int((inputs["labels"] != -100).sum())
        with torch.no_grad():
            total, count = total + float(model(**inputs, full_logits=False).loss) * predicted, count + predicted
    return total / count


def train(train_pairs: list[Pair], held: list[Pair], seed: int, options: dict[str, Any]) -> list[float]:
    """The held-out loss before the first step and after every EVERY steps."""
    torch.manual_seed(seed)
    config = ernie_m.ErnieMConfig(vocab_size=options["vocab_size"], initializer_range=0.05, **SIZES)
    model = ernie_m.ErnieMForMaskedLM(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, RATE, total_steps=STEPS + 1, pct_start=0.1)
    random, losses = np.random.default_rng(seed), [loss_of(model, held, options)]
    for step in range(1, STEPS + 1):
        model.train()
        batch = [train_pairs[place] for place in random.integers(len(train_pairs), size=BATCH)]
        inputs = objectives.camlm(batch, seed=(seed, step), ratio=RATIO, **options)
        model(**objectives.to_tensors(inputs)).loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        if step % EVERY == 0:
            losses.append(loss_of(model, held, options))
            print(f"seed {seed}, step {step}: {losses[-1]:.3f}", file=sys.stderr)
    return losses


def unigram_loss(train_pairs: list[Pair], held: list[Pair]) -> float:
    """What a model without any context could reach: by the frequency of a token in the training text, plus one."""
    counts = Counter(token for pair in train_pairs for side in pair for token in side)
    tokens = [token for pair in held for side in pair for token in side]
    total = sum(counts.values()) + PIECES
    return -sum(math.log((counts[token] + 1) / total) for token in tokens) / len(tokens)


def measure(data: Path) -> dict[str, Any]:
    """Both curves for every seed."""
    texts, held_texts = read_pairs(data)
    with tempfile.TemporaryDirectory() as folder:
        train_tokenizer(folder, PIECES, [side for pair in texts for side in pair])
        tokenizer = ernie_m.ErnieMTokenizer.from_pretrained(folder)
    # Positions that begin again put a word near its translation, which is what so small a model can learn in minutes.
    options = {"vocab_size": len(tokenizer), "mask_token_id": tokenizer.mask_token_id, "restart_positions": True}
    pairs, held = tokenize(tokenizer, texts), tokenize(tokenizer, held_texts)
    curves = {}
    for seed in SEEDS:
        for kind, kept, tried in (
            ("true", pairs, held),
            ("shuffled", shuffle(pairs, seed), shuffle(held, seed)),
        ):
            print(kind, file=sys.stderr)
            curves[f"{kind} {seed}"] = [round(loss, 4) for loss in train(kept, tried, seed, options)]
    steps = list(range(0, STEPS + 1, EVERY))
    return {
        "pairs": len(pairs),
        "held_out": len(held),
        "unigram": round(unigram_loss(pairs, held), 4),
        "steps": steps,
        "curves": curves,
    }


def picture(found: Figures) -> str:
    """The curves as SVG."""
    lines = [
        (kind, found["steps"], found["curves"][f"{kind} {seed}"]) for kind in ("true", "shuffled") for seed in SEEDS
    ]
    names = {"true": "trained and tried with translations", "shuffled": "the same, second sides shuffled"}
    level = ("tokens by their frequency alone", found["unigram"])
    return draw_lines("step", "loss on held-out pairs", lines, names, level)


def show(found: Figures) -> str:
    """The table of the last losses."""
    rows = [
        [seed, *(f"{found['curves'][f'{kind} {seed}'][-1]:.2f}" for kind in ("true", "shuffled"))] for seed in SEEDS
    ]
    head = ["seed", "translations", "shuffled"]
    words = (
        f"{found['pairs']:,} pairs of {len(LANGUAGES)} languages with English, {found['held_out']} held out; losses "
        f"after {STEPS} steps; {found['unigram']:.2f} is the loss of tokens by their frequency alone."
    )
    return "\n\n".join([table(head, [*rows]), words, cite(found)])


def main() -> int:
    """Measure, and print or write."""
    parser = argparse.ArgumentParser(description="CAMLM's loss with true and with shuffled pairs.")
    data = ROOT.parent / "shared" / "data" / "tatoeba"
    parser.add_argument("--data", type=Path, default=data, help="the folder of Tatoeba's pairs")
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    found = {**origin(COMMAND, arguments.write), **measure(arguments.data)}
    if arguments.write:
        record(SECTION, found, show, "objectives.md")
        (DOCS / PICTURE).write_text(picture(found), encoding="utf-8")
    else:
        print(show(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
