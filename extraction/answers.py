"""From probabilities at tokens to answers: which start belongs to which end, and what windows found together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

from .windows import Window

Answer = dict[str, Any]
Answers = dict[str, list[Answer]]
Place = tuple[int, float]


def find_answers(window: Window, starts: list[float], ends: list[float], limit: float) -> list[Answer]:
    """What starts and ends with probabilities above a limit; two numbers for each token, padding included."""
    spans = window.spans + [(0, 0)] * (len(starts) - len(window.spans))
    answers = []
    for (first, start_probability), (last, end_probability) in pair_up(above(starts, limit), above(ends, limit)):
        answer = make_answer(window, spans[first][0], spans[last][1])
        if answer is not None:
            answers.append({**answer, "probability": start_probability * end_probability})
    return answers


def above(probabilities: list[float], limit: float) -> list[Place]:
    return [(place, probability) for place, probability in enumerate(probabilities) if probability > limit]


def pair_up(starts: list[Place], ends: list[Place]) -> Iterator[tuple[Place, Place]]:
    """Each end with the last start that is not behind it, but behind the end before."""
    before = -1
    for end in ends:
        between = [start for start in starts if before < start[0] <= end[0]]
        if between:
            yield between[-1], end
        before = end[0]


def make_answer(window: Window, start: int, end: int) -> Answer | None:
    """From places in a window's spans to a part of the text, or of the prompt where they are negative."""
    if end < 0:
        behind = len(window.prompt) + 1
        return {"text": window.prompt[start + behind : end + behind]}
    if start < 0:
        return None
    low, high = window.owns
    if not low <= start < high:
        return None
    return {"text": window.piece[start:end], "start": window.start + start, "end": window.start + end}


def are_classes(found: Iterable[list[Answer]]) -> bool:
    """Whether these are options of a prompt: decided by the first answer of all, as in Taskflow."""
    first = next((answers for answers in found if answers), None)
    return first is not None and "start" not in most_probable(first)


def most_probable(answers: list[Answer]) -> Answer:
    return max(answers, key=lambda answer: answer["probability"])


def join_spans(found: list[list[Answer]]) -> list[Answer]:
    """All answers of a text's windows, in the order of the text."""
    every = chain.from_iterable(found)
    return sorted(every, key=lambda answer: (answer.get("start", -1), answer.get("end", -1), answer["text"]))


def join_classes(found: list[list[Answer]]) -> list[Answer]:
    """The class of most windows, with its mean probability there."""
    votes: dict[str, list[float]] = {}
    for best in (most_probable(answers) for answers in found if answers):
        votes.setdefault(best["text"], []).append(best["probability"])
    if not votes:
        return []
    text, probabilities = max(votes.items(), key=lambda vote: (len(vote[1]), sum(vote[1])))
    return [{"text": text, "probability": sum(probabilities) / len(probabilities)}]
