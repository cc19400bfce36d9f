"""From a request to a trace: the way of a recording."""

from __future__ import annotations

import json
import os
import platform
from typing import Any

import numpy as np

from verify.protocol.messages import report_progress
from verify.protocol.projections import is_large, project
from verify.protocol.tokenizer_calls import digest_calls
from verify.protocol.trace_format import FORMAT
from verify.recorder.behavior import behavior_of_source, choose_behavior, follow, offset_of, sees_all
from verify.recorder.checkpoint import read_weights, weight_files
from verify.recorder.config import read_config
from verify.recorder.default_dtype import default_dtype
from verify.recorder.design import Designer
from verify.recorder.generated import generate_texts
from verify.recorder.generations import split_cases
from verify.recorder.gradients import record_gradients
from verify.recorder.growth import measure_growth
from verify.recorder.model import build_model, epsilons, set_weights
from verify.recorder.official import take_off, told_by_weights
from verify.recorder.port import build_as_port, is_port
from verify.recorder.probe import Probe
from verify.recorder.release_tokens import release_ids
from verify.recorder.sanity import check_sanity
from verify.recorder.static_graph import check_program, layout_of
from verify.recorder.tables import linears_case, norms_case, table_case
from verify.recorder.telling import Broken, Refused, file_sha256
from verify.recorder.texts import choose_sentences, read_texts, texts_sha256, tokenize
from verify.recorder.tokenizer import describe_tokenizer, load_tokenizer, sum_tokenizer_files, sum_tokens
from verify.recorder.torch_file import tell_reader
from verify.recorder.values import describe


def record(request: Any) -> Any:
    precision, seed = request["precision"], request["seed"]
    own = check_sanity(precision)
    report_progress("reading the checkpoint with Paddle")
    paths = weight_files(request["source"], request["files"])
    weights = read_weights(paths, *layout_of(request))
    tensors = dict((name, describe(array)) for name, array in weights.items())
    weights, taken = take_off(weights, request.get("prefix"))
    behavior = choose_behavior(request, weights)
    request = dict(request, fallback=dict(told_by_weights(weights), **(request.get("fallback") or {})))
    name, fields, how = read_config(request)
    # By the names of the weights, which are given to the model and gone below.
    loaded_in, of_source = default_dtype(fields, is_port(weights)), behavior_of_source(request, weights, how)
    report_progress(f"building {name} in {precision}")
    model = build_model(name, fields, precision)
    port, in_port = build_as_port(model, fields, weights, precision) if is_port(weights) else (None, [])
    round_to = request.get("round_to")
    notes, pooler = set_weights(model, weights, precision, round_to)
    notes += taken + tell_reader(paths) + (check_program(paths, model) if may_run_program(round_to, behavior) else [])
    notes += in_port + follow(model, behavior, own)
    if round_to is not None:
        notes.append(f"weights rounded to {round_to}, as OUTPUT's are")
    # Before the cases, which set fields of it.
    config = dict((key, value) for key, value in sorted(model.config.to_dict().items()) if key != "paddlenlp_version")
    lines = read_texts(request.get("texts"))
    tokens, ids, problem = None, None, None
    if request.get("tokenizer"):
        report_progress("tokenizing by the rule of " + behavior)
        try:
            tokens = record_tokens(request["tokenizer"], lines, seed, behavior)
            ids = tokens[1][: len(lines)]
            notes += tokens[3]
        except Exception as error:  # a tokenizer that PaddleNLP cannot load says nothing about the weights
            problem = f"{type(error).__name__}: {error}"
    offset = offset_of(behavior)
    sentences = choose_sentences(ids, model.config.vocab_size, seed, model.config.max_position_embeddings - offset)
    cases, left = split_cases(model, Designer(model, sentences, precision, seed, offset).design())
    cases = [dict(case, zero_row=True) if sees_all(case, behavior) else case for case in cases]
    if behavior == "transformers":  # The lowest number leaves nothing of a score: both sides have zeros there.
        cases = [dict((key, case[key]) for key in case if key != "zero_row") for case in cases]
    arrays, found = run_cases(model, cases, precision, seed, pooler)
    head = {
        "format": FORMAT,
        "architecture": name,
        "precision": precision,
        "round_to": round_to,
        "default_dtype": loaded_in,
        "config": config,
        "layer_norm_eps": epsilons(model),
        "port": port,
        "behavior": behavior,
        "source_behavior": of_source,
        "how": [how, *notes, *left],
        "files": [
            {"name": os.path.basename(path), "sha256": file_sha256(path)}
            for path in paths
            if not path.endswith(".json")
        ],
        "tensors": tensors,
        "environment": versions(),
        "tokenizer": None if tokens is None else tokens[0],
        "tokenizer_problem": problem,
        "texts_sha256": texts_sha256(lines),
    }
    head.update(found)
    if tokens is not None:
        arrays.update(tokens[2])
    return arrays, head


def may_run_program(round_to: Any, behavior: str) -> bool:
    """Whether an exported program has the model's numbers: not those of rounded weights, and ERNIEKit's programs give
    probabilities, by other rules."""
    return round_to is None and behavior != "erniekit"


