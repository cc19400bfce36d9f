"""Classification of texts and pairs: XNLI, PAWS-X, and any labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from converter.common.errors import DataError, Problem
from evaluation.answered import USUAL, Answered
from evaluation.encoding import Encoder
from evaluation.examples import LabelledText
from evaluation.options import PAIRS, Options
from evaluation.prepared import Prepared
from evaluation.readers.data import Data
from evaluation.scorers.accuracy import score_classes
from evaluation.tasks.labels import MOST_LISTED, check_labels, unknown_labels, with_spellings
from verify.protocol.evaluation_job import LOGITS, Job

if TYPE_CHECKING:
    import numpy as np


def prepare_texts(
    data: Data[LabelledText], encoder: Encoder, options: Options, names: Sequence[str], mask: bool
) -> tuple[Job, Prepared]:
    """Encode the texts, and find each label among the model's. Raises DataError."""
    labels = check_labels(options.labels, names)
    known = with_spellings(labels)
    found = Prepared(options.task, data.form, [], [], [], list(labels))
    unknown: dict[str, str] = {}

    def texts() -> Iterator[tuple[str, str | None]]:
        for example in data.examples():
            if example.second is None and options.task in PAIRS:
                reason = f"{example.place}: one text, and {options.task} has pairs. Is it --task classification?"
                raise DataError(Problem("E902", reason))
            if example.label not in known:
                unknown.setdefault(example.label, example.place)
                if len(unknown) > MOST_LISTED:
                    break
            found.languages.append(example.language)
            found.places.append(example.place)
            found.gold.append(known.get(example.label, -1))
            yield example.first, example.second

    for _ in encoder.add(texts()):
        pass
    if unknown:
        raise unknown_labels(unknown, names, options.labels)
    found.warnings.extend([*data.warnings(), *encoder.warnings(found.languages)])
    return Job(LOGITS, **encoder.arrays(), mask=mask), found


def judge_texts(prepared: Prepared, answers: Mapping[str, np.ndarray]) -> Iterator[Answered]:
    """Predictions by the largest logit (the first of equal ones) and accuracy, for each language."""
    import numpy as np

    gold = np.array(prepared.gold, np.int64)
    logits = answers["logits"].astype(np.float64)
    for language in prepared.each_language():
        rows = np.array(prepared.rows_of(language))
        chosen, margin = choose(logits[rows])
        metrics = score_classes(gold[rows], chosen).metrics()
        scale = float(np.abs(logits[rows]).max())
        yield Answered(language, USUAL, rows, chosen, margin, metrics, scale, ("logits",), rows)


def choose(logits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The largest of each row, the first of equal ones, and its distance to the second: [N, L] to [N] each."""
    import numpy as np

    if logits.shape[1] < 2:
        return np.zeros(len(logits), np.int64), np.full(len(logits), np.inf)
    ordered = np.sort(logits, axis=1)
    return logits.argmax(axis=1), ordered[:, -1] - ordered[:, -2]


def name_label(prepared: Prepared, row: int, choice: int) -> str:
    """A choice in words."""
    return prepared.labels[choice]
