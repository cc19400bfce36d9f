"""From text to numbers, by a user's call and by transformers' pipelines, compared with Paddle's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Callable

from verify.numbers.compare import Reference, compare_case
from verify.numbers.hooks import name_outputs
from verify.numbers.loading import LoadedModel, describe
from verify.results.checks import DIRECT, PIPELINE
from verify.results.trace import Case, Trace

if TYPE_CHECKING:
    import numpy as np

#: Pipelines that hand the model's numbers on as they are.
_PIPELINES = ("feature-extraction", "text-classification", "token-classification")


def cases_from_texts(trace: Trace) -> Iterator[tuple[Case, str]]:
    """The cases with unchanged ids of PaddleNLP's tokenizer for a text, and that text."""
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
    """Way -> how many texts were compared, and those whose numbers differ. What OUTPUT's code raises differs."""
    is_piped = loaded.model_class is not None and loaded.model_class.pipeline in _PIPELINES
    ways = {DIRECT: _call, **({PIPELINE: _pipe} if is_piped else {})}
    cases = list(cases_from_texts(trace))
    with trace.arrays() as arrays:
        reference = Reference.of(trace, arrays)
        return {
            way: (len(cases), list(_differing(compute, cases, reference, loaded, tokenizer)))
            for way, compute in ways.items()
        }


def _differing(
    compute: Callable[..., dict[str, np.ndarray]],
    cases: list[tuple[Case, str]],
    reference: Reference,
    loaded: LoadedModel,
    tokenizer: Any,
) -> Iterator[dict[str, Any]]:
    """An example for each text whose numbers differ."""
    for case, text in cases:
        try:
            found = compute(loaded, tokenizer, text, reference.inputs(case)["input_ids"].shape)
        except Exception as error:
            yield {"text": text, "found": describe(error)}
            continue
        wrong = next((each for each in compare_case(found, case, reference) if not each.passed), None)
        if wrong is not None:
            yield {"text": text, "found": f"other {wrong.site}"}


def _call(loaded: LoadedModel, tokenizer: Any, text: str, shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    """model(**tokenizer(text)); where there are several choices, each is this text."""
    import torch

    inputs = tokenizer(text, return_tensors="pt")
    if len(shape) > 2:
        inputs = {name: value.reshape(1, 1, -1).expand(shape) for name, value in inputs.items()}
    with torch.no_grad():
        outputs = loaded.model(**inputs, output_hidden_states=True, return_dict=True)
    network, layers = loaded.family.network, len(outputs.hidden_states) - 1
    last = (
        network.state_after(layers),
        *(end.name for end in network.ends if end.group == "head" and not end.sigmoid_of),
    )
    named = name_outputs(outputs, network, layers)
    return {name: named[name].numpy() for name in last if name in named}


def _pipe(loaded: LoadedModel, tokenizer: Any, text: str, shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    """The pipeline's own preprocessing and forward: the numbers that its answers are computed from."""
    from transformers import pipeline

    assert loaded.model_class is not None
    task: Any = loaded.model_class.pipeline
    pipe = pipeline(task, model=loaded.model, tokenizer=tokenizer, device="cpu")
    given = pipe.preprocess(text, **pipe._preprocess_params)
    (outputs,) = [pipe.forward(one) for one in (given if isinstance(given, Iterator) else [given])]
    if "logits" in outputs:
        return {"logits": outputs["logits"].numpy()}
    layers = int(loaded.model.config.num_hidden_layers)
    return {loaded.family.network.state_after(layers): outputs[0].numpy()}
