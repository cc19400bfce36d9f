"""Retrieval of translations: both sides of every pair through the encoder, then nearest neighbours by cosine."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from converter.common.errors import DataError, Problem
from evaluation.answered import Answered
from evaluation.encoding import Encoder
from evaluation.examples import Translation
from evaluation.options import BOTH, EN2XX, XX2EN, Options
from evaluation.prepared import Prepared
from evaluation.readers.data import Data
from evaluation.scorers.accuracy import score_classes
from evaluation.scorers.retrieval import find_neighbours
from verify.protocol.evaluation_job import LAYERS, Job

if TYPE_CHECKING:
    import numpy as np


def prepare_retrieval(
    data: Data[Translation], encoder: Encoder, options: Options, depth: int, mask: bool
) -> tuple[Job, Prepared]:
    """Encode each sentence, then its translation. `depth` is the number of the model's layers. Raises DataError."""
    layers = choose_layers(options.layer, depth)
    found = Prepared(options.task, data.form, [], [], [])

    def texts() -> Iterator[tuple[str, str | None]]:
        for example in data.examples():
            found.languages.append(example.language)
            found.places.append(example.place)
            yield example.foreign, None
            yield example.english, None

    for _ in encoder.add(texts()):
        pass
    found.protocol["layer"] = ", ".join(f"hidden_states[{layer}]" for layer in layers) + f" of {depth + 1}"
    found.protocol["direction"] = options.direction
    found.warnings.extend([*data.warnings(), *encoder.warnings(found.languages)])
    return Job(LAYERS, **encoder.arrays(), mask=mask, layers=layers), found


def choose_layers(asked: str | None, depth: int) -> tuple[int, ...]:
    """The layer that is judged first, and with "all" the others behind it. XTREME's is two thirds of the depth: 8 of
    12 and 14 of 24 are `hidden_states[8]` and `[14]`, counted from the embeddings' 0."""
    usual = {12: 8, 24: 14}.get(depth, depth * 2 // 3)
    if asked == "all":
        return (usual, *(layer for layer in range(depth + 1) if layer != usual))
    layer = usual if asked is None else int(asked)
    if layer > depth:
        raise DataError(Problem("E906", f"--layer is {layer}, the model has {depth}: 0 (the embeddings) to {depth}"))
    return (layer,)


def judge_retrieval(prepared: Prepared, answers: Mapping[str, np.ndarray]) -> Iterator[Answered]:
    """Nearest neighbours and accuracy for each language, layer and direction."""
    import numpy as np

    asked = prepared.protocol["direction"]
    for language in prepared.each_language():
        rows = np.array(prepared.rows_of(language))
        gold = np.arange(len(rows))
        where = np.concatenate([2 * rows, 2 * rows + 1])
        for layer, vectors in answers.items():
            foreign, english = vectors[2 * rows], vectors[2 * rows + 1]
            sides = {EN2XX: (english, foreign), XX2EN: (foreign, english)}
            for direction, (queries, candidates) in sides.items():
                if asked in (direction, BOTH):
                    found = find_neighbours(queries, candidates)
                    metrics = score_classes(gold, found.nearest).metrics()
                    view, chosen = f"{layer}, {direction}", rows[found.nearest]
                    yield Answered(language, view, rows, chosen, found.margin, metrics, 1.0, (layer,), where)


def name_sentence(prepared: Prepared, row: int, choice: int) -> str:
    """The place of the sentence that was found."""
    return prepared.places[choice]
