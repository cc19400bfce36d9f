"""What the recorder makes of folders of transformers' own ErnieM: `python port_recordings.py RECORDER JOBS RESULT`.

RECORDER is the archive that `paddle2torch reference script` writes; JOBS a list of {"request": REQUEST, "numbers":
FILE or null}. For each a trace is written where its request says, and RESULT gets a list: "" or why it was refused,
and with FILE (port_numbers.py) the largest difference between what the recorder's model computes and what the port
itself did, relative to the largest value."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import paddle

SITES = {
    "ErnieMModel": ("last_hidden_state", "pooler_output"),
    "ErnieMForQuestionAnswering": ("start_logits", "end_logits"),
    "UIEM": ("start_logits", "end_logits"),
}


def build(request: Any) -> Any:
    """The model of a recording, before anything is recorded of it."""
    from verify.recorder.model.build import build_model, set_weights
    from verify.recorder.sanity import check_sanity
    from verify.recorder.sources.checkpoint import read_weights, weight_files
    from verify.recorder.sources.config import family_of, read_config

    family, precision = family_of(request), request.precision
    own = check_sanity(family, precision)
    weights = read_weights(weight_files(request.source, request.files), family)
    name, fields, _ = read_config(request, family)
    quirk = family.choose_quirk(request, weights)
    model = build_model(family, name, fields, precision)
    family.adapt_model(model, fields, weights, precision)
    set_weights(family, model, weights, precision, None)
    family.follow_quirk(model, quirk, own)
    return model


def compare(model: Any, path: str) -> float:
    name, worst = type(model).__name__, 0.0
    with np.load(path) as file:
        cases: dict[str, dict[str, dict[str, Any]]] = {}
        for key in file.files:
            kind, case, part = key.split("/")
            cases.setdefault(case, {"in": {}, "out": {}})[kind][part] = file[key]
    for case in cases.values():
        inputs = {key: paddle.to_tensor(value) for key, value in case["in"].items()}
        with paddle.no_grad():
            found = model(**inputs)
        values = found if isinstance(found, (tuple, list)) else [found]
        for site, value in zip(SITES.get(name, ("logits",)), values):
            expected = case["out"][site].astype(np.float64)
            if name == "UIEM":  # Paddle's gives probabilities
                expected = 1.0 / (1.0 + np.exp(-expected))
            assert list(value.shape) == list(expected.shape), (site, value.shape)
            worst = max(worst, float(np.abs(value.numpy() - expected).max() / np.abs(expected).max()))
    return worst


def main() -> None:
    sys.path.insert(0, sys.argv[1])
    from verify.protocol.request import Request
    from verify.recorder.errors import Refused
    from verify.recorder.main import write_trace

    results = []
    for job in json.loads(Path(sys.argv[2]).read_text()):
        request, result = Request(**job["request"]), {"refused": "", "difference": None}
        try:
            if job.get("numbers"):
                result["difference"] = compare(build(request), job["numbers"])
            if request.output:
                write_trace(request)
        except Refused as error:
            result["refused"] = str(error)
        results.append(result)
    Path(sys.argv[3]).write_text(json.dumps(results))


if __name__ == "__main__":
    main()
