"""Share tasks with a copy of the process that runs OUTPUT."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Callable, TypeVar

from verify.protocol.beside import can_copy, share_tasks

Task = TypeVar("Task")
Result = TypeVar("Result")


def share(
    work: Callable[[Task, int], Result], tasks: Sequence[Task], cost: Callable[[Task], float] = lambda task: 0.0
) -> list[Result]:
    """As `share_tasks`. The copy computes with one thread: those that torch has started are not copied with the rest.
    This process keeps the other cores."""
    import torch

    threads = torch.get_num_threads()
    if can_copy():
        torch.set_num_threads(max(1, threads - 1))
    try:
        found: list[Any] = share_tasks(work, tasks, cost, use_one_thread)
    finally:
        torch.set_num_threads(threads)
    return found


def use_one_thread() -> None:
    """For a copy of a process that has used torch: its threads were not copied, and waiting for them would not end."""
    import torch

    torch.set_num_threads(1)
