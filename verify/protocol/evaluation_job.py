"""An evaluation's job: the token ids that both frameworks run through their model, and in which batches.

A batch holds texts of one length, so nothing is padded: neither the size of a batch nor the neighbours in it change
what is computed for a text.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Callable

import numpy as np

from verify.protocol.messages import report_progress

#: What a model is asked for. LOGITS: [N, labels]; TOKENS: logits of each token; SPAN: start and end logits of each
#: token; LAYERS: the mean over a text's tokens of some hidden states, counted from the embeddings' 0.
LOGITS, TOKENS, SPAN, LAYERS = "logits", "tokens", "span", "layers"
#: The key of the head in a file of answers, and its version.
ANSWERS, ANSWERS_FORMAT = "paddle2torch_answers", 1
JOB = "paddle2torch_job"

#: Seconds of a run after which it is told how long all of it takes, and from how many on that is worth a line.
MEASURED, LONG = 2.0, 60.0

Inputs = Any  # Name of an argument -> int64 array [B, S].


@dataclass(frozen=True)
class Job:
    """Texts as token ids, one behind the other; text n is ids[offsets[n]:offsets[n + 1]]."""

    kind: str
    ids: Any  # int32 [T]
    offsets: Any  # int64 [N + 1]
    #: Types of the tokens, where the tokenizer gives them.
    types: Any = None  # int32 [T]
    #: Whether an attention_mask of ones is given; else none.
    mask: bool = False
    layers: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def arrays(self) -> dict[str, Any]:
        found = {"ids": self.ids, "offsets": self.offsets}
        return found if self.types is None else dict(found, types=self.types)

    def head(self) -> dict[str, Any]:
        return {"kind": self.kind, "mask": self.mask, "layers": list(self.layers)}

    def digest(self) -> str:
        """The SHA-256 of everything that decides the answers."""
        found = hashlib.sha256(repr(sorted(self.head().items())).encode())
        for name, array in sorted(self.arrays().items()):
            found.update(name.encode() + np.ascontiguousarray(array).tobytes())
        return found.hexdigest()

    def batches(self, size: int) -> Iterator[Any]:
        """The numbers of the texts of each batch: all of one length, the short ones first."""
        lengths = np.diff(self.offsets)
        order = np.argsort(lengths, kind="stable")
        for group in np.split(order, np.flatnonzero(np.diff(lengths[order])) + 1):
            for start in range(0, len(group), size):
                yield group[start : start + size]

    def inputs(self, rows: Any) -> Inputs:
        """The arguments of the model for some texts of one length."""
        places = self.places(rows)
        given = {"input_ids": self.ids[places].astype(np.int64)}
        if self.types is not None:
            given["token_type_ids"] = self.types[places].astype(np.int64)
        if self.mask:
            given["attention_mask"] = np.ones(places.shape, np.int64)
        return given

    def places(self, rows: Any) -> Any:
        """Where the tokens of some texts of one length are: [B, S]."""
        length = int(self.offsets[rows[0] + 1] - self.offsets[rows[0]])
        return self.offsets[rows][:, None] + np.arange(length)


def job_of(head: dict[str, Any], arrays: Any) -> Job:
    """The job of a file that was written with `head` and `arrays`."""
    return Job(head["kind"], arrays["ids"], arrays["offsets"], arrays.get("types"), head["mask"], tuple(head["layers"]))


#: Names of the arrays of texts and their tokens, beside a job and beside the answers.
TEXTS, TEXT_IDS, TEXT_OFFSETS = "tokens/texts", "tokens/ids", "tokens/offsets"


def pack_texts(texts: list[str], ids: list[list[int]]) -> dict[str, Any]:
    """Texts and what a tokenizer makes of each, as arrays."""
    return {
        TEXTS: np.frombuffer(json.dumps(texts).encode("ascii"), np.uint8).copy(),
        TEXT_IDS: np.array([number for row in ids for number in row], np.int64),
        TEXT_OFFSETS: np.cumsum([0] + [len(row) for row in ids]).astype(np.int64),
    }


def unpack_texts(arrays: Any) -> tuple[list[str], list[list[int]]]:
    """What `pack_texts` was given."""
    texts, ids, offsets = json.loads(arrays[TEXTS].tobytes()), arrays[TEXT_IDS], arrays[TEXT_OFFSETS]
    return texts, [ids[start:end].tolist() for start, end in zip(offsets[:-1], offsets[1:])]


def run_job(
    job: Job, size: int, call: Callable[[Inputs], list[Any]], who: str, report: Callable[..., None] = report_progress
) -> dict[str, Any]:
    """The answers by name. `call` gives for a batch the model's arrays: [B, labels], or [B, S, ...] for each token, or
    the hidden states asked for, [B, S, H] each."""
    answers: dict[str, Any] = {}
    done, tokens, start, told = 0, 0, time.monotonic(), False
    report(who, f"{len(job):,} texts", 0, len(job.ids))
    for rows in job.batches(size):
        for name, value in zip(names_of(job), call(job.inputs(rows))):
            if job.kind == LAYERS:
                value = value.mean(axis=1, dtype=np.float64).astype(value.dtype)
            each = job.kind in (TOKENS, SPAN)
            where = job.places(rows) if each else rows
            if name not in answers:
                count = len(job.ids) if each else len(job)
                answers[name] = np.empty((count, *value.shape[where.ndim :]), value.dtype)
            answers[name][where] = value
        done += len(rows)
        tokens += where.size if each else job.places(rows).size
        seconds, share = time.monotonic() - start, tokens / len(job.ids)
        if seconds >= MEASURED and not told:
            told = True
            if seconds / share >= LONG:
                report(f"{who}, expected time", describe_expected(seconds / share, len(job)))
        # What is left follows from the tokens that are done: the long texts come last.
        report(who, describe_rate(done, len(job), seconds), tokens, len(job.ids))
    return answers


def names_of(job: Job) -> list[str]:
    """The names of the answers, in the order in which a model gives them."""
    if job.kind == SPAN:
        return ["start_logits", "end_logits"]
    return [f"layer.{number}" for number in job.layers] if job.kind == LAYERS else ["logits"]


def describe_rate(done: int, total: int, seconds: float) -> str:
    """How many texts are done, and how many a second."""
    return f"{done:,} of {total:,} texts, {done / max(seconds, 1e-3):,.1f}/s"


def describe_expected(seconds: float, texts: int) -> str:
    """What is said once, when a run turns out to be a long one: the long texts come last and take more than their share
    of the tokens."""
    return f"about {describe_time(seconds)} or more for {texts:,} texts; --limit N takes fewer"


def describe_time(seconds: float) -> str:
    if seconds >= 5400:
        return f"{seconds / 3600:.1f} h"
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
