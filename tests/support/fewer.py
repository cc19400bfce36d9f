"""Less work for the same check: a self-test with one fault of each kind, a trace without what a test does not ask."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from verify.protocol.tokenizer_calls import NOT_DONE
from verify.results.trace import HEAD
from verify.self_test.faults import Fault


def one_of_each_kind(faults: Iterable[Fault], also: Sequence[str] = ()) -> list[Fault]:
    """The first fault of each kind, and those whose description contains one of the strings `also`."""
    kept: list[Fault] = []
    for fault in faults:
        if all(fault.kind != other.kind for other in kept) or any(text in fault.describe() for text in also):
            kept.append(fault)
    return kept


def without_tokens(trace: Path, target: Path) -> Path:
    """Write to `target` the trace without its tokens, as Paddle records it for a checkpoint without a tokenizer."""
    head, arrays = _read(trace)
    arrays = {name: array for name, array in arrays.items() if not name.startswith("tokens/")}
    head["arrays"] = {name: head["arrays"][name] for name in arrays}
    head["tokenizer"] = None
    return _write(head, arrays, target)


def with_few_calls(trace: Path, target: Path, step: int = 16) -> Path:
    """Write to `target` the trace with one of `step` results of the tokenizer's calls; the others are as if PaddleNLP
    had raised. The ids of all texts stay."""
    head, arrays = _read(trace)
    for name, results in arrays.items():
        if name.startswith("tokens/way/"):
            results[np.arange(len(results)) % step != 0] = NOT_DONE
            head["arrays"][name] = hashlib.sha256(results.tobytes()).hexdigest()
    return _write(head, arrays, target)


def _read(trace: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    with safe_open(str(trace), "np") as file:
        return json.loads(file.metadata()[HEAD][64:]), load_file(trace)


def _write(head: dict[str, Any], arrays: dict[str, Any], target: Path) -> Path:
    text = json.dumps(head, sort_keys=True)
    save_file(arrays, target, {HEAD: hashlib.sha256(text.encode()).hexdigest() + text})
    return target
