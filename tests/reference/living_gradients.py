"""How many gradients Paddle holds at once: `python living_gradients.py RECORDER RESULT`.

RECORDER is the archive that `paddle2torch reference script` writes. RESULT gets {parameter: how many parameters had a
gradient when its own was given away}, in the order in which they were, of a small ErnieMModel."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

SIZES = {
    "vocab_size": 50,
    "hidden_size": 8,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "max_position_embeddings": 20,
}


def main() -> None:
    sys.path.insert(0, sys.argv[1])
    from verify.recorder.families import FAMILIES
    from verify.recorder.model.activations import Activations
    from verify.recorder.model.build import build_model

    model = build_model(FAMILIES[0], "ErnieMModel", SIZES, "float64")
    for parameter in model.parameters():
        parameter.set_value(np.random.default_rng(7).normal(size=parameter.shape))
    activations = Activations(FAMILIES[0], model, "float64")
    living = {}

    def keep(name: str, gradient: object) -> None:
        living[name] = sum(parameter.grad is not None for parameter in model.parameters())

    ids = np.array([[3, 4, 5, 6]])
    case = {"name": "one", "through": "model", "inside": False, "inputs": {"input_ids": ids}, "gradient": "outputs"}
    activations.run_back(case, of_loss=False, pooler=True, keep=keep)
    Path(sys.argv[2]).write_text(json.dumps(living))


if __name__ == "__main__":
    main()
