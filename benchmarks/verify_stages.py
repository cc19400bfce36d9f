"""Where the time of a full-size verification goes: seconds between `verify`'s lines of progress.

python -m benchmarks.verify_stages [--model base] [--write]
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from benchmarks.figures import ROOT, Figures, cite, origin, record, table
from benchmarks.verify_cost import MODELS, make_source
from converter.common.progress import Progress
from converter.conversion import convert
from verify import verify

SECTION = "verifying by stage"
COMMAND = "python -m benchmarks.verify_stages --write"
#: Stages during which something else happens too.
_MORE = {
    "starting Paddle": "starting Paddle, for as long as it takes after the check of the weights",
    "Paddle": "Paddle: all cases, gradients and the growth of errors, in two processes",
    "PyTorch": "PyTorch: all cases and gradients, in two processes",
    "writing the trace": "writing the trace, the end of Paddle",
}


def main() -> None:
    """Measure; print the table or write the documents."""
    parser = argparse.ArgumentParser(description="Where the time of a verification goes.")
    parser.add_argument("--model", choices=MODELS, default="base")
    parser.add_argument("--paddle-python", type=Path, default=ROOT / ".venv-paddle" / "bin" / "python")
    parser.add_argument("--write", action="store_true", help="docs/measurements.json and docs/measurements.md")
    arguments = parser.parse_args()
    source = origin(COMMAND, arguments.write)
    figures: Figures = {**source, "model": arguments.model, **measure(arguments.model, arguments.paddle_python)}
    if arguments.write:
        record(SECTION, figures, show)
    else:
        print(show(figures))


def measure(model: str, paddle_python: Path) -> Figures:
    """Seconds of each stage, in order, and of all."""
    seconds: dict[str, float] = {}
    with tempfile.TemporaryDirectory(dir=ROOT / "demo") as place:
        folder = Path(place)
        make_source(model, paddle_python, folder / "source", folder)
        convert(folder / "source", folder / "output")
        start = last = time.monotonic()
        stage = "start"

        def follow(event: Progress) -> None:
            nonlocal last, stage
            now = time.monotonic()
            seconds[stage] = seconds.get(stage, 0.0) + now - last
            # Tasks that are counted belong to one stage.
            last, stage = now, event.stage if event.done else str(event)

        report = verify(folder / "source", folder / "output", paddle_python=paddle_python, progress=follow)
        follow(Progress(""))
        if not report.passed:
            raise SystemExit(f"a sound model failed: {report.problems}")
        return {"seconds": round(time.monotonic() - start, 1), "stages": {k: round(v, 1) for k, v in seconds.items()}}


def show(figures: Figures) -> str:
    """The table of docs/measurements.md: what takes a second or more."""
    rows: list[list[object]] = [
        [_MORE.get(stage, stage), f"{took:.0f} s"] for stage, took in figures["stages"].items() if took >= 1
    ]
    said = f"{cite(figures)} {figures['model']}, {figures['seconds']:.0f} s in all; stages under a second are left out."
    return f"{said}\n\n{table(['stage', 'time'], rows)}"


if __name__ == "__main__":
    main()
