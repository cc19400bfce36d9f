"""From a job of an evaluation to Paddle's answers: the model is loaded as for a trace, the inputs are given."""

from __future__ import annotations

from typing import Any

import numpy as np

from verify.protocol.checked_file import read_checked, write_checked
from verify.protocol.evaluation_job import (
    ANSWERS,
    ANSWERS_FORMAT,
    JOB,
    LAYERS,
    TEXTS,
    Inputs,
    Job,
    job_of,
    pack_texts,
    run_job,
    unpack_texts,
)
from verify.protocol.messages import report_progress
from verify.protocol.request import Request
from verify.recorder.errors import Broken, Refused
from verify.recorder.load import Reference, hash_weight_files, load_reference, versions
from verify.recorder.tokens.tokenizer import load_tokenizer


def answer(request: Request) -> None:
    """Run the request's job through SOURCE and write the answers. Raises Refused or Broken."""
    assert request.job is not None
    asked, given = read_checked(request.job, JOB)
    job = job_of(asked, given)
    loaded = load_reference(request)
    config = {key: value for key, value in sorted(loaded.model.config.to_dict().items()) if key != "paddlenlp_version"}
    check_repeats(loaded, job, request.batch_size)
    answers = run_job(job, request.batch_size, lambda inputs: call(loaded, job, inputs), "Paddle")
    for name, value in answers.items():
        if not np.isfinite(value).all():
            raise Refused(f"Paddle's {name} are not finite: the weights, or this Paddle, are broken")
    tokens, problem = tokenize(loaded, request, given)
    answers.update(tokens)
    head = {
        "format": ANSWERS_FORMAT,
        "job": job.digest(),
        "architecture": loaded.name,
        "precision": request.precision,
        "round_to": request.round_to,
        "config": config,
        "port": loaded.port,
        "behavior": loaded.quirk,
        "source_behavior": loaded.of_source,
        "how": [loaded.how, *loaded.notes],
        "files": hash_weight_files(loaded.paths),
        "environment": versions(),
        "tokenizer_problem": problem,
    }
    write_checked(request.output, ANSWERS, answers, head)


def call(loaded: Reference, job: Job, inputs: Inputs) -> list[Any]:
    """What Paddle's model gives for a batch."""
    import paddle

    tensors = {name: paddle.to_tensor(value) for name, value in inputs.items()}
    with paddle.no_grad():
        if job.kind == LAYERS:
            backbone = loaded.family.backbone_of(loaded.model)
            states = backbone(**tensors, output_hidden_states=True, return_dict=True).hidden_states
            return [states[number].numpy() for number in job.layers]
        result = loaded.model(**tensors)
    return [value.numpy() for value in (result if isinstance(result, (tuple, list)) else [result])]


def tokenize(loaded: Reference, request: Request, given: Any) -> tuple[dict[str, Any], str | None]:
    """The job's texts by PaddleNLP's tokenizer, and why there are none."""
    if not request.tokenizer or TEXTS not in given:
        return {}, None
    report_progress("tokenizing by the rule of " + loaded.quirk)
    texts, _ = unpack_texts(given)
    rule = loaded.family.token_rule(loaded.quirk)
    try:
        if rule is not None:
            return pack_texts(texts, rule(request.tokenizer, texts)), None
        tokenizer, _ = load_tokenizer(loaded.family, request.tokenizer)
        return pack_texts(texts, [list(map(int, tokenizer(text)["input_ids"])) for text in texts]), None
    except Exception as error:  # A tokenizer that PaddleNLP cannot load means nothing for the weights.
        return {}, f"{type(error).__name__}: {error}"


def check_repeats(loaded: Reference, job: Job, size: int) -> None:
    """Run a batch twice: a broken Paddle gives other numbers (PaddleNLP issues 6280, 6884, 7465)."""
    inputs = job.inputs(next(job.batches(size)))
    for one, other in zip(call(loaded, job, inputs), call(loaded, job, inputs)):
        if one.size == 0 or not np.array_equal(one, other, equal_nan=True):
            raise Broken("the same texts gave other numbers the second time")
