"""From a request to the arrays and the head of a trace."""

from __future__ import annotations

from typing import Any

from verify.protocol.beside import compute_beside
from verify.protocol.request import Request
from verify.protocol.trace_format import FORMAT
from verify.recorder.cases.every_case import build_cases
from verify.recorder.families.family import Family
from verify.recorder.load import hash_weight_files, load_reference, versions
from verify.recorder.model.activations import Activations
from verify.recorder.model.build import epsilons, split_cases
from verify.recorder.run_cases import run_cases
from verify.recorder.tokens.record_tokens import StartedTokens, Tokens, start_tokens
from verify.recorder.tokens.sentences import choose_sentences, read_texts, texts_sha256

Arrays = Any  # Name in the trace -> array.


def record(request: Request) -> tuple[Arrays, dict[str, Any]]:
    """The arrays and the head of the trace. Raises Refused or Broken."""
    precision, seed, lines = request.precision, request.seed, read_texts(request.texts)
    started: list[StartedTokens] = []

    def start(family: Family, quirk: str, weights: dict[str, Any]) -> None:
        if request.tokenizer:
            # Its process needs no weights, which are most of the memory.
            started.append(start_tokens(family, request.tokenizer, lines, seed, quirk, weights.clear))

    loaded = load_reference(request, start)
    family, model, quirk = loaded.family, loaded.model, loaded.quirk
    hashes = compute_beside(lambda: hash_weight_files(loaded.paths))
    notes = list(loaded.notes)
    # Before the cases, which set fields of it.
    config = {key: value for key, value in sorted(model.config.to_dict().items()) if key != "paddlenlp_version"}
    offset = family.first_position_row(quirk)
    longest = model.config.max_position_embeddings - offset
    ids = started[0].sentences() if started else None
    sentences = choose_sentences(family, ids, model.config.vocab_size, seed, longest)
    built = build_cases(family, model, sentences, precision, seed, offset)
    cases, left = split_cases(family, model, built)
    left += [family.inputs.not_cases] if family.inputs.not_cases else []
    activations = Activations(family, model, precision)
    found = run_cases(activations, family.mark_masked_rows(cases, quirk), seed, loaded.pooler)
    found_tokens = started[0].finish() if started else None
    tokens = found_tokens if isinstance(found_tokens, Tokens) else None
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
        "files": hashes(),
        "tensors": loaded.tensors,
        "environment": versions(),
        "texts_sha256": texts_sha256(lines),
        # Both are None where the request names no tokenizer.
        "tokenizer": tokens.head if tokens is not None else None,
        "tokenizer_problem": found_tokens if tokens is None else None,
        "cases": found.cases,
        "gradients": found.gradients,
        "growth": found.growth,
    }
    return {**found.arrays, **(tokens.arrays if tokens is not None else {})}, head
