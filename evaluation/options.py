"""What an evaluation is asked for, checked as far as that is possible without the data."""

from __future__ import annotations

from dataclasses import dataclass

from converter.common.errors import DataError, Problem

#: Task -> the kind of head that its model has, and the longest text (Baidu's and XTREME's settings).
HEADS = {
    **{"xnli": "sequence", "pawsx": "sequence", "classification": "sequence"},
    **{"ner": "token", "qa": "span", "retrieval": ""},
}
LONGEST = {"xnli": 256, "pawsx": 256, "classification": 256, "ner": 512, "qa": 384, "retrieval": 512}
TASKS = tuple(HEADS)
#: Tasks about pairs of texts.
PAIRS = ("xnli", "pawsx")
EN2XX, XX2EN, BOTH = "en2xx", "xx2en", "both"
WORD, SUBTOKEN = "word", "subtoken"
#: Shorter than this no text is cut: special tokens alone take four.
SHORTEST = 16
#: Whether the model gets a mask: what the tokenizer's usual call gives; one of ones; none.
MASKS = ("tokenizer", "ones", "none")
PRECISIONS = ("float32", "float64")


@dataclass(frozen=True)
class Options:
    """The protocol of an evaluation."""

    task: str
    languages: tuple[str, ...] = ()
    limit: int | None = None
    batch_size: int = 32
    max_length: int | None = None
    precision: str = "float32"
    mask: str = "tokenizer"
    #: What the data call each of the model's classes, by their ids; None takes the model's own names.
    labels: tuple[str, ...] | None = None
    #: Retrieval: a hidden state, counted from the embeddings' 0, or "all".
    layer: str | None = None
    direction: str = EN2XX
    #: NER: what spans are counted on.
    ner_scoring: str = WORD
    device: str = "cpu"
    #: Of each side.
    processes: int = 1

    @property
    def longest(self) -> int:
        return self.max_length or LONGEST[self.task]

    @property
    def as_published(self) -> bool:
        """Whether these are the settings that published figures are about, the labels and the mask aside."""
        usual = self.limit is None and self.max_length is None
        return usual and self.layer in (None, "all") and self.direction != XX2EN

    def check(self) -> None:
        """Raise DataError for what is no value of an option, or does not go with the task."""
        choices = (
            ("--task", self.task, TASKS),
            ("--mask", self.mask, MASKS),
            ("--precision", self.precision, PRECISIONS),
            ("--direction", self.direction, (EN2XX, XX2EN, BOTH)),
            ("--ner-scoring", self.ner_scoring, (WORD, SUBTOKEN)),
            ("--device", self.device, ("cpu", "cuda")),
        )
        wrong = [
            f"{name} is {value!r:.40}, expected one of {', '.join(all_)}"
            for name, value, all_ in choices
            if value not in all_
        ]
        numbers = (
            *(("--limit", self.limit), ("--batch-size", self.batch_size), ("--max-length", self.max_length)),
            ("--processes", self.processes),
        )
        wrong += [
            f"{name} is {value}, expected a number over 0" for name, value in numbers if value is not None and value < 1
        ]
        if self.max_length is not None and 0 < self.max_length < SHORTEST:
            wrong.append(f"--max-length is {self.max_length}, expected {SHORTEST} or more tokens")
        if self.layer is not None and self.layer != "all" and not self.layer.isdecimal():
            wrong.append(f"--layer is {self.layer!r:.40}, expected a number from 0 (the embeddings), or all")
        if self.task != "retrieval" and (self.layer is not None or self.direction != EN2XX):
            wrong.append("--layer and --direction belong to --task retrieval")
        if self.task != "ner" and self.ner_scoring != WORD:
            wrong.append("--ner-scoring belongs to --task ner")
        if self.task in ("retrieval", "qa") and self.labels is not None:
            wrong.append("--labels belongs to tasks with classes")
        if wrong:
            raise DataError(*(Problem("E906", text) for text in wrong))
