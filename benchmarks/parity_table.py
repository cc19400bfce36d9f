"""The tables of docs/model.md: how far our models are from PaddleNLP's, class by kind of output and class by quirk.

    python -m benchmarks.parity_table [--paddle-python ...] [--other-python ...] [--write]

The reference interpreter records what PaddleNLP computes (tests/reference/model_numbers.py: tiny models with sensitive
weights, float64). The recording is replayed by this interpreter and by OTHER, which has the other line of transformers;
every difference is relative to the largest value of its activation. With --write the figures go to docs/parity.json and
the tables between the markers of docs/model.md, else they are printed.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.figures import ROOT, Figures, cite, origin, render, table, write_figures

COMMAND = "python -m benchmarks.parity_table --write"
DOCUMENT, FIGURES, MARKER = "model.md", "parity.json", "parity table"

KINDS = ("outputs", "attentions", "losses", "gradients")
# A case belongs to the first quirk whose pattern is found in "model:case"; losses and gradients are quirk 9.
QUIRKS = {
    "3": ("feed-forward 4 x hidden_size", r"^ffn:"),
    "4": ("epsilon of LayerNorm", r"^small:"),
    "15": ("activations", r"^act "),
    "18": ("position_ids -2 and -1", r"position_ids, negative"),
    "7": ("inputs_embeds", r"inputs_embeds"),
    "19": ("multiple choice with a 4-D mask", r"^choice:.*4-D"),
    "1": ("no mask, mask of ones, padding", r":(no mask|mask of ones)"),
    "5a": ("2-D mask with a row of zeros", r"2-D mask, a row of zeros"),
    "5": ("2-D mask of any dtype", r":(2-D mask|mask$)"),
    "6": ("4-D and 3-D masks", r":[34]-D mask"),
    "2": ("positions, one token, longest", r":(position|one token|longest|int32 ids)"),
    "9": ("losses", r""),
}


def measure(recording: Path) -> dict[str, Any]:
    """Replay a recording here: the worst difference by class, way of attention, kind of output and quirk."""
    import torch
    import transformers

    from tests.ernie_m.recorded_numbers import CLASSES, Reference

    torch.set_num_threads(1)  # so that the figures do not depend on the number of cores
    logging.disable(logging.WARNING)  # of padding without a mask, which is what is measured
    reference = Reference(recording)
    worst: dict[str, dict[str, dict[str, dict[str, float]]]] = {}
    count = 0
    for model, facts in reference.models.items():
        for attn in ("eager", "sdpa"):
            kinds = worst.setdefault(CLASSES[facts["class"]], {}).setdefault(attn, {"kinds": {}, "quirks": {}})
            for case in reference.cases(model):
                for kind, _, difference in reference.differences(case, attn):
                    quirk = "9" if kind in ("losses", "gradients") else quirk_of(case)
                    count += 1
                    for found, key in ((kinds["kinds"], kind), (kinds["quirks"], quirk)):
                        found[key] = max(found.get(key, 0.0), difference)
    return {
        "transformers": transformers.__version__,
        "torch": torch.__version__.split("+")[0],
        "compared": count,
        "worst": worst,
    }


def quirk_of(case: str) -> str:
    return next(number for number, (_, pattern) in QUIRKS.items() if re.search(pattern, case))


def record(paddle_python: Path, path: Path) -> dict[str, str]:
    """Let PaddleNLP compute; return its versions."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": ""}
    run(paddle_python, ROOT / "tests" / "reference" / "model_numbers.py", path, environment=environment)
    show = "import importlib.metadata as m; print(m.version('paddlenlp'), m.version('paddlepaddle'))"
    paddlenlp, paddle = run(paddle_python, "-c", show, environment=environment).split()
    return {"paddlenlp": paddlenlp, "paddlepaddle": paddle}


