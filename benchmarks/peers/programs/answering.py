"""The loop of a program that stays: for each line of standard input it does a task, and prints what that took."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from typing import Any


def answer(make: Callable[[Any], Callable[[], object]]) -> None:
    """A line in is a task in JSON, from which `make` makes the function that is timed; a line out is
    {"seconds": wall, "cpu_seconds": of all threads}."""
    answers, sys.stdout = sys.stdout, sys.stderr  # What libraries print is no answer.
    for line in sys.stdin:
        do = make(json.loads(line))
        wall, used = time.perf_counter(), time.process_time()
        do()
        found = {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - used}
        print(json.dumps(found), file=answers, flush=True)
