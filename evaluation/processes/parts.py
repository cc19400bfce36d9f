"""A job in parts that different processes answer, and their answers as those of one process."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from verify.protocol.evaluation_job import SPAN, TEXTS, TOKENS, Job, names_of, pack_texts, unpack_texts

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Part:
    """Some texts of a job as a job of their own. `rows`: their numbers in the whole job, ascending, int64 [n]."""

    job: Job
    rows: np.ndarray


def split_job(job: Job, size: int, count: int) -> list[Part]:
    """At most `count` parts, none of them empty, each with every `count`-th batch: batches are sorted by length, so the
    parts take about equally long.

    A batch is never divided. How many texts are run at once can decide how a product of matrices is rounded; so every
    part runs exactly the batches that one process would.
    """
    import numpy as np

    batches = list(job.batches(size))
    shares = (batches[first::count] for first in range(min(count, len(batches))))
    return [part_of(job, np.sort(np.concatenate(share))) for share in shares]


def part_of(job: Job, rows: np.ndarray) -> Part:
    """The texts `rows` of a job. Ascending rows keep the batches: of one length only the last is smaller."""
    import numpy as np

    places = token_places(job, rows)
    offsets = np.concatenate([[0], np.cumsum(np.diff(job.offsets)[rows])]).astype(np.int64)
    types = None if job.types is None else job.types[places]
    return Part(replace(job, ids=job.ids[places], offsets=offsets, types=types), rows)


def token_places(job: Job, rows: np.ndarray) -> np.ndarray:
    """Where the tokens of some texts are in the job, one text behind the other."""
    import numpy as np

    return np.concatenate([np.arange(job.offsets[row], job.offsets[row + 1]) for row in rows])


def merge_answers(
    job: Job, parts: Iterable[Part], answers: Iterable[Mapping[str, np.ndarray]]
) -> dict[str, np.ndarray]:
    """The answers to the whole job from those to its parts, which are taken one after the other."""
    import numpy as np

    merged: dict[str, np.ndarray] = {}
    each = job.kind in (TOKENS, SPAN)
    for part, arrays in zip(parts, answers):
        where = token_places(job, part.rows) if each else part.rows
        for name in names_of(job):
            value = arrays[name]
            if name not in merged:
                merged[name] = np.empty((len(job.ids) if each else len(job), *value.shape[1:]), value.dtype)
            merged[name][where] = value
    return merged


def split_texts(arrays: Mapping[str, np.ndarray], count: int) -> list[dict[str, np.ndarray]]:
    """The texts beside a job and their tokens, in `count` parts of about equal number; nothing where there are none."""
    if TEXTS not in arrays:
        return [{}] * count
    texts, ids = unpack_texts(arrays)
    ends = [number * len(texts) // count for number in range(count + 1)]
    return [pack_texts(texts[a:b], ids[a:b]) if a < b else {} for a, b in zip(ends, ends[1:])]


def merge_texts(parts: Iterable[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    """What `split_texts` divided, with the tokens that each process found."""
    texts: list[str] = []
    ids: list[list[int]] = []
    for arrays in parts:
        if TEXTS in arrays:
            more, found = unpack_texts(arrays)
            texts += more
            ids += found
    return pack_texts(texts, ids) if texts else {}
