"""A command, timed, and what memory it takes meanwhile. Reads /proc: Linux alone."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple, Optional

from benchmarks.figures import ROOT


class Run(NamedTuple):
    """One run of a program: wall seconds, CPU seconds of it and of what it waited for, and the most memory that it and
    its children had at once: their own, and pages of files apart."""

    code: int
    output: str
    seconds: float
    cpu_seconds: float
    own_megabytes: float
    file_megabytes: float


def run_watched(command: list[str], environment: Optional[Mapping[str, str]] = None, every: float = 0.01) -> Run:
    """Run a program in the project's folder. Its memory is sampled."""
    start, peaks, done = time.monotonic(), [0, 0], threading.Event()
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )

    def sample() -> None:
        while not done.wait(every):
            found = [_kinds_of_memory(pid) for pid in _family_of(process.pid)]
            for kind in (0, 1):
                peaks[kind] = max(peaks[kind], sum(each[kind] for each in found))

    sampler = threading.Thread(target=sample)
    sampler.start()
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    done.set()
    sampler.join()
    process.stdout.close()
    own, of_files = (round(peak / 1e6, 1) for peak in peaks)
    return Run(process.returncode, output, seconds, usage.ru_utime + usage.ru_stime, own, of_files)


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


def _kinds_of_memory(pid: int) -> tuple[int, int]:
    """Bytes that a process has of its own, and of files."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0, 0
    found = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines if line.startswith("Rss")}
    return found.get("RssAnon", 0), found.get("RssFile", 0) + found.get("RssShmem", 0)


def resident_bytes_of_all(pid: int) -> int:
    """What a process and all that it started have in memory, pages of files included."""
    return sum(map(_resident_bytes, _family_of(pid)))


def _family_of(pid: int) -> list[int]:
    found = [pid]
    for one in found:
        try:
            for path in Path(f"/proc/{one}/task").glob("*/children"):
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
