"""How fast our tokenizer is compared with PaddleNLP's: both on the same sentences, in turn, in one run.

    python -m benchmarks.tokenizer_speed [--folder FOLDER --sentences FILES...] [--rounds 5] [--write]

FOLDER holds vocab.txt and sentencepiece.bpe.model, FILES are text files. The reference interpreter stays alive
next to this one, and one of the two works at a time; medians of all rounds are compared. With --write both
lines of transformers are measured and the table goes to docs/tokenizer.md.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.figures import ROOT, Figures, cite, origin, record, table

SECTION = "tokenizer speed"
COMMAND = "python -m benchmarks.tokenizer_speed --write"
DATA = ROOT.parent / "shared" / "data"
#: What is timed, and what the table calls it.
CASES = {
    "batch": "batches of 1,000",
    "padded": "the same, padded, truncated, with mask",
    "single": "one text a call",
}
PADDED = {"padding": True, "truncation": True, "max_length": 64, "return_attention_mask": True}
CHUNK = 1000

# The same lines run on both sides, so that nothing but the tokenizer differs.
MEASURE = """
def measure(tokenizer, case, texts):
    start = time.perf_counter()
    if case == "single":
        for text in texts:
            tokenizer(text)
    else:
        for place in range(0, len(texts), CHUNK):
            tokenizer(texts[place : place + CHUNK], **(PADDED if case == "padded" else {}))
    return len(texts) / (time.perf_counter() - start)
"""
REFERENCE = f"""
import json, sys, time, warnings
warnings.simplefilter("ignore")
from paddlenlp.transformers import ErnieMTokenizer
from paddlenlp.utils.log import logger
logger.disable()
PADDED, CHUNK = {PADDED!r}, {CHUNK}
{MEASURE}
folder, texts = json.loads(sys.stdin.readline())
tokenizer = ErnieMTokenizer.from_pretrained(folder)
for line in sys.stdin:
    print("speed", measure(tokenizer, line.strip(), texts), flush=True)
"""


def compare(folder: Path, texts: list[str], paddle_python: Path, rounds: int) -> dict[str, tuple[float, float]]:
    """Return lines per second of ours and of PaddleNLP's for each way to call, the medians of all rounds."""
    from ernie_m.tokenization_ernie_m import PaddleErnieMTokenizer

    tokenizer = PaddleErnieMTokenizer.from_pretrained(str(folder))
    names: dict[str, Any] = {"time": time, "PADDED": PADDED, "CHUNK": CHUNK}
    exec(MEASURE, names)
    speeds: dict[str, tuple[list[float], list[float]]] = {case: ([], []) for case in CASES}
    command = [str(paddle_python), "-c", REFERENCE]
    environment = {**os.environ, "PYTHONPATH": "", "HF_HUB_OFFLINE": "1"}
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
    ) as reference:
        assert reference.stdin is not None and reference.stdout is not None
        print(json.dumps([str(folder), texts]), file=reference.stdin, flush=True)
        for number in range(rounds + 1):
            for case, (ours, theirs) in speeds.items():
                print(case, file=reference.stdin, flush=True)
                answers = (line.split() for line in iter(reference.stdout.readline, ""))
                paddle = next(float(words[1]) for words in answers if words[:1] == ["speed"])
                own = names["measure"](tokenizer, case, texts)
                if number:  # the first round warms up: tables, caches
                    ours.append(own)
                    theirs.append(paddle)
        reference.stdin.close()
    return {case: (statistics.median(ours), statistics.median(theirs)) for case, (ours, theirs) in speeds.items()}


def main() -> None:
    """Measure here and, with --write, in the other line of transformers too."""
    parser = argparse.ArgumentParser(description="Compare our tokenizer's speed with PaddleNLP's.")
    parser.add_argument("--folder", type=Path, help="default: ERNIE-M's own vocabulary in ../shared/data")
    parser.add_argument("--sentences", type=Path, nargs="+", help="default: ../shared/data/tatoeba")
    parser.add_argument("--paddle-python", type=Path, default=ROOT / ".venv-paddle" / "bin" / "python")
    parser.add_argument("--other-python", type=Path, default=ROOT / ".venv-transformers4" / "bin" / "python")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--lines", type=int, default=8000, help="take about so many lines, evenly")
    parser.add_argument("--write", action="store_true", help="docs/measurements.json and docs/tokenizer.md")
    parser.add_argument("--json", action="store_true", help="measure here and print JSON")
    arguments = parser.parse_args()
    if arguments.json:
        print(json.dumps(measure_here(arguments)))
        return
    figures: Figures = {**origin(COMMAND, arguments.write), "lines": [measure_here(arguments)]}
    if arguments.write:
        command = [str(arguments.other_python), "-m", "benchmarks.tokenizer_speed", "--json"]
        command += ["--rounds", str(arguments.rounds), "--lines", str(arguments.lines)]
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
        figures["lines"].append(json.loads(done.stdout))
        record(SECTION, figures, show, "tokenizer.md")
    else:
        print(show(figures))


def measure_here(arguments: argparse.Namespace) -> Figures:
    """Lines per second of ours and of PaddleNLP's, with this interpreter's transformers."""
    import transformers

    from tests.ernie_m.tokenization_reference import official_folder

    files = arguments.sentences or sorted((DATA / "tatoeba").iterdir())
    texts = [line for path in files for line in path.read_text("utf-8").split("\n") if line]
    texts = texts[:: max(len(texts) // arguments.lines, 1)]
    with tempfile.TemporaryDirectory() as place:
        folder = arguments.folder or official_folder(DATA, Path(place) / "tokenizer")
        speeds = compare(folder, texts, arguments.paddle_python, arguments.rounds)
    return {
        "transformers": transformers.__version__,
        "texts": len(texts),
        "rounds": arguments.rounds,
        "speeds": {case: {"ours": ours, "paddlenlp": theirs} for case, (ours, theirs) in speeds.items()},
    }


def show(figures: Figures) -> str:
    """The table of docs/tokenizer.md."""
    first = figures["lines"][0]
    head = ["lines per second"]
    for line in figures["lines"]:
        head += [f"transformers {line['transformers']}", "PaddleNLP", "ratio"]
    rows: list[list[object]] = []
    for case, label in CASES.items():
        row: list[object] = [label]
        for line in figures["lines"]:
            ours, theirs = line["speeds"][case]["ours"], line["speeds"][case]["paddlenlp"]
            row += [f"{ours:,.0f}", f"{theirs:,.0f}", f"{ours / theirs:.1f}"]
        rows.append(row)
    said = f"{first['texts']:,} sentences of Tatoeba, medians of {first['rounds']} rounds, both sides in turn."
    return f"{cite(figures)} {said}\n\n{table(head, rows)}"


if __name__ == "__main__":
    main()
