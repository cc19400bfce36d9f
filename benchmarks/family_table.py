"""The table of docs/families.md: each class of each family converted and verified against PaddleNLP in both lines of
transformers, with every fault of the self-test injected.

    python -m benchmarks.family_table [--paddle-python ...] [--other-python ...] [--only CLASS ...] [--write]

Each checkpoint is tiny, made by PaddleNLP with sensitive weights (tests/support/make_checkpoint.py). It is converted
once; this interpreter verifies it against Paddle, keeps what Paddle computed and injects the faults; OTHER, which has
the other line of transformers, verifies the same folder from what was kept. With --write the figures go to
docs/families.json and the table between the markers of docs/families.md, else it is printed.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.figures import ROOT, Figures, cite, origin, render, table, write_figures
from mappings import ModelClass, all_families

COMMAND = "python -m benchmarks.family_table --write"
DOCUMENT, FIGURES, MARKER = "families.md", "families.json", "family table"
MAKER = ROOT / "tests" / "support" / "make_checkpoint.py"


def run(python: Path, *arguments: object, passes: bool = True) -> str:
    """Run a command and return what it prints. Raises SystemExit where it fails."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    command = [str(python), *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment, check=False)
    if done.returncode and passes:
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done.stdout


def measure(entry: ModelClass, arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    """One class: made, converted, verified in both lines, and its faults injected."""
    source, output, trace = folder / "source", folder / "output", folder / "trace"
    made = [MAKER, "--architecture", entry.source, "--output", source, "--seed", 1]
    run(arguments.paddle_python, *made)
    this = Path(sys.executable)
    run(this, "-m", "converter", "convert", source, output)
    options = ["--json", "--paddle-python", arguments.paddle_python, "--record", trace, "--self-test"]
    lines = [json.loads(run(this, "-m", "converter", "verify", source, output, *options, "--report", folder / "a"))]
    if arguments.other_python.exists():
        command = ["-m", "converter", "verify", output, "--trace", trace, "--json", "--report", folder / "b"]
        lines.append(json.loads(run(arguments.other_python, *command)))
    return {"target": entry.target, "lines": [summarise(line) for line in lines]}


def summarise(report: dict[str, Any]) -> dict[str, Any]:
    """What the table has of a report."""
    from verify.results.numbers import share_of_limit
    from verify.results.report import read_report

    result = read_report(report)
    faults = report.get("self_test") or {}
    return {
        "transformers": report["environment"]["transformers"],
        "passed": report["passed"],
        "sites": len(result.sites),
        "worst": max((site.max_rel or 0.0 for site in result.sites), default=0.0),
        "share": max(map(share_of_limit, result.sites), default=0.0),
        "gradients": max((each.max_rel or 0.0 for each in result.gradients), default=0.0),
        "texts": report["tokenizer"]["texts"] if report.get("tokenizer") else 0,
        "faults": [faults.get("faults", 0), faults.get("found", 0)],
    }


def to_table(figures: Figures) -> str:
    """The figures as Markdown."""
    rows: list[list[object]] = []
    versions = [line["transformers"] for line in next(iter(figures["classes"].values()))["lines"]]
    for name, found in figures["classes"].items():
        first = found["lines"][0]
        cells = [f"{line['worst']:.1e} ({100 * line['share']:.0f} %)" for line in found["lines"]]
        faults = f"{first['faults'][1]} of {first['faults'][0]}"
        rows.append([name, found["target"], first["sites"], *cells, f"{first['gradients']:.1e}", faults])
    heads = [f"worst difference, {version}" for version in versions]
    shown = table(["PaddleNLP", "PyTorch", "activations", *heads, "gradients", "faults found"], rows)
    text = (
        f"{cite(figures)} Tiny models with sensitive random weights, in float64; the share of its limit is in "
        "brackets. Eager and sdpa in transformers 5, eager in 4.57, whose Ernie and Electra have no other. The faults "
        "are those of `verify --self-test`: the epsilon, the row of [PAD], rows of the type and task tables, the "
        "activation, q and k exchanged, one unit in the last place, and more for each tensor and field."
    )
    return f"{text}\n\n{shown}"


def main() -> None:
    """Measure every class, print or write."""
    parser = argparse.ArgumentParser(
        description="Verify every class of every family and write docs/families.md's table."
    )
    parser.add_argument("--paddle-python", type=Path, default=ROOT / ".venv-paddle" / "bin" / "python")
    parser.add_argument("--other-python", type=Path, default=ROOT / ".venv-transformers4" / "bin" / "python")
    parser.add_argument(
        "--only", nargs="+", metavar="CLASS", help="PaddleNLP's names; the table is printed, not written"
    )
    parser.add_argument("--write", action="store_true", help=f"docs/{FIGURES} and docs/{DOCUMENT}")
    arguments = parser.parse_args()
    source = origin(COMMAND, arguments.write)
    classes = [entry for family in all_families() for entry in family.classes]
    figures: Figures = {**source, "classes": {}}
    for entry in classes:
        if arguments.only and entry.source not in arguments.only:
            continue
        with tempfile.TemporaryDirectory() as folder:
            print(f"{entry.source} ...", file=sys.stderr, flush=True)
            figures["classes"][entry.source] = measure(entry, arguments, Path(folder))
    if arguments.write and not arguments.only:
        write_figures(FIGURES, figures)
        render(DOCUMENT, MARKER, to_table(figures))
    else:
        print(to_table(figures))


if __name__ == "__main__":
    main()
