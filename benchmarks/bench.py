"""Speed and memory compared with other tools: docs/benchmarks.md, its figures and its plots.

    python -m benchmarks.bench [--only convert ...] [--rounds 3] [--write]

Each module of benchmarks/peers is a subject; its docstring has how one is added. Contenders run one at a time, each in
a process of its own, in turn, so that a change of the machine's speed affects all alike. Without --write some sizes are
measured and shown; with it all of them, and the figures go to docs/. Both are compared with the figures that are there:
what became slower beyond the spread of both runs is named.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmarks import peers
from benchmarks.contest import hold
from benchmarks.figures import DOCS, ROOT, Figures, cite, origin, read_figures, table, write_figures
from benchmarks.log_chart import draw_points

COMMAND = "python -m benchmarks.bench --write"
FIGURES, DOCUMENT = "benchmarks.json", "benchmarks.md"
SUBJECTS = tuple(sorted(module.name for module in pkgutil.iter_modules(peers.__path__)))
INTRODUCTION = """# Speed and memory compared with other tools

Contenders do the same task, each in a process of its own, in turn and in one run, so that a change of the machine's
speed affects all alike. Machines are shared: seconds are upper bounds, and CPU time says more than wall time.
Figures are medians, with the least and the most of all rounds; "to ours" is the ratio of the two runs of one round,
above 1 where ours is faster. Memory is the most that a program and its children had at once, sampled every 10 ms:
their own, and pages of files, which the system takes back when it needs them. `make bench` measures some sizes in
some minutes, `make bench FULL=1` all of them and writes this page; `benchmarks/peers/__init__.py` has how a subject
is added. A test compares this page and its plots with `docs/benchmarks.json`.
"""
#: Plots: the ending of the file, the figure, what its axis is called.
PLOTS = (("time", "seconds", "seconds"), ("memory", "own_megabytes", "memory of its own, MB"))


def main() -> None:
    """Measure; print tables or write the documents."""
    parser = argparse.ArgumentParser(description="Compare speed and memory with other tools.")
    parser.add_argument("--only", nargs="+", choices=SUBJECTS, default=SUBJECTS, help="these subjects")
    parser.add_argument("--rounds", type=int, help="rounds that count (3; with --write 5)")
    parser.add_argument("--place", type=Path, default=ROOT / "demo" / "bench", help="inputs, kept between runs")
    parser.add_argument("--write", action="store_true", help="all sizes, and docs/benchmarks.*")
    arguments = parser.parse_args()
    source = origin(COMMAND, arguments.write)
    rounds = arguments.rounds or (5 if arguments.write else 3)
    arguments.place.mkdir(parents=True, exist_ok=True)
    for name in arguments.only:
        subject = load(name)
        found = subject.contests(arguments.place, arguments.write)
        rows = {contest.label: hold(contest, arguments.place, rounds) for contest in found}
        known = read_figures(FIGURES)
        figures = {**source, "rounds": rounds, "rows": rows, "slower": slower(known.get(name), rows)}
        if arguments.write:
            write_figures(FIGURES, {**known, name: figures})
            (DOCS / DOCUMENT).write_text(page(read_figures(FIGURES)), encoding="utf-8")
            for file, picture in draw(name, figures):
                (DOCS / file).write_text(picture, encoding="utf-8")
        else:
            print(show(name, figures))
        for line in figures["slower"]:
            print(f"slower than at {known[name]['commit']}: {line}", file=sys.stderr)


def load(name: str) -> ModuleType:
    """The subject of this name."""
    return importlib.import_module(f"benchmarks.peers.{name}")


def page(measured: Figures) -> str:
    """docs/benchmarks.md: a section for each subject that was measured."""
    return "\n".join([INTRODUCTION, *(show(name, measured[name]) for name in sorted(measured))])


def show(name: str, figures: Figures) -> str:
    """A section: where it is from, the tables, the plots, what became slower."""
    subject = load(name)
    parts = [f"## {subject.TITLE}", subject.NOTE, f"{cite(figures)} Rounds: {figures['rounds']}."]
    parts += [_table(label, row) for label, row in figures["rows"].items()]
    parts += [f"![{subject.TITLE}, {up}, by {subject.ACROSS}]({file})" for file, up in _plots(name, figures)]
    slow = figures["slower"]
    parts.append("Slower than in the run before: " + ("; ".join(slow) if slow else "nothing") + ".")
    return "\n\n".join(parts) + "\n"


def _table(label: str, row: dict[str, Any]) -> str:
    head = [label, "wall", "to ours", "CPU", "to ours", "memory of its own", "pages of files"]
    lines: list[list[object]] = []
    for name, found in row["contenders"].items():
        own, of_files = (f"{found[key][0]:,.0f} MB" for key in ("own_megabytes", "file_megabytes"))
        wall, cpu = _time(found["seconds"]), _time(found["cpu_seconds"])
        lines.append([name, wall, _ratio(found["ratio"]), cpu, _ratio(found["cpu_ratio"]), own, of_files])
    return table(head, lines)


def _time(spread: list[float]) -> str:
    middle, least, most = (f"{value:.3g}" if value < 10 else f"{value:.1f}" for value in spread)
    return f"{middle} s ({least} to {most})"


def _ratio(spread: list[float]) -> str:
    return "{:.2f} ({:.2f} to {:.2f})".format(*spread)


def _plots(name: str, figures: Figures) -> Iterator[tuple[str, str]]:
    if len(_places(figures)) > 1:
        for ending, _, up in PLOTS:
            yield f"benchmarks-{name}-{ending}.svg", up


def _places(figures: Figures) -> list[dict[str, Any]]:
    return sorted((row for row in figures["rows"].values() if row["across"] is not None), key=lambda row: row["across"])


def draw(name: str, figures: Figures) -> Iterator[tuple[str, str]]:
    """The files of a subject's plots, where its contests lie at two places or more of its axis."""
    for (file, up), (_, key, _) in zip(_plots(name, figures), PLOTS):
        lines: dict[str, list[tuple[float, float, float, float]]] = {}
        for row in _places(figures):
            for contender, found in row["contenders"].items():
                lines.setdefault(contender, []).append((row["across"], *found[key]))
        yield file, draw_points(load(name).ACROSS, up, lines)


def slower(before: Figures | None, rows: dict[str, Any]) -> list[str]:
    """Where ours lost against a peer since the run before: its largest ratio now is below the least one then. Seconds
    of two runs are not compared, for the machine may be another."""
    lines = []
    for label, row in rows.items():
        known = before["rows"].get(label, {}).get("contenders", {}) if before else {}
        for peer, found in list(row["contenders"].items())[1:]:
            if peer in known and found["ratio"][2] < known[peer]["ratio"][1]:
                lines.append(f"{label}, to {peer}: {known[peer]['ratio'][0]:.2f} -> {found['ratio'][0]:.2f}")
    return lines


if __name__ == "__main__":
    main()
