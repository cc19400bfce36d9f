"""A local Hub, a converted folder with a passing report, and no waiting between tries."""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from huggingface_hub import constants
from safetensors.numpy import load_file, save_file

from converter import Paddle2TorchError, Push, convert, push
from mappings import OPERATIONS
from tests.support.checkpoints import write_folder
from tests.support.hub_sessions import forget_connections
from tests.support.local_hub import LocalHub, running
from verify.folder.check_manifest import deciding_files
from verify.folder.foreign_code import find_foreign
from verify.protocol.trace_format import FORMAT, HEAD

TOKEN = "hf_local_token"
ID = "me/tiny"


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits that were asked for; nobody waits."""
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    return waits


@pytest.fixture
def hub(slept: list[float], monkeypatch: pytest.MonkeyPatch) -> Iterator[LocalHub]:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HF_HUB_OFFLINE", "HF_TOKEN_PATH"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    forget_connections()
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", "/nowhere/token")
    with running() as started:
        monkeypatch.setenv("HF_ENDPOINT", started.url)
        monkeypatch.setattr(constants, "ENDPOINT", started.url)  # As where the variable is there from the start.
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield started


#: Sites of every kind that a model of two layers has; all of them were measured once.
SITES = (
    *("word_embeddings", "embeddings.sum", "hidden_states.0", "norm:embeddings.layer_norm", "linear:pooler.dense"),
    *("layers.0.linear1", "attentions.0", "hidden_states.1", "hidden_states.2", "pooler_output"),
)


def write_report(output: Path, **changes: Any) -> Path:
    """A full passing report of the folder as it is, as verify writes one; `changes` take the place of its fields."""
    limits = {"case": "a", "max_abs": 1e-15, "max_rel": 2e-15, "tolerance": 1e-12, "passed": True}
    versions = {"paddle": "3.3.1", "paddlenlp": "2.8.1"}
    try:
        manifest = json.loads((output / "paddle2torch.json").read_text())
    except (OSError, ValueError):
        manifest = {"tensors": [], "source": {"files": []}}
    sizes = {entry["target"]: math.prod(entry["shape"]) for entry in manifest["tensors"]}
    report = {
        "passed": True,
        "precision": "float64",
        "behavior": "paddlenlp",
        "source_behavior": "paddlenlp",
        "foreign_code": find_foreign(output),
        "checked": ["weights", "numbers", "tokens"],
        "problems": [],
        "first_difference": None,
        "static": {"tensors": 38, "mismatched": [], "against": "source", "rounded": 0},
        "sites": [{**limits, "site": name} for name in SITES],
        "gradients": [{**limits, "tensor": name} for name in sizes],
        "coverage": [{"tensor": name, "elements": size, "seen": size, "rest": ""} for name, size in sizes.items()],
        "uses": {"plain call": {"compared": 4, "differ": 0, "first": ""}},
        "tokenizer": {"texts": 385, "mismatched": 0, "examples": [], "problem": "", "ways": {"ids": [385, 0]}},
        "warnings": [],
        "files": deciding_files(output),
        "reference": {"kind": "live", "how": [], "files": read_by_paddle(manifest), "environment": versions},
        "environment": {},
        **changes,
    }
    path = output / "verification" / "report.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({key: value for key, value in report.items() if value is not ...}))
    return path


def read_by_paddle(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    """The source's weight files."""
    return [file for file in manifest["source"]["files"] if not file["name"].endswith(".json")]


def describe(output: Path, entry: dict[str, Any]) -> dict[str, Any]:
    """What a trace's head has of the source tensor of a manifest's entry."""
    array = load_file(output / "model.safetensors")[entry["target"]]
    back = np.ascontiguousarray(OPERATIONS[entry["op"]].invert(array))
    return {"dtype": "float32", "shape": list(back.shape), "sha256": hashlib.sha256(back.tobytes()).hexdigest()}


def write_trace(output: Path, **changes: Any) -> Path:
    """A whole trace of one number, recorded from the checkpoint that OUTPUT was made from; `changes` take the place of
    fields of its head."""
    manifest = json.loads((output / "paddle2torch.json").read_text())
    arrays = {"case/a/input/input_ids": np.zeros(1), "case/a/site/pooler_output": np.zeros(1)}
    case = {"name": "a", "why": "", "through": "model", "inputs": ["input_ids"], "sites": ["pooler_output"]}
    sizes = ("hidden_size", "num_hidden_layers", "max_position_embeddings", "vocab_size", "num_attention_heads")
    plain: dict[str, Any] = {"config": dict.fromkeys(sizes, 4), "how": [], "environment": {}}
    plain["tensors"] = {entry["source"]: describe(output, entry) for entry in manifest["tensors"]}
    plain |= {"gradients": [], "growth": {"sites": {}, "gradients": {}}}
    head = {
        "format": FORMAT,
        "architecture": "ErnieMModel",
        "precision": "float64",
        **plain,
        "files": read_by_paddle(manifest),
        "cases": [case],
        "arrays": {name: hashlib.sha256(array.tobytes()).hexdigest() for name, array in arrays.items()},
        **changes,
    }
    text = json.dumps(head)
    path = output / "verification" / "trace.safetensors"
    save_file(arrays, path, {HEAD: hashlib.sha256(text.encode()).hexdigest() + text})
    return path


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """A converted folder, which has no tokenizer but a vocabulary, and its report."""
    folder = tmp_path / "output"
    convert(write_folder(tmp_path / "source"), folder)
    (folder / "vocab.txt").write_text("[CLS]\n[PAD]\n")
    write_report(folder)
    return folder


Pushes = Callable[..., Push]


@pytest.fixture
def push_it(hub: LocalHub, output: Path) -> Pushes:
    def call(**options: Any) -> Push:
        return push(output, options.pop("repo_id", ID), **options)

    return call


def refusal(call: Pushes, **options: Any) -> str:
    """The text of the error that a push ends with, in which no token may be."""
    with pytest.raises(Paddle2TorchError) as caught:
        call(**options)
    text = str(caught.value)
    assert TOKEN not in text
    return text


def snapshot(folder: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def sent(hub: LocalHub) -> tuple[int, int]:
    """How many large files and how many commits reached the server."""
    return len(hub.asked("PUT", "^/large/")), len(hub.asked("POST", "/commit/"))
