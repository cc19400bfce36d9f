"""Evaluations as results in the card's metadata (`model-index`), from which the Hub makes its tables.

Only where the user asks for it, for a model of their own: what `evaluate` measures of a model that others published is
no result of theirs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from converter.common.errors import Problem
from converter.hub.client import silence_library as quiet
from converter.hub.contents import LocalFile, make_local_file
from converter.hub.names import is_repo_id
from converter.publish.card import find_family
from converter.publish.evaluation import Evaluated
from converter.publish.folder import CARD

if TYPE_CHECKING:
    from pathlib import Path

#: Task -> the Hub's name for it.
_TASKS = {
    **{"xnli": "text-classification", "pawsx": "text-classification", "classification": "text-classification"},
    **{"ner": "token-classification", "qa": "question-answering", "retrieval": "sentence-similarity"},
}
_MOST = 100


def refuse_results(
    output: Path, dataset: str, found: Sequence[Evaluated], left_out: Mapping[str, str]
) -> list[Problem]:
    """Why there are no results of the user's own model on all of their data: E816."""
    from converter.write.card import find_pretrained
    from verify.results.manifest import read_manifest

    reasons = []
    if not dataset.strip() or len(dataset) > _MOST or not dataset.isprintable():
        reasons.append(f"{dataset[:40]!a} is no name of a data set")
    if not found:
        given = "; ".join(f"{name}: {reason}" for name, reason in left_out.items()) or "there is no report"
        advice = "Write one: paddle2torch evaluate SOURCE OUTPUT ... --report OUTPUT/evaluation"
        reasons.append(f"no evaluation that counts ({given}). {advice}")
    reasons += [f"{one.report} is of a part of the data (--limit)" for one in found if "limit" in one.data["protocol"]]
    manifest, family = read_manifest(output)[0], find_family(output)
    origin = manifest["source"].get("origin") if manifest is not None else None
    known = find_pretrained(family, origin) if family is not None else None
    if known is not None:
        reasons.append(f"this is {known.name}, which others published: results are those of a model of your own")
    return [Problem("E816", f"--model-index: {reason}") for reason in reasons]


def with_results(
    files: Sequence[LocalFile], repo_id: str, dataset: str, found: Sequence[Evaluated]
) -> tuple[LocalFile, ...]:
    """The files with the results in the card's metadata."""
    from huggingface_hub import EvalResult, ModelCard, ModelCardData

    (card_file,) = (file for file in files if file.name == CARD)
    assert isinstance(card_file.content, bytes)
    with quiet():
        card = ModelCard(card_file.content.decode())
        data = card.data
        assert isinstance(data, ModelCardData)
        results = [EvalResult(**row) for one in found for row in _rows(one, dataset.strip())]
        data.model_name, data.eval_results = repo_id.rpartition("/")[2], [*(data.eval_results or []), *results]
        written = make_local_file(CARD, str(card).encode())
    return tuple(written if file is card_file else file for file in files)


def _rows(one: Evaluated, dataset: str) -> Iterator[dict[str, Any]]:
    """A result for each language and metric of the PyTorch side, as shares."""
    kind = (
        dataset
        if is_repo_id(dataset, needs_owner=True)
        else re.sub(r"[^a-z0-9]+", "-", dataset.lower()).strip("-") or "own"
    )
    for language, result in one.data["languages"].items():
        for metric, value in result["torch"].items():
            yield {
                "task_type": _TASKS.get(str(one.data["task"]), "other"),
                "dataset_type": kind,
                "dataset_name": dataset,
                "dataset_config": None if language == "und" else str(language),
                "metric_type": str(metric),
                "metric_value": round(float(value), 6),
            }
