"""How many faults `verify --self-test` injects, and how many it finds, in tiny models of every class.

    python -m benchmarks.self_test_counts [--write]

Needs the reference environment. The edits of code are those of tests/support/code_edits.py; the suite tests each.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.figures import ROOT, Figures, cite, origin, record, table
from converter.conversion import convert
from tests.support.make_checkpoint import ARCHITECTURES
from tests.support.train_tokenizer import train_tokenizer
from verify import verify
from verify.results.as_json import to_json

SECTION = "self-test"
COMMAND = "python -m benchmarks.self_test_counts --write"
#: UIEM as PaddleNLP wrote it before 2.5.
OLD_UIEM = "UIEM, names before PaddleNLP 2.5"


def main() -> int:
    """Measure; print the table or write the documents. 1 when a fault was missed."""
    parser = argparse.ArgumentParser(description="Count the injected faults that are found.")
    parser.add_argument("--paddle-python", type=Path, default=ROOT / ".venv-paddle" / "bin" / "python")
    parser.add_argument("--write", action="store_true", help="docs/measurements.json and docs/measurements.md")
    arguments = parser.parse_args()
    source, rows = origin(COMMAND, arguments.write), {}
    with tempfile.TemporaryDirectory() as place:
        tokenizer = train_tokenizer(Path(place) / "tokenizer")
        for name in (*ARCHITECTURES, OLD_UIEM):
            checkpoint = Path(place) / name.replace(" ", "-")
            options = ["--architecture", name.partition(",")[0], "--output", checkpoint, "--tokenizer", tokenizer]
            options += ["--format", "encoder-prefix"] if name == OLD_UIEM else []
            make(arguments.paddle_python, *options)
            rows[name] = count(checkpoint, arguments.paddle_python)
            print(f"{name}: {json.dumps(rows[name])}", file=sys.stderr, flush=True)
    figures = {**source, "rows": rows}
    if arguments.write:
        record(SECTION, figures, show, "self-test.md")
    else:
        print(show(figures))
    return 0 if all(row["found"] == row["faults"] for row in rows.values()) else 1


def make(paddle_python: Path, *options: object) -> None:
    command = [str(word) for word in (paddle_python, ROOT / "tests" / "support" / "make_checkpoint.py", *options)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def count(checkpoint: Path, paddle_python: Path) -> dict[str, Any]:
    """Convert, verify, inject faults; returns what was found by which check."""
    output = checkpoint.with_name(f"{checkpoint.name}-output")
    convert(checkpoint, output)
    start = time.monotonic()
    report = verify(checkpoint, output, self_test=True, paddle_python=paddle_python)
    if report.self_test is None:
        raise SystemExit(f"{checkpoint.name} did not pass: {report.problems}")
    found = to_json(report.self_test)
    alone = found["without_static"]
    return {
        "faults": found["faults"],
        "found": found["found"],
        "by_kind": found["by_kind"],
        "by_check": found["by_check"],
        "without_static": alone["found"],
        "explained": len(alone["explained"]),
        "unexplained": alone["unexplained"],
        "seconds": round(time.monotonic() - start, 1),
    }


def show(figures: Figures) -> str:
    """The table of docs/self-test.md."""
    rows: list[list[object]] = []
    for name, row in figures["rows"].items():
        by = (row["by_check"].get(check, 0) for check in ("numbers", "numbers with sdpa", "tokens"))
        rest = f"{row['explained']} / {len(row['unexplained'])}"
        rows.append([name, row["faults"], row["found"], row["without_static"], rest, *by, f"{row['seconds']:.0f} s"])
    head = ["class, tiny", "injected", "found", "by numbers and tokens alone"]
    head += ["not found by these: named above / unexplained", "numbers, eager", "numbers, sdpa", "tokens"]
    head += ["verification and self-test"]
    return f"{cite(figures)}\n\n{table(head, rows)}"


if __name__ == "__main__":
    sys.exit(main())
