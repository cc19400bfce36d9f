"""Contenders that do the same task, each in a process of its own, in turn: medians, spreads and ratios."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from benchmarks.figures import ROOT
from benchmarks.staying import Staying
from benchmarks.watching import Run, run_watched

PRODUCT, PADDLE, TRANSFORMERS4 = ".venv", ".venv-paddle", ".venv-transformers4"
#: Among a contender's words: a folder for what it writes.
OUTPUT = "{output}"
PROGRAMS = ROOT / "benchmarks" / "peers" / "programs"
#: What a row has of each contender, in the order of a run's figures.
MEASURED = ("seconds", "cpu_seconds", "own_megabytes", "file_megabytes")


@dataclass(frozen=True)
class Contender:
    """A program that does the task once. `environment`: the folder of its interpreter; "" runs `words` as they are.
    `task`: a line for a process that stays for other rounds and contests; None starts one for each round."""

    name: str
    environment: str
    words: tuple[str, ...]
    task: Optional[str] = None

    def command(self, output: Path) -> list[str]:
        python = [str(ROOT / self.environment / "bin" / "python")] if self.environment else []
        return [*python, *(word.replace(OUTPUT, str(output)) for word in self.words)]


@dataclass(frozen=True)
class Contest:
    """Contenders for one input, ours first. `across`: where it lies on the axis of a plot. `table`: the table that it
    is a line of; without it, it has a table of its own. `rounds`: at most so many. `warm`: behind one round that does
    not count."""

    label: str
    across: Optional[float]
    contenders: tuple[Contender, ...]
    table: str = ""
    rounds: Optional[int] = None
    warm: bool = True

    @property
    def key(self) -> str:
        """Its name in the figures."""
        return f"{self.table}: {self.label}" if self.table else self.label


def hold(contest: Contest, place: Path, rounds: int, staying: Staying) -> dict[str, Any]:
    """Run every contender `rounds` times, in turn: back and forth, so that nobody always comes behind the same one, and
    finds its caches. Raises SystemExit when one fails."""
    runs: dict[str, list[Run]] = {each.name: [] for each in contest.contenders}
    staying.end_all_but(each.command(place / "output") for each in contest.contenders if each.task is not None)
    counted = min(rounds, contest.rounds or rounds)
    for number in range(counted + contest.warm):
        for each in contest.contenders[:: -1 if number % 2 else 1]:
            found = _run(each, place, staying)
            print(f"{contest.key}, {each.name}: {found.seconds:.4g} s", file=sys.stderr, flush=True)
            if number >= contest.warm:
                runs[each.name].append(found)
    ours = runs[contest.contenders[0].name]
    return {
        "across": contest.across,
        **({"table": contest.table} if contest.table else {}),
        **({"rounds": counted} if counted < rounds else {}),
        "contenders": {name: {**_summary(found), **_ratios(found, ours)} for name, found in runs.items()},
    }


def _run(contender: Contender, place: Path, staying: Staying) -> Run:
    output = place / "output"
    if contender.task is not None:
        return _own_figures(staying.ask(contender.name, contender.command(output), _environment(), contender.task))
    shutil.rmtree(output, ignore_errors=True)
    found = run_watched(contender.command(output), _environment())
    shutil.rmtree(output, ignore_errors=True)
    if found.code:
        raise SystemExit(f"{contender.name} ended with {found.code}:\n{found.output[-2000:]}")
    return _own_figures(found)


def _environment() -> dict[str, str]:
    """As installed: with compiled modules, which a first run makes. Without the network."""
    found = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return {**found, "HF_HUB_OFFLINE": "1", "PYTHONPATH": str(ROOT)}


def _own_figures(found: Run) -> Run:
    """What a program measured of itself, where its last line has that: time, memory of its own."""
    last = found.output.strip().rpartition("\n")[2]
    try:
        own = json.loads(last)
    except ValueError:
        return found
    if not isinstance(own, dict) or "seconds" not in own:
        return found
    return found._replace(
        seconds=float(own["seconds"]),
        cpu_seconds=float(own.get("cpu_seconds", own["seconds"])),
        own_megabytes=float(own.get("own_megabytes", found.own_megabytes)),
    )


def _summary(runs: Sequence[Run]) -> dict[str, Any]:
    return {name: _spread([getattr(run, name) for run in runs]) for name in MEASURED}


def _ratios(runs: Sequence[Run], ours: Sequence[Run]) -> dict[str, Any]:
    """This one's to ours, of the two runs of each round: above 1 where ours is faster."""
    return {
        "ratio": _spread([one.seconds / mine.seconds for one, mine in zip(runs, ours)]),
        "cpu_ratio": _spread([one.cpu_seconds / mine.cpu_seconds for one, mine in zip(runs, ours)]),
    }


def _spread(values: Sequence[float]) -> list[float]:
    """Median, least, most."""
    return [float(f"{value:.5g}") for value in (statistics.median(values), min(values), max(values))]


def run_python(environment: str, *words: object) -> None:
    """Make an input. Raises SystemExit where the interpreter is missing, CalledProcessError when it fails."""
    python = ROOT / environment / "bin" / "python"
    if not python.exists():
        raise SystemExit(f"{python} is missing: `make env`")
    subprocess.run(
        [python, *map(str, words)], check=True, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
    )
