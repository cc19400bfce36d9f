"""The coordinate system that the plots of docs/ share, as SVG: no library, and the same numbers give the same bytes."""

from __future__ import annotations

from dataclasses import dataclass, field

COLORS = ("#0b6bcb", "#c2410c", "#15803d", "#7c3aed")
_LINE = "#ddd"


@dataclass
class Frame:
    """A picture with its margins, in pixels; `parts` are its elements."""

    width: int
    height: int
    left: int
    right: int
    top: int
    bottom: int
    parts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        view = f'viewBox="0 0 {self.width} {self.height}" font-family="sans-serif" font-size="13"'
        self.parts.append(f'<svg xmlns="http://www.w3.org/2000/svg" {view}>')
        self.parts.append(f'<rect width="{self.width}" height="{self.height}" fill="white"/>')

    def x_at(self, share: float) -> float:
        """From 0, the left end of the axis, to 1."""
        return self.left + (self.width - self.left - self.right) * share

    def y_at(self, share: float) -> float:
        """From 0, the lower end of the axis, to 1."""
        return self.top + (self.height - self.top - self.bottom) * (1 - share)

    def mark_height(self, share: float, text: str) -> None:
        """A line across the picture, and its number."""
        y, end = self.y_at(share), self.width - self.right
        self.parts.append(f'<line x1="{self.left}" x2="{end}" y1="{y:.1f}" y2="{y:.1f}" stroke="{_LINE}"/>')
        self.parts.append(f'<text x="{self.left - 8}" y="{y + 4:.1f}" text-anchor="end">{text}</text>')

    def mark_place(self, share: float, text: str, *, line: bool = False) -> None:
        """A number below the axis, with or without a line up from it."""
        x, end = self.x_at(share), self.height - self.bottom
        if line:
            self.parts.append(f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{self.top}" y2="{end}" stroke="{_LINE}"/>')
        self.parts.append(f'<text x="{x:.1f}" y="{end + 18}" text-anchor="middle">{text}</text>')

    def close(self, across: str, up: str) -> str:
        """The file, with the names of the axes."""
        middle = (self.left + self.width - self.right) / 2
        turned = f"translate(18 {(self.top + self.height - self.bottom) / 2:.0f}) rotate(-90)"
        self.parts.append(f'<text x="{middle:g}" y="{self.height - 10}" text-anchor="middle">{across}</text>')
        self.parts.append(f'<text transform="{turned}" text-anchor="middle">{up}</text>')
        return "\n".join([*self.parts, "</svg>"]) + "\n"
