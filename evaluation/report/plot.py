"""The metric as a drawing in SVG: by layer where all layers were evaluated, else by language. A point of Paddle's is a
ring, one of PyTorch's a dot, so that both are seen where they are equal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload

from evaluation.results import Evaluation, Metrics, mean_of
from verify.report.plain_text import to_html

WIDTH, HEIGHT = 960, 300
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 18, 16, 44
_LAYER = re.compile(r"layer\.(\d+), (\w+)")


@dataclass(frozen=True)
class Point:
    """One place on the horizontal axis, and the share on each side."""

    name: str
    torch: float
    paddle: float | None


def plot_points(result: Evaluation) -> list[Point]:
    """The mean over the languages for each layer of the first direction, or the metric of each language."""
    first = (result.views or [""])[0]
    layers = _layers_of(result.views)
    if len(layers) > 1:
        means = [(str(layer), mean_of(result.of_view(view))) for layer, view in sorted(layers.items())]
        return [Point(name, _main(mean["torch"]), _main(mean.get("paddle"))) for name, mean in means]
    return [Point(one.language, _main(one.torch), _main(one.paddle)) for one in result.of_view(first)]


def _layers_of(views: Sequence[str]) -> dict[int, str]:
    """Layer -> its view in the direction of the first."""
    found = [(each, view) for view in views if (each := _LAYER.fullmatch(view))]
    return {int(each[1]): view for each, view in found if each[2] == found[0][0][2]}


@overload
def _main(metrics: Metrics) -> float: ...
@overload
def _main(metrics: Metrics | None) -> float | None: ...
def _main(metrics: Metrics | None) -> float | None:
    """The first metric."""
    return None if metrics is None else float(next(iter(metrics.values())))


def draw_plot(result: Evaluation) -> str:
    """The drawing; empty for fewer than two points."""
    points = plot_points(result)
    if len(points) < 2:
        return ""
    step = (WIDTH - _LEFT - _RIGHT) / len(points)
    places = [_LEFT + step * (number + 0.5) for number in range(len(points))]
    parts = [_axis(share) for share in (0.0, 0.25, 0.5, 0.75, 1.0)]
    parts.append(_line(places, points))
    for place, point in zip(places, points):
        title = f"{point.name}: PyTorch {100 * point.torch:.2f} %"
        if point.paddle is not None:
            title += f", Paddle {100 * point.paddle:.2f} %"
            parts.append(
                f'<circle cx="{place:.1f}" cy="{_y(point.paddle):.1f}" r="7" fill="none" stroke="currentColor"/>'
            )
        parts.append(
            f'<circle cx="{place:.1f}" cy="{_y(point.torch):.1f}" r="4" fill="var(--state)">'
            f"<title>{to_html(title)}</title></circle>"
        )
        parts.append(f'<text x="{place:.1f}" y="{HEIGHT - 24}" text-anchor="middle">{to_html(point.name)}</text>')
    label = "ring: Paddle, dot: PyTorch" if points[0].paddle is not None else "PyTorch"
    parts.append(f'<text x="{_LEFT}" y="{HEIGHT - 4}">{label}</text>')
    return f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-size="12" fill="currentColor">{"".join(parts)}</svg>'


def _y(share: float) -> float:
    return _TOP + (1 - share) * (HEIGHT - _TOP - _BOTTOM)


def _axis(share: float) -> str:
    y = _y(share)
    line = f'<line x1="{_LEFT}" x2="{WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}" stroke="var(--rule)"/>'
    return f'{line}<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{100 * share:.0f} %</text>'


def _line(places: Sequence[float], points: Sequence[Point]) -> str:
    path = " ".join(f"{place:.1f},{_y(point.torch):.1f}" for place, point in zip(places, points))
    return f'<polyline points="{path}" fill="none" stroke="var(--state)" stroke-opacity="0.4"/>'
