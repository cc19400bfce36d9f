"""Where the figures of docs/ are kept: each with the command that measured it and the commit that it measured.

A benchmark with --write puts what it found into a JSON file of docs/ and renders the document that shows it, between a
pair of markers. tests/documents/ compares each document with its JSON.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"

Figures = dict[str, Any]


def origin(command: str, written: bool = True) -> dict[str, str]:
    """What figures say of themselves. Raises SystemExit where they are to be written and the work tree is not the
    commit that they would name; docs/ may differ, since that is where figures go."""
    changed = _git("status", "--porcelain", "--", ".", ":!docs")
    if changed and written:
        raise SystemExit(f"figures name a commit, and the work tree is not that commit:\n{changed}\ncommit first")
    commit = _git("rev-parse", "--short=10", "HEAD") + (" and what is not committed" if changed else "")
    return {"command": command, "commit": commit, "machine": _machine()}


def cite(figures: Figures) -> str:
    """How a document says where its figures are from."""
    return f"Measured by `{figures['command']}` at commit `{figures['commit']}`, {figures['machine']}."


def read_figures(name: str) -> Figures:
    """The figures of docs/NAME; none where there is no such file yet."""
    path = DOCS / name
    figures: Figures = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return figures


def write_figures(name: str, figures: Figures) -> None:
    (DOCS / name).write_text(json.dumps(figures, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def insert(document: str, marker: str, text: str) -> str:
    """The document with `text` between the markers of this name. Raises ValueError where they are not there once."""
    begin, end = f"<!-- {marker}: begin -->", f"<!-- {marker}: end -->"
    if (document.count(begin), document.count(end)) != (1, 1):
        raise ValueError(f"the document has not one pair of markers {begin} {end}")
    before, rest = document.split(begin)
    return f"{before}{begin}\n{text}\n{end}{rest.split(end)[1]}"


def render(document: str, marker: str, text: str) -> None:
    """Put `text` into docs/DOCUMENT."""
    path = DOCS / document
    path.write_text(insert(path.read_text(encoding="utf-8"), marker, text), encoding="utf-8")


def table(head: list[str], rows: list[list[object]]) -> str:
    """A table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(str(cell) for cell in line)} |" for line in lines)


def record(section: str, figures: Figures, show: Callable[[Figures], str], document: str = "measurements.md") -> None:
    """Keep `figures` as a section of docs/measurements.json and show it in docs/DOCUMENT."""
    write_figures("measurements.json", {**read_figures("measurements.json"), section: figures})
    render(document, section, show(figures))


def _machine() -> str:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{platform.system()} {platform.machine()}, {cores} cores"


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
