"""Progress on stderr: a bar on a terminal, a plain line every few seconds elsewhere; the time of each stage."""

from __future__ import annotations

import shutil
import sys
import time
from types import TracebackType

import typer

from converter.cli import verbosity
from converter.cli.colours import coloured
from converter.common.printable import MESSAGE, printable, sized
from converter.common.progress import Progress

_SECONDS_BETWEEN_LINES = 5.0
#: A stage that took less is not worth a line; with -v every stage is.
_LONG_STAGE = 5.0
#: What remains is told when a stage has run for so many seconds, and this share of it is done.
_SURE_SECONDS, _SURE_SHARE = 2.0, 0.05


class Reporter:
    """Shows progress; does nothing with -q."""

    def __init__(self) -> None:
        self._terminal = sys.stderr is not None and sys.stderr.isatty()
        self._begin = self._start = self._last = time.monotonic()
        self._stage = ""
        self._stages = 0
        self._announced = False
        self._from: int | None = None
        self._drawn = False

    def __enter__(self) -> Reporter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._clear()
        if error is None:
            self._end_stage()
            whole = time.monotonic() - self._begin
            if self._stages > 1 and whole >= _LONG_STAGE:
                self.print_line(f"all of it took {seconds(whole)}")

    def progress(self, stage: str, done: int, total: int) -> None:
        """Show `done` of `total` bytes of a stage; 0 as `total` means unknown. `done` 0 announces a stage at once, and
        is a note where the total is 0 too."""
        now = time.monotonic()
        if done == total == 0:
            self._last = now
            self.print_line(stage)
            return
        if stage != self._stage:
            self._begin_stage(stage)
            if done == 0:
                self._last = now
                self._announced = True
                self.print_line(f"{stage}: {sized(total)}")
        if self._from is None and done:  # The rate counts only what this run downloads, not what was there.
            self._from = done
        if not self._is_time(now):
            return
        share = done / total if total else 0.0
        rate = (done - (self._from or 0)) / 1e6 / max(now - self._start, 1e-3)
        whole = f" of {sized(total)} ({share:.0%}," if total else " ("
        left = f", {seconds((total - done) / 1e6 / rate)} left" if total and rate > 0 and done < total else ""
        text = f"{stage} {sized(done)}{whole} {rate:,.1f} MB/s{left})"
        if self._terminal:
            self._draw(share, text)
        else:
            self.print_line(text)

    def show(self, event: Progress) -> None:
        """Show a step; called many times a second."""
        if event.in_bytes:
            self.progress(event.stage, event.done, event.total)
            return
        now, begins = time.monotonic(), event.stage != self._stage
        if begins:
            self._begin_stage(event.stage)
            self._announced = True
            self.print_line(event.stage if event.total and self._terminal else event)
            self._last = now
        elif not self._is_time(now):
            return
        text = event + self._times(now, event.done, event.total)
        if self._terminal and event.total:
            self._draw(min(event.done / event.total, 1.0), text)
        elif not begins:
            self.print_line(text)

    def _times(self, now: float, done: int, total: int) -> str:
        """The seconds that a counted stage has run, and about how many are left."""
        ran = now - self._start
        if not total or ran < _SURE_SECONDS:
            return ""
        share = done / total
        left = f", about {seconds(ran * (1 - share) / share)} left" if _SURE_SHARE <= share < 1 else ""
        return f" ({seconds(ran)}{left})"

    def _is_time(self, now: float) -> bool:
        due = now - self._last >= (0.1 if self._terminal else _SECONDS_BETWEEN_LINES)
        self._last = now if due else self._last
        return due

    def _begin_stage(self, stage: str) -> None:
        self._end_stage()
        self._stage, self._start, self._from = stage, time.monotonic(), None
        self._announced = False
        self._stages += 1

    def _end_stage(self) -> None:
        took = time.monotonic() - self._start
        if self._stage and ((self._announced and took >= _LONG_STAGE) or verbosity.verbose):
            self.print_line(f"{self._stage}: {seconds(took)}")
        self._stage = ""

    def _draw(self, share: float, text: str) -> None:
        """Draw the bar over the previous one. The text comes first: the bar gets what it leaves of the line."""
        if verbosity.quiet:
            return
        columns = shutil.get_terminal_size().columns - 1
        text = printable(text, MESSAGE)
        length = max(0, min(30, columns - len(text) - 1))
        line = f"{'█' * int(length * share):░<{length}} {text}" if length >= 5 else text
        sys.stderr.write(f"\r\033[K{line[:columns]}")
        sys.stderr.flush()
        self._drawn = True

    def print_line(self, text: str) -> None:
        """Print one line."""
        self._clear()
        if not verbosity.quiet:
            typer.echo(coloured(printable(text, MESSAGE), sys.stderr), err=True)

    def _clear(self) -> None:
        if self._drawn:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()
            self._drawn = False


def seconds(number: float) -> str:
    """A duration as people read it."""
    if number < 60:
        return f"{number:.1f} s" if number < 10 else f"{number:.0f} s"
    minutes, rest = divmod(round(number), 60)
    return f"{minutes} min {rest} s"
