"""How many threads each of several processes has, and what memory it needs."""

from __future__ import annotations

import math
import os
from pathlib import Path

from converter.common.printable import sized
from verify.weights.output_weights import read_written

#: The variable that both frameworks take the number of threads from.
THREADS = "OMP_NUM_THREADS"


def torch_threads(processes: int) -> int:
    """Threads of each process of PyTorch: those that one would have, divided."""
    return max(1, _asked_threads(_processors()) // processes)


def paddle_threads(processes: int) -> int:
    """The same for Paddle, which has one thread unless the variable asks for more (paddle/base/__init__.py)."""
    return max(1, _asked_threads(1) // processes)


def _asked_threads(usual: int) -> int:
    asked = os.environ.get(THREADS, "")
    return int(asked) if asked.isdecimal() and int(asked) else usual


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def describe_processes(count: int, threads: int) -> str:
    return f"{count} processes, each with {threads} thread{'s' if threads > 1 else ''}"


def describe_memory(output: Path, precision: str) -> str:
    """What each process needs for its model; Paddle's has as many weights as OUTPUT. The largest process of a model of
    1.11 GB of weights had 3.5 GB."""
    numbers = sum(math.prod(tensor.shape) for tensor in read_written(output).tensors.values())
    size = numbers * (8 if precision == "float64" else 4)
    return f"{sized(size)} of weights in {precision}, about three times as much at the peak"
