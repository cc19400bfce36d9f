"""What README.md shows that a program made: what the first commands print, the picture of the report, what they cost.

    python -m benchmarks.readme --write     make a base ERNIE-M with PaddleNLP, convert and verify it (four minutes)
    python -m benchmarks.readme --render    put what was measured earlier into README.md

The text is kept in docs/first-run.json, the picture in docs/report.svg. The costs are those of docs/measurements.json.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import convert_speed, verify_cost
from benchmarks.figures import DOCS, ROOT, insert, origin, read_figures, table, write_figures
from verify.results.layout import FOLDER

COMMAND = "python -m benchmarks.readme --write"
FIRST_RUN, PICTURE = "first-run.json", "report.svg"
README = ROOT / "README.md"
SOURCE, OUTPUT = "my-ernie-m", "out"
CONVERT, VERIFY, COSTS = "convert prints", "verify prints", "costs"


def main() -> None:
    """Run the two commands and write the documents, or write them from what is kept."""
    parser = argparse.ArgumentParser(description="The parts of README.md that programs made.")
    parser.add_argument("--paddle-python", type=Path, default=ROOT / ".venv-paddle" / "bin" / "python")
    ways = parser.add_mutually_exclusive_group(required=True)
    ways.add_argument("--write", action="store_true", help="run the commands first")
    ways.add_argument("--render", action="store_true", help="from docs/first-run.json and docs/measurements.json")
    arguments = parser.parse_args()
    if arguments.write:
        first_run(arguments.paddle_python)
    README.write_text(render(README.read_text(encoding="utf-8")), encoding="utf-8")


def first_run(paddle_python: Path) -> None:
    """Make, convert and verify a base model; keep what is printed and the picture of its report."""
    source = origin(COMMAND)
    scratch = ROOT / "demo"  # Ignored by git, and on the disk that the project is on.
    scratch.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch) as place:
        folder = Path(place)
        verify_cost.make_source("base", paddle_python, folder / SOURCE, folder)
        printed = {
            CONVERT: _printed(folder, "convert", SOURCE, OUTPUT),
            VERIFY: _printed(folder, "verify", SOURCE, OUTPUT, "--paddle-python", paddle_python),
        }
        page = (folder / OUTPUT / FOLDER / "report.html").read_text(encoding="utf-8")
    write_figures(FIRST_RUN, {**source, **printed})
    (DOCS / PICTURE).write_text(picture(page), encoding="utf-8")


def _printed(folder: Path, *words: object) -> str:
    """What a command prints on standard output."""
    command = [sys.executable, "-m", "converter", *map(str, words)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TOKENIZERS_PARALLELISM": "false"}
    return subprocess.run(command, cwd=folder, env=environment, check=True, stdout=subprocess.PIPE, text=True).stdout


def render(readme: str) -> str:
    """README.md with the blocks of today's figures."""
    found = read_figures(FIRST_RUN)
    for marker, text in ((CONVERT, found[CONVERT]), (VERIFY, shorten(found[VERIFY]))):
        readme = insert(readme, marker, f"<!-- printed: numbers aside -->\n```text\n{text.rstrip()}\n```")
    return insert(readme, COSTS, costs(read_figures("measurements.json")))


def shorten(text: str) -> str:
    """The verdict and the table, then the last line, which names the report."""
    paragraphs = text.strip().split("\n\n")
    return "\n\n".join([*paragraphs[:2], "...\n" + paragraphs[-1].splitlines()[-1]])


def costs(measured: dict[str, Any]) -> str:
    """What converting and verifying cost, for models of two sizes."""
    rows: list[list[object]] = []
    converted, verified = measured[convert_speed.SECTION]["rows"], measured[verify_cost.SECTION]["rows"]
    for size in ("base", "large"):
        row = converted[f"{size}, pickle protocol 4"]
        label = f"`convert`, {size} ({row['source_bytes'] / 1e9:.1f} GB)"
        rows.append([label, f"{row['convert']['seconds'][0]:.0f} s", f"{row['convert']['own_megabytes'][2]:.0f} MB"])
    for label, ending in (("`verify`", ""), ("`verify` with a recorded trace, without Paddle", "_with_trace")):
        for size in ("base", "large"):
            row = next(row for name, row in verified.items() if name.startswith(f"{size},"))
            seconds, memory = row[f"seconds{ending}"], row[f"peak_gigabytes{ending}"]
            rows.append([f"{label}, {size}", f"{seconds:.0f} s", f"{memory:.1f} GB"])
    return table(["ERNIE-M, 2 cores", "time", "memory"], rows)


def picture(page: str) -> str:
    """The drawing of a report.html as a file of its own, with the verdict above it."""
    drawn = re.search(r'<svg class="plot" viewBox="0 0 (\d+) (\d+)"([^>]*)>(.*?)</svg>', page, re.DOTALL)
    verdict = re.search(r'<div class="verdict \w+"><strong>(.*?)</strong><p>(.*?)</p>', page, re.DOTALL)
    styles = re.findall(
        r"^(?::root|@media \(prefers|  --|\} \}$|\}$|\.plot).*$", page.split("@media print")[0], re.MULTILINE
    )
    if drawn is None or verdict is None:
        raise ValueError("the page has no drawing, or no verdict")
    width, height = int(drawn[1]), int(drawn[2])
    return f"""<svg xmlns="http://www.w3.org/2000/svg" class="plot" viewBox="0 -76 {width} {height + 76}"{drawn[3]}>
<style>
{chr(10).join(styles)}
</style>
<rect x="0" y="-76" width="{width}" height="{height + 76}" fill="var(--paper)"/>
<rect x="16" y="-66" width="8" height="50" fill="var(--good)"/>
<text x="36" y="-42" style="font-size: 21px; font-weight: 600; fill: var(--good)">{verdict[1]}</text>
<text x="36" y="-21">{verdict[2]}</text>
{drawn[4].strip()}
</svg>
"""


if __name__ == "__main__":
    main()
