"""OUTPUT's tokens of the examples against Paddle's: both models get the same arrays, so nothing else would show that a
user's texts become others."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from converter.common.errors import Problem
from converter.files.regular_files import quoted
from evaluation.answers_file import Answers
from verify.protocol.evaluation_job import TEXTS, unpack_texts


def compare_texts(kept: Answers, job: Mapping[str, Any]) -> tuple[list[Problem], list[str]]:
    """A problem when texts of `job`'s file have other tokens in Paddle, and a warning when nothing was compared."""
    reason = kept.head.get("tokenizer_problem")
    if TEXTS not in kept.arrays or TEXTS not in job:
        why = f"PaddleNLP does not load it: {reason}" if reason else "SOURCE has none, or other texts were recorded"
        return [], [f"tokens were not compared with SOURCE's tokenizer ({why})"]
    expected = dict(zip(*unpack_texts(kept.arrays)))
    texts, found = unpack_texts(job)
    if any(text not in expected for text in texts):
        return [], []  # Answers to other examples, which is said where they are read.
    wrong = [(text, ids) for text, ids in zip(texts, found) if expected[text] != ids]
    if not wrong:
        return [], []
    text, ids = wrong[0]
    example = f"{quoted(text)}: OUTPUT {_shown(ids)}, Paddle {_shown(expected[text])}"
    return [Problem("E907", f"{len(wrong):,} of {len(texts):,} texts have other tokens in Paddle. {example}")], []


def _shown(ids: list[int]) -> str:
    return " ".join(map(str, ids[:12])) + (" ..." if len(ids) > 12 else "")