def run(python: Path, *arguments: object, environment: dict[str, str] | None = None) -> str:
    command = [str(python), *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment)
    if done.returncode:
        raise SystemExit(f"{python} failed:\n{done.stderr}")
    return done.stdout


def tables(figures: Figures) -> str:
    """The figures as Markdown: what was measured, class by kind of output, quirk by class."""
    lines = figures["lines"]
    reference = figures["reference"]
    versions = " and ".join(f"{line['transformers']} (torch {line['torch']})" for line in lines)
    same = all(line["worst"] == lines[0]["worst"] for line in lines)
    text = [
        f"{cite(figures)} Against PaddleNLP {reference['paddlenlp']} on Paddle {reference['paddlepaddle']} (CPU), in "
        f"float64, with transformers {versions}: {lines[0]['compared']} comparisons in each line."
        + (" The figures of the lines are the same to the last bit." if same and len(lines) > 1 else ""),
    ]
    for line in lines[:1] if same else lines:
        heading = "both lines of transformers" if same and len(lines) > 1 else f"transformers {line['transformers']}"
        text += ["", f"Worst difference, {heading}, eager / sdpa:", "", kind_table(line["worst"]), ""]
        text += [quirk_table(line["worst"])]
    return "\n".join(text)


def kind_table(worst: dict[str, Any]) -> str:
    rows: list[list[object]] = []
    for name, ways in worst.items():
        rows.append([name, *(cell(ways, "kinds", kind) for kind in KINDS)])
    return table(["class", *KINDS], rows)


def quirk_table(worst: dict[str, Any]) -> str:
    short = [name.replace("ErnieMFor", "").replace("ErnieM", "") for name in worst]
    rows: list[list[object]] = []
    for number in sorted(QUIRKS, key=lambda number: (int(number.rstrip("a")), number)):
        label = "losses and gradients" if number == "9" else QUIRKS[number][0]
        cells = (cell(ways, "quirks", number) for ways in worst.values())
        rows.append([f"{number.rstrip('a')}: {label}", *cells])
    return table(["quirk", *short], rows)


def cell(ways: dict[str, Any], table: str, key: str) -> str:
    """ "eager / sdpa"; a dash where there is nothing to compare."""
    shown = [f"{ways[attn][table][key]:.1e}" if key in ways[attn][table] else "-" for attn in ("eager", "sdpa")]
    return "-" if shown == ["-", "-"] else " / ".join(shown).replace("0.0e+00", "0")


def main() -> None:
    """Record, replay in each line, print or write."""
    parser = argparse.ArgumentParser(description="Measure parity with PaddleNLP and write the tables of docs/model.md.")
    parser.add_argument("--paddle-python", type=Path, default=ROOT / ".venv-paddle" / "bin" / "python")
    parser.add_argument("--other-python", type=Path, default=ROOT / ".venv-transformers4" / "bin" / "python")
    parser.add_argument("--write", action="store_true", help="docs/parity.json and docs/model.md")
    parser.add_argument("--measure", type=Path, metavar="RECORDING", help="replay a recording here and print JSON")
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure(arguments.measure)))
        return
    source = origin(COMMAND, arguments.write)
    if arguments.write and not arguments.other_python.exists():
        raise SystemExit(
            f"{arguments.other_python} is not there, and the document speaks of both lines: run `make env`"
        )
    with tempfile.TemporaryDirectory() as folder:
        recording = Path(folder) / "model_numbers.npz"
        reference = record(arguments.paddle_python, recording)
        pythons = [Path(sys.executable), *([arguments.other_python] if arguments.other_python.exists() else [])]
        lines = [json.loads(run(python, "-m", "benchmarks.parity_table", "--measure", recording)) for python in pythons]
    figures = {**source, "reference": reference, "lines": lines}
    if arguments.write:
        write_figures(FIGURES, figures)
        render(DOCUMENT, MARKER, tables(figures))
    else:
        print(tables(figures))


if __name__ == "__main__":
    main()
