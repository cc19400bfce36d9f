"""How long a conversion takes against copying and hashing, and how much memory of its own it needs.

    python -m benchmarks.convert_speed [SOURCE] [--format combined] [--size large] [--runs 5]

SOURCE is a folder of PaddleNLP's; by default a full-size checkpoint is made with PaddleNLP. With --format its tensors
are first written in that format, under the 2021 release's names or transformers' own (no head). Each run converts, then
does `cp WEIGHTS COPY && sha256sum WEIGHTS COPY`, in turn, so that a machine whose speed drifts bears on both. Memory
is what is not backed by a file (RssAnon of Linux), sampled every 5 ms.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from benchmarks.source_formats import FORMATS, write_as

ROOT = Path(__file__).resolve().parent.parent
#: What lies beside weights and is not copied and hashed in the comparison.
BESIDE = ("vocab.txt", "sentencepiece.bpe.model", "x.json", "config.json", "ernie_config.json")
BESIDE += ("tokenizer_config.json", "special_tokens_map.json")


def main() -> None:
    """Measure and print JSON."""
    parser = argparse.ArgumentParser(description="Time conversions against cp and sha256sum.")
    parser.add_argument("source", type=Path, nargs="?")
    parser.add_argument("--format", choices=FORMATS, help="default: as PaddleNLP wrote it")
    parser.add_argument("--size", choices=("base", "large"), default="base")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--paddle-python", type=Path, default=ROOT / ".venv-paddle" / "bin" / "python")
    arguments = parser.parse_args()
    scratch = ROOT / "demo"  # Ignored by git, and on the disk that the project is on.
    scratch.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        source = arguments.source or make_source(arguments.paddle_python, Path(folder) / "source", arguments.size)
        if arguments.format:
            source = write_as(arguments.format, source, Path(folder) / arguments.format)
        print(json.dumps(measure(source, Path(folder), arguments.runs), indent=2))


def make_source(paddle_python: Path, folder: Path, size: str) -> Path:
    script = ROOT / "benchmarks" / "make_checkpoint.py"
    command = [paddle_python, script, "--architecture", "ErnieMModel", "--size", size, "--output", folder]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return folder


def measure(source: Path, folder: Path, runs: int) -> dict[str, object]:
    weights = sorted(path for path in source.rglob("*") if path.is_file() and path.name not in BESIDE)
    rows = []
    for index in range(runs + 1):
        seconds, memory = convert(source, folder / "output")
        baseline = copy_and_hash(weights, folder / "copy")
        if index:  # The first warms the page cache.
            rows.append((seconds, baseline, memory))
    return {
        "source_bytes": sum(path.stat().st_size for path in weights),
        "runs": runs,
        "convert_seconds": round(statistics.median(row[0] for row in rows), 2),
        "copy_and_hash_seconds": round(statistics.median(row[1] for row in rows), 2),
        "ratios": [round(row[0] / row[1], 2) for row in rows],
        "median_ratio": round(statistics.median(row[0] / row[1] for row in rows), 2),
        "peak_anonymous_megabytes": round(max(row[2] for row in rows) / 1e6, 1),
    }


def convert(source: Path, output: Path) -> tuple[float, int]:
    """Wall seconds and the largest anonymous memory in bytes of one conversion."""
    shutil.rmtree(output, ignore_errors=True)
    start = time.monotonic()
    run = subprocess.Popen(
        [sys.executable, "-m", "converter", "convert", str(source), str(output)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    peak = 0
    done = threading.Event()

    def sample() -> None:
        nonlocal peak
        while not done.wait(0.005):
            peak = max(peak, anonymous_bytes(run.pid))

    sampler = threading.Thread(target=sample)
    sampler.start()
    code = run.wait()
    seconds = time.monotonic() - start
    done.set()
    sampler.join()
    if code:
        raise SystemExit(f"the conversion ended with {code}")
    return seconds, peak


def anonymous_bytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:")), 0)


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
