"""Lines in a coordinate system with linear scales."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from benchmarks.chart_frame import COLORS, Frame


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
    frame = Frame(720, 380, left=62, right=20, top=62, bottom=50)

    def y_of(value: float) -> float:
        return frame.y_at((value - bottom) / (top - bottom))

    for value in range(bottom, top + 1):
        frame.mark_height((value - bottom) / (top - bottom), str(value))
    for part in range(6):
        frame.mark_place(part / 5, f"{end * part / 5:g}")
    left, right, y = frame.left, frame.width - frame.right, y_of(level[1])
    frame.parts += [
        f'<line x1="{left}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}" stroke="#555" stroke-dasharray="6 4"/>',
        f'<text x="{right}" y="{y - 6:.1f}" text-anchor="end" fill="#555">{level[0]}</text>',
    ]
    colors = dict(zip(names, COLORS))
    for kind, across_values, values in lines:
        points = " ".join(f"{frame.x_at(x / end):.1f},{y_of(y):.1f}" for x, y in zip(across_values, values))
        frame.parts.append(f'<polyline points="{points}" fill="none" stroke="{colors[kind]}" stroke-width="1.6"/>')
    for place, (kind, name) in enumerate(names.items()):
        frame.parts.append(f'<text x="{left}" y="{22 + 20 * place}" fill="{colors[kind]}">{name}</text>')
    return frame.close(across, up)
