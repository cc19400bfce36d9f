"""Measured points in a coordinate system with logarithmic scales."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from benchmarks.chart_frame import COLORS, Frame

_MARKS = (*COLORS, "#be185d", "#0e7490", "#4d7c0f", "#713f12")


def draw_points(across: str, up: str, lines: Mapping[str, Sequence[tuple[float, float, float, float]]]) -> str:
    """An SVG file: for each name its points (x, median, least, most), joined, with a bar from least to most."""
    places = [point[0] for points in lines.values() for point in points]
    heights = [value for points in lines.values() for point in points for value in point[1:] if value > 0]
    left, right = _decades(places)
    bottom, top = _decades(heights)
    frame = Frame(720, 400, left=62, right=270, top=20, bottom=50)

    def x_of(value: float) -> float:
        return frame.x_at((math.log10(value) - left) / (right - left))

    def y_of(value: float) -> float:
        return frame.y_at((math.log10(max(value, 10**bottom)) - bottom) / (top - bottom))

    for power in range(bottom, top + 1):
        frame.mark_height((power - bottom) / (top - bottom), f"{10**power:g}")
    for power in range(left, right + 1):
        frame.mark_place((power - left) / (right - left), f"{10**power:g}", line=True)
    for place, (name, points) in enumerate(lines.items()):
        color = _MARKS[place % len(_MARKS)]
        joined = " ".join(f"{x_of(x):.1f},{y_of(middle):.1f}" for x, middle, _, _ in points)
        width = 2.6 if place == 0 else 1.4
        frame.parts.append(f'<polyline points="{joined}" fill="none" stroke="{color}" stroke-width="{width}"/>')
        for x, middle, least, most in points:
            at = x_of(x)
            bar = f'x1="{at:.1f}" x2="{at:.1f}" y1="{y_of(least):.1f}" y2="{y_of(most):.1f}"'
            frame.parts.append(f'<line {bar} stroke="{color}"/>')
            frame.parts.append(f'<circle cx="{at:.1f}" cy="{y_of(middle):.1f}" r="3" fill="{color}"/>')
        at_name = f'x="{frame.width - frame.right + 14}" y="{frame.top + 14 + 20 * place}"'
        frame.parts.append(f'<text {at_name} fill="{color}">{_escape(name)}</text>')
    return frame.close(_escape(across), _escape(up))


def _decades(values: Sequence[float]) -> tuple[int, int]:
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)


def _escape(text: str) -> str:
    return text.replace("`", "").replace("&", "&amp;").replace("<", "&lt;")
