"""How fast the model is beside transformers 4.57's port and PaddleNLP, and what gradient checkpointing saves.

    python -m benchmarks.model_speed [--rounds 3] [--size short] [--full] [--memory] [--write]

Every contender is a process that stays alive; one of them works at a time, and each does one step of a task before the
next round, so that a change of the machine's speed affects all alike. Ratios are of the two steps of one round. Without
--full some shapes are measured. --memory shows gradient checkpointing instead. --write puts the table into
docs/model.md.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

from benchmarks.figures import ROOT, Figures, cite, origin, record, table

SECTION = "model speed"
COMMAND = "python -m benchmarks.model_speed --write"
WAYS, SKIPPING = ("eager", "sdpa"), " skip-padding"
PEERS = {"port": ".venv-transformers4", "paddle": ".venv-paddle"}
#: Contender -> the folder of its interpreter, peers behind ours. What skips padding has no part where there is none.
CONTENDERS = {**{way + option: ".venv" for option in ("", SKIPPING) for way in WAYS}, **PEERS}
#: Texts, tokens, threads.
QUICK = [(1, 128, 1), (8, 32, 1)]
FULL = [(batch, length, threads) for threads in (1, 2) for batch in (1, 8, 32) for length in (32, 128, 512)]
#: For gradient checkpointing.
MEMORY = {"size": "medium", "work": "training", "batch": 8, "length": 512, "padded": False, "memory": True}


class Worker:
    """A contender's process."""

    def __init__(self, stack: ExitStack, contender: str, threads: int) -> None:
        python = ROOT / CONTENDERS.get(contender, ".venv") / "bin" / "python"
        script = ROOT / "benchmarks" / "model_worker.py"
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "HF_HUB_OFFLINE": "1", "KMP_BLOCKTIME": "0"}
        environment.update({name: str(threads) for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")})
        environment["OMP_WAIT_POLICY"] = "PASSIVE"  # a thread that spins takes the core of whoever shares the machine
        self.process = stack.enter_context(
            subprocess.Popen(
                [str(python), str(script), contender, str(threads)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
                env=environment,
            )
        )
        assert self.process.stdin is not None
        stack.callback(self.process.stdin.close)

    def do(self, task: dict[str, Any]) -> dict[str, float]:
        """One step. Raises SystemExit where the process ended."""
        assert self.process.stdin is not None and self.process.stdout is not None
        print(json.dumps(task), file=self.process.stdin, flush=True)
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"{self.process.args!r} ended with {self.process.wait()}")
        found: dict[str, float] = json.loads(line)
        return found


def main() -> None:
    """Measure; print the tables or write the document."""
    parser = argparse.ArgumentParser(description="Compare the model's speed with its peers'.")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--size", default="short", help="of benchmarks/model_worker.py")
    parser.add_argument("--full", action="store_true", help="all shapes (hours)")
    parser.add_argument("--memory", action="store_true", help="what gradient checkpointing saves, instead of speed")
    parser.add_argument("--write", action="store_true", help="docs/measurements.json and docs/model.md")
    arguments = parser.parse_args()
    source = origin(COMMAND, arguments.write)
    if arguments.memory:
        print(show_memory({**source, "megabytes": measure_memory()}))
        return
    rows = list(measure_all(FULL if arguments.full else QUICK, arguments.size, arguments.rounds))
    figures: Figures = {**source, "rounds": arguments.rounds, "rows": rows}
    if arguments.write:
        record(SECTION, figures, show, "model.md")
    else:
        print(show(figures))


def measure_all(shapes: list[tuple[int, int, int]], size: str, rounds: int) -> Iterator[dict[str, Any]]:
    """A row for each task."""
    for threads in sorted({shape[2] for shape in shapes}):
        with ExitStack() as stack:
            workers = {name: Worker(stack, name, threads) for name in CONTENDERS}
            for task in tasks(shapes, threads, size):
                row = {**task, "threads": threads, **measure(workers, task, rounds)}
                print(json.dumps(row), file=sys.stderr, flush=True)
                yield row


def tasks(shapes: list[tuple[int, int, int]], threads: int, size: str) -> Iterator[dict[str, Any]]:
    """Forward and training, full and padded batches; a single text has no padding."""
    for batch, length in ((shape[0], shape[1]) for shape in shapes if shape[2] == threads):
        for padded in (False, True) if batch > 1 else (False,):
            for work in ("forward", "training"):
                yield {"size": size, "work": work, "batch": batch, "length": length, "padded": padded}


def measure(workers: dict[str, Worker], task: dict[str, Any], rounds: int) -> dict[str, Any]:
    """Medians of wall and CPU seconds, and of the ratios of each peer to ours: above 1 where ours is faster."""
    found: dict[str, list[dict[str, float]]] = {
        name: [] for name in workers if task["padded"] or not name.endswith(SKIPPING)
    }
    for number in range(rounds + 1):
        # Back and forth, so that nobody always comes behind the same one, and finds its caches.
        for name in sorted(found, key=list(found).index, reverse=bool(number % 2)):
            once = workers[name].do(task)
            if number:  # the first round warms up
                found[name].append(once)
    measured: dict[str, Any] = {"seconds": {}, "ratios": {}}
    for name, steps in found.items():
        measured["seconds"][name] = round(statistics.median(step["seconds"] for step in steps), 4)
    for ours in (name for name in found if name not in PEERS):
        for peer in PEERS:
            for kind in ("seconds", "cpu_seconds"):
                ratios = [one[kind] / mine[kind] for one, mine in zip(found[peer], found[ours])]
                measured["ratios"].setdefault(f"{ours} to {peer}", []).append(round(statistics.median(ratios), 2))
    return measured


def measure_memory() -> dict[str, float]:
    """Megabytes of a training step with and without gradient checkpointing, each in a process of its own."""
    found: dict[str, float] = {}
    for way in WAYS:
        for option in ("", " checkpointing"):
            with ExitStack() as stack:
                found[way + option] = round(Worker(stack, way + option, 2).do(MEMORY)["own_megabytes"])
                print(f"{way}{option}: {found[way + option]} MB", file=sys.stderr, flush=True)
    return found


def show(figures: Figures) -> str:
    """The table of speed."""
    rows: list[list[object]] = []
    for row in figures["rows"]:
        options = ("", SKIPPING) if row["padded"] else ("",)
        for option in options:
            shape = f"{row['batch']} x {row['length']}{', padded' if row['padded'] else ''}"
            shape += ", `skip_padding`" if option else ""
            names = [*(way + option for way in WAYS), *PEERS]
            times = (f"{1000 * row['seconds'][name]:.0f}" for name in names)
            pairs = (f"{way}{option} to {peer}" for way in WAYS for peer in PEERS)
            ratios = ("{:.2f} ({:.2f})".format(*row["ratios"][pair]) for pair in pairs)
            rows.append([row["work"], shape, row["threads"], *times, *ratios])
    head = ["step", "batch", "threads", *(f"{name}, ms" for name in (*WAYS, *PEERS))]
    head += [f"{way} to {peer}" for way in WAYS for peer in PEERS]
    return f"{cite(figures)} Rounds: {figures['rounds']}.\n\n{table(head, rows)}"


def show_memory(figures: Figures) -> str:
    """The table of gradient checkpointing."""
    rows: list[list[object]] = []
    for way in WAYS:
        plain, less = figures["megabytes"][way], figures["megabytes"][f"{way} checkpointing"]
        rows.append([way, f"{plain:,.0f} MB", f"{less:,.0f} MB", f"{100 * (1 - less / plain):.0f} %"])
    head = ["a training step, 8 x 512, 4 layers", "plain", "gradient checkpointing", "less"]
    return f"{cite(figures)} Peaks of memory that no file holds.\n\n{table(head, rows)}"


if __name__ == "__main__":
    main()
