"""What a verification costs and what it finds on sound models: seconds, memory, worst differences, size of the trace.

    python -m benchmarks.verify_cost [--model tiny base large] [--write]

Checkpoints with sensitive random weights are made with PaddleNLP, converted, verified against Paddle (which also
records a trace) and once more by that trace. Memory is the resident memory of all processes together; pages of the
mapped weight files count. It is sampled every 50 ms, and less often where asking takes long (50 ms a gigabyte, at
most a tenth of the time), so that a peak of a few seconds can be missed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.figures import ROOT, Figures, cite, origin, record, table
from benchmarks.watching import resident_bytes_of_all, watch
from tests.support.train_tokenizer import train_tokenizer
from verify.results.layout import FOLDER
from verify.results.numbers import ZERO_ROW

SECTION = "verifying"
COMMAND = "python -m benchmarks.verify_cost --write"
#: name -> size, class, and whether it has ERNIE-M's own vocabulary. Large has a head; tiny is what CI runs.
MODELS = {
    "tiny": ("tiny", "ErnieMForTokenClassification", False),
    "tiny with 250,002 words": ("tiny", "ErnieMForTokenClassification", True),
    "base": ("base", "ErnieMModel", True),
    "large": ("large", "ErnieMForSequenceClassification", True),
}
SEED = 2026


def main() -> None:
    """Measure; print the table or write the documents."""
    parser = argparse.ArgumentParser(description="What a verification costs.")
    parser.add_argument("--model", choices=MODELS, nargs="+", default=list(MODELS))
    parser.add_argument("--paddle-python", type=Path, default=ROOT / ".venv-paddle" / "bin" / "python")
    parser.add_argument("--write", action="store_true", help="docs/measurements.json and docs/measurements.md")
    arguments = parser.parse_args()
    source, rows = origin(COMMAND, arguments.write), {}
    for model in MODELS if arguments.write else arguments.model:
        rows[f"{model}, {MODELS[model][1]}"] = measured = measure(model, arguments.paddle_python)
        print(f"{model}: {json.dumps(measured)}", file=sys.stderr, flush=True)
    figures = {**source, "rows": rows}
    if arguments.write:
        record(SECTION, figures, show)
    else:
        print(show(figures))


def measure(model: str, paddle_python: Path) -> dict[str, Any]:
    """Make, convert, verify live and by the trace."""
    scratch = ROOT / "demo"  # Ignored by git, and on the disk that the project is on.
    scratch.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch) as place:
        folder = Path(place)
        source, output, trace = folder / "source", folder / "output", folder / "trace"
        make_source(model, paddle_python, source, folder)
        run("convert", source, output)
        seconds, peak = run("verify", source, output, "--record", trace, "--paddle-python", paddle_python)
        live = json.loads((output / FOLDER / "report.json").read_text(encoding="utf-8"))
        again, peak_again = run("verify", output, "--trace", trace)
        return {
            "seconds": round(seconds, 1),
            "peak_gigabytes": round(peak / 1e9, 2),
            "seconds_with_trace": round(again, 1),
            "peak_gigabytes_with_trace": round(peak_again / 1e9, 2),
            "trace_megabytes": round(trace.stat().st_size / 1e6, 1),
            **findings(live),
        }


def findings(report: dict[str, Any]) -> dict[str, Any]:
    """What the table shows of a report, which must have passed."""
    if not report["passed"]:
        raise SystemExit(f"a sound model failed: {json.dumps(report['errors'], indent=1)}")
    ordinary = [site for site in report["sites"] if not site["case"].startswith(ZERO_ROW)]
    return {
        "tensors": report["static"]["tensors"],
        "texts": report["tokenizer"]["texts"],
        "sites": len(report["sites"]),
        "worst": max(site["max_rel"] for site in ordinary),
        "worst_gradient": max(found["max_rel"] for found in report["gradients"]),
        "margin": report["margin"],
    }


def make_source(model: str, paddle_python: Path, source: Path, folder: Path) -> None:
    from tests.ernie_m.tokenization_reference import official_folder

    size, architecture, own = MODELS[model]
    place = folder / "tokenizer"
    tokenizer = official_folder(ROOT.parent / "shared" / "data", place) if own else train_tokenizer(place)
    options = ["--architecture", architecture, "--size", size, "--seed", SEED, "--output", source]
    options += ["--tokenizer", tokenizer, *(["--vocab-size", 250002] if own else [])]
    script = ROOT / "tests" / "support" / "make_checkpoint.py"
    command = [str(word) for word in (paddle_python, script, *options)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def run(*words: object) -> tuple[float, int]:
    """Seconds, and resident bytes of all processes."""
    return watch(*words, memory=resident_bytes_of_all, every=0.05)


def show(figures: Figures) -> str:
    """The table of docs/measurements.md."""
    rows: list[list[object]] = []
    for label, row in figures["rows"].items():
        live, again = (f"{row[key]:.0f} s" for key in ("seconds", "seconds_with_trace"))
        memory = (f"{row[key]:.1f} GB" for key in ("peak_gigabytes", "peak_gigabytes_with_trace"))
        worst = (f"{row[key]:.1e}" for key in ("worst", "worst_gradient"))
        noise, smallest = (f"{row['margin'][key]:.2g}" for key in ("noise", "smallest_fault"))
        trace = f"{row['trace_megabytes']:.1f} MB"
        rows.append([label, live, again, *memory, trace, *worst, noise, smallest, row["texts"]])
    head = ["model", "live", "with a trace", "memory, live", "with a trace", "trace", "worst", "gradients"]
    head += ["noise, of the limit", "smallest fault, times the limit", "texts"]
    return f"{cite(figures)}\n\n{table(head, rows)}"


if __name__ == "__main__":
    main()
