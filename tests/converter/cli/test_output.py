"""Progress of a verification: a bar by stage on a terminal, lines now and then elsewhere."""

from __future__ import annotations

import io
import sys

import pytest

from converter.cli.output import Reporter
from converter.common.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, which the test moves."""
    now = [100.0]
    monkeypatch.setattr("converter.cli.output.time.monotonic", lambda: now[0])
    return now


def test_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch, clock: list[float]) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("COLUMNS", "60")
    with Reporter() as reporter:
        for number in (1, 2, 20, 40):
            reporter.show(Progress("Paddle", f"case {number} of 40, {'batch' * 20}", number, 40))
            clock[0] += 0.06
    written = stream.getvalue()
    assert written.startswith("Paddle\n")
    assert written.count("\r\x1b[K") == 2 + 1  # the first and the third, and the end that clears
    assert f"{'█' * 15}{'░' * 15} Paddle: case 20 of 40" in written and "case 2 of" not in written
    assert max(len(line) for line in written.split("\r\x1b[K")) < 60
    assert written.endswith("\r\x1b[K")


def test_lines_elsewhere(capsys: pytest.CaptureFixture[str], clock: list[float]) -> None:
    with Reporter() as reporter:
        for number in range(1, 13):
            reporter.show(Progress("weights", f"{number} of 12 tensors", number, 12))
            clock[0] += 1.0
        reporter.show(Progress("loading OUTPUT"))
    assert capsys.readouterr().err.splitlines() == [
        "weights: 1 of 12 tensors",
        "weights: 6 of 12 tensors",
        "weights: 11 of 12 tensors",
        "loading OUTPUT",
    ]


@pytest.mark.parametrize(
    "event",
    [
        Progress("file", "0.0 of 0.0 MB", 100, 200),
        Progress("a", "3 of 0", 3, 0),
        Progress("a", "9 of 3", 9, 3),
        Progress("a", "1,024.5 of 2,049.0 MB", 1_024_500_000, 2_049_000_000),
        Progress("a", "b of c"),
    ],
)
def test_odd_shares_are_drawn_too(monkeypatch: pytest.MonkeyPatch, event: Progress) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    with Reporter() as reporter:
        reporter.show(event)
    assert event in stream.getvalue()
