"""How long a conversion takes against copying and hashing, and how much memory of its own it needs.

    python -m benchmarks.convert_speed [--source FOLDER] [--format combined ...] [--size large] [--runs 5] [--write]

By default a full-size checkpoint is made with PaddleNLP and written in every format that is read; --source takes a
folder of PaddleNLP's as it is. Each run converts, then does `cp WEIGHTS COPY && sha256sum WEIGHTS COPY`, in turn, so
that a machine whose speed drifts bears on both. Memory is what is not backed by a file (RssAnon of Linux), sampled
every 5 ms. With --write base is measured in every format, large in PaddleNLP's, and the figures go to docs/.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.figures import ROOT, Figures, cite, origin, record, table
from benchmarks.watching import anonymous_bytes, watch
from tests.support import source_formats

SECTION = "converting"
COMMAND = "python -m benchmarks.convert_speed --write"
#: What lies next to weights and is not copied and hashed in the comparison.
BESIDE = ("vocab.txt", "sentencepiece.bpe.model", "x.json", "config.json", "ernie_config.json")
BESIDE += ("tokenizer_config.json", "special_tokens_map.json")
#: Formats that Paddle writes itself, and what a table calls all of them.
OF_PADDLE = {"pdparams": "pickle protocol 4", "pdparams-protocol2": "pickle protocol 2"}
LABELS = {
    **OF_PADDLE,
    "combined": "combined `.pdiparams` and PIR program",
    "variables": "a file per variable (2021)",
    "transformers-safetensors": "safetensors of transformers 4",
    "pytorch-bin": "`pytorch_model.bin` of transformers 4",
}


def main() -> None:
    """Measure; print JSON or write the documents."""
    parser = argparse.ArgumentParser(description="Time conversions against cp and sha256sum.")
    parser.add_argument("--source", type=Path, help="a folder of PaddleNLP's, instead of one that is made")
    parser.add_argument("--format", choices=LABELS, nargs="+", default=["pdparams"])
    parser.add_argument("--size", choices=("base", "large"), default="base")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--paddle-python", type=Path, default=ROOT / ".venv-paddle" / "bin" / "python")
    parser.add_argument("--write", action="store_true", help="docs/measurements.json and docs/measurements.md")
    arguments = parser.parse_args()
    source = origin(COMMAND, arguments.write)
    wanted = [(arguments.size, form) for form in arguments.format]
    if arguments.write:
        wanted = [*(("base", form) for form in LABELS), ("large", "pdparams")]
    rows = {}
    for size, form in wanted:
        rows[f"{size}, {LABELS[form]}"] = measure_format(arguments, size, form)
        print(f"{size}, {form}: {json.dumps(rows[f'{size}, {LABELS[form]}'])}", file=sys.stderr, flush=True)
    figures = {**source, "rows": rows}
    if arguments.write:
        record(SECTION, figures, show)
    else:
        print(show(figures))


def show(figures: Figures) -> str:
    """The table of docs/measurements.md."""
    rows: list[list[object]] = []
    for label, row in figures["rows"].items():
        ratios = row["ratios"]
        ratio = f"{row['median_ratio']:.2f} ({min(ratios):.2f} to {max(ratios):.2f}, {len(ratios)} runs)"
        seconds = (f"{row[key]:.1f} s" for key in ("convert_seconds", "copy_and_hash_seconds"))
        rows.append([label, f"{row['source_bytes'] / 1e9:.2f} GB", *seconds, ratio, f"{row['peak_megabytes']:.0f} MB"])
    head = ["source", "size", "convert, median", "copy and hash, median", "ratio, median (all runs)", "peak memory"]
    return f"{cite(figures)}\n\n{table(head, rows)}"


def measure_format(arguments: argparse.Namespace, size: str, form: str) -> dict[str, Any]:
    """Make or take the source in this format; measure."""
    scratch = ROOT / "demo"  # Ignored by git, and on the disk that the project is on.
    scratch.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch) as place:
        folder, source = Path(place), arguments.source
        if source is None:
            made = form if form in OF_PADDLE else "pdparams"
            source = make_source(arguments.paddle_python, folder / "source", size, made)
        if form not in OF_PADDLE:
            source = source_formats.write_as(form, source, folder / form)
        return measure(source, folder, arguments.runs)


def make_source(paddle_python: Path, folder: Path, size: str, form: str) -> Path:
    script = ROOT / "tests" / "support" / "make_checkpoint.py"
    options = ["--architecture", "ErnieMModel", "--size", size, "--format", form, "--output", folder]
    subprocess.run([paddle_python, script, *options], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return folder


def measure(source: Path, folder: Path, runs: int) -> dict[str, Any]:
    """Seconds and ratios of `runs` pairs behind one that warms the page cache; the largest memory in MB."""
    weights = sorted(path for path in source.rglob("*") if path.is_file() and path.name not in BESIDE)
    rows = []
    for index in range(runs + 1):
        shutil.rmtree(folder / "output", ignore_errors=True)
        seconds, memory = watch("convert", source, folder / "output", memory=anonymous_bytes, every=0.005)
        baseline = copy_and_hash(weights, folder / "copy")
        if index:
            rows.append((seconds, baseline, memory))
    return {
        "source_bytes": sum(path.stat().st_size for path in weights),
        "convert_seconds": round(statistics.median(row[0] for row in rows), 2),
        "copy_and_hash_seconds": round(statistics.median(row[1] for row in rows), 2),
        "ratios": [round(row[0] / row[1], 2) for row in rows],
        "median_ratio": round(statistics.median(row[0] / row[1] for row in rows), 2),
        "peak_megabytes": round(max(row[2] for row in rows) / 1e6, 1),
    }


def copy_and_hash(weights: list[Path], copy: Path) -> float:
    shutil.rmtree(copy, ignore_errors=True)
    copy.mkdir()
    start = time.monotonic()
    subprocess.run(["cp", *weights, copy], check=True)
    copies = [copy / path.name for path in weights]
    subprocess.run(["sha256sum", *weights, *copies], check=True, stdout=subprocess.DEVNULL)
    seconds = time.monotonic() - start
    shutil.rmtree(copy)
    return seconds


if __name__ == "__main__":
    main()
