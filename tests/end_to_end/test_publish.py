"""The whole way to others: made by Paddle, converted, verified, pushed to a Hub, fetched from there, verified again
without Paddle, and loaded by its name."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.local_hub import LocalHub, running

ROOT = Path(__file__).resolve().parents[2]
LOAD = """
import sys
from huggingface_hub import snapshot_download
from transformers import AutoModel, AutoTokenizer
name, folder = sys.argv[1:]
tokenizer = AutoTokenizer.from_pretrained(name, trust_remote_code=True)
model = AutoModel.from_pretrained(name, trust_remote_code=True)
output = model(**tokenizer("The lighthouse keeper counted forty steps.", return_tensors="pt"))
print(type(model).__module__.split(".")[0], list(output.last_hidden_state.shape))
snapshot_download(name, local_dir=folder)
"""


def run(hub: LocalHub, *command: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "HF_ENDPOINT": hub.url, "HF_TOKEN": "hf_local_token", "HF_HUB_DISABLE_XET": "1"}
    environment.pop("HF_HUB_OFFLINE", None)
    words = list(map(str, command))
    done = subprocess.run(words, capture_output=True, text=True, env=environment, check=False, cwd=ROOT, timeout=500)
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
    return done


def test_what_is_published_is_what_was_verified(
    checkpoints: dict[str, Path],
    paddle_python: Path,
    live_paddle_python: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The interpreters of the verifications are the real ones: every import is new. Of Paddle's that holds in one line
    of transformers, which Paddle's does not have."""
    source, output, fetched = checkpoints["ErnieMModel"], tmp_path / "output", tmp_path / "fetched"
    paddle2torch = [sys.executable, "-m", "converter"]
    python = paddle_python if importlib.metadata.version("transformers").startswith("4.") else live_paddle_python
    with running() as hub:
        run(hub, *paddle2torch, "convert", source, output)
        trace = output / "verification" / "trace.safetensors"
        run(hub, *paddle2torch, "verify", source, output, "--paddle-python", python, "--record", trace)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "home"))
        assert "(verified; " in run(hub, *paddle2torch, "push", output, "me/tiny").stdout
        loaded = run(hub, sys.executable, "-c", LOAD, "me/tiny", fetched).stdout
        assert loaded.startswith("transformers_modules [1, ")
        there = fetched / "verification" / "trace.safetensors"
        assert there.read_bytes() == trace.read_bytes() and there.stat().st_size < 20_000_000
        # A fork has huggingface_hub imported already, without a network.
        judged = run(hub, *paddle2torch, "verify", "me/tiny").stdout
        assert judged.startswith("PASSED: OUTPUT is the same model\nLooked at: weights, numbers (float64), tokens.\n")
        assert "\npublished as: me/tiny@" in judged
        card = (fetched / "README.md").read_text()
        assert "compared exactly these files with the source: **passed**" in card and '"me/tiny"' in card
