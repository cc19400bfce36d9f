"""From text to numbers, as a user's call and as transformers' pipelines compute them, against Paddle's way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from verify.numbers.loading import LoadedModel, describe
from verify.numbers.replay import site_scales
from verify.numbers.tolerances import Limits
from verify.protocol.projections import project
from verify.results.checks import DIRECT, PIPELINE
from verify.results.trace import Case, Trace

if TYPE_CHECKING:
    import numpy as np

#: The class of a model -> the pipeline that hands its numbers on as they are.
PIPELINES = {
    "ErnieMModel": "feature-extraction",
    "ErnieMForSequenceClassification": "text-classification",
    "ErnieMForTokenClassification": "token-classification",
}
_LAST = ("start_logits", "end_logits", "logits")


def cases_from_texts(trace: Trace) -> Iterator[tuple[Case, str]]:
    """The cases whose ids are what PaddleNLP's tokenizer gave for a text, nothing else put in, and that text."""
    texts, ids = trace.texts()
    known = {tuple(row): text for row, text in zip(ids, texts)}
    with trace.arrays() as arrays:
        for case in trace.cases:
            if case.through == "model" and case.inputs == ("input_ids",):
                rows = arrays[case.input_key("input_ids")]
                rows = rows.reshape(-1, rows.shape[-1])
                text = known.get(tuple(rows[0].tolist()))
                if text is not None and (rows == rows[0]).all():
                    yield case, text


def compare_texts(trace: Trace, loaded: LoadedModel, tokenizer: Any) -> dict[str, tuple[int, list[dict[str, Any]]]]:
    """way -> how many texts were compared, and those whose numbers differ. What OUTPUT's code raises differs."""
    name = type(loaded.model).__name__
    ways = {DIRECT: _call} if name not in PIPELINES else {DIRECT: _call, PIPELINE: _pipe}
    found: dict[str, tuple[int, list[dict[str, Any]]]] = {}
    limits = Limits.of(trace.head)
    with trace.arrays() as arrays:
        scales = site_scales(trace, arrays)
        for way, compute in ways.items():
            wrong: list[dict[str, Any]] = []
            cases = list(cases_from_texts(trace))
            for case, text in cases:
                shape = arrays[case.input_key("input_ids")].shape
                try:
                    outputs = compute(loaded, tokenizer, text, shape)
                except Exception as error:
                    wrong.append({"text": text, "found": describe(error)})
                    continue
                for site, value in outputs.items():
                    projected = site in case.projected
                    limit = limits.site(site, projected, case.zero_row) * scales.get((site, projected), 1.0)
                    value = project(value) if projected else value
                    if site in case.sites and not _agrees(arrays[case.site_key(site)], value, limit):
                        wrong.append({"text": text, "found": f"other {site}"})
                        break
            found[way] = (len(cases), wrong)
    return found


def _agrees(reference: np.ndarray, value: np.ndarray, limit: float) -> bool:
    import numpy as np

    return reference.shape == value.shape and bool(np.abs(reference - value).max() <= limit)


def _call(loaded: LoadedModel, tokenizer: Any, text: str, shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    """model(**tokenizer(text)); of several choices each is this text."""
    import torch

    inputs = tokenizer(text, return_tensors="pt")
    if len(shape) > 2:
        inputs = {name: value.reshape(1, 1, -1).expand(shape) for name, value in inputs.items()}
    with torch.no_grad():
        outputs = loaded.model(**inputs, output_hidden_states=True, return_dict=True)
    found = {name: outputs[name].numpy() for name in _LAST if getattr(outputs, name, None) is not None}
    found[f"hidden_states.{len(outputs.hidden_states) - 1}"] = outputs.hidden_states[-1].numpy()
    return found


def _pipe(loaded: LoadedModel, tokenizer: Any, text: str, shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    """The pipeline's own preprocessing and forward, whose numbers its answers are made of."""
    from transformers import pipeline

    task: Any = PIPELINES[type(loaded.model).__name__]
    pipe = pipeline(task, model=loaded.model, tokenizer=tokenizer, device="cpu")
    given = pipe.preprocess(text, **pipe._preprocess_params)
    (outputs,) = [pipe.forward(one) for one in (given if isinstance(given, Iterator) else [given])]
    if "logits" in outputs:
        return {"logits": outputs["logits"].numpy()}
    layers = len(loaded.backbone.encoder.layers)
    return {f"hidden_states.{layers}": outputs[0].numpy()}
