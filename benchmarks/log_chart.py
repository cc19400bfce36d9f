"""Measured points in a coordinate system with logarithmic scales, as SVG for docs/: no library, the same numbers give
the same bytes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from benchmarks.line_chart import COLORS

WIDTH, HEIGHT = 720, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 270, 20, 50
_MARKS = (*COLORS, "#be185d", "#0e7490", "#4d7c0f", "#713f12")


def draw_points(across: str, up: str, lines: Mapping[str, Sequence[tuple[float, float, float, float]]]) -> str:
    """An SVG file: for each name its points (x, median, least, most), joined, with a bar from least to most."""
    places = [point[0] for points in lines.values() for point in points]
    heights = [value for points in lines.values() for point in points for value in point[1:] if value > 0]
    left, right = _decades(places)
    bottom, top = _decades(heights)

    def x_of(value: float) -> float:
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * (math.log10(value) - left) / (right - left)

    def y_of(value: float) -> float:
        share = (math.log10(max(value, 10**bottom)) - bottom) / (top - bottom)
        return HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * share

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
        'font-size="13">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
    ]
    for power in range(bottom, top + 1):
        y = y_of(10**power)
        parts.append(f'<line x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{10**power:g}</text>')
    for power in range(left, right + 1):
        x = x_of(10**power)
        parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{HEIGHT - _BOTTOM}" stroke="#ddd"/>')
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - _BOTTOM + 18}" text-anchor="middle">{10**power:g}</text>')
    for place, (name, points) in enumerate(lines.items()):
        color = _MARKS[place % len(_MARKS)]
        joined = " ".join(f"{x_of(x):.1f},{y_of(middle):.1f}" for x, middle, _, _ in points)
        width = 2.6 if place == 0 else 1.4
        parts.append(f'<polyline points="{joined}" fill="none" stroke="{color}" stroke-width="{width}"/>')
        for x, middle, least, most in points:
            at = x_of(x)
            bar = f'x1="{at:.1f}" x2="{at:.1f}" y1="{y_of(least):.1f}" y2="{y_of(most):.1f}"'
            parts.append(f'<line {bar} stroke="{color}"/>')
            parts.append(f'<circle cx="{at:.1f}" cy="{y_of(middle):.1f}" r="3" fill="{color}"/>')
        y = _TOP + 14 + 20 * place
        parts.append(f'<text x="{WIDTH - _RIGHT + 14}" y="{y}" fill="{color}">{_escape(name)}</text>')
    middle = (_LEFT + WIDTH - _RIGHT) / 2
    parts.append(f'<text x="{middle:.0f}" y="{HEIGHT - 10}" text-anchor="middle">{_escape(across)}</text>')
    turned = f"translate(18 {(_TOP + HEIGHT - _BOTTOM) / 2:.0f}) rotate(-90)"
    parts.append(f'<text transform="{turned}" text-anchor="middle">{_escape(up)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _decades(values: Sequence[float]) -> tuple[int, int]:
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)


def _escape(text: str) -> str:
    return text.replace("`", "").replace("&", "&amp;").replace("<", "&lt;")
