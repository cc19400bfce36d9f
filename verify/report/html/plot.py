"""The error of every place in the network against its limit, as a drawing in SVG."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Callable

from mappings.network import Network
from verify.report.groups import column_of, column_order, family_of, runs_alone
from verify.report.plain_text import to_html
from verify.results.numbers import ZERO_ROW, FirstDifference, SiteResult, share_of_limit
from verify.results.report import Report

WIDTH, HEIGHT = 960, 380
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 18, 42, 52
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
#: What a point may be: the state after a layer (joined by a line), something inside it, or of a row without keys.
STATE, INSIDE, HIDDEN_ROW = "state", "inside", "hidden-row"
_NAMES = {STATE: "result of a layer", INSIDE: "inside a layer", HIDDEN_ROW: "rows with every key masked"}
_SHIFT = {STATE: 0.0, INSIDE: -0.24, HIDDEN_ROW: 0.24}


@dataclass(frozen=True)
class Point:
    """The worst of one kind at one place. `measured` is None where the arrays could not be compared."""

    column: str
    kind: str
    site: str
    case: str
    measured: float | None
    limit: float
    failed: int


def plot_points(report: Report) -> list[Point]:
    """For every place in the order of the network and each kind, the site that is nearest to its limit or above it.
    What was looked at alone has another limit than what stands around it: it is drawn where it differs."""
    groups: dict[tuple[str, str], list[SiteResult]] = {}
    network = family_of(report).network
    for site in report.sites:
        if site.passed and runs_alone(site.site):
            continue
        column, is_state = column_of(network, site.site)
        kind = HIDDEN_ROW if site.case.startswith(ZERO_ROW) else STATE if is_state else INSIDE
        groups.setdefault((column, kind), []).append(site)
    points = []
    for column, kind in sorted(groups, key=lambda key: (column_order(key[0]), key[1])):
        found = groups[column, kind]
        worst = max(found, key=share_of_limit)
        failed = sum(not site.passed for site in found)
        points.append(Point(column, kind, worst.site, worst.case, worst.max_rel, worst.tolerance, failed))
    return points


def draw_plot(report: Report) -> str:
    """An <svg> element; empty text when there is nothing to draw. Colours come from the page's style."""
    points = plot_points(report)
    if not points:
        return ""
    columns = list(dict.fromkeys(point.column for point in points))
    step = (WIDTH - _LEFT - _RIGHT) / len(columns)
    middle = {column: _LEFT + step * (number + 0.5) for number, column in enumerate(columns)}
    low, high = _span(points)
    inner = HEIGHT - _TOP - _BOTTOM

    def height_of(value: float | None) -> float:
        if value is None:
            return float(_TOP)
        share = (math.log10(max(value, 10.0**low)) - low) / (high - low)
        return _TOP + inner * (1 - min(share, 1.0))

    parts = [
        f'<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="Error by layer against the limit">',
        *_grid(low, high, height_of),
        *_names(columns, middle, step),
        *_first(report.first_difference, family_of(report).network, middle),
        *_limits(points, middle, step, height_of),
        *_line(points, middle, height_of),
        *(_mark(point, middle[point.column] + step * _SHIFT[point.kind], height_of) for point in points),
        *_legend(points),
        "</svg>",
    ]
    return "\n".join(parts)


def _span(points: Sequence[Point]) -> tuple[int, int]:
    """Decades of the axis: from under the smallest number to over the largest and the limits."""
    values = [value for point in points for value in (point.measured, point.limit) if value]
    if not values:
        return -18, -10
    low = math.floor(math.log10(max(min(values), 1e-20)))
    high = math.ceil(math.log10(min(max(values), 1e6)) + 0.3)
    return low - 1, max(high, low + 3)


def _grid(low: int, high: int, height_of: Callable[[float | None], float]) -> list[str]:
    every = max(1, round((high - low) / 7))
    parts = [f'<text class="axis" x="6" y="{_TOP - 8}">relative difference</text>']
    for power in range(high, low - 1, -every):
        y = height_of(10.0**power)
        text = f"10{str(power).translate(_SUPERSCRIPT)}" if power > low else "0"
        parts.append(f'<line class="grid" x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text class="tick" x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{text}</text>')
    return parts


