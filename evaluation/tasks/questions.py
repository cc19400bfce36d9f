"""Questions about a context, asked as a pair in the tokenizer's own layout: question, then a window of the context.

Windows follow one another by 128 tokens; a question is cut at 64. A token may begin an answer in the window where it
has the most context on both sides (as in BERT's script and Baidu's), an answer has 100 tokens at most. The answer is
the text of the context itself, from the first character of its first token to the last of its last.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from converter.common.errors import DataError, Problem
from evaluation.answered import USUAL, Answered
from evaluation.encoding import Encoder, count_by_language
from evaluation.examples import Question
from evaluation.options import Options
from evaluation.prepared import Prepared
from evaluation.readers.data import Data
from evaluation.scorers.answers import LANGUAGES, score_answers
from verify.protocol.evaluation_job import SPAN, Job

if TYPE_CHECKING:
    import numpy as np

STEP, LONGEST_QUESTION, LONGEST_ANSWER = 128, 64, 100
#: An answer's number is its first character's place in the context times this, plus the place behind its last.
_PLACES = 1 << 24


def prepare_questions(data: Data[Question], encoder: Encoder, options: Options, mask: bool) -> tuple[Job, Prepared]:
    """Encode each question with the windows of its context. Its gold has id, answers, context, the characters of each
    token, and for each window where its context begins in the job, its first token and their number. Raises DataError.
    """
    found = Prepared(options.task, data.form, [], [], [])
    layout = encoder.layout
    extra = len(layout.pair_before) + len(layout.between) + len(layout.pair_after)
    longest = min(LONGEST_QUESTION, (encoder.longest - extra) // 2)
    start, cut = 0, []
    for example in data.examples():
        question = encoder.plain(example.question)
        if len(question) > longest:
            cut.append(example.language)
        question = question[:longest]
        ids, spans = encoder.with_characters(example.context)
        if not ids:
            raise DataError(Problem("E903", f"{example.place}: the context has no token"))
        room = encoder.longest - extra - len(question)
        before = [*layout.pair_before, *question, *layout.between]
        windows = []
        for first in _starts(len(ids), room):
            inner = ids[first : first + room]
            encoder.put([*before, *inner, *layout.pair_after], _types(encoder, len(question), len(inner)))
            windows.append([start + len(before), first, len(inner)])
            start += len(before) + len(inner) + len(layout.pair_after)
        found.languages.append(example.language)
        found.places.append(example.place)
        gold = {"id": example.name, "answers": list(example.answers), "context": example.context}
        found.gold.append({**gold, "spans": spans, "windows": windows})
    found.protocol["windows"] = f"{encoder.longest} tokens, every {STEP}, questions cut at {longest}"
    found.protocol["longest answer"] = f"{LONGEST_ANSWER} tokens"
    found.warnings.extend(data.warnings())
    if cut:
        text = f"{len(cut):,} of {len(found.gold):,} questions have more than {longest} tokens and were cut"
        found.warnings.append(f"{text} ({count_by_language(cut)})")
    others = [language for language in found.each_language() if language not in LANGUAGES]
    if others:
        text = f"MLQA has no rules for {', '.join(others)}: no article is removed from answers there"
        found.warnings.append(text)
    return Job(SPAN, **encoder.arrays(), mask=mask), found


def _starts(count: int, room: int) -> Iterator[int]:
    """The first token of each window, until one has the end of the context."""
    first = 0
    while True:
        yield first
        if first + room >= count:
            return
        first += min(STEP, room)


def _types(encoder: Encoder, question: int, context: int) -> list[int]:
    before, first, between, second, after = encoder.layout.pair_types
    return [*before, *[first] * question, *between, *[second] * context, *after]


def judge_questions(prepared: Prepared, answers: Mapping[str, np.ndarray]) -> Iterator[Answered]:
    """The answer with the largest sum of start and end logit (the first of equal ones), and MLQA's F1 and EM, for each
    language."""
    import numpy as np

    logits = [answers[name].astype(np.float64) for name in ("start_logits", "end_logits")]
    for language in prepared.each_language():
        rows = np.array(prepared.rows_of(language))
        found = [_best(prepared.gold[row], *logits) for row in rows]
        chosen = np.array([one[0] for one in found], np.int64)
        margin = np.array([one[1] for one in found])
        texts = {prepared.gold[row]["id"]: name_answer(prepared, row, int(n)) for row, n in zip(rows, chosen)}
        gold = [(prepared.gold[row]["id"], prepared.gold[row]["answers"]) for row in rows]
        metrics = score_answers(gold, texts, language).metrics()
        parts = [np.arange(begin, begin + count) for row in rows for begin, _, count in prepared.gold[row]["windows"]]
        where = np.concatenate(parts)
        # A choice is by a sum of two logits.
        scale = 2 * float(max(np.abs(values[where]).max() for values in logits))
        yield Answered(language, USUAL, rows, chosen, margin, metrics, scale, ("start_logits", "end_logits"), where)


def name_answer(prepared: Prepared, row: int, choice: int) -> str:
    """The answer's text."""
    context: str = prepared.gold[row]["context"]
    return context[choice // _PLACES : choice % _PLACES]


def _best(gold: Any, start: np.ndarray, end: np.ndarray) -> tuple[int, float]:
    """The number of the best answer and its distance to the second best. Windows overlap, so an answer's score is that
    of the window where its first token has the most context."""
    import numpy as np

    owner = _owners(gold["windows"], len(gold["spans"]))
    best: list[tuple[float, int, int]] = []
    for number, (place, first, count) in enumerate(gold["windows"]):
        scores = start[place : place + count, None] + end[None, place : place + count]
        begin, stop = np.ogrid[:count, :count]
        allowed = (stop >= begin) & (stop < begin + LONGEST_ANSWER)
        allowed &= (owner[first : first + count] == number)[:, None]
        scores = np.where(allowed, scores, -np.inf).reshape(-1)
        for flat in _two_largest(scores):
            if scores[flat] > -np.inf:
                best.append((-float(scores[flat]), first + int(flat) // count, first + int(flat) % count))
    best.sort()
    score, begin_token, end_token = best[0]
    margin = best[1][0] - score if len(best) > 1 else float("inf")
    spans = gold["spans"]
    return spans[begin_token][0] * _PLACES + spans[end_token][1], margin


def _two_largest(scores: np.ndarray) -> list[int]:
    """The places of the largest and of the second, the first of equal ones."""
    first = int(scores.argmax())
    kept, scores[first] = scores[first], -float("inf")
    second = int(scores.argmax())
    scores[first] = kept
    return [first, second]


def _owners(windows: list[list[int]], count: int) -> np.ndarray:
    """For each token of the context the window where it has the most context; of equal ones the first."""
    import numpy as np

    most = np.full(count, -1.0)
    owner = np.zeros(count, np.int64)
    for number, (_, first, length) in enumerate(windows):
        inside = np.arange(length)
        context = np.minimum(inside, length - 1 - inside) + 0.01 * length
        better = context > most[first : first + length]
        owner[first : first + length][better] = number
        most[first : first + length][better] = context[better]
    return owner
