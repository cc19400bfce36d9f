"""The model beside transformers 4.57's port and PaddleNLP, and what gradient checkpointing saves."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from benchmarks.contest import PADDLE, PRODUCT, PROGRAMS, TRANSFORMERS4, Contender, Contest

TITLE = "The model"
ACROSS, PLOTTED = "tokens in a batch (a training step, 2 threads)", ("time", "memory")
NOTE = """One layer of base's width and 5,000 words, random weights. A training step is forward with dropout and
backward. A padded batch has lengths from a quarter of the longest to the longest, evenly; with `skip_padding` ours
computes nothing for what the mask hides. The port knows no sdpa. Models are made before; memory is that of the process,
which has done the lines above. Gradient checkpointing: four layers, in processes that do nothing else."""

NAMES = {
    "sdpa": "`ernie_m`, sdpa",
    "eager": "`ernie_m`, eager",
    "sdpa skip-padding": "sdpa, `skip_padding`",
    "eager skip-padding": "eager, `skip_padding`",
    "sdpa checkpointing": "sdpa, checkpointing",
    "eager checkpointing": "eager, checkpointing",
    "port": "port of transformers 4.57",
    "paddle": "PaddleNLP",
}
ENVIRONMENTS = {"port": TRANSFORMERS4, "paddle": PADDLE}
WHOLE = ("sdpa", "eager", "port", "paddle")
PADDED = ("sdpa skip-padding", "sdpa", "eager skip-padding", "eager", "port", "paddle")
CHECKPOINTED = ("sdpa checkpointing", "sdpa", "eager checkpointing", "eager", "port")

Shape = tuple[int, int]
#: Texts and tokens, the smaller first: a process keeps memory that it had.
SHAPES: tuple[Shape, ...] = (
    *((1, 32), (1, 128), (8, 32), (1, 512), (32, 32), (8, 128)),
    *((32, 128), (8, 512), (32, 512)),
)
PADDED_SHAPES: tuple[Shape, ...] = ((8, 32), (32, 32), (8, 128), (32, 128))
#: Those of the plot: one for each number of tokens.
PLACES = ((1, 32), (1, 128), (8, 128), (32, 128), (32, 512))
#: From so many tokens on a step takes seconds: one round, and smaller batches have warmed everything.
MANY = 4096


def contests(place: Path, full: bool) -> Iterator[Contest]:
    """By threads, so that the processes of the others end; full batches, then padded ones with more contenders."""
    shapes, padded = (SHAPES, PADDED_SHAPES) if full else (SHAPES[1:3], PADDED_SHAPES[:1])
    for threads in (1, 2) if full else (2,):
        for shape in shapes:
            yield from make_contests(WHOLE, shape, threads, padded=False)
        if threads == 2:
            for shape in padded:
                yield from make_contests(PADDED, shape, threads, padded=True)
    if full:
        yield checkpointing("four layers", (8, 512))


def make_contests(names: tuple[str, ...], shape: Shape, threads: int, *, padded: bool) -> Iterator[Contest]:
    """A step forward, and one of training."""
    batch, length = shape
    tokens = batch * length
    for work in ("forward", "training"):
        placed = work == "training" and threads == 2 and not padded and shape in PLACES
        yield Contest(
            f"{batch} x {length}",
            tokens if placed else None,
            tuple(contender(name, "one layer", threads, work, shape, padded) for name in names),
            table=f"{work}, {threads} thread{'s' * (threads > 1)}{', padded' * padded}",
            rounds=1 if tokens >= MANY else None,
            warm=tokens < MANY,
        )


def checkpointing(size: str, shape: Shape) -> Contest:
    """A training step, in processes that have done nothing else."""
    peers = tuple(contender(name, size, 2, "training", shape, False) for name in CHECKPOINTED)
    label = f"gradient checkpointing, {size}, {shape[0]} x {shape[1]}, 2 threads"
    return Contest(label, None, peers, rounds=1, warm=False)


def contender(name: str, size: str, threads: int, work: str, shape: Shape, padded: bool) -> Contender:
    task = {"work": work, "batch": shape[0], "length": shape[1], "padded": padded}
    words = (str(PROGRAMS / "model_step.py"), name, size, str(threads))
    return Contender(NAMES[name], ENVIRONMENTS.get(name, PRODUCT), words, json.dumps(task))
