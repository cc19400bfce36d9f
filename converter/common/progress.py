"""What is being done: one event for every step, and the types of the functions that receive events."""

from __future__ import annotations

from typing import Callable

#: Called with the name of a stage, the bytes done and the bytes in total (0: not known).
ByteProgress = Callable[[str, int, int], None]


class Progress(str):
    """One step of the work. As a text it is the line `stage`, or `stage: detail`; `done` of `total` where it is counted
    (a `total` of 0: it is not)."""

    stage: str
    detail: str
    done: int
    total: int

    def __new__(cls, stage: str, detail: str = "", done: int = 0, total: int = 0) -> Progress:
        event = super().__new__(cls, f"{stage}: {detail}" if detail else stage)
        event.stage, event.detail, event.done, event.total = stage, detail, done, total
        return event


OnProgress = Callable[[Progress], None]
