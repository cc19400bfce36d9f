"""Lines in a coordinate system, as SVG for docs/: no library, and the same numbers give the same bytes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

WIDTH, HEIGHT = 720, 380
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 20, 62, 50
COLORS = ("#0b6bcb", "#c2410c", "#15803d", "#7c3aed")


def draw_lines(
    across: str,
    up: str,
    lines: Sequence[tuple[str, Sequence[float], Sequence[float]]],
    names: Mapping[str, str],
    level: tuple[str, float],
) -> str:
    """An SVG file: lines (kind, x, y), one colour a kind, `names` of the kinds, and a dashed `level` with its name."""
    highest = max(level[1], *(value for _, _, values in lines for value in values))
    lowest = min(value for _, _, values in lines for value in values)
    bottom, top = math.floor(lowest), math.ceil(highest)
    end = max(points[-1] for _, points, _ in lines)

    def x_of(value: float) -> float:
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * value / end

    def y_of(value: float) -> float:
        return _TOP + (HEIGHT - _TOP - _BOTTOM) * (top - value) / (top - bottom)

    space = 'xmlns="http://www.w3.org/2000/svg"'
    parts = [
        f'<svg {space} viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
    ]
    for value in range(bottom, top + 1):
        y = y_of(value)
        parts.append(f'<line x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value}</text>')
    for part in range(6):
        x = x_of(end * part / 5)
        parts.append(f'<text x="{x:.1f}" y="{HEIGHT - _BOTTOM + 18}" text-anchor="middle">{end * part / 5:g}</text>')
    y = y_of(level[1])
    parts.append(
        f'<line x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="#555" stroke-dasharray="6 4"/>'
    )
    parts.append(f'<text x="{WIDTH - _RIGHT}" y="{y - 6:.1f}" text-anchor="end" fill="#555">{level[0]}</text>')
    colors = dict(zip(names, COLORS))
    for kind, across_values, values in lines:
        points = " ".join(f"{x_of(x):.1f},{y_of(y):.1f}" for x, y in zip(across_values, values))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colors[kind]}" stroke-width="1.6"/>')
    for place, (kind, name) in enumerate(names.items()):
        parts.append(f'<text x="{_LEFT}" y="{22 + 20 * place}" fill="{colors[kind]}">{name}</text>')
    middle = (_LEFT + WIDTH - _RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 10}" text-anchor="middle">{across}</text>')
    turned = f"translate(18 {(_TOP + HEIGHT - _BOTTOM) / 2:.0f}) rotate(-90)"
    parts.append(f'<text transform="{turned}" text-anchor="middle">{up}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"
