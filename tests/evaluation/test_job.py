"""What both sides compute alike: batches without padding, the order of the answers, the sums of the files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from verify.protocol.checked_file import read_checked, write_checked
from verify.protocol.evaluation_job import JOB, LAYERS, LOGITS, SPAN, TOKENS, Job, describe_rate, job_of, run_job


def job_from(texts: list[list[int]], kind: str = LOGITS, **more: Any) -> Job:
    offsets = np.concatenate([[0], np.cumsum([len(text) for text in texts])]).astype(np.int64)
    return Job(kind, np.array([number for text in texts for number in text], np.int32), offsets, **more)


def quiet(*words: Any) -> None:
    pass


TEXTS = st.lists(st.lists(st.integers(0, 99), min_size=1, max_size=4), min_size=1, max_size=12)


@settings(max_examples=100)
@given(TEXTS, st.integers(1, 5))
def test_each_text_is_run_once_and_unpadded(texts: list[list[int]], size: int) -> None:
    job = job_from(texts, mask=True)
    seen: list[list[int]] = []

    def call(inputs: Any) -> list[Any]:
        ids = inputs["input_ids"]
        assert len(ids) <= size and ids.dtype == np.int64 and (inputs["attention_mask"] == 1).all()
        assert inputs["attention_mask"].shape == ids.shape and "token_type_ids" not in inputs
        seen.extend(ids.tolist())
        return [np.stack([ids.sum(axis=1), ids[:, 0]], axis=1).astype(np.float32)]

    answers = run_job(job, size, call, "x", quiet)
    assert sorted(seen) == sorted(texts)
    assert answers["logits"].tolist() == [[sum(text), text[0]] for text in texts]


@settings(max_examples=50)
@given(TEXTS, st.integers(1, 5))
def test_answers_for_each_token_stand_where_the_token_is(texts: list[list[int]], size: int) -> None:
    job = job_from(texts, SPAN)
    answers = run_job(job, size, lambda inputs: [inputs["input_ids"] * 1.0, inputs["input_ids"] * 2.0], "x", quiet)
    assert answers["start_logits"].tolist() == job.ids.tolist()
    assert answers["end_logits"].tolist() == (2 * job.ids).tolist()
    tokens = run_job(
        job_from(texts, TOKENS), size, lambda inputs: [inputs["input_ids"][..., None] * [1, 3]], "x", quiet
    )
    assert tokens["logits"].tolist() == [[number, 3 * number] for number in job.ids.tolist()]


def test_layers_are_the_mean_of_a_texts_tokens() -> None:
    job = job_from([[1, 2], [5], [3, 5]], LAYERS, layers=(4, 0))
    call = lambda inputs: [inputs["input_ids"][..., None].astype(np.float32) * n for n in (1, 10)]  # noqa: E731
    answers = run_job(job, 8, call, "x", quiet)
    assert answers["layer.4"].tolist() == [[1.5], [5], [4]] and answers["layer.0"].dtype == np.float32
    assert list(answers) == ["layer.4", "layer.0"]


def test_what_decides_the_answers_decides_the_digest(tmp_path: Path) -> None:
    texts = [[1, 2], [3]]
    jobs = [
        job_from(texts),
        job_from([[1], [2, 3]]),
        job_from([[1, 2], [4]]),
        job_from(texts, TOKENS),
        job_from(texts, mask=True),
        job_from(texts, types=np.zeros(3, np.int32)),
        job_from(texts, types=np.ones(3, np.int32)),
        job_from(texts, LAYERS, layers=(1,)),
        job_from(texts, LAYERS, layers=(2,)),
    ]
    assert len({job.digest() for job in jobs}) == len(jobs)
    for job in jobs:
        path = str(tmp_path / "job")
        write_checked(path, JOB, job.arrays(), job.head())
        assert job_of(*read_checked(path, JOB)).digest() == job.digest()


def test_a_changed_bit_is_found(tmp_path: Path) -> None:
    path = tmp_path / "job"
    write_checked(str(path), JOB, job_from([[1, 2]]).arrays(), {"a": 1})
    whole = path.read_bytes()
    for place in range(8, len(whole)):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        with pytest.raises((ValueError, KeyError)):
            read_checked(str(path), JOB)
    with pytest.raises(ValueError, match="without other"):
        path.write_bytes(whole)
        read_checked(str(path), "other")


@pytest.mark.parametrize(("each", "expected"), [(0.5, ["about 2 min or more for 200 texts"]), (0.25, [])])
def test_the_time_is_told_once_before_a_long_run(
    each: float, expected: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After two seconds, where all of it takes a minute or more."""
    clock = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: clock[0])
    told: list[tuple[str, str, int]] = []

    def call(inputs: Any) -> list[Any]:
        clock[0] += each
        return [inputs["input_ids"] * 1.0]

    def report(stage: str, detail: str, done: int = 0, total: int = 0) -> None:
        told.append((stage, detail, done))

    run_job(job_from([[1, 2]] * 200), 1, call, "Paddle", report)
    lines = [
        (detail.partition(";")[0], number) for number, (stage, detail, _) in enumerate(told) if "expected" in stage
    ]
    assert [line for line, _ in lines] == expected
    assert all(told[number - 1][2] == 6 and told[number + 1][2] == 8 for _, number in lines)  # At once.


def test_the_rate() -> None:
    assert describe_rate(200, 5000, 10) == "200 of 5,000 texts, 20.0/s"
    assert describe_rate(10, 5000, 100) == "10 of 5,000 texts, 0.1/s"
