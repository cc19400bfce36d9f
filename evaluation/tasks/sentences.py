"""Named entities: each word is tokenized alone, as in Baidu's and XTREME's scripts.

Scored by word: the tag of a word is that of its first sub-token; a word that gave none, or was cut off, counts as O.
Scored by sub-token, as Baidu's script does: every sub-token has a tag (B- for the first of an entity, I- behind it),
and words without one and what was cut off are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from converter.common.errors import DataError, Problem
from evaluation.answered import USUAL, Answered
from evaluation.encoding import Encoder
from evaluation.examples import TaggedSentence
from evaluation.options import SUBTOKEN, Options
from evaluation.prepared import Prepared
from evaluation.readers.data import Data
from evaluation.scorers.spans import score_spans
from evaluation.tasks.labels import check_labels, unknown_labels
from evaluation.tasks.texts import choose
from verify.protocol.evaluation_job import TOKENS, Job

if TYPE_CHECKING:
    import numpy as np


def prepare_sentences(
    data: Data[TaggedSentence], encoder: Encoder, options: Options, names: Sequence[str], mask: bool
) -> tuple[Job, Prepared]:
    """Encode the words. Each sentence's gold has its tags, and for each word where its sub-tokens begin in the job and
    how many there are. Raises DataError for tags that the model does not have."""
    labels = check_labels(options.labels, names)
    found = Prepared(options.task, data.form, [], [], [], list(labels))
    unknown: dict[str, str] = {}
    start = 0
    for example in data.examples():
        for tag in example.tags:
            if tag not in labels:
                unknown.setdefault(tag, example.place)
        pieces, length = encoder.add_words(example.words)
        places = [start + place for place, _ in pieces]
        counts = [count for _, count in pieces]
        found.languages.append(example.language)
        found.places.append(example.place)
        found.gold.append({"tags": list(example.tags), "places": places, "counts": counts})
        start += length
    if unknown:
        raise unknown_labels(unknown, names, options.labels)
    if "O" not in labels:
        raise DataError(Problem("E904", "the model has no label O: is it one for named entities? --labels names them"))
    found.protocol["scored by"] = options.ner_scoring
    found.warnings.extend([*data.warnings(), *encoder.warnings(found.languages)])
    return Job(TOKENS, **encoder.arrays(), mask=mask), found


def judge_sentences(prepared: Prepared, answers: Mapping[str, np.ndarray]) -> Iterator[Answered]:
    """Tags by the largest logit of each sub-token that counts, and span F1, for each language."""
    import numpy as np

    every = prepared.protocol["scored by"] == SUBTOKEN
    logits = answers["logits"]
    for language in prepared.each_language():
        sentences = prepared.rows_of(language)
        places = [_places(prepared.gold[row], every) for row in sentences]
        where = np.array([place for one in places for place in one], np.int64)
        rows = np.repeat(sentences, list(map(len, places)))
        chosen, margin = choose(logits[where].astype(np.float64))
        tags = iter([prepared.labels[number] for number in chosen])
        predicted = [[next(tags) for _ in one] for one in places]
        metrics = _score(prepared, sentences, predicted, every)
        scale = float(np.abs(logits[where]).max(initial=0.0))
        yield Answered(language, USUAL, rows, chosen, margin, metrics, scale, ("logits",), where)


def _places(gold: Any, every: bool) -> list[int]:
    """The sub-tokens that count: all, or the first of each word that has any."""
    pairs = [(place, count) for place, count in zip(gold["places"], gold["counts"]) if count]
    return [place + n for place, count in pairs for n in range(count if every else 1)]


def _score(
    prepared: Prepared, sentences: Sequence[int], predicted: Sequence[list[str]], every: bool
) -> dict[str, float]:
    gold, found = [], []
    for row, tags in zip(sentences, predicted):
        one = prepared.gold[row]
        if every:
            gold.append([tag for each in zip(one["tags"], one["counts"]) for tag in _spread(*each)])
            found.append(tags)
        else:
            given = iter(tags)
            gold.append(one["tags"])
            found.append([next(given) if count else "O" for count in one["counts"]])
    return score_spans(gold, found).metrics()


def _spread(tag: str, count: int) -> list[str]:
    """The tag of each sub-token of a word."""
    inner = "I-" + tag[2:] if tag.startswith("B-") else tag
    return [tag, *[inner] * (count - 1)] if count else []
