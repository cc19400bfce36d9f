"""Count false alarms of verify on random tiny models of every class and dtype: all must pass.

    python -m benchmarks.false_alarms [--seeds 50] [--write]

Each seed gives one model: classes, dtypes of source and output, activations of labels, sizes and precisions follow from
it in turn. One line per model has the share of its limit that the noise used up. Exit status 1 if one fails. Needs
the reference environment; about 20 seconds a seed on two quiet cores.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.figures import Figures, cite, origin, record, table
from converter.conversion import convert
from tests.support.make_checkpoint import ARCHITECTURES
from verify import Report, verify
from verify.reference.find import find_interpreter
from verify.report.terminal import render_table
from verify.results.numbers import share_of_limit

SECTION, SEEDS = "false alarms", 50
COMMAND = "python -m benchmarks.false_alarms --write"
MAKE = Path(__file__).resolve().parent.parent / "tests" / "support" / "make_checkpoint.py"
#: dtype of the source, of the output, precision of the comparison
KINDS = (
    ("float32", "keep", "float64"),
    ("float16", "keep", "float64"),
    ("bfloat16", "keep", "float64"),
    ("float32", "float16", "float64"),
    ("float32", "bfloat16", "float64"),
    ("bfloat16", "float32", "float64"),
    ("float32", "keep", "float32"),
)


def check_seed(seed: int, interpreter: Path, folder: Path) -> tuple[str, Report]:
    """Make, convert and verify the model of one seed."""
    name, (dtype, written, precision) = ARCHITECTURES[seed % len(ARCHITECTURES)], KINDS[seed % len(KINDS)]
    source, output = folder / f"source-{seed}", folder / f"output-{seed}"
    options: dict[str, Any] = {
        "--architecture": name,
        "--output": source,
        "--seed": seed,
        "--dtype": dtype,
        "--format": "safetensors" if seed % 3 == 0 else "pdparams",
        "--vocab-size": 40 + 37 * (seed % 11),
        "--max-position-embeddings": 20 + seed % 29,
        # A single label is a regression; question answering has two.
        "--num-labels": 2 if name == "ErnieMForQuestionAnswering" else 1 + seed % 5,
    }
    command = [str(interpreter), str(MAKE), *(str(word) for option in options.items() for word in option)]
    done = subprocess.run(command, capture_output=True, text=True, env={"HF_HUB_OFFLINE": "1"})
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    convert(source, output, dtype=written)
    return f"{name} {dtype} -> {written}, {precision}", verify(source, output, precision=precision)


def main() -> int:
    parser = argparse.ArgumentParser(description="Count false alarms on random tiny models.")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--write", action="store_true", help="docs/measurements.json and docs/measurements.md")
    arguments = parser.parse_args()
    source, interpreter, rows = origin(COMMAND, arguments.write), find_interpreter(), {}
    for seed in range(arguments.first, arguments.first + arguments.seeds):
        with tempfile.TemporaryDirectory(prefix="paddle2torch-alarms-") as folder:
            what, report = check_seed(seed, interpreter, Path(folder))
        rows[seed] = {
            "model": what,
            "passed": report.passed,
            "sites": max(share_of_limit(site) for site in report.sites),
            "gradients": max(share_of_limit(result) for result in report.gradients),
        }
        print(f"seed {seed}: {json.dumps(rows[seed])}", file=sys.stderr, flush=True)
        if not report.passed:
            print(render_table(report), file=sys.stderr, flush=True)
    figures = {**source, "seeds": rows}
    if arguments.write:
        record(SECTION, figures, show)
    else:
        print(show(figures))
    return 0 if all(row["passed"] for row in rows.values()) else 1


def show(figures: Figures) -> str:
    """The table of docs/measurements.md: by precision and dtype, how many models passed and how near the limits."""
    kinds: dict[str, list[dict[str, Any]]] = {}
    for row in figures["seeds"].values():
        kinds.setdefault(row["model"].partition(" ")[2], []).append(row)
    rows: list[list[object]] = []
    for kind, found in sorted(kinds.items()):
        worst = (f"{max(row[what] for row in found):.3f}" for what in ("sites", "gradients"))
        rows.append([kind, len(found), sum(not row["passed"] for row in found), *worst])
    alarms = sum(row[2] for row in rows)
    head = [
        "dtype of the source -> output, precision",
        "models",
        "false alarms",
        "of an activation's limit",
        "of a gradient's",
    ]
    total = f"{len(figures['seeds'])} random models of all classes, {alarms} false alarms; the most that noise used:"
    return f"{cite(figures)} {total}\n\n{table(head, rows)}"


if __name__ == "__main__":
    sys.exit(main())
