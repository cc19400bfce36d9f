"""Compute in copies of this process: the calls of a tokenizer beside the numbers of a model, and its cases two at a
time. A copy shares the memory of what it was copied from as long as neither changes it."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import sys
from collections.abc import Iterator, Sequence
from typing import Any, Callable

#: The numbers of tasks go through a pipe, so many bytes each.
_NUMBER_BYTES = 4


def can_copy() -> bool:
    """Whether there is a second core, and a process can be copied soundly (not on macOS and Windows)."""
    return sys.platform.startswith("linux") and len(os.sched_getaffinity(0)) > 1


def compute_beside(compute: Callable[[], Any], in_copy: Callable[[], None] = lambda: None) -> Callable[[], Any]:
    """Start `compute` in a copy of this process; the returned function waits for its result, which must be picklable.
    `in_copy` is called there before it.

    Where no copy can be made, the returned function is `compute` itself. It raises RuntimeError where `compute` raised;
    what it raised is on stderr. A signal that ended the copy ends this process too: the caller of both explains it.
    """
    return stream_beside(lambda: iter([compute()]), in_copy) if can_copy() else compute


def stream_beside(
    compute: Callable[[], Iterator[Any]], in_copy: Callable[[], None] = lambda: None
) -> Callable[[], Any]:
    """As `compute_beside`, for several results: each call of the returned function waits for the next of them. Where no
    copy can be made, it computes it."""
    if not can_copy():
        values = compute()
        return lambda: next(values)
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_send, args=(compute, in_copy, sender), daemon=True)
    process.start()
    sender.close()  # Else the end of the copy would not end the wait.

    def wait() -> Any:
        try:
            return pickle.loads(receiver.recv_bytes())
        except EOFError:
            process.join()
            code = process.exitcode or 0
            if code < 0:
                os.kill(os.getpid(), -code)
            raise RuntimeError("the process beside this one ended with exit status " + str(code)) from None

    return wait


def _send(compute: Callable[[], Iterator[Any]], in_copy: Callable[[], None], sender: Any) -> None:
    in_copy()
    for value in compute():
        # Its own `send` would hand over torch's tensors as shared memory, which ends with the copy.
        sender.send_bytes(pickle.dumps(value, pickle.HIGHEST_PROTOCOL))


def share_tasks(
    work: Callable[[Any, int], Any],
    tasks: Sequence[Any],
    cost: Callable[[Any], float] = lambda task: 0.0,
    in_copy: Callable[[], None] = lambda: None,
    needs_memory: Callable[[Any], bool] = lambda task: False,
) -> list[Any]:
    """The results of `work(task, number)` in the order of the tasks, computed by this process and a copy of it, each of
    which takes the next task when it is free. `number` counts the tasks: those with the highest `cost` come first, so
    that neither waits long for the other at the end. Tasks that need much memory are run one at a time: by this
    process, before the others.

    Results must be picklable. `in_copy` is called in the copy before anything else. Raises what the first task in the
    order of `tasks` that failed raised, after all have ended.
    """
    order = sorted(range(len(tasks)), key=lambda number: (not needs_memory(tasks[number]), -cost(tasks[number])))
    alone = sum(map(needs_memory, tasks))
    if len(tasks) < 2 or not can_copy():
        outcomes = {number: _outcome(work, tasks[number], started) for started, number in enumerate(order)}
        return _results(outcomes)
    reader, writer = os.pipe()

    def take_all() -> dict[int, tuple[bool, Any]]:
        found: dict[int, tuple[bool, Any]] = {}
        while True:
            started = int.from_bytes(os.read(reader, _NUMBER_BYTES), "little")
            if started >= len(order):
                return found
            found[order[started]] = _outcome(work, tasks[order[started]], started)

    def take_in_copy() -> dict[int, tuple[bool, Any]]:
        return {number: _picklable(outcome) for number, outcome in take_all().items()}

    wait = compute_beside(take_in_copy, in_copy)
    # One number more for each process: there is nothing left. A pipe holds 64 kB.
    numbers = range(alone, len(order) + 2)
    os.write(writer, b"".join(number.to_bytes(_NUMBER_BYTES, "little") for number in numbers))
    outcomes = {order[number]: _outcome(work, tasks[order[number]], number) for number in range(alone)}
    outcomes.update(take_all())
    outcomes.update(wait())
    os.close(reader)
    os.close(writer)
    return _results(outcomes)


def _outcome(work: Callable[[Any, int], Any], task: Any, started: int) -> tuple[bool, Any]:
    """(whether it succeeded, the result or what it raised)."""
    try:
        return True, work(task, started)
    except Exception as error:
        return False, error


def _picklable(outcome: tuple[bool, Any]) -> tuple[bool, Any]:
    """The outcome; an error that the other process could not read as its text."""
    succeeded, value = outcome
    if not succeeded:
        try:
            pickle.loads(pickle.dumps(value))
        except Exception:
            return False, RuntimeError(f"{type(value).__name__}: {value}")
    return outcome


def _results(outcomes: dict[int, tuple[bool, Any]]) -> list[Any]:
    for number in sorted(outcomes):
        succeeded, value = outcomes[number]
        if not succeeded:
            raise value
    return [outcomes[number][1] for number in range(len(outcomes))]
