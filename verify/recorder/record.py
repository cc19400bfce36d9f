"""From a request to the arrays and the head of a trace."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from verify.protocol.left_out import leave_out
from verify.protocol.messages import report_progress
from verify.protocol.projections import is_large, project
from verify.protocol.request import Request
from verify.protocol.trace_format import FORMAT
from verify.recorder.cases.every_case import build_cases
from verify.recorder.cases.isolated_modules import linears_case, norms_case, table_case, zeroed_row
from verify.recorder.errors import Broken, Refused
from verify.recorder.load import hash_weight_files, load_reference, versions
from verify.recorder.model.activations import Activations, Case
from verify.recorder.model.build import epsilons, split_cases
from verify.recorder.model.error_amplification import measure_amplification
from verify.recorder.model.gradients import record_gradients
from verify.recorder.tokens.record_tokens import Tokens, start_tokens
from verify.recorder.tokens.sentences import choose_sentences, read_texts, texts_sha256

Arrays = Any  # Name in the trace -> array.


def record(request: Request) -> tuple[Arrays, dict[str, Any]]:
    """The arrays and the head of the trace. Raises Refused or Broken."""
    loaded = load_reference(request)
    family, model, quirk = loaded.family, loaded.model, loaded.quirk
    precision, seed = request.precision, request.seed
    notes = list(loaded.notes)
    # Before the cases, which set fields of it.
    config = {key: value for key, value in sorted(model.config.to_dict().items()) if key != "paddlenlp_version"}
    lines = read_texts(request.texts)
    started, problem = None, None
    if request.tokenizer:
        report_progress("tokenizing by the rule of " + quirk)
        try:
            started = start_tokens(family, request.tokenizer, lines, seed, quirk)
        except Exception as error:  # a tokenizer that PaddleNLP cannot load means nothing for the weights
            problem = f"{type(error).__name__}: {error}"
    offset = family.first_position_row(quirk)
    longest = model.config.max_position_embeddings - offset
    sentences = choose_sentences(family, started and started.sentences, model.config.vocab_size, seed, longest)
    built = build_cases(family, model, sentences, precision, seed, offset)
    cases, left = split_cases(family, model, built)
    left += [family.inputs.not_cases] if family.inputs.not_cases else []
    activations = Activations(family, model, precision)
    arrays, found = run_cases(activations, family.mark_masked_rows(cases, quirk), seed, loaded.pooler)
    tokens = started.finish() if started is not None else None
    notes += tokens.notes if tokens is not None else []
    head = {
        "format": FORMAT,
        "architecture": loaded.name,
        "precision": precision,
        "round_to": request.round_to,
        "default_dtype": loaded.default_dtype,
        "config": config,
        "layer_norm_eps": epsilons(model),
        "port": loaded.port,
        "behavior": quirk,
        "source_behavior": loaded.of_source,
        "how": [loaded.how, *notes, *left],
        "files": hash_weight_files(loaded.paths),
        "tensors": loaded.tensors,
        "environment": versions(),
        "texts_sha256": texts_sha256(lines),
        **token_fields(tokens, problem),
        **found,
    }
    if tokens is not None:
        arrays.update(tokens.arrays)
    return arrays, head


def token_fields(tokens: Tokens | None, problem: str | None) -> dict[str, Any]:
    """The head's fields of the tokenizer; both are None where the request names none."""
    return {"tokenizer": None if tokens is None else tokens.head, "tokenizer_problem": problem}


def run_cases(activations: Activations, cases: list[Case], seed: int, pooler: bool) -> tuple[Arrays, dict[str, Any]]:
    """The trace's arrays, and its head's fields of cases, gradients and error amplification. Raises Refused or
    Broken."""
    first = check_repeats(activations, cases[0])
    cases = [mark_left_out(activations, case) for case in cases]
    arrays, entries = {}, []
    for case, sites in run_forward(activations, cases, seed, pooler):
        sites = [(site, value) for site, value in sites if pooler or site != "pooler_output"]
        for site, value in sites:
            if not np.isfinite(value).all():
                where = f"{case['name']}, {site}"
                raise Refused(f"Paddle's numbers are not finite ({where}): the weights, or this Paddle, are broken")
            arrays[f"case/{case['name']}/site/{site}"] = as_stored(value)
        for key, value in case["inputs"].items():
            arrays[f"case/{case['name']}/input/{key}"] = as_stored(value)
        entry = {key: case[key] for key in case if key != "inputs"}
        entries.append(dict(entry, inputs=sorted(case["inputs"]), sites=[site for site, _ in sites]))
    gradients: list[dict[str, Any]] = []
    before: dict[str, Any] = {}
    for case, of_loss, found in record_gradients(activations, cases, pooler):
        for name, parts in found.items():
            for part, value in parts.items():
                if not np.isfinite(value).all():
                    raise Refused(f"Paddle's gradients are not finite ({case['name']}, {name})")
                arrays[f"gradient/{case['name']}/{name}/{part}"] = as_stored(value)
        before = found if case is cases[0] else before
        tensors = {name: sorted(parts) for name, parts in found.items()}
        of, count = "loss" if of_loss else "outputs", int(np.prod(case["inputs"]["input_ids"].shape))
        gradients.append({"case": case["name"], "of": of, "tokens": count, "tensors": tensors})
    report_progress("Paddle", "how errors grow")
    amplification = measure_amplification(activations, cases[0], pooler, first, before)
    return arrays, {"cases": entries, "gradients": gradients, "growth": amplification}


def mark_left_out(activations: Activations, case: Case) -> Case:
    """The case; where texts have the token whose row Paddle gives as zeros, with its id as `left_out`. Its gradients
    then rest on numbers that are left out, and are not recorded."""
    family = activations.family
    words = next(table for name, table in activations.tables.items() if family.word_table.startswith(name))
    row, ids = zeroed_row(words), case["inputs"].get("input_ids")
    if row is None or ids is None or not np.any(ids == row):
        return case
    kept = dict((key, case[key]) for key in case if key != "gradient")
    return dict(kept, left_out=row)


def run_forward(
    activations: Activations, cases: list[Case], seed: int, pooler: bool
) -> Iterator[tuple[Case, list[tuple[str, Any]]]]:
    """Each case and its sites as they are kept, those of the modules alone first."""
    for part, table in activations.tables.items():
        report_progress("Paddle", "every row of " + part)
        yield table_case(part, table)
    yield norms_case(activations, seed)
    yield linears_case(activations, pooler)
    for number, case in enumerate(cases):
        detail = f"case {number + 1} of {len(cases)}, {case['name']}"
        report_progress("Paddle", detail, number + 1, len(cases))
        sites = activations.run(case)
        if "left_out" in case:
            padded = case["inputs"]["input_ids"] == case["left_out"]
            sites = [(name, leave_out(name, value, padded)) for name, value in sites]
        projected = [name for name, value in sites if is_large(value)]
        kept = [(name, project(value) if name in projected else value) for name, value in sites]
        yield dict(case, projected=projected), kept


def as_stored(value: Any) -> Any:
    """A contiguous array. (numpy makes one element of a scalar.)"""
    return np.ascontiguousarray(value).reshape(value.shape)


def check_repeats(activations: Activations, case: Case) -> dict[str, Any]:
    """Run an input twice: a broken Paddle gives other or empty numbers (PaddleNLP issues 6280, 6884, 7465). Returns
    site -> array."""
    first, second = activations.run(case), activations.run(case)
    for (site, one), (_, other) in zip(first, second):
        if one.size == 0 or not np.array_equal(one, other):
            raise Broken(f"the same input gave other numbers at {site} the second time")
    return dict(first)
