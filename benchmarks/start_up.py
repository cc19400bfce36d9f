"""From `pip install` to a converted model, and how long --help takes, compared with a bare typer application.

    python -m benchmarks.start_up [--rounds 15] [--write]

The wheel is built, installed into an empty environment with its dependencies from the index that pip is set up for,
and converts a tiny checkpoint of PaddleNLP's. Then --help of ours and of a typer application with one command that
prints are timed in turn, both in that environment.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

from benchmarks.figures import ROOT, Figures, cite, origin, record, table

SECTION = "start-up"
COMMAND = "python -m benchmarks.start_up --write"
BARE = """
import typer
app = typer.Typer()
@app.command()
def hello(name: str) -> None:
    print(name)
app()
"""


def main() -> None:
    """Measure; print the table or write the documents."""
    parser = argparse.ArgumentParser(description="Time installation, the first conversion and --help.")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--paddle-python", type=Path, default=ROOT / ".venv-paddle" / "bin" / "python")
    parser.add_argument("--write", action="store_true", help="docs/measurements.json and docs/measurements.md")
    arguments = parser.parse_args()
    source = origin(COMMAND, arguments.write)
    with tempfile.TemporaryDirectory() as place:
        figures: Figures = {**source, **measure(Path(place), arguments.paddle_python, arguments.rounds)}
    if arguments.write:
        record(SECTION, figures, show)
    else:
        print(show(figures))


def measure(folder: Path, paddle_python: Path, rounds: int) -> Figures:
    """Seconds of each step; medians of --help, after a round that warms up."""
    checkpoint = folder / "checkpoint"
    run(paddle_python, ROOT / "tests" / "support" / "make_checkpoint.py", "--size", "tiny", "--output", checkpoint)
    run(sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, ROOT)
    wheel = next(folder.glob("*.whl"))
    venv.create(folder / "env", with_pip=True)
    python = folder / "env" / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", "--upgrade", "pip")
    install = run(python, "-m", "pip", "install", "--quiet", wheel)
    ours = python.with_name("paddle2torch")
    convert = run(ours, "convert", checkpoint, folder / "output")
    bare = folder / "bare.py"
    bare.write_text(BARE, encoding="utf-8")
    times = [(run(ours, "--help"), run(python, bare, "--help")) for _ in range(rounds + 1)][1:]
    return {
        "install_seconds": round(install, 2),
        "convert_seconds": round(convert, 2),
        "help_seconds": round(statistics.median(time[0] for time in times), 3),
        "bare_help_seconds": round(statistics.median(time[1] for time in times), 3),
        "help_ratio": round(statistics.median(time[0] / time[1] for time in times), 2),
        "rounds": rounds,
    }


def run(*command: object) -> float:
    """Seconds of a command that sees no packages but its own interpreter's."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    start = time.monotonic()
    done = subprocess.run([str(word) for word in command], cwd="/", env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{command[0]} ended with {done.returncode}:\n{done.stderr}")
    return time.monotonic() - start


def show(figures: Figures) -> str:
    """The table of docs/measurements.md."""
    total = figures["install_seconds"] + figures["convert_seconds"]
    rows: list[list[object]] = [
        ["`pip install` of the wheel and its dependencies, packages near", f"{figures['install_seconds']:.1f} s"],
        ["`convert` of a tiny checkpoint, the first run", f"{figures['convert_seconds']:.1f} s"],
        ["both", f"{total:.1f} s"],
        [f"`--help`, median of {figures['rounds']}", f"{figures['help_seconds']:.2f} s"],
        ["`--help` of a typer application with one command", f"{figures['bare_help_seconds']:.2f} s"],
        ["ours to that one, median of the ratios", f"{figures['help_ratio']:.2f}"],
    ]
    return f"{cite(figures)}\n\n{table(['step', 'measured'], rows)}"


if __name__ == "__main__":
    main()
