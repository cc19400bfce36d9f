"""One example of each kind of task, as a reader gives it. `place` is the file and line that it came from."""

from __future__ import annotations

from dataclasses import dataclass

#: The language of data that name none (ISO 639-2).
UNDETERMINED = "und"


@dataclass(frozen=True)
class LabelledText:
    """A text, or a pair of texts, and what the data call its class."""

    language: str
    place: str
    first: str
    second: str | None
    label: str


@dataclass(frozen=True)
class TaggedSentence:
    """Words and a tag for each, in IOB2: `O`, `B-TYPE`, `I-TYPE`."""

    language: str
    place: str
    words: tuple[str, ...]
    tags: tuple[str, ...]


@dataclass(frozen=True)
class Question:
    """A question about a context, and the answers that count as right."""

    language: str
    place: str
    name: str
    question: str
    context: str
    answers: tuple[str, ...]


@dataclass(frozen=True)
class Translation:
    """A sentence and its English translation."""

    language: str
    place: str
    foreign: str
    english: str
