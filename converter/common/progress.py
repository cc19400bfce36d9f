"""What is being done: one event for every step, and the types of the functions that receive events."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Callable

from converter.common.notebook import open_notebook_bar
from converter.common.printable import MESSAGE, printable

#: Called with the name of a stage, the bytes done and the bytes in total (0: not known).
ByteProgress = Callable[[str, int, int], None]

#: Silent until the program that uses the library configures `logging`.
LOGGER = logging.getLogger("paddle2torch")
LOGGER.addHandler(logging.NullHandler())


class Progress(str):
    """One step of the work. As a text it is the line `stage`, or `stage: detail`.

    - stage: what is being done.
    - detail: which part of it; may be empty.
    - done: how much of it is done, where it is counted.
    - total: how much there is in all; 0 where it is not counted.
    - in_bytes: whether `done` and `total` are bytes.
    """

    stage: str
    detail: str
    done: int
    total: int
    in_bytes: bool

    def __new__(cls, stage: str, detail: str = "", done: int = 0, total: int = 0, in_bytes: bool = False) -> Progress:
        event = super().__new__(cls, f"{stage}: {detail}" if detail else stage)
        event.stage, event.detail, event.done, event.total, event.in_bytes = stage, detail, done, total, in_bytes
        return event


OnProgress = Callable[[Progress], None]


def listen(receive: OnProgress | None) -> OnProgress:
    """What the functions of the library report to: `receive`, or by default a bar where this is a notebook. Each new
    stage is logged."""
    draw = open_notebook_bar() if receive is None else None
    last = ""

    def hear(event: Progress) -> None:
        nonlocal last
        if event.stage != last:
            last = event.stage
            LOGGER.info("%s", printable(event.stage, MESSAGE))
        if receive is not None:
            receive(event)
        elif draw is not None:
            draw(event, event.done, event.total)

    return hear


def in_bytes(on_progress: OnProgress) -> ByteProgress:
    """For what counts bytes: downloads, and the writing of weights."""

    def report(stage: str, done: int, total: int) -> None:
        detail = f"{done / 1e6:,.1f} of {total / 1e6:,.1f} MB" if total else ""
        on_progress(Progress(stage, detail, done, total, in_bytes=True))

    return report


def log_warnings(warnings: Iterable[str]) -> None:
    """Log the warnings of a result."""
    for warning in warnings:
        LOGGER.warning("%s", printable(warning, MESSAGE))
