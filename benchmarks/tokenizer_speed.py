"""How fast our tokenizer is compared with PaddleNLP's: both on the same sentences, in turn, in one run.

    python -m benchmarks.tokenizer_speed [--folder FOLDER --sentences FILES...] [--rounds 5] [--write]

FOLDER holds vocab.txt and sentencepiece.bpe.model, FILES are text files. The reference interpreter stays alive
next to this one, and one of the two works at a time; medians of all rounds are compared. The floor is sentencepiece
alone, on the same batches. Loading is measured beside transformers 4.57's own tokenizer of ERNIE-M, each in fresh
processes. With --write both lines of transformers are measured and the tables go to docs/tokenizer.md.
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
    "masked": "the same, truncated, with mask",
    "pair": "one pair a call, with types",
}
#: What has no counterpart there: PaddleNLP's offsets raise on some texts.
OWN_CASES = {"offsets": "batches of 1,000 with offsets", "floor": "sentencepiece alone, batches of 1,000"}
OPTIONS = {
    "batch": {},
    "padded": {"padding": True, "truncation": True, "max_length": 64, "return_attention_mask": True},
    "single": {},
    "masked": {"truncation": True, "max_length": 64, "return_attention_mask": True},
    "pair": {"return_token_type_ids": True},
    "offsets": {"return_offsets_mapping": True},
}
CHUNK = 1000
LOADS = 3

# The same lines run on both sides, so that nothing but the tokenizer differs.
MEASURE = """
def measure(tokenizer, case, texts):
    start = time.perf_counter()
    if case == "floor":
        for place in range(0, len(texts), CHUNK):
            tokenizer._model.encode(texts[place : place + CHUNK], num_threads=os.cpu_count())
    elif case == "pair":
        for one, two in zip(texts[::2], texts[1::2]):
            tokenizer(one, text_pair=two, **OPTIONS[case])
    elif case in ("single", "masked"):
        for text in texts:
            tokenizer(text, **OPTIONS[case])
    else:
        for place in range(0, len(texts), CHUNK):
            tokenizer(texts[place : place + CHUNK], **OPTIONS[case])
    return len(texts) / (time.perf_counter() - start)
"""
# Seconds to load, seconds of the first call, and MB that both have added, in a process that has imported transformers.
LOAD = """
import os, sys, time
import transformers
if sys.argv[2] == "port":
    from transformers.models.deprecated.ernie_m.tokenization_ernie_m import ErnieMTokenizer as Tokenizer
else:
    from ernie_m.tokenization_ernie_m import PaddleErnieMTokenizer as Tokenizer
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
before, start = resident(), time.perf_counter()
folder = sys.argv[1]
files = [folder + "/sentencepiece.bpe.model", folder + "/vocab.txt"]
tokenizer = Tokenizer(*files) if sys.argv[2] == "port" else Tokenizer(*files[::-1])
loaded = time.perf_counter()
tokenizer("one text")
print(loaded - start, time.perf_counter() - loaded, resident() - before)
"""
REFERENCE = f"""
import json, sys, time, warnings
warnings.simplefilter("ignore")
from paddlenlp.transformers import ErnieMTokenizer
from paddlenlp.utils.log import logger
logger.disable()
OPTIONS, CHUNK = {OPTIONS!r}, {CHUNK}
{MEASURE}
folder, texts = json.loads(sys.stdin.readline())
tokenizer = ErnieMTokenizer.from_pretrained(folder)
for line in sys.stdin:
    print("speed", measure(tokenizer, line.strip(), texts), flush=True)
