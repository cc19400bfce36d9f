"""The progress of several processes in one line."""

from __future__ import annotations

import pytest

from converter.common.progress import Progress
from evaluation.processes.counted import OneLine
from evaluation.processes.parts import split_job
from tests.evaluation.test_job import job_from


def test_one_line_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rate and tokens are of all processes; a job that one of them runs already is shown after the one before it."""
    clock = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    heard: list[Progress] = []
    parts = split_job(job_from([[1] * length for length in (1, 1, 2, 3, 3, 3)]), 2, 2)
    assert [part.rows.tolist() for part in parts] == [[0, 1, 3, 4], [2, 5]]
    line = OneLine(parts, 2, ["A", "B"], heard.append)

    def told(number: int, stage: str, done: int = 0, total: int = 0) -> list[tuple[str, str, int, int]]:
        heard.clear()
        line.hear(number, Progress(stage, "", done, total))
        return [(event.stage, event.detail, event.done, event.total) for event in heard]

    assert told(0, "loading") == [("loading", "", 0, 0)] and told(1, "loading") == []
    assert told(0, "A", 0, 8) == [("A", "6 texts", 0, 13)]
    clock[0] += 1
    assert told(0, "A", 2, 8) == [("A", "2 of 6 texts, 2.0/s", 2, 13)]
    assert told(1, "A", 0, 5) == [("A", "2 of 6 texts, 2.0/s", 2, 13)]
    assert told(0, "A", 8, 8) == [("A", "4 of 6 texts, 4.0/s", 8, 13)]
    assert told(0, "B", 0, 8) == told(0, "B", 2, 8) == told(0, "A, expected time") == told(0, "writing") == []
    clock[0] += 4
    assert told(1, "A", 2, 5) == [("A", "5 of 6 texts, 1.0/s", 10, 13)]
    assert told(1, "A", 5, 5) == [("A", "6 of 6 texts, 1.2/s", 13, 13)]
    assert told(1, "B", 0, 5) == [("B", "2 of 6 texts, 0.5/s", 2, 13)]
    clock[0] += 11
    assert told(0, "B", 8, 8) == [("B", "4 of 6 texts, 0.3/s", 8, 13)]
    assert told(1, "B", 5, 5) == [("B", "6 of 6 texts, 0.4/s", 13, 13)]
    assert told(1, "writing") == [("writing", "", 0, 0)] and told(0, "writing") == []


@pytest.mark.parametrize(
    ("seconds", "expected"), [(20, ["about 2 min or more for 12 texts; --limit N takes fewer"]), (9, [])]
)
def test_the_expected_time_is_that_of_all(seconds: int, expected: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """What one did while another was still loading shows no pace."""
    clock = [100.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    heard: list[Progress] = []
    line = OneLine(split_job(job_from([[1]] * 12), 1, 2), 1, ["A"], heard.append)
    for number, done, later in ((0, 0, 100), (0, 1, 100), (1, 0, seconds), (0, 2, 0)):
        line.hear(number, Progress("A", "", done, 6))
        clock[0] += later
    assert not any("expected" in event.stage for event in heard)
    for done in (1, 2):
        line.hear(1, Progress("A", "", done, 6))
    assert [event.detail for event in heard if event.stage == "A, expected time"] == expected
