"""The picture in docs/architecture.md, and the imports of the code: they agree, and there is no circle."""

from __future__ import annotations

import re
from pathlib import Path

import grimp
import pytest

from benchmarks.room_picture import (
    DOCUMENT,
    PACKAGES,
    PICTURE,
    draw,
    imports_between_rooms,
    reachable,
    remove_implied,
    short,
)

ROOT = Path(__file__).resolve().parents[2]
PROJECT = (*PACKAGES, "tests", "benchmarks")


def pictured() -> dict[str, set[str]]:
    """The arrows of the document, under the names that it uses: `a & b --> c & d` are four."""
    found = PICTURE.search(DOCUMENT.read_text(encoding="utf-8"))
    assert found is not None
    arrows: dict[str, set[str]] = {}
    for line in found[0].splitlines()[1:]:
        if line.split()[:1] in (["subgraph"], ["end"]):
            continue
        source, _, target = line.partition("-->")
        for name in re.findall(r"\w+", source):
            arrows.setdefault(name, set()).update(re.findall(r"\w+", target))
    return arrows


def imported() -> dict[str, set[str]]:
    rooms = imports_between_rooms()
    assert len({short(room) for room in rooms}) == len(rooms), "two rooms have one name in the picture"
    return {short(room): set(map(short, targets)) for room, targets in rooms.items()}


def test_every_room_is_in_the_picture_and_no_other() -> None:
    assert set(pictured()) | set().union(*pictured().values()) == set(imported())


def test_every_arrow_of_the_picture_is_an_import() -> None:
    real = imported()
    assert [(a, b) for a, targets in pictured().items() for b in targets if b not in real[a]] == []


def test_every_import_between_rooms_is_an_arrow_or_follows_from_arrows() -> None:
    drawn = pictured()
    assert [(a, b) for a, targets in imported().items() for b in targets if b not in reachable(drawn, a)] == []


def test_the_picture_is_the_one_that_would_be_drawn_today() -> None:
    found = PICTURE.search(DOCUMENT.read_text(encoding="utf-8"))
    expected = draw(remove_implied(imports_between_rooms()))
    assert found is not None and found[0] == expected, "run `python -m benchmarks.room_picture --write`"


@pytest.mark.parametrize("name", ["architecture.md", "adding.md"])
def test_every_file_and_folder_that_the_map_names_is_there(name: str) -> None:
    text = (ROOT / "docs" / name).read_text(encoding="utf-8")
    folders = "|".join(PROJECT)
    places = re.findall(rf"`((?:{folders})/[^`\s]*)`", text)
    assert len(places) > 10
    assert [place for place in places if "FAMILY" not in place and not (ROOT / place).exists()] == []


def test_an_arrow_that_follows_from_others_is_not_drawn() -> None:
    arrows = {"top": {"middle", "bottom"}, "middle": {"bottom"}, "bottom": set()}
    assert remove_implied(arrows) == {"top": {"middle"}, "middle": {"bottom"}, "bottom": set()}


def test_modules_import_each_other_in_no_circle() -> None:
    """Also in tests and benchmarks, which import-linter does not look at, and with imports for a type checker only."""
    graph = grimp.build_graph(*PROJECT, cache_dir=None)
    arrows = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    assert find_circles(arrows) == TEMPORARY


def test_test_support_imports_no_benchmark() -> None:
    graph = grimp.build_graph(*PROJECT, cache_dir=None)
    support = [module for module in graph.modules if module.startswith("tests.support.")]
    assert support
    found = [(module, other) for module in support for other in graph.find_modules_directly_imported_by(module)]
    assert [pair for pair in found if pair[1].startswith("benchmarks.")] == []


def find_circles(arrows: dict[str, set[str]]) -> set[frozenset[str]]:
    """The sets of modules in which each imports each other one, by whatever way."""
    further = {module: reachable(arrows, module) for module in arrows}
    circles = (frozenset(o for o in further[m] if m in further[o]) for m in arrows if m in further[m])
    return set(circles)


def test_a_circle_is_found() -> None:
    arrows = {"a": {"b"}, "b": {"c"}, "c": {"a", "d"}, "d": set()}
    assert find_circles(arrows) == {frozenset("abc")}


#: Circles that are being cut: to be emptied.
TEMPORARY: set[frozenset[str]] = set()
