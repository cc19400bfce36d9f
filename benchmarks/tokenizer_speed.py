"""How fast our tokenizer is beside PaddleNLP's own: both on the same sentences, in turn, in one run.

    python benchmarks/tokenizer_speed.py FOLDER SENTENCES... [--paddle-python .venv-paddle/bin/python] [--rounds 5]

FOLDER holds vocab.txt and sentencepiece.bpe.model, SENTENCES are text files. The reference interpreter stays alive
beside this one, and one of the two works at a time; medians of all rounds are compared. Run it in each environment
(transformers 5 and 4.57) to have both ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
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
    sys.path.insert(0, str(ROOT))
    from ernie_m.tokenization_ernie_m import PaddleErnieMTokenizer

    tokenizer = PaddleErnieMTokenizer.from_pretrained(str(folder))
    names: dict[str, Any] = {"time": time, "PADDED": PADDED, "CHUNK": CHUNK}
    exec(MEASURE, names)
    speeds: dict[str, tuple[list[float], list[float]]] = {case: ([], []) for case in ("batch", "padded", "single")}
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
    """Parse the command line, measure, and print a table."""
    parser = argparse.ArgumentParser(description="Compare our tokenizer's speed with PaddleNLP's.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("sentences", type=Path, nargs="+")
    parser.add_argument("--paddle-python", type=Path, default=ROOT / ".venv-paddle" / "bin" / "python")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--lines", type=int, default=8000, help="take about so many lines, evenly")
    arguments = parser.parse_args()
    texts = [line for path in arguments.sentences for line in path.read_text("utf-8").split("\n") if line]
    texts = texts[:: max(len(texts) // arguments.lines, 1)]
    import transformers

    print(f"transformers {transformers.__version__}, {len(texts)} lines, medians of {arguments.rounds} rounds")
    print("| calls | ours, lines/s | PaddleNLP, lines/s | ratio |\n| --- | --- | --- | --- |")
    for case, (ours, theirs) in compare(arguments.folder, texts, arguments.paddle_python, arguments.rounds).items():
        print(f"| {case} | {ours:,.0f} | {theirs:,.0f} | {ours / theirs:.1f} |")


if __name__ == "__main__":
    main()
