"""Progress of a verification: a bar by stage on a terminal, lines now and then elsewhere."""

from __future__ import annotations

import io
import sys

import pytest

from converter.cli.colours import coloured
from converter.cli.reporter import Reporter
from converter.common.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The time, which the test moves."""
    now = [100.0]
    monkeypatch.setattr("converter.cli.reporter.time.monotonic", lambda: now[0])
    return now


def test_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch, clock: list[float]) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("COLUMNS", "60")
    with Reporter() as reporter:
        for number in (1, 2, 20, 40):
            reporter.show(Progress("Paddle", f"case {number} of 40, a loss", number, 40))
            clock[0] += 0.06
    written = stream.getvalue()
    assert written.startswith("Paddle\n")
    assert written.count("\r\x1b[K") == 2 + 1  # the first and the third, and the end that clears
    assert f"{'█' * 14}{'░' * 15} Paddle: case 20 of 40, a loss" in written and "case 2 of" not in written
    assert max(len(line) for line in written.split("\r\x1b[K")) < 60
    assert written.endswith("\r\x1b[K")


def test_a_text_that_fills_the_line_leaves_no_room_for_a_bar(
    monkeypatch: pytest.MonkeyPatch, clock: list[float]
) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("COLUMNS", "60")
    with Reporter() as reporter:
        for number in (1, 2):
            reporter.progress("fetching model_state.pdparams", number * 1_000_000, 1_112_000_000)
            clock[0] += 0.2
    assert "\r\x1b[Kfetching model_state.pdparams 2.0 MB of 1.11 GB (0%, 5.0" in stream.getvalue()


def test_lines_elsewhere(capsys: pytest.CaptureFixture[str], clock: list[float]) -> None:
    with Reporter() as reporter:
        for number in range(1, 13):
            reporter.show(Progress("weights", f"{number} of 12 tensors", number, 12))
            clock[0] += 1.0
        reporter.show(Progress("loading OUTPUT"))
    assert capsys.readouterr().err.splitlines() == [
        "weights: 1 of 12 tensors",
        "weights: 6 of 12 tensors (5.0 s, about 5.0 s left)",
        "weights: 11 of 12 tensors (10 s, about 0.9 s left)",
        "weights: 12 s",
        "loading OUTPUT",
        "all of it took 12 s",
    ]


def test_a_note_is_no_stage_and_has_no_time(capsys: pytest.CaptureFixture[str], clock: list[float]) -> None:
    with Reporter() as reporter:
        for wait in (2, 4):
            reporter.progress(f"no connection; again in {wait} s", 0, 0)
            clock[0] += wait
        reporter.progress("fetching a", 0, 1_000_000)
    assert capsys.readouterr().err.splitlines() == [
        "no connection; again in 2 s",
        "no connection; again in 4 s",
        "fetching a: 1.0 MB",
    ]


@pytest.mark.parametrize(("quiet", "verbose", "count"), [(True, False, 0), (False, False, 2), (False, True, 4)])
def test_quiet_tells_no_stage_and_verbose_the_time_of_each(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, quiet: bool, verbose: bool, count: int
) -> None:
    monkeypatch.setattr("converter.cli.verbosity.quiet", quiet)
    monkeypatch.setattr("converter.cli.verbosity.verbose", verbose)
    with Reporter() as reporter:
        reporter.show(Progress("opening SOURCE"))
        reporter.show(Progress("hashing SOURCE"))
    assert len(capsys.readouterr().err.splitlines()) == count


@pytest.mark.parametrize(
    ("line", "painted"),
    [
        ("error[E101]: missing: a", "\033[31;1merror[E101]:\033[0m missing: a"),
        ("warning: no tokenizer", "\033[33mwarning:\033[0m no tokenizer"),
        ("PASSED: OUTPUT is the same model", "\033[32;1mPASSED\033[0m: OUTPUT is the same model"),
        ("FAILED: OUTPUT is not the same model", "\033[31;1mFAILED\033[0m: OUTPUT is not the same model"),
        ("weights  38 tensors  2 differ  0  2 FAILED", "weights  38 tensors  2 differ  0  \033[31;1m2 FAILED\033[0m"),
        ("tokens   9 texts  0 differ  0      ok", "tokens   9 texts  0 differ  0      \033[32;1mok\033[0m"),
        ("behavior: paddlenlp", "behavior: paddlenlp"),
    ],
)
def test_colours_on_a_terminal_unless_they_are_declined(
    monkeypatch: pytest.MonkeyPatch, line: str, painted: str
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert coloured(f"{line}\n{line}", Terminal()) == f"{painted}\n{painted}"
    assert coloured(line, io.StringIO()) == line
    monkeypatch.setenv("TERM", "dumb")
    assert coloured(line, Terminal()) == line
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    assert coloured(line, Terminal()) == line


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