def record_tokens(folder: str, lines: Any, seed: int, behavior: str) -> Any:
    """What the head holds of the tokenizer, the ids of every text, the arrays (texts, ids, a digest of each way), and
    notes."""
    # An empty text and one made of nothing but spaces are texts, too.
    texts = lines + generate_texts(seed)
    rows, ways, settings, notes = 0, {}, None, []
    if behavior in ("release", "erniekit"):  # The release has a rule, and no tokenizer with further ways.
        ids = release_ids(folder, texts)
    else:
        tokenizer, notes = load_tokenizer(folder)
        ids, rows = tokenize(tokenizer, texts), len(tokenizer.vocab)
        settings = describe_tokenizer(tokenizer)
        report_progress("every way through PaddleNLP's tokenizer")
        ways = digest_calls(tokenizer, texts, rows)
    arrays = dict(("tokens/way/" + way, results) for way, results in ways.items())
    arrays["tokens/ids"] = np.array([token for row in ids for token in row], np.int64)
    arrays["tokens/offsets"] = np.cumsum([0] + [len(row) for row in ids]).astype(np.int64)
    arrays["tokens/texts"] = np.frombuffer(json.dumps(texts).encode("ascii"), np.uint8).copy()
    head = {"texts": len(texts), "sentences": len(lines), "rows": rows, "ways": sorted(ways)}
    head.update(settings=settings, files=sum_tokenizer_files(folder), vocabulary_sha256=sum_tokens(folder))
    return head, ids, arrays, notes


def run_cases(model: Any, cases: Any, precision: str, seed: int, pooler: bool) -> Any:
    """The arrays of a trace, and what its head says of the cases, of the gradients, and of how errors grow."""
    probe = Probe(model, precision)
    check_repeats(probe, cases[0])
    arrays, entries = {}, []
    for case, sites in run_forward(probe, cases, seed, pooler):
        sites = [(site, value) for site, value in sites if pooler or site != "pooler_output"]
        for site, value in sites:
            if not np.isfinite(value).all():
                where = f"{case['name']}, {site}"
                raise Refused(f"Paddle's numbers are not finite ({where}): the weights, or this Paddle, are broken")
            arrays[f"case/{case['name']}/site/{site}"] = as_stored(value)
        for key, value in case["inputs"].items():
            arrays[f"case/{case['name']}/input/{key}"] = as_stored(value)
        entry = dict((key, case[key]) for key in case if key != "inputs")
        entries.append(dict(entry, inputs=sorted(case["inputs"]), sites=[site for site, _ in sites]))
    gradients = []
    for case, of_loss, found in record_gradients(probe, cases, pooler):
        for name, parts in found.items():
            for part, value in parts.items():
                if not np.isfinite(value).all():
                    raise Refused(f"Paddle's gradients are not finite ({case['name']}, {name})")
                arrays[f"gradient/{case['name']}/{name}/{part}"] = as_stored(value)
        tensors = dict((name, sorted(parts)) for name, parts in found.items())
        of, tokens = "loss" if of_loss else "outputs", int(np.prod(case["inputs"]["input_ids"].shape))
        gradients.append({"case": case["name"], "of": of, "tokens": tokens, "tensors": tensors})
    report_progress("Paddle: how errors grow")
    return arrays, {"cases": entries, "gradients": gradients, "growth": measure_growth(probe, cases[0], pooler)}


def run_forward(probe: Any, cases: Any, seed: int, pooler: bool) -> Any:
    """(case, sites as they are kept) of everything."""
    for part in ("word_embeddings", "position_embeddings"):
        report_progress("Paddle: every row of " + part)
        yield table_case(probe, part)
    yield norms_case(probe, seed)
    yield linears_case(probe, pooler)
    for number, case in enumerate(cases):
        report_progress(f"Paddle: case {number + 1} of {len(cases)}, {case['name']}")
        sites = probe.run(case)
        projected = [name for name, value in sites if is_large(value)]
        kept = [(name, project(value) if name in projected else value) for name, value in sites]
        yield dict(case, projected=projected), kept


def as_stored(value: Any) -> Any:
    # reshape: numpy makes one element of a scalar
    return np.ascontiguousarray(value).reshape(value.shape)


def check_repeats(probe: Any, case: Any) -> None:
    """The same input twice: a broken Paddle gives other or empty numbers (PaddleNLP issues 6280, 6884, 7465)."""
    first, second = probe.run(case), probe.run(case)
    for (site, one), (_, other) in zip(first, second):
        if one.size == 0 or not np.array_equal(one, other):
            raise Broken(f"the same input gave other numbers at {site} the second time")


def versions() -> Any:
    import paddle
    import paddlenlp
    import safetensors
    import sentencepiece

    return {
        "python": platform.python_version(),
        "paddle": paddle.__version__,
        "paddlenlp": paddlenlp.__version__,
        "numpy": np.__version__,
        "safetensors": getattr(safetensors, "__version__", ""),
        "sentencepiece": sentencepiece.__version__,
        "machine": platform.machine(),
    }
