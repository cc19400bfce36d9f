"""Which functions judge which task."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Callable

from evaluation.answered import Answered
from evaluation.prepared import Prepared
from evaluation.tasks.questions import judge_questions, name_answer
from evaluation.tasks.retrieval import judge_retrieval, name_sentence
from evaluation.tasks.sentences import judge_sentences
from evaluation.tasks.texts import judge_texts, name_label

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Task:
    """`judge` makes predictions and metrics of a side's arrays, `name` a word of a choice for an example."""

    judge: Callable[[Prepared, Mapping[str, np.ndarray]], Iterator[Answered]]
    name: Callable[[Prepared, int, int], str]


_TEXTS = Task(judge_texts, name_label)
TASKS = {
    **{"xnli": _TEXTS, "pawsx": _TEXTS, "classification": _TEXTS},
    "ner": Task(judge_sentences, name_label),
    "qa": Task(judge_questions, name_answer),
    "retrieval": Task(judge_retrieval, name_sentence),
}
