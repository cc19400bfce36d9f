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
from benchmarks.watching import Run, run_watched

PRODUCT, PADDLE, TRANSFORMERS4 = ".venv", ".venv-paddle", ".venv-transformers4"
#: Among a contender's words: a folder for what it writes.
OUTPUT = "{output}"
PROGRAMS = ROOT / "benchmarks" / "peers" / "programs"
#: What a row has of each contender, in the order of a run's figures.
MEASURED = ("seconds", "cpu_seconds", "own_megabytes", "file_megabytes")


@dataclass(frozen=True)
class Contender:
    """A program that does the task once. `environment`: the folder of its interpreter; "" runs `words` as they are."""

    name: str
    environment: str
    words: tuple[str, ...]

    def command(self, output: Path) -> list[str]:
        python = [str(ROOT / self.environment / "bin" / "python")] if self.environment else []
        return [*python, *(word.replace(OUTPUT, str(output)) for word in self.words)]


@dataclass(frozen=True)
class Contest:
    """One row of a table: contenders for one input, ours first. `across`: where it lies on the axis of a plot."""

    label: str
    across: Optional[float]
    contenders: tuple[Contender, ...]


def hold(contest: Contest, place: Path, rounds: int) -> dict[str, Any]:
    """Run every contender `rounds` times, in turn, behind one round that warms caches. Raises SystemExit when one
    fails."""
    runs: dict[str, list[Run]] = {each.name: [] for each in contest.contenders}
    for number in range(rounds + 1):
        for each in contest.contenders:
            found = _run(each, place)
            print(f"{contest.label}, {each.name}: {found.seconds:.2f} s", file=sys.stderr, flush=True)
            if number:
                runs[each.name].append(found)
    ours = runs[contest.contenders[0].name]
    return {
        "across": contest.across,
        "contenders": {name: {**_summary(found), **_ratios(found, ours)} for name, found in runs.items()},
    }


def _run(contender: Contender, place: Path) -> Run:
    output = place / "output"
    shutil.rmtree(output, ignore_errors=True)
    # As installed: with compiled modules, which a first run makes.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    environment["HF_HUB_OFFLINE"] = "1"
    found = run_watched(contender.command(output), environment)
    shutil.rmtree(output, ignore_errors=True)
    if found.code:
        raise SystemExit(f"{contender.name} ended with {found.code}:\n{found.output[-2000:]}")
    return _own_figures(found)


def _own_figures(found: Run) -> Run:
    """What a program measured of itself, where its last line has that."""
    last = found.output.strip().rpartition("\n")[2]
    try:
        own = json.loads(last)
    except ValueError:
        return found
    if not isinstance(own, dict) or "seconds" not in own:
        return found
    return found._replace(seconds=float(own["seconds"]), cpu_seconds=float(own.get("cpu_seconds", own["seconds"])))


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
    return [round(value, 4) for value in (statistics.median(values), min(values), max(values))]


def run_python(environment: str, *words: object) -> None:
    """Make an input. Raises SystemExit where the interpreter is missing, CalledProcessError when it fails."""
    python = ROOT / environment / "bin" / "python"
    if not python.exists():
        raise SystemExit(f"{python} is missing: `make env`")
    subprocess.run(
        [python, *map(str, words)], check=True, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
    )
