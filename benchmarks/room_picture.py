"""Write the picture of the rooms in docs/architecture.md from the imports of the code.

    python -m benchmarks.room_picture [--write]

Without --write the picture goes to standard output. tests/documents/test_architecture.py holds the picture against the
imports.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import grimp

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parent.parent
DOCUMENT = ROOT / "docs" / "architecture.md"
PICTURE = re.compile(r"(?<=```mermaid\n).*?(?=```)", re.DOTALL)
PACKAGES = ("converter", "mappings", "verify", "evaluation", "extraction", "ernie", "ernie_m", "paddle2torch")
#: These two are divided into rooms; the others are one room each.
DIVIDED = ("converter", "verify")

Arrows = dict[str, set[str]]


def main() -> int:
    """Print the picture, or write it into the document."""
    parser = argparse.ArgumentParser(description="Write the picture of the rooms in docs/architecture.md.")
    parser.add_argument("--write", action="store_true")
    picture = draw(remove_implied(imports_between_rooms()))
    if parser.parse_args().write:
        DOCUMENT.write_text(PICTURE.sub(lambda _: picture, DOCUMENT.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        sys.stdout.write(picture)
    return 0


def room_of(module: str) -> str | None:
    """The room of a module: `converter.open` of `converter.open.shards`; None for what stands above the rooms
    (`converter`, `verify`, `converter.__main__`)."""
    package, *inner = module.split(".")
    if package not in DIVIDED:
        return package
    return f"{package}.{inner[0]}" if inner and inner[0] != "__main__" else None


def imports_between_rooms() -> Arrows:
    """Every room -> the rooms that it imports, without the imports that a contract of pyproject.toml excuses."""
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    excused = _excused_imports(graph)
    arrows: Arrows = {room: set() for room in map(room_of, graph.modules) if room}
    for importer in graph.modules:
        for imported in graph.find_modules_directly_imported_by(importer):
            source = room_of(importer)
            target = "verify.run" if imported == "verify" else room_of(imported)  # The package offers what run has.
            target = "converter.cli" if imported == "converter.__main__" else target  # Which starts the command.
            if source and target and source != target and (importer, imported) not in excused:
                arrows[source].add(target)
    return arrows


def _excused_imports(graph: grimp.ImportGraph) -> set[tuple[str, str]]:
    settings: Any = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    circles = next(contract for contract in settings["contracts"] if contract["id"] == "no-circles")
    excused: set[tuple[str, str]] = set()
    for line in circles.get("ignore_imports", ()):
        found = graph.find_matching_direct_imports(line)
        excused |= {(one["importer"], one["imported"]) for one in found}
    return excused


def reachable(arrows: Mapping[str, set[str]], room: str) -> set[str]:
    """The rooms that a path of arrows leads to from `room`."""
    found: set[str] = set()
    waiting = list(arrows.get(room, ()))
    while waiting:
        other = waiting.pop()
        if other not in found:
            found.add(other)
            waiting += arrows.get(other, ())
    return found


def remove_implied(arrows: Arrows) -> Arrows:
    """The arrows without those that a longer path implies; `arrows` must have no circle."""
    return {
        room: {to for to in targets if not any(to in reachable(arrows, other) for other in targets - {to})}
        for room, targets in arrows.items()
    }


def draw(arrows: Arrows) -> str:
    """The text of a mermaid flowchart, one line a room, the highest room first."""
    rooms = sorted(arrows, key=lambda room: (-len(reachable(arrows, room)), room))
    lines = ["flowchart TD"]
    for package in DIVIDED:
        names = [short(room) for room in rooms if room.startswith(package + ".")]
        lines += [f"    subgraph {package}", f"        {' & '.join(names)}", "    end"]
    lines += [f"    {short(room)} --> {' & '.join(map(short, sorted(arrows[room])))}" for room in rooms if arrows[room]]
    imported = set().union(*arrows.values())
    lines += [f"    {room}" for room in rooms if room in PACKAGES and not arrows[room] and room not in imported]
    return "\n".join(lines) + "\n"


def short(room: str) -> str:
    """A room's name in the picture: no two rooms of converter and verify have the same."""
    return room.rpartition(".")[2]


if __name__ == "__main__":
    sys.exit(main())