def _names(columns: Sequence[str], middle: Mapping[str, float], step: float) -> list[str]:
    """Names under the columns; of many layers only every second or third has room for its number."""
    every = max(1, math.ceil(26 / step))
    y = HEIGHT - _BOTTOM + 18
    parts = []
    for column in columns:
        if column.isdigit() and int(column) % every:
            continue
        text = column if column.isdigit() or step > 62 else {"embeddings": "emb.", "pooler": "pool"}.get(column, column)
        parts.append(f'<text class="tick" x="{middle[column]:.1f}" y="{y}" text-anchor="middle">{to_html(text)}</text>')
    layers = [middle[column] for column in columns if column.isdigit()]
    if layers:
        x = (layers[0] + layers[-1]) / 2
        parts.append(
            f'<text class="axis" x="{x:.1f}" y="{y + 22}" text-anchor="middle">hidden state after each layer</text>'
        )
    return parts


def _limits(
    points: Sequence[Point], middle: Mapping[str, float], step: float, height_of: Callable[[float | None], float]
) -> list[str]:
    """A bar over each column at its limit: the strictest of its usual sites, and that of rows without keys."""
    parts = []
    for kinds, name in (((STATE, INSIDE), "limit"), ((HIDDEN_ROW,), "limit hidden-row")):
        for column, x in middle.items():
            found = [point.limit for point in points if point.column == column and point.kind in kinds]
            if found:
                y = height_of(min(found))
                line = f'x1="{x - step / 2:.1f}" x2="{x + step / 2:.1f}" y1="{y:.1f}" y2="{y:.1f}"'
                parts.append(f'<line class="{name}" {line}/>')
    return parts


def _line(
    points: Sequence[Point], middle: Mapping[str, float], height_of: Callable[[float | None], float]
) -> list[str]:
    places = [
        f"{middle[point.column]:.1f},{height_of(point.measured):.1f}"
        for point in points
        if point.kind == STATE and (point.column.isdigit() or point.column == "embeddings")
    ]
    return [f'<polyline class="state" points="{" ".join(places)}"/>'] if len(places) > 1 else []


def _mark(point: Point, x: float, height_of: Callable[[float | None], float]) -> str:
    measured = "cannot be compared" if point.measured is None else f"{point.measured:.1e}"
    text = to_html(f"{point.site}, case {point.case}: {measured}, limit {point.limit:.0e}")
    shape = _shape("failed" if point.failed else point.kind, x, height_of(point.measured))
    return f"<g>{shape}<title>{text}</title></g>"


def _shape(kind: str, x: float, y: float) -> str:
    """A failed point has another form too, for print and for those who do not see the colour."""
    if kind == "failed":
        return f'<path class="failed" d="M{x - 5:.1f} {y - 5:.1f}l10 10m0 -10l-10 10"/>'
    if kind == HIDDEN_ROW:
        return f'<path class="{kind}" d="M{x:.1f} {y - 4:.1f}l4 4l-4 4l-4 -4z"/>'
    return f'<circle class="{kind}" cx="{x:.1f}" cy="{y:.1f}" r="{4 if kind == STATE else 2.6}"/>'


def _first(first: FirstDifference | None, network: Network, middle: Mapping[str, float]) -> list[str]:
    """A line through the column of the first difference."""
    column = column_of(network, first.site)[0] if first else ""
    if first is None or column not in middle:
        return []
    x = middle[column]
    anchor, shift = ("end", -7) if x > WIDTH * 0.6 else ("start", 7)
    text = to_html(f"first difference: {first.site}")
    return [
        f'<line class="first" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{HEIGHT - _BOTTOM}"/>',
        f'<text class="first" x="{x + shift:.1f}" y="{HEIGHT - _BOTTOM - 8}" text-anchor="{anchor}">{text}</text>',
    ]


def _legend(points: Sequence[Point]) -> list[str]:
    there = {point.kind for point in points}
    entries = [(_NAMES[kind], _shape(kind, 0, 0)) for kind in (STATE, INSIDE, HIDDEN_ROW) if kind in there]
    if HIDDEN_ROW in there:
        entries.append(("their limit", '<line class="limit hidden-row" x1="-9" x2="9" y1="0" y2="0"/>'))
    if any(point.failed for point in points):
        entries.append(("above its limit", _shape("failed", 0, 0)))
    entries.append(("limit", '<line class="limit" x1="-9" x2="9" y1="0" y2="0"/>'))
    parts, x = [], _LEFT + 8
    for name, sign in entries:
        parts.append(f'<g transform="translate({x} 12)">{sign}<text class="tick" x="14" y="4">{name}</text></g>')
        x += 44 + round(6.6 * len(name))
    return parts
