"""How long a conversion takes against the least that copying and hashing cost, and how much memory of its own it needs.

    python -m benchmarks.convert_speed [--source FOLDER] [--format combined ...] [--size large] [--rounds 5] [--write]

By default a full-size checkpoint is made with PaddleNLP and written in every format that is read; --source takes a
folder of PaddleNLP's as it is. In each round a conversion, the loop of peers/programs/copy_and_hash.py, and `cp` with
`sha256sum` run in turn, so that a change of the machine's speed affects all alike. With --write the figures go to
docs/: base in every format and large in two, unless --format names some.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.contest import Contest, hold
from benchmarks.figures import ROOT, Figures, cite, origin, record, table
from benchmarks.peers.convert import LABELS, bytes_of, copy_and_sum, loop, make_source, ours
from benchmarks.staying import Staying

SECTION = "converting"
COMMAND = "python -m benchmarks.convert_speed --write"
_LARGE = ("pdparams", "transformers-safetensors")


def main() -> None:
    """Measure; print the table or write the documents."""
    parser = argparse.ArgumentParser(description="Time conversions against copying and hashing.")
    parser.add_argument("--source", type=Path, help="a folder of PaddleNLP's, instead of one that is made")
    parser.add_argument("--format", choices=LABELS, nargs="+", help="default: pdparams; with --write all")
    parser.add_argument("--size", choices=("base", "large"), nargs="+", default=["base"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--place", type=Path, default=ROOT / "demo" / "bench", help="inputs, kept between runs")
    parser.add_argument("--write", action="store_true", help="docs/measurements.json and docs/measurements.md")
    arguments = parser.parse_args()
    source = origin(COMMAND, arguments.write)
    arguments.place.mkdir(parents=True, exist_ok=True)
    wanted = [(size, form) for size in arguments.size for form in arguments.format or ("pdparams",)]
    if arguments.write and not arguments.format:
        wanted = [*(("base", form) for form in LABELS), *(("large", form) for form in _LARGE)]
    rows = {}
    for size, form in wanted:
        label = f"{size}, {LABELS[form]}"
        rows[label] = measure(arguments.source or make_source(arguments.place, size, form), label, arguments)
        print(f"{label}: {json.dumps(rows[label])}", file=sys.stderr, flush=True)
    figures = {**source, "rounds": arguments.rounds, "rows": rows}
    if arguments.write:
        record(SECTION, figures, show)
    else:
        print(show(figures))


def measure(source: Path, label: str, arguments: argparse.Namespace) -> dict[str, Any]:
    """What the three took, and ours to each of the others."""
    contenders = (loop(source), ours(source), copy_and_sum(source))
    with Staying() as staying:
        found = hold(Contest(label, None, contenders), arguments.place, arguments.rounds, staying)["contenders"]
    least, own, summed = (found[each.name] for each in contenders)
    return {
        "source_bytes": bytes_of(source),
        "convert": {key: own[key] for key in ("seconds", "cpu_seconds", "own_megabytes", "file_megabytes")},
        "loop": {key: least[key] for key in ("seconds", "cpu_seconds")},
        "ratio": own["ratio"],
        "cpu_ratio": own["cpu_ratio"],
        "copy_and_sum_seconds": summed["seconds"],
    }


def show(figures: Figures) -> str:
    """The table of docs/measurements.md."""
    rows: list[list[object]] = []
    for label, row in figures["rows"].items():
        times = [f"{row[which][key][0]:.1f} s" for key in ("seconds", "cpu_seconds") for which in ("convert", "loop")]
        ratios = ["{:.2f} ({:.2f} to {:.2f})".format(*row[key]) for key in ("ratio", "cpu_ratio")]
        summed = f"{row['convert']['seconds'][0] / row['copy_and_sum_seconds'][0]:.2f}"
        memory = f"{row['convert']['own_megabytes'][1]:.0f} to {row['convert']['own_megabytes'][2]:.0f} MB"
        wall, cpu = [*times[:2], ratios[0]], [*times[2:], ratios[1]]
        rows.append([label, f"{row['source_bytes'] / 1e9:.2f} GB", *wall, *cpu, summed, memory])
    head = ["source", "size", "convert, wall", "the loop", "ratio", "convert, CPU", "the loop", "ratio"]
    head += ["wall to `cp` and `sha256sum`", "memory"]
    return f"{cite(figures)} Rounds: {figures['rounds']}.\n\n{table(head, rows)}"


if __name__ == "__main__":
    main()
