"""Run by noxfile.py with only the wheel and its dependencies: convert, and print the checksums of OUTPUT."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

import converter
from converter.common.version import __version__
from mappings import expand, load_table

SIZES = {"vocab_size": 30, "max_position_embeddings": 10, "hidden_size": 8, "num_hidden_layers": 2}
SIZES["num_attention_heads"] = 2


def make_checkpoint(folder: Path) -> Path:
    """A folder as PaddleNLP writes it, with numbers that any Python and numpy make alike."""
    table = load_table("ErnieMModel")
    sizes = {**SIZES, "intermediate_size": 32, "num_labels": 2}
    state = {}
    for entry in expand(table, table.schemes[0], sizes):
        count = int(np.prod(entry.source_shape))
        state[entry.source] = np.arange(count, dtype="<f4").reshape(entry.source_shape) + len(state)
    folder.mkdir()
    (folder / "model_state.pdparams").write_bytes(pickle.dumps(state, 2))
    (folder / "config.json").write_text(json.dumps({"architectures": ["ErnieMModel"], "hidden_act": "gelu", **SIZES}))
    return folder


def run(*words: str, code: int = 0) -> str:
    """The installed command, from the environment's own bin folder."""
    command = Path(sys.executable).parent / "paddle2torch"
    done = subprocess.run([str(command), *words], capture_output=True, text=True, check=False)
    assert done.returncode == code, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def main() -> None:
    """What a user of the wheel meets first."""
    assert "site-packages" in converter.__file__, converter.__file__
    assert importlib.metadata.version("paddle2torch") == __version__
    assert run("--version").split()[-1] == __version__
    for heavy in ("torch", "transformers", "paddle"):
        assert importlib.util.find_spec(heavy) is None, f"{heavy} came with the wheel"
    for name in ("converter", "mappings", "verify", "evaluation", "extraction", "ernie", "ernie_m", "paddle2torch"):
        spec = importlib.util.find_spec(name)
        assert spec is not None and spec.origin is not None
        assert (Path(spec.origin).parent / "py.typed").is_file(), f"{name} has no py.typed"
    for folder in ("source", "out"):
        shutil.rmtree(folder, ignore_errors=True)
    make_checkpoint(Path("source"))
    run("convert", "source", "out")
    assert "float32" in run("inspect", "source")
    assert "PASSED" in run("verify", "source", "out", "--static-only", "--report", "report")
    assert "error[E6" in run("verify", "source", "out", code=2)  # No reference and no torch: said, not guessed.
    for path in sorted(Path("out").rglob("*")):
        if path.is_file():
            print(hashlib.sha256(path.read_bytes()).hexdigest(), path.as_posix())


if __name__ == "__main__":
    main()
