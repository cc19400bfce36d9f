"""Cases in forked processes with limits, and what came of them."""

from __future__ import annotations

import os
import pickle
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tests.support.fuzz.damage import damages_of
from tests.support.fuzz.judge import EQUAL, REFUSED, judge, judge_command
from tests.support.fuzz.subjects import Subject

SECONDS, MEGABYTES, WALL_SECONDS = 5, 300, 120
#: So many cases share a process. One that ends badly is tried again case by case.
BATCH = 40
#: Every so many cases the whole command is run too.
COMMAND_EVERY = 20


@dataclass
class Tally:
    """Counts by subject, and the findings: subject, number of the case and what is wrong."""

    counts: dict[str, Counter[str]] = field(default_factory=dict)
    findings: list[tuple[str, int, str]] = field(default_factory=list)

    def add(self, subject: str, number: int, verdict: str) -> None:
        good = verdict in (REFUSED, EQUAL)
        self.counts.setdefault(subject, Counter())[verdict if good else "finding"] += 1
        if not good:
            self.findings.append((subject, number, verdict))


def make_case(subject: Subject, seed: int, number: int) -> tuple[str, bytes]:
    """The damage's name and the damaged bytes: always the same for a seed and a number."""
    chance = random.Random(f"{seed} {subject.name} {number}")
    damage = chance.choice(damages_of(subject.kind))
    return damage.__name__, damage(chance, subject)


def judge_case(subject: Subject, seed: int, number: int, folder: Path) -> str:
    name = ""
    try:
        name, data = make_case(subject, seed, number)
        damage = next(one for one in damages_of(subject.kind) if one.__name__ == name)
        verdict = judge(subject, data, damage, folder / "source")
        if verdict in (REFUSED, EQUAL) and number % COMMAND_EVERY == 0:
            verdict = judge_command(subject, data, folder / "source")
    except BaseException:
        return f"{name}: {traceback.format_exc(limit=-6)}"
    return verdict if verdict in (REFUSED, EQUAL) else f"{name}: {verdict}"


def run_limited(work: Callable[[], list[str]]) -> tuple[list[str], str]:
    """What `work` gives in a process of its own, and why that process ended badly, if it did."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read)
        try:
            _limit()
            before = _status("VmRSS")
            with os.fdopen(write, "wb") as pipe:
                pickle.dump((work(), before), pipe)
            os._exit(0)
        finally:
            os._exit(1)  # Whatever comes: what the parent does next is not the child's to do.
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        answer = pipe.read()
    _, status, usage = os.wait4(child, 0)
    code = os.waitstatus_to_exitcode(status)
    if code:
        kind = {-signal.SIGXCPU: "hangs", -signal.SIGALRM: "waits for ever"}.get(code, f"crashes with {code}")
        return [], f"{kind} ({usage.ru_utime + usage.ru_stime:.1f} s)"
    verdicts, before = pickle.loads(answer)
    taken = usage.ru_maxrss - before
    return verdicts, f"takes {taken // 1024} MB" if taken > MEGABYTES * 1024 else ""


def _limit() -> None:
    """No more memory, time of the processor or waiting than this."""
    signal.alarm(WALL_SECONDS)
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 5))
    most = (_status("VmData") + 2 * MEGABYTES * 1024) * 1024
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _status(key: str) -> int:
    """Kilobytes of a line of this process's status."""
    lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{key}:"))


def run_batch(subject: Subject, seed: int, numbers: range, folder: Path, tally: Tally) -> None:
    verdicts, ended = run_limited(lambda: [judge_case(subject, seed, number, folder) for number in numbers])
    if not ended:
        for number, verdict in zip(numbers, verdicts):
            tally.add(subject.name, number, verdict)
        return
    for number in numbers:
        alone, ended = run_limited(partial(_judge_one, subject, seed, number, folder))
        tally.add(subject.name, number, ended or alone[0])


def _judge_one(subject: Subject, seed: int, number: int, folder: Path) -> list[str]:
    return [judge_case(subject, seed, number, folder)]


def fuzz(subjects: dict[str, Subject], seed: int, seconds: float, most: int, say: Callable[[str], None]) -> Tally:
    """Batches of every subject in turn, until the time is over or each has had `most` cases."""
    tally, started, told = Tally(), time.monotonic(), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="paddle2torch-fuzz-") as scratch:
        for first in range(0, most, BATCH):
            for subject in subjects.values():
                if time.monotonic() - started > seconds:
                    return tally
                before = len(tally.findings)
                run_batch(subject, seed, range(first, min(first + BATCH, most)), Path(scratch), tally)
                for name, number, verdict in tally.findings[before:]:
                    say(f"FINDING {name!r} case {number}: {verdict}")
                if time.monotonic() - told > 30:
                    told = time.monotonic()
                    say(f"{sum(sum(count.values()) for count in tally.counts.values()):,} cases")
    return tally


def check_sound(subjects: dict[str, Subject]) -> list[str]:
    """What is wrong with the checkpoints as they are: nothing, or the rest means nothing."""
    wrong = []
    with tempfile.TemporaryDirectory(prefix="paddle2torch-fuzz-") as scratch:
        for subject in subjects.values():
            whole = subject.files[subject.target]
            for verdict in (
                judge(subject, whole, None, Path(scratch) / "source"),
                judge_command(subject, whole, Path(scratch) / "source"),
            ):
                wrong += [] if verdict == EQUAL else [f"{subject.name}: {verdict}"]
    sys.stdout.flush()
    return wrong
