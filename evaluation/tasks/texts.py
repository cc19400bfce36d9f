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
from verify.protocol.evaluation_job import LOGITS, Job

if TYPE_CHECKING:
    import numpy as np

#: Two spellings of one label: XNLI's machine translations have the first.
_SPELLINGS = (("contradictory", "contradiction"),)
_MOST_LISTED = 12


def prepare_texts(
    data: Data[LabelledText], encoder: Encoder, options: Options, names: Sequence[str], mask: bool
) -> tuple[Job, Prepared]:
    """Encode the texts, and find each label among the model's. Raises DataError."""
    labels = tuple(options.labels or names)
    if len(labels) != len(names):
        text = f"--labels has {len(labels)} names, the model has {len(names)} classes ({_listed(names)})"
        raise DataError(Problem("E904", text))
    known = _spelled(labels)
    found = Prepared(options.task, data.form, [], [], [], list(labels))
    unknown: dict[str, str] = {}

    def texts() -> Iterator[tuple[str, str | None]]:
        for example in data.examples():
            if example.second is None and options.task in PAIRS:
                reason = f"{example.place}: one text, and {options.task} has pairs. Is it --task classification?"
                raise DataError(Problem("E902", reason))
            if example.label not in known:
                unknown.setdefault(example.label, example.place)
                if len(unknown) > _MOST_LISTED:
                    break
            found.languages.append(example.language)
            found.places.append(example.place)
            found.gold.append(known.get(example.label, -1))
            yield example.first, example.second

    for _ in encoder.add(texts()):
        pass
    if unknown:
        raise _unknown_labels(unknown, names, options.labels)
    found.warnings.extend([*data.warnings(), *encoder.warnings()])
    return Job(LOGITS, **encoder.arrays(), mask=mask), found


def judge_texts(prepared: Prepared, answers: Mapping[str, np.ndarray]) -> Iterator[Answered]:
    """Predictions by the largest logit (the first of equal ones) and accuracy, for each language."""
    import numpy as np

    gold = np.array(prepared.gold, np.int64)
    logits = answers["logits"].astype(np.float64)
    for language in prepared.each_language():
        rows = prepared.rows_of(language)
        mine = logits[rows]
        chosen = mine.argmax(axis=1)
        ordered = np.sort(mine, axis=1)
        margin = ordered[:, -1] - ordered[:, -2] if mine.shape[1] > 1 else np.full(len(rows), np.inf)
        metrics = score_classes(gold[rows], chosen).metrics()
        yield Answered(language, USUAL, rows, chosen, margin, metrics, float(np.abs(mine).max()))


def _spelled(labels: Sequence[str]) -> dict[str, int]:
    """Label -> id, under each spelling that is not another label."""
    known = {label: number for number, label in enumerate(labels)}
    for one, other in _SPELLINGS:
        for name, same in ((one, other), (other, one)):
            if name in known:
                known.setdefault(same, known[name])
    return known


def _unknown_labels(unknown: Mapping[str, str], names: Sequence[str], given: Sequence[str] | None) -> DataError:
    place = next(iter(unknown.values()))
    what = f"--labels has {_listed(given)}" if given is not None else f"the model's classes are {_listed(names)}"
    advice = "--labels a,b,c says what the data call class 0, 1, 2"
    text = f"labels of the data are unknown: {_listed(list(unknown))} (first in {place}); {what}. {advice}"
    return DataError(Problem("E904", text))


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_LISTED} more" if len(names) > _MOST_LISTED else ""
    return ", ".join(f"{name!r:.40}" for name in names[:_MOST_LISTED]) + more