"""


def compare(folder: Path, texts: list[str], paddle_python: Path, rounds: int) -> dict[str, dict[str, float]]:
    """Return lines per second of ours and of PaddleNLP's for each way to call, the medians of all rounds."""
    from ernie_m.tokenization_ernie_m import PaddleErnieMTokenizer

    tokenizer = PaddleErnieMTokenizer.from_pretrained(str(folder))
    names: dict[str, Any] = {"os": os, "time": time, "OPTIONS": OPTIONS, "CHUNK": CHUNK}
    exec(MEASURE, names)
    speeds: dict[str, dict[str, list[float]]] = {case: {} for case in (*CASES, *OWN_CASES)}
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
            for case, found in speeds.items():
                answer = {}
                if case in CASES:
                    print(case, file=reference.stdin, flush=True)
                    answers = (line.split() for line in iter(reference.stdout.readline, ""))
                    answer["paddlenlp"] = next(float(words[1]) for words in answers if words[:1] == ["speed"])
                answer["ours"] = names["measure"](tokenizer, case, texts)
                for side, speed in answer.items() if number else ():  # the first round warms up: tables, caches
                    found.setdefault(side, []).append(speed)
        reference.stdin.close()
    return {case: {side: statistics.median(values) for side, values in found.items()} for case, found in speeds.items()}


def measure_loads(folder: Path, python: Path) -> dict[str, list[float]]:
    """Return seconds to load, seconds of the first call and MB, of ours and of the port; medians, in turn."""
    found: dict[str, list[list[float]]] = {"ours": [], "port": []}
    for _ in range(LOADS):
        for side, values in found.items():
            command = [str(python), "-c", LOAD, str(folder), side]
            done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
            values.append([float(word) for word in done.stdout.split()])
    return {side: [statistics.median(column) for column in zip(*values)] for side, values in found.items()}


def main() -> None:
    """Measure here and, with --write, in the other line of transformers too."""
    from tests.ernie_m.tokenization_reference import official_folder

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
        with tempfile.TemporaryDirectory() as place:
            folder = arguments.folder or official_folder(DATA, Path(place) / "tokenizer")
            figures["loads"] = measure_loads(folder, arguments.other_python)
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
        "speeds": speeds,
    }


def show(figures: Figures) -> str:
    """The tables of docs/tokenizer.md."""
    first = figures["lines"][0]
    head = ["lines per second"]
    for line in figures["lines"]:
        head += [f"transformers {line['transformers']}", "PaddleNLP", "ratio"]
    rows: list[list[object]] = []
    for case, label in (CASES | OWN_CASES).items():
        row: list[object] = [label]
        for line in figures["lines"]:
            ours, theirs = line["speeds"][case]["ours"], line["speeds"][case].get("paddlenlp")
            row += [f"{ours:,.0f}", f"{theirs:,.0f}" if theirs else "-", f"{ours / theirs:.1f}" if theirs else "-"]
        rows.append(row)
    said = f"{first['texts']:,} sentences of Tatoeba, medians of {first['rounds']} rounds, both sides in turn."
    text = f"{cite(figures)} {said}\n\n{table(head, rows)}\n\n{show_distances(figures)}"
    return f"{text}\n\n{show_loads(figures['loads'])}" if "loads" in figures else text


def show_distances(figures: Figures) -> str:
    """How far a batch is from sentencepiece alone, and a batch with offsets from one without."""
    parts = []
    for line in figures["lines"]:
        plain, offsets, floor = (line["speeds"][case]["ours"] for case in ("batch", "offsets", "floor"))
        parts.append(
            f"transformers {line['transformers']}: a batch takes {floor / plain:.2f} times as long as sentencepiece"
            f" alone, one with offsets {plain / offsets:.2f} times as long as one without."
        )
    return "\n".join(parts)


def show_loads(loads: dict[str, list[float]]) -> str:
    """Loading, beside the port of transformers 4.57."""
    head = ["transformers 4.57", "load (s)", "first call (s)", "memory of both (MB)"]
    names = {"ours": "ours", "port": "its own ErnieMTokenizer"}
    rows = [[names[side], f"{load:.2f}", f"{call:.2f}", f"{size:.0f}"] for side, (load, call, size) in loads.items()]
    return f"Medians of {LOADS} processes each, in turn:\n\n{table(head, [[*row] for row in rows])}"


if __name__ == "__main__":
    main()
