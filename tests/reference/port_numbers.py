"""What transformers 4.57's own ErnieM computes: a folder per class, with its names, its configuration and its numbers.

Run by an interpreter with transformers 4.57: `python port_numbers.py FOLDER`. Each FOLDER/CLASS holds config.json and
model.safetensors as the port saves them, and numbers.npz: inputs `in/CASE/ARGUMENT`, outputs `out/CASE/SITE` (float32).
The weights are sensitive on purpose: random biases and norms, attention far from uniform.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers.models.deprecated.ernie_m import configuration_ernie_m, modeling_ernie_m

IDS = torch.tensor([[0, 7, 8, 9, 10, 2], [0, 11, 12, 2, 1, 1]])
CASES: dict[str, dict[str, Any]] = {
    "no mask": {},
    "mask": {"attention_mask": torch.tensor([[1, 1, 0, 1, 1, 1], [1, 1, 1, 1, 0, 0]])},
    "a row of zeros": {"attention_mask": torch.tensor([[0, 0, 0, 0, 0, 0], [1, 1, 1, 1, 0, 0]])},
    "positions": {"position_ids": torch.tensor([[5, 4, 3, 2, 1, 0], [0, 1, 2, 3, 3, 3]])},
}


def main(folder: Path) -> None:
    torch.manual_seed(0)
    torch.set_num_threads(1)
    for name in modeling_ernie_m.__all__:
        if name == "ErnieMPreTrainedModel":
            continue
        config = configuration_ernie_m.ErnieMConfig(
            vocab_size=60,
            hidden_size=16,
            num_hidden_layers=2,
            num_attention_heads=4,
            intermediate_size=24,
            max_position_embeddings=20,
            num_labels=2 if "Question" in name else 3,
        )
        model = getattr(modeling_ernie_m, name)(config).eval()
        with torch.no_grad():
            for key, parameter in model.named_parameters():
                parameter.normal_(1.0 if "norm" in key and "weight" in key else 0.0, 0.4)
        model.save_pretrained(folder / name)
        numbers = {}
        for case, extra in CASES.items():
            inputs = {"input_ids": IDS, **extra}
            if name == "ErnieMForMultipleChoice":
                inputs = {key: value[None] for key, value in inputs.items()}
            for key, value in inputs.items():
                numbers[f"in/{case}/{key}"] = value.numpy().copy()  # before the call: the port changes position_ids
            with torch.no_grad():
                output = model(**inputs, return_dict=True)
            numbers.update({f"out/{case}/{site}": value.numpy() for site, value in output.items()})
        np.savez(folder / name / "numbers.npz", **numbers)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
