"""How each side's process is started when there are several, and how many threads each has."""

from __future__ import annotations

import math
import os
import sys
from pathlib import Path

from evaluation.processes.together import Command
from verify.reference.subprocess_runner import clean_environment
from verify.weights.output_weights import read_written

_PROJECT = Path(__file__).resolve().parents[2]
_CODE = "import sys; sys.path.append(sys.argv.pop(1)); from {entry} import main; main(sys.argv[1])"
_THREADS = "OMP_NUM_THREADS"


def torch_command(entry: str, request: Path, folder: Path, threads: int) -> Command:
    """An interpreter like this one that answers a request with `entry`'s `main`, as verify's `start_process` has it."""
    home = str(folder / "huggingface")
    more = {"PYTHONPATH": os.environ["PYTHONPATH"]} if os.environ.get("PYTHONPATH") else {}
    environment = {
        "OMP_WAIT_POLICY": "PASSIVE",
        **clean_environment(HF_HOME=home, HF_MODULES_CACHE=f"{home}/modules", PYTHONDONTWRITEBYTECODE="1"),
        **more,
        _THREADS: str(threads),
    }
    return Command([sys.executable, "-c", _CODE.format(entry=entry), str(_PROJECT), str(request)], environment, folder)


def paddle_command(interpreter: Path, script: Path, request: Path, folder: Path, threads: int) -> Command:
    """The recorder in the interpreter that has Paddle, as verify's `record_trace` starts it."""
    home = str(folder / "home")
    environment = clean_environment(HOME=home, PPNLP_HOME=home, HF_HOME=home, **{_THREADS: str(threads)})
    return Command([str(interpreter), "-B", str(script), str(request)], environment, folder)


def torch_threads(processes: int) -> int:
    """Threads of each process of PyTorch: those that one would have, divided."""
    return max(1, _asked_threads(_processors()) // processes)


def paddle_threads(processes: int) -> int:
    """The same for Paddle, which has one thread unless the variable asks for more (paddle/base/__init__.py)."""
    return max(1, _asked_threads(1) // processes)


def _asked_threads(usual: int) -> int:
    asked = os.environ.get(_THREADS, "")
    return int(asked) if asked.isdecimal() and int(asked) else usual


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def describe_processes(count: int, threads: int) -> str:
    return f"{count} processes, each with {threads} thread{'s' if threads > 1 else ''}"


def describe_memory(output: Path, precision: str) -> str:
    """What each process needs for its model; Paddle's has as many weights as OUTPUT. The largest process of a base-size
    ERNIE-M (1.11 GB of weights) had 3.5 GB."""
    numbers = sum(math.prod(tensor.shape) for tensor in read_written(output).tensors.values())
    size = numbers * (8 if precision == "float64" else 4)
    shown = f"{size / 1e9:,.2f} GB" if size >= 1e9 else f"{size / 1e6:,.1f} MB"
    return f"{shown} of weights in {precision}, about three times as much at the peak"
