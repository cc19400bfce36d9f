"""A job in parts is run as the whole, and merged to the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converter.common.errors import Paddle2TorchError
from evaluation.processes.paddle import merge_files
from evaluation.processes.parts import merge_answers, merge_texts, split_job, split_texts
from tests.evaluation.test_job import TEXTS, job_from, quiet
from verify.protocol.checked_file import read_checked, write_checked
from verify.protocol.evaluation_job import (
    ANSWERS,
    LAYERS,
    LOGITS,
    SPAN,
    TOKENS,
    names_of,
    pack_texts,
    run_job,
    unpack_texts,
)

KINDS = st.sampled_from([LOGITS, TOKENS, SPAN, LAYERS])
PAIRS = st.lists(st.tuples(st.text(max_size=3), st.lists(st.integers(0, 9), max_size=3)), min_size=1)


def call(kind: str) -> Callable[[Any], list[Any]]:
    """A model whose numbers depend on a text's tokens, their types, and the text's place in the batch."""

    def run(inputs: Any) -> list[Any]:
        ids = 1000.0 * inputs["input_ids"] + inputs["token_type_ids"]
        ids += 100 * np.arange(len(ids))[:, None]
        if kind == LAYERS:
            return [ids[..., None] * [1, n] for n in (2, 3)]
        if kind == SPAN:
            return [ids, 2 * ids]
        return [ids[..., None] * [1, 3] if kind == TOKENS else np.stack([ids.sum(axis=1), ids[:, 0]], axis=1)]

    return run


@settings(max_examples=100)
@given(TEXTS, st.integers(1, 4), st.integers(1, 5), KINDS)
def test_parts_are_run_and_merged_as_the_whole(texts: list[list[int]], size: int, count: int, kind: str) -> None:
    types = np.arange(sum(map(len, texts)), dtype=np.int32)
    job = job_from(texts, kind, types=types, layers=(0, 1) if kind == LAYERS else ())
    parts = split_job(job, size, count)
    batches = sorted(rows.tolist() for rows in job.batches(size))
    assert sorted(part.rows[rows].tolist() for part in parts for rows in part.job.batches(size)) == batches
    assert len(parts) == min(count, len(batches)) and all(len(part.job) for part in parts)
    expected = run_job(job, size, call(kind), "x", quiet)
    merged = merge_answers(job, parts, [run_job(part.job, size, call(kind), "x", quiet) for part in parts])
    assert list(merged) == names_of(job) == list(expected)
    for name, value in expected.items():
        assert merged[name].dtype == value.dtype and merged[name].tolist() == value.tolist()


@given(PAIRS, st.integers(1, 5))
def test_texts_are_merged_in_their_order(pairs: list[tuple[str, list[int]]], count: int) -> None:
    whole = pack_texts([text for text, _ in pairs], [ids for _, ids in pairs])
    shares = split_texts(whole, count)
    assert len(shares) == count and all(unpack_texts(share)[0] for share in shares if share)
    assert unpack_texts(merge_texts(shares)) == unpack_texts(whole)
    assert split_texts({}, count) == [{}] * count and merge_texts([{}, {}]) == {}


def write_parts(folder: Path, *heads: Any) -> tuple[Any, ...]:
    """Arguments of `merge_files`: two parts' answers of zeros and their texts' tokens, with these heads."""
    job = job_from([[1], [2, 3]])
    parts = split_job(job, 1, 2)
    paths = [folder / "0", folder / "1"]
    for path, part, head in zip(paths, parts, heads):
        arrays = {"logits": np.zeros((1, 2)), **pack_texts([path.name], [[4]])}
        write_checked(str(path), ANSWERS, arrays, {"job": part.job.digest(), **head})
    return paths, folder / "merged", job, parts


def test_files_of_different_checkpoints_are_not_merged(tmp_path: Path) -> None:
    heads = [{"files": [weights], "tokenizer_problem": None} for weights in "ab"]
    with pytest.raises(Paddle2TorchError, match="E603]: SOURCE changed while"):
        merge_files(*write_parts(tmp_path, *heads))


def test_a_tokenizer_that_fails_on_some_texts_compares_none(tmp_path: Path) -> None:
    """As in one process."""
    given = write_parts(tmp_path, {"tokenizer_problem": None}, {"tokenizer_problem": "KeyError: 'x'"})
    merge_files(*given)
    head, arrays = read_checked(str(tmp_path / "merged"), ANSWERS)
    assert head["tokenizer_problem"] == "KeyError: 'x'" and head["job"] == given[2].digest()
    assert list(arrays) == ["logits"]
