"""A command, timed, and what memory it takes meanwhile. Reads /proc: Linux alone."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
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


def run_watched(command: list[str], environment: Optional[Mapping[str, str]] = None) -> Run:
    """Run a program in the project's folder. Its memory is sampled."""
    start = time.monotonic()
    process = subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert process.stdout is not None
    with sampled(lambda: memory_of_all(process.pid), 0.01) as peaks:
        output = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    own, of_files = in_megabytes(peaks)
    return Run(process.returncode, output, seconds, usage.ru_utime + usage.ru_stime, own, of_files)


def watch(*words: object, memory: Callable[[int], int], every: float) -> tuple[float, int]:
    """Wall seconds of `paddle2torch WORDS` and the largest number that `memory` gave for its process, asked `every` so
    many seconds. Raises SystemExit when the command fails."""
    start = time.monotonic()
    command = [sys.executable, "-m", "converter", *map(str, words)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    with sampled(lambda: [memory(process.pid)], every) as peaks:
        code = process.wait()
        seconds = time.monotonic() - start
    if code:
        raise SystemExit(f"{' '.join(command[2:])} ended with {code}")
    return seconds, peaks[0]


@contextmanager
def sampled(measure: Callable[[], Sequence[int]], every: float) -> Iterator[list[int]]:
    """The largest numbers that `measure` gave while the block ran, asked at its start and `every` so many seconds; less
    often where asking takes long, so that it takes little from what is measured."""
    peaks, done = list(measure()), threading.Event()

    def sample() -> None:
        pause = every
        while not done.wait(pause):
            start = time.monotonic()
            peaks[:] = map(max, peaks, measure())
            pause = max(every, 10 * (time.monotonic() - start))

    sampler = threading.Thread(target=sample)
    sampler.start()
    try:
        yield peaks
    finally:
        done.set()
        sampler.join()


def in_megabytes(peaks: Sequence[int]) -> list[float]:
    return [round(peak / 1e6, 1) for peak in peaks]


def memory_of_all(pid: int) -> list[int]:
    """Bytes of a process and of all that it started: their own, and of files. Where one is a copy of another they share
    pages, which are counted once; asking for that takes 50 ms a gigabyte."""
    family = _family_of(pid)
    words = {one: _read(one, "cmdline") for one in family}
    sharing = {one for one in family if list(words.values()).count(words[one]) > 1}
    found = [_shares_of_memory(one) if one in sharing else kinds_of_memory(one) for one in family]
    return [sum(kind) for kind in zip(*found)]


def kinds_of_memory(pid: int) -> tuple[int, int]:
    """Bytes that a process has of its own, and of files."""
    found = _bytes_of(pid, "status", "Rss")
    return found.get("RssAnon", 0), found.get("RssFile", 0) + found.get("RssShmem", 0)


def _shares_of_memory(pid: int) -> tuple[int, int]:
    found = _bytes_of(pid, "smaps_rollup", "Pss")
    return found.get("Pss_Anon", 0), found.get("Pss_File", 0) + found.get("Pss_Shmem", 0)


def resident_bytes_of_all(pid: int) -> int:
    """What a process and all that it started have in memory, pages of files included; shared ones are counted once."""
    return sum(map(_resident_bytes, _family_of(pid)))


def _family_of(pid: int) -> list[int]:
    found = [pid]
    for one in found:
        with suppress(OSError):  # The process ended while we looked, or the thread.
            for thread in os.listdir(f"/proc/{one}/task"):
                with suppress(OSError):
                    found += map(int, Path(f"/proc/{one}/task/{thread}/children").read_text().split())
    return found


def _resident_bytes(pid: int) -> int:
    return _bytes_of(pid, "smaps_rollup", "Pss").get("Pss", 0)


def _bytes_of(pid: int, file: str, begin: str) -> dict[str, int]:
    """The lines of a file of /proc that begin so, name -> bytes."""
    lines = _read(pid, file).splitlines()
    return {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines if line.startswith(begin)}


def _read(pid: int, file: str) -> str:
    """A file of /proc; empty where the process has ended."""
    try:
        return Path(f"/proc/{pid}/{file}").read_text()
    except OSError:
        return ""
