"""Lines of text files as batches for pre-training: streamed, in an order that a seed decides, divided among processes.

Nothing is held in memory but a buffer for shuffling. All processes read the same lines in the same order; each makes
batches of its share. So the batches of a step are the same text, masked alike, whatever the number of processes.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ernie_m import objectives
from ernie_m.objectives.torch_side import SINGLE

UNK = 3
#: Files that belong together: one of monolingual text, or two with a translation in each line.
Source = tuple[Path, ...]
Lines = tuple[str, ...]


@dataclass(frozen=True)
class Share:
    """Which part of each batch this process has, and how many examples the batch has in all processes together."""

    process: int
    processes: int
    batch_size: int  # of one process

    @property
    def whole(self) -> int:
        return self.batch_size * self.processes

    def cut(self, examples: Sequence[Any]) -> Sequence[Any]:
        """The examples of this process."""
        return examples[self.process * self.batch_size : (self.process + 1) * self.batch_size]


def read_lines(source: Source) -> Iterator[Lines]:
    """The lines of files side by side, without those where one is empty. Raises ValueError for unequal lengths."""
    files = [path.open(encoding="utf-8", newline="\n") for path in source]
    try:
        for lines in itertools.zip_longest(*files):
            if None in lines:
                raise ValueError(f"{' and '.join(map(str, source))} do not have the same number of lines.")
            stripped = tuple(line.strip() for line in lines)
            if all(stripped):
                yield stripped
    finally:
        for file in files:
            file.close()


def stream(sources: Sequence[Source], seed: int, buffer: int) -> Iterator[Lines]:
    """Lines without end: each from a source drawn at random, all alike, and shuffled in a buffer of that many lines.

    A source that ends begins again. Raises ValueError for one that has no lines.
    """
    generator = np.random.default_rng([seed, len(sources)])
    readers = [read_lines(source) for source in sources]
    waiting: list[Lines] = []
    while True:
        number = int(generator.integers(len(sources)))
        lines = next(readers[number], None)
        if lines is None:
            readers[number] = read_lines(sources[number])
            lines = next(readers[number], None)
        if lines is None:
            raise ValueError(f"{' and '.join(map(str, sources[number]))}: no line of text.")
        waiting.append(lines)
        if len(waiting) > buffer:
            place = int(generator.integers(len(waiting)))
            waiting[place], waiting[-1] = waiting[-1], waiting[place]
            yield waiting.pop()


@dataclass(frozen=True)
class BatchMaker:
    """Makes a batch of tensors for an objective from lines of text.

    BTMLM's second side is what the model writes: its batch has the "texts" as ids, the "draw" of their masks, and the
    "labels" that they will have, which the Trainer counts beforehand.
    """

    tokenizer: Any
    seed: int
    max_length: int
    options: Mapping[str, Mapping[str, Any]]  # objective -> options of its function
    keep_side: bool = False

    def __call__(self, objective: str, lines: Sequence[Lines], draw: int) -> dict[str, Any]:
        """Special tokens in the text are taken out. Lines without any others are left out; where all are such lines,
        nothing is predicted."""
        sides = [self.tokenizer(list(texts), add_special_tokens=False)["input_ids"] for texts in zip(*lines)]
        special = set(self.tokenizer.all_special_ids) - {UNK}
        plain = [[[token for token in text if token not in special] for text in texts] for texts in sides]
        cut = [self._cut(objective, row) for row in zip(*plain)]
        usable = [row for row in cut if all(row)]
        rows = usable or [tuple([UNK + 1] for _ in sides)]
        batch = self._make(objective, rows, draw)
        if not usable:
            batch["labels"] = torch.full_like(batch["labels"], -100)
        return batch

    def _make(self, objective: str, rows: Sequence[tuple[list[int], ...]], draw: int) -> dict[str, Any]:
        options = self.options[objective]
        if objective == "btmlm":
            texts = [text for (text,) in rows]
            known = {name: value for name, value in options.items() if name != "pseudo_ratio"}
            later = objectives.btmlm(texts, [[UNK + 1]] * len(texts), seed=(self.seed, draw), **known)
            return {"texts": texts, "draw": draw, "labels": torch.as_tensor(later.labels)}
        collate = objectives.Collator(objective, self.seed, options, keep_side=self.keep_side)
        key = "text" if objective in SINGLE else "pair"
        return collate([{key: row if key == "pair" else row[0], "draw": draw} for row in rows])

    def _cut(self, objective: str, row: tuple[list[int], ...]) -> tuple[list[int], ...]:
        """Shorten texts from the end until the row has max_length tokens; of a pair the longer one first."""
        if len(row) == 2:
            room = self.max_length - 4
            longest = [min(len(row[side]), max(room - len(row[1 - side]), (room + side) // 2)) for side in (0, 1)]
            return tuple(text[:length] for text, length in zip(row, longest))
        room = self.max_length - 2
        if objective == "btmlm":  # and its placeholders, at least one
            room = int((self.max_length - 5) / (1 + self.options[objective]["pseudo_ratio"]))
        return (row[0][:room],)


class TrainingBatches(torch.utils.data.IterableDataset):  # type: ignore[type-arg]
    """Batches without end, from the batch `start` on. Every batch has one objective, drawn by the weights."""

    def __init__(
        self,
        monolingual: Sequence[Source],
        parallel: Sequence[Source],
        weights: Mapping[str, float],
        make: BatchMaker,
        share: Share,
        buffer: int,
        start: int = 0,
    ) -> None:
        self.sources = {True: monolingual, False: parallel}
        self.weights, self.make, self.share, self.buffer, self.start = weights, make, share, buffer, start

    def __iter__(self) -> Iterator[dict[str, Any]]:
        worker = torch.utils.data.get_worker_info()
        number, workers = (worker.id, worker.num_workers) if worker else (0, 1)
        names, shares = list(self.weights), np.array(list(self.weights.values()))
        streams = {
            single: stream(sources, self.make.seed, self.buffer) for single, sources in self.sources.items() if sources
        }
        for batch in itertools.count():
            chosen = np.random.default_rng([self.make.seed, batch]).choice(len(names), p=shares / shares.sum())
            objective = names[int(chosen)]
            lines = list(itertools.islice(streams[takes_single_texts(objective)], self.share.whole))
            # The DataLoader takes a batch of each worker in turn, beginning with the first.
            if batch >= self.start and (batch - self.start) % workers == number:
                yield self.make(objective, self.share.cut(lines), batch)


def evaluation_batches(
    sources: Sequence[Source], objective: str, make: BatchMaker, share: Share
) -> Iterator[tuple[dict[str, Any], bool]]:
    """All lines of the sources once, in their order, as (batch, whether it counts).

    A process without a line of its own in the last batch takes part with one that does not count, so that no other
    process waits for it.
    """
    lines = itertools.chain.from_iterable(read_lines(source) for source in sources)
    while whole := list(itertools.islice(lines, share.whole)):
        own = share.cut(whole)
        yield make(objective, own or whole[:1], 0), bool(own)


def takes_single_texts(objective: str) -> bool:
    """Whether an objective is of monolingual text."""
    return objective in ("mmlm", "btmlm")
