"""Verifying beside what people do: load both models, compare one output."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from benchmarks.contest import OUTPUT, PADDLE, PRODUCT, PROGRAMS, Contender, Contest, run_python
from benchmarks.figures import ROOT
from benchmarks.peers.convert import bytes_of
from benchmarks.verify_cost import MODELS, make_source

TITLE = "Verifying"
ACROSS, PLOTTED = "size of the weights, GB", ("time", "memory")
NOTE = """`paddle2torch verify` of sound models with sensitive random weights, from the start of its process to the
end: against Paddle, which also records a trace; by that trace, without Paddle; and the bytes of the weights alone. What
people do instead: load both models in float32, one after the other, and compare the last states of one text at 1e-5.
That sees no gradients, no other texts, masks and tokens, and no fault below 1e-5."""
PUBLIC = "both models in float32, one output at 1e-5"
#: Rounds that count: a large model takes minutes in each.
ROUNDS = {"tiny": 3, "base": 2, "large": 1}


def contests(place: Path, full: bool) -> Iterator[Contest]:
    """One for each size."""
    for size in ROUNDS if full else ("tiny",):
        folder = place / f"verify-{size}"
        source, output = make_inputs(size, folder)
        yield Contest(
            f"{size}, {MODELS[size][1]}",
            bytes_of(source) / 1e9,
            contenders(source, output, folder / "trace"),
            rounds=ROUNDS[size] if full else 1,
            warm=size == "tiny",
        )


def make_inputs(size: str, folder: Path) -> tuple[Path, Path]:
    """A checkpoint, made once, and what it converts to today."""
    source, output = folder / "source", folder / "output"
    if not source.exists():
        folder.mkdir(exist_ok=True)
        make_source(size, ROOT / PADDLE / "bin" / "python", source, folder)
    shutil.rmtree(output, ignore_errors=True)
    run_python(PRODUCT, "-m", "converter", "convert", source, output)
    return source, output


def contenders(source: Path, output: Path, trace: Path) -> tuple[Contender, ...]:
    """The first round records the trace before it is read."""
    paddle = str(ROOT / PADDLE / "bin" / "python")
    live = (str(source), str(output), "--record", str(trace), "--paddle-python", paddle)
    check = (str(PROGRAMS / "public_check.py"), paddle, str(source), str(output), OUTPUT)
    return (
        _verify("`verify`", *live),
        _verify("`verify --trace`", str(output), "--trace", str(trace)),
        _verify("`verify --static-only`", str(source), str(output), "--static-only"),
        Contender(PUBLIC, PRODUCT, check),
    )


def _verify(name: str, *words: str) -> Contender:
    return Contender(name, PRODUCT, ("-m", "converter", "verify", *words, "--report", OUTPUT))
