"""The progress of several processes as that of one."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from converter.common.progress import OnProgress, Progress
from evaluation.processes.parts import Part
from verify.protocol.evaluation_job import LONG, MEASURED, describe_expected, describe_rate

if TYPE_CHECKING:
    import numpy as np


@dataclass
class _Count:
    """How far each process is with one job, in tokens; None: it has not begun."""

    done: list[int | None]
    start: float = 0.0
    #: When all had begun, and the tokens that were done then.
    all_from: tuple[float, int] | None = None
    told: bool = False

    @property
    def tokens(self) -> int:
        return sum(done or 0 for done in self.done)


@dataclass
class OneLine:
    """What the processes report, put together: `counted` are the stages in which they run the job's parts, in order.
    Of any other stage the first report is passed on, and none while a job is run."""

    parts: Sequence[Part]
    size: int
    counted: Sequence[str]
    on_progress: OnProgress
    _counts: dict[str, _Count] = field(default_factory=dict)
    _shown: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._counts = {stage: _Count([None] * len(self.parts)) for stage in self.counted}
        self._steps = [_steps(part, self.size) for part in self.parts]
        self._tokens = sum(len(part.job.ids) for part in self.parts)
        self._texts = sum(len(part.job) for part in self.parts)

    def hear(self, number: int, event: Progress) -> None:
        """Take a report of one process."""
        stage = self._running()
        count = self._counts.get(event.stage)
        if count is not None:
            if all(done is None for done in count.done):
                count.start = time.monotonic()
            count.done[number] = event.done
            if event.stage == stage:
                self._show(stage, count)
        elif (stage is None or not self._counts[stage].tokens) and event.stage not in self._shown:
            self._shown.add(event.stage)
            self.on_progress(event)

    def _running(self) -> str | None:
        """The first counted stage that is not over."""
        return next((stage for stage, count in self._counts.items() if count.tokens < self._tokens), None)

    def _show(self, stage: str, count: _Count) -> None:
        now, tokens = time.monotonic(), count.tokens
        if not tokens:
            if stage not in self._shown:
                self._shown.add(stage)
                self.on_progress(Progress(stage, f"{self._texts:,} texts", 0, self._tokens))
            return
        self._announce(stage, count, now)
        texts = sum(_texts_of(steps, done or 0) for steps, done in zip(self._steps, count.done))
        self.on_progress(Progress(stage, describe_rate(texts, self._texts, now - count.start), tokens, self._tokens))

    def _announce(self, stage: str, count: _Count, now: float) -> None:
        """Once, before a long run: the time that it takes at the pace of all processes together."""
        if count.all_from is None:
            count.all_from = (now, count.tokens) if None not in count.done else None
            return
        start, before = count.all_from
        if count.told or now - start < MEASURED or not all(count.done):
            return
        count.told = True
        expected = (now - start) * self._tokens / (count.tokens - before)
        if expected >= LONG:
            self.on_progress(Progress(f"{stage}, expected time", describe_expected(expected, self._texts)))


def _steps(part: Part, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Tokens and texts that are done after each batch of a part."""
    import numpy as np

    lengths = np.diff(part.job.offsets)
    batches = list(part.job.batches(size))
    tokens = np.cumsum([0] + [len(rows) * int(lengths[rows[0]]) for rows in batches])
    return tokens, np.cumsum([0] + [len(rows) for rows in batches])


def _texts_of(steps: tuple[np.ndarray, np.ndarray], done: int) -> int:
    """The texts that `done` tokens are."""
    import numpy as np

    tokens, texts = steps
    return int(texts[np.searchsorted(tokens, done, side="right") - 1])
