"""A command of ours, timed, and what memory it takes meanwhile. Reads /proc: Linux alone."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.figures import ROOT


def watch(*words: object, memory: Callable[[int], int], every: float) -> tuple[float, int]:
    """Wall seconds of `paddle2torch WORDS` and the largest number that `memory` gave for its process, asked `every` so
    many seconds. Raises SystemExit when the command fails."""
    start, peak, done = time.monotonic(), 0, threading.Event()
    command = [sys.executable, "-m", "converter", *map(str, words)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def sample() -> None:
        nonlocal peak
        while not done.wait(every):
            peak = max(peak, memory(process.pid))

    sampler = threading.Thread(target=sample)
    sampler.start()
    code = process.wait()
    seconds = time.monotonic() - start
    done.set()
    sampler.join()
    if code:
        raise SystemExit(f"{' '.join(command[2:])} ended with {code}")
    return seconds, peak


def anonymous_bytes(pid: int) -> int:
    """What a process has that is not backed by a file."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("RssAnon:")), 0)


def resident_bytes_of_all(pid: int) -> int:
    """What a process and all that it started have in memory, pages of files included."""
    return sum(map(_resident_bytes, _family_of(pid)))


def _family_of(pid: int) -> list[int]:
    found = [pid]
    for one in found:
        for path in Path(f"/proc/{one}/task").glob("*/children"):
            try:
                found += [int(word) for word in path.read_text().split()]
            except OSError:  # It ended while we looked.
                continue
    return found


def _resident_bytes(pid: int) -> int:
    """With its share of the pages that other processes have too: a copy of a process has all of its pages."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:")), 0)
