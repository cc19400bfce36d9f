"""What a user does, with the commands that a user types: make, convert, verify, load; in the transformers at hand.

`make test` runs this under transformers 5 and under 4.57. The verifier's own tests hold every class against Paddle
under transformers 5; here every class is held against it under 4.57, and one with a tokenizer under both.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CLASSES = {
    "ErnieMModel": "AutoModel",
    "ErnieMForSequenceClassification": "AutoModelForSequenceClassification",
    "ErnieMForTokenClassification": "AutoModelForTokenClassification",
    "ErnieMForQuestionAnswering": "AutoModelForQuestionAnswering",
    "ErnieMForMultipleChoice": "AutoModelForMultipleChoice",
    "UIEM": "AutoModel",
}
IN_4 = importlib.metadata.version("transformers").startswith("4.")
TRIED = list(CLASSES) if IN_4 else ["ErnieMModel"]
OFFLINE = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "PYTHONPATH": ""}


def run(*command: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    words = list(map(str, command))
    done = subprocess.run(words, capture_output=True, text=True, env={**os.environ, **OFFLINE}, check=False, cwd=ROOT)
    assert done.returncode == code, f"{words}\n{done.stdout}\n{done.stderr}"
    return done


def paddle2torch(
    *words: object, code: int = 0, python: str | Path = sys.executable
) -> subprocess.CompletedProcess[str]:
    return run(python, "-m", "converter", *words, code=code)


LOAD = """
import sys, warnings
warnings.simplefilter("error")
import torch, transformers
folder, loader = sys.argv[1:]
tokenizer = transformers.AutoTokenizer.from_pretrained(folder, trust_remote_code=True)
model = getattr(transformers, loader).from_pretrained(folder, trust_remote_code=True)
encoded = tokenizer("The lighthouse keeper counted forty steps in 1917.", return_tensors="pt")
assert list(encoded) == ["input_ids"], list(encoded)
if "MultipleChoice" in loader:
    encoded = {"input_ids": encoded["input_ids"][None]}
with torch.no_grad():
    output = model(**encoded)
print(type(tokenizer).__name__, type(model).__name__, *(list(value.shape) for value in output.to_tuple()))
"""


@pytest.mark.parametrize("name", TRIED)
def test_a_checkpoint_is_converted_proved_equal_and_loaded(
    name: str, checkpoints: dict[str, Path], paddle_python: Path, product_python: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    paddle2torch("convert", checkpoints[name], output)
    # Its process imports torch anew for one class, and is a fork of an interpreter that has done so for the others.
    python = sys.executable if name == TRIED[0] else product_python
    said = paddle2torch("verify", checkpoints[name], output, "--json", "--paddle-python", paddle_python, python=python)
    report = json.loads(said.stdout)
    assert report["passed"] and report["precision"] == "float64"
    assert report["static"]["mismatched"] == []
    assert report["tokenizer"]["texts"] > 300 and report["tokenizer"]["mismatched"] == 0
    assert all(site["max_rel"] <= site["tolerance"] for site in report["sites"])
    assert report == json.loads((output / "verification" / "report.json").read_text())
    loaded = run(product_python, "-c", LOAD, output, CLASSES[name])
    target = "ErnieMForInformationExtraction" if name == "UIEM" else name
    assert loaded.stdout.startswith(f"PaddleErnieMTokenizer {target} ")


def test_a_damaged_output_ends_with_1_and_names_the_tensor(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    output = tmp_path / "out"
    paddle2torch("convert", checkpoints["ErnieMModel"], output)
    weights = output / "model.safetensors"
    data = bytearray(weights.read_bytes())
    data[-1] ^= 1  # The sign of the last element of the last tensor.
    weights.write_bytes(data)
    said = paddle2torch("verify", checkpoints["ErnieMModel"], output, "--static-only", code=1)
    assert "pooler.dense.bias" in said.stdout


def test_no_paddle_ends_with_2_and_says_how_to_get_it(checkpoints: dict[str, Path], tmp_path: Path) -> None:
    output = tmp_path / "out"
    paddle2torch("convert", checkpoints["ErnieMModel"], output)
    said = paddle2torch(
        "verify", checkpoints["ErnieMModel"], output, "--paddle-python", tmp_path / "no-such-python", code=2
    )
    assert said.stderr.splitlines()[-1].startswith("error[E601]")
    assert not (output / "verification").exists()
