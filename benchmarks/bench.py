"""Speed and memory compared with other tools: docs/benchmarks.md, its figures and its plots.

    python -m benchmarks.bench [--only convert ...] [--rounds 3] [--write]

Each module of benchmarks/peers is a subject; its docstring has how one is added. Contenders run one at a time, each in
a process of its own, in turn, so that a change of the machine's speed affects all alike. Without --write some sizes are
measured and shown (some minutes); with it all of them (an hour), and the figures go to docs/, subject by subject. Both
are compared with the figures that are there: what became slower beyond the spread of both runs is named. --render
writes the page and the plots again from the figures that are there.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

from benchmarks import peers
from benchmarks.contest import hold
from benchmarks.figures import DOCS, ROOT, Figures, cite, origin, read_figures, table, write_figures
from benchmarks.log_chart import draw_points
from benchmarks.staying import Staying

COMMAND = "python -m benchmarks.bench --write"
FIGURES, DOCUMENT = "benchmarks.json", "benchmarks.md"
SUBJECTS = tuple(sorted(module.name for module in pkgutil.iter_modules(peers.__path__)))
INTRODUCTION = """# Speed and memory compared with other tools

Contenders do the same task, each in a process of its own, in turn and in one run, so that a change of the machine's
speed affects all alike. Machines are shared: seconds are upper bounds, and CPU time says more than wall time.
Figures are medians, with the least and the most of all rounds; "to ours" is the ratio of the two runs of one round,
above 1 where ours is faster. In tables with a line for each task a cell is the median and, in brackets, the ratio to
ours, which stands first. Memory is the most that a program and its children had at once, sampled every 10 ms (less
often while processes share pages, which are counted once): their own, and pages of files, which the system takes back
when it needs them. `make bench` measures some sizes in some
minutes, `make bench FULL=1` all of them and writes this page; `benchmarks/peers/__init__.py` has how a subject is
added. A test compares this page and its plots with `docs/benchmarks.json`.
"""
#: Plots: the ending of the file -> the figure, what its axis is called.
PLOTS = {"time": ("seconds", "seconds"), "memory": ("own_megabytes", "memory of its own, MB")}


def main() -> None:
    """Measure; print tables or write the documents."""
    parser = argparse.ArgumentParser(description="Compare speed and memory with other tools.")
    parser.add_argument("--only", nargs="+", choices=SUBJECTS, default=SUBJECTS, help="these subjects")
    parser.add_argument("--rounds", type=int, default=3, help="rounds that count (3); tasks of minutes have fewer")
    parser.add_argument("--place", type=Path, default=ROOT / "demo" / "bench", help="inputs, kept between runs")
    ways = parser.add_mutually_exclusive_group()
    ways.add_argument("--write", action="store_true", help="all sizes, and docs/benchmarks.*")
    ways.add_argument("--render", action="store_true", help="measure nothing: docs/ from docs/benchmarks.json")
    arguments = parser.parse_args()
    if arguments.render:
        render(read_figures(FIGURES))
        return
    source = origin(COMMAND, arguments.write)
    arguments.place.mkdir(parents=True, exist_ok=True)
    for name in arguments.only:
        start, known = time.monotonic(), read_figures(FIGURES)
        rows = measure(name, arguments.place, arguments.write, arguments.rounds)
        figures = {**source, "rounds": arguments.rounds, "rows": rows, "slower": slower(known.get(name), rows)}
        if arguments.write:
            write_figures(FIGURES, dict(sorted({**known, name: figures}.items())))
            render(read_figures(FIGURES))
        else:
            print(show(name, figures))
        for line in figures["slower"]:
            print(f"slower than at {known[name]['commit']}: {line}", file=sys.stderr)
        print(f"{name}: {(time.monotonic() - start) / 60:.1f} minutes", file=sys.stderr)


def measure(name: str, place: Path, full: bool, rounds: int) -> dict[str, Any]:
    """A row for each contest of a subject."""
    rows: dict[str, Any] = {}
    with Staying() as staying:
        for contest in load(name).contests(place, full):
            assert contest.key not in rows, f"two contests are called {contest.key}"
            rows[contest.key] = hold(contest, place, rounds, staying)
    return rows


def load(name: str) -> ModuleType:
    """The subject of this name."""
    return importlib.import_module(f"benchmarks.peers.{name}")


def render(measured: Figures) -> None:
    """Write the page and its plots."""
    (DOCS / DOCUMENT).write_text(page(measured), encoding="utf-8")
    for name, figures in measured.items():
        for file, picture in draw(name, figures):
            (DOCS / file).write_text(picture, encoding="utf-8")


def page(measured: Figures) -> str:
    """docs/benchmarks.md: a section for each subject that was measured."""
    return "\n".join([INTRODUCTION, *(show(name, measured[name]) for name in sorted(measured))])


def show(name: str, figures: Figures) -> str:
    """A section: where it is from, the tables, the plots, what became slower."""
    subject = load(name)
    parts = [f"## {subject.TITLE}", subject.NOTE, f"{cite(figures)} Rounds: {figures['rounds']}."]
    parts += _tables(figures["rows"])
    parts += [f"![{subject.TITLE}, {up}, by {subject.ACROSS}]({file})" for file, _, up in _plots(name, figures)]
    slow = figures["slower"]
    parts.append("Slower than in the run before: " + ("; ".join(slow) if slow else "nothing") + ".")
    return "\n\n".join(parts) + "\n"


def _tables(rows: dict[str, Any]) -> Iterator[str]:
    """One for each contest, then those that several contests share."""
    shared: dict[str, dict[str, Any]] = {}
    for key, row in rows.items():
        fewer = f" ({row['rounds']} round{'s' * (row['rounds'] > 1)})" if "rounds" in row else ""
        if "table" in row:
            shared.setdefault(row["table"], {})[key.removeprefix(f"{row['table']}: ") + fewer] = row
        else:
            yield _table(key + fewer, row)
    for title, lines in shared.items():
        yield _shared_table(title, lines)


def _table(label: str, row: dict[str, Any]) -> str:
    head = [label, "wall", "to ours", "CPU", "to ours", "memory of its own", "pages of files"]
    lines: list[list[object]] = []
    for name, found in row["contenders"].items():
        own, of_files = (f"{found[key][0]:,.0f} MB" for key in ("own_megabytes", "file_megabytes"))
        wall, cpu = _spread_of_time(found["seconds"]), _spread_of_time(found["cpu_seconds"])
        lines.append([name, wall, _ratio(found["ratio"]), cpu, _ratio(found["cpu_ratio"]), own, of_files])
    return table(head, lines)


def _shared_table(title: str, rows: dict[str, Any]) -> str:
    names = list(dict.fromkeys(name for row in rows.values() for name in row["contenders"]))
    lines: list[list[object]] = []
    for label, row in rows.items():
        ours, *_ = row["contenders"]
        found = {name: each["seconds"][0] for name, each in row["contenders"].items()}
        ratios = {name: f" ({each['ratio'][0]:.2f})" for name, each in row["contenders"].items() if name != ours}
        cells = [_time(found[name]) + ratios.get(name, "") if name in found else "-" for name in names]
        lines.append([label, *cells])
    return table([title, *names], lines)


def _spread_of_time(spread: list[float]) -> str:
    middle, least, most = map(_time, spread)
    return f"{middle} ({least} to {most})"


def _time(seconds: float) -> str:
    if seconds < 1:
        return f"{1000 * seconds:.3g} ms"
    return f"{seconds:.3g} s" if seconds < 10 else f"{seconds:.1f} s"


def _ratio(spread: list[float]) -> str:
    return "{:.2f} ({:.2f} to {:.2f})".format(*spread)


def _plots(name: str, figures: Figures) -> Iterator[tuple[str, str, str]]:
    """File, figure, name of the axis: where contests lie at two places or more of a subject's axis."""
    if len(_places(figures)) > 1:
        for ending in load(name).PLOTTED:
            yield f"benchmarks-{name}-{ending}.svg", *PLOTS[ending]


def _places(figures: Figures) -> list[dict[str, Any]]:
    return sorted((row for row in figures["rows"].values() if row["across"] is not None), key=lambda row: row["across"])


def draw(name: str, figures: Figures) -> Iterator[tuple[str, str]]:
    """The files of a subject's plots."""
    for file, key, up in _plots(name, figures):
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
