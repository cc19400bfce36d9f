"""The picture of docs/objectives.md: who reads whom in each objective, from the masks that the functions return.

    python -m benchmarks.attention_picture [--write]

Without --write the SVG goes to standard output. tests/documents/ compares the file with what this makes.
"""

from __future__ import annotations

import argparse
import sys

from benchmarks.figures import DOCS
from ernie_m import objectives
from ernie_m.objectives.inputs import NOT_PREDICTED, SEP

PICTURE = "objectives.svg"
SMALL = {"mask_token_id": 59, "vocab_size": 60}
#: Of the paper's figure: a sentence of four tokens and one of six. The seeds mask what the figure masks.
SOURCE, TARGET = [10, 11, 12, 13], [20, 21, 22, 23, 24, 25]
CELL, MARGIN, GAP, TITLE = 15, 44, 40, 34
COLORS = ("#0b6bcb", "#c2410c")  # what a token of the first and of the second side reads


def examples() -> dict[str, objectives.Inputs]:
    """The batches of one row that are drawn."""
    return {
        "MMLM": objectives.mmlm([SOURCE], ratio=0.25, seed=find_seed(), **SMALL),
        "TLM": objectives.tlm([(SOURCE, TARGET)], ratio=0.3, seed=find_seed(), **SMALL),
        "CAMLM": objectives.camlm([(SOURCE, TARGET)], ratio=0.3, seed=find_seed(), **SMALL),
        "BTMLM, stage 1": objectives.placeholders([SOURCE], pseudo_ratio=0.5, **SMALL),
        "BTMLM, stage 2": objectives.btmlm([SOURCE], [[30, 31]], ratio=0.25, seed=find_seed(), **SMALL),
    }


def find_seed() -> int:
    """The first seed that masks the third token of the first side, and the third and fifth of the second."""
    for seed in range(10000):
        labels = objectives.camlm([(SOURCE, TARGET)], ratio=0.3, seed=seed, **SMALL).labels[0]
        single = objectives.mmlm([SOURCE], ratio=0.25, seed=seed, **SMALL).labels[0]
        if [place for place, label in enumerate(labels) if label != NOT_PREDICTED] == [3, 9, 11] and single[3] > 0:
            return seed
    raise ValueError("no seed masks these tokens")


def names_of(inputs: objectives.Inputs) -> list[str]:
    """What stands at each place: C, S, M for [CLS], [SEP], [MASK], and the numbers of the tokens of a side."""
    found, numbers = [], [0, 0]
    for token, side in zip(inputs.input_ids[0].tolist(), inputs.side[0].tolist()):
        if token in (0, SEP):
            found.append("C" if token == 0 else "S")
            continue
        numbers[side] += 1
        name = "M" if token == SMALL["mask_token_id"] else f"{'xy'[side]}{numbers[side]}"
        found.append(name)
    return found


def draw(title: str, inputs: objectives.Inputs, left: float, top: float) -> list[str]:
    """One square: a row for each token that reads, a column for each that is read."""
    mask, names = inputs.attention_mask[0], names_of(inputs)
    parts = [f'<text x="{left}" y="{top - TITLE + 4}" font-weight="bold">{title}</text>']
    for place, name in enumerate(names):
        middle = place * CELL + CELL / 2
        weight = ' font-weight="bold"' if name == "M" else ""
        parts.append(
            f'<text x="{left + middle}" y="{top - 5}" text-anchor="middle" font-size="9"{weight}>{name}</text>'
        )
        parts.append(
            f'<text x="{left - 5}" y="{top + middle + 3}" text-anchor="end" font-size="9"{weight}>{name}</text>'
        )
    for reader in range(len(names)):
        for read in range(len(names)):
            fill = COLORS[inputs.side[0, reader]] if mask[reader, read] else "#f1f1f1"
            x, y = left + read * CELL, top + reader * CELL
            parts.append(f'<rect x="{x}" y="{y}" width="{CELL - 1}" height="{CELL - 1}" fill="{fill}"/>')
    return parts


def make_picture() -> str:
    """The SVG file."""
    parts: list[str] = []
    left, top, tallest, widest = MARGIN, TITLE + 20, 0, 0
    for number, (title, inputs) in enumerate(examples().items()):
        if number == 3:
            left, top, tallest = MARGIN, top + tallest + GAP + TITLE, 0
        size = inputs.side.shape[1] * CELL
        parts += draw(title, inputs, left, top)
        left, tallest = left + size + GAP, max(tallest, size)
        widest = max(widest, left)
    height = top + tallest + 46
    note = "A row is a token that reads, a filled square a token that it reads. C [CLS], S [SEP], M [MASK]."
    sides = "Blue: rows of the first side; orange: rows of the second."
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {widest} {height}" font-family="sans-serif"'
            ' font-size="13">',
            f'<rect width="{widest}" height="{height}" fill="white"/>',
            *parts,
            f'<text x="{MARGIN}" y="{height - 24}" font-size="12">{note}</text>',
            f'<text x="{MARGIN}" y="{height - 8}" font-size="12">{sides}</text>',
            "</svg>\n",
        ]
    )


def main() -> int:
    """Print the picture, or write it."""
    parser = argparse.ArgumentParser(description="Draw who reads whom in each objective.")
    parser.add_argument("--write", action="store_true")
    if parser.parse_args().write:
        (DOCS / PICTURE).write_text(make_picture(), encoding="utf-8")
    else:
        sys.stdout.write(make_picture())
    return 0


if __name__ == "__main__":
    sys.exit(main())
