"""The badges of README.md: small SVG files with facts of pyproject.toml and requirements/. No server draws them.

python -m benchmarks.badges --write
"""

from __future__ import annotations

import argparse
import re

import tomllib

from benchmarks.figures import DOCS, ROOT

FOLDER = DOCS / "badges"
_WIDTH = 6.6  # Of a letter, in pixels at 11 px.


def main() -> None:
    """Write the files."""
    parser = argparse.ArgumentParser(description="The badges of README.md.")
    parser.add_argument("--write", action="store_true", required=True)
    parser.parse_args()
    FOLDER.mkdir(exist_ok=True)
    for name, text in badges().items():
        (FOLDER / f"{name}.svg").write_text(text, encoding="utf-8")


def badges() -> dict[str, str]:
    """File name -> SVG."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    prefix = "Programming Language :: Python :: 3."
    minors = sorted(int(line.removeprefix(prefix)) for line in project["classifiers"] if line.startswith(prefix))
    lines = [_pinned_line(name) for name in ("transformers4.txt", "dev.txt")]
    return {
        "licence": draw("licence", project["license"], "#1f5fbf"),
        "python": draw("Python", f"3.{minors[0]} to 3.{minors[-1]}", "#1f5fbf"),
        "tests": draw("tested with transformers", " and ".join(lines), "#14693a"),
    }


def _pinned_line(name: str) -> str:
    """The release of transformers that an environment has, without its last number."""
    found = re.search(r"^transformers==(\d+\.\d+)", (ROOT / "requirements" / name).read_text(), re.MULTILINE)
    assert found is not None, name
    return found[1]


def draw(label: str, value: str, color: str) -> str:
    """One badge: a label on grey, a value on a colour."""
    left, right = (round(len(text) * _WIDTH) + 14 for text in (label, value))
    texts = ((left / 2, label), (left + right / 2, value))
    words = "".join(f'<text x="{x:g}" y="14" text-anchor="middle">{text}</text>' for x, text in texts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" '
        f'aria-label="{label}: {value}"><clipPath id="r"><rect width="{left + right}" height="20" rx="3"/></clipPath>'
        f'<g clip-path="url(#r)"><rect width="{left}" height="20" fill="#555"/>'
        f'<rect x="{left}" width="{right}" height="20" fill="{color}"/></g>'
        f'<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">{words}</g></svg>\n'
    )


if __name__ == "__main__":
    main()
