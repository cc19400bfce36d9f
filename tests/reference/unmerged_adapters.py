"""What PaddleNLP saves of a model with LoRA or quantisation, and what it computes: `unmerged_adapters.py FOLDER`.

FOLDER gets `train` and `merged` (the inner model saved in train mode and in eval mode), `adapter` (what LoRAModel
saves), `quantised` (quantisation-aware training) and logits.npz: of each model in memory, and of each folder as
PaddleNLP loads it again.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import paddle
from paddle.nn import Linear
from paddle.quantization import QAT, QuantConfig
from paddle.quantization.quanters import FakeQuanterWithAbsMaxObserver
from paddlenlp.peft import LoRAConfig, LoRAModel
from paddlenlp.transformers import ErnieMConfig, ErnieMForSequenceClassification

IDS = np.array([[0, 9, 11, 12, 2], [0, 5, 6, 7, 2]])


def build() -> Any:
    paddle.seed(5)
    sizes = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 4, "vocab_size": 60}
    return ErnieMForSequenceClassification(ErnieMConfig(**sizes, max_position_embeddings=40, num_labels=3)).eval()


def logits_of(model: Any) -> np.ndarray:
    model.eval()
    return model(paddle.to_tensor(IDS)).numpy()


def main(folder: Path) -> None:
    found = {"base": logits_of(build())}
    targets = [".*q_proj.*", ".*v_proj.*"]
    lora = LoRAModel(build(), LoRAConfig(target_modules=targets, r=2, lora_alpha=8, merge_weights=True))
    for name, parameter in lora.named_parameters():
        if "lora_" in name:
            parameter.set_value(
                paddle.to_tensor(np.random.default_rng(7).normal(size=parameter.shape), dtype="float32")
            )
    found["with LoRA"] = logits_of(lora.model)
    lora.train()
    lora.model.save_pretrained(str(folder / "train"))
    lora.save_pretrained(str(folder / "adapter"))
    lora.eval()
    lora.model.save_pretrained(str(folder / "merged"))

    quanter = FakeQuanterWithAbsMaxObserver(moving_rate=0.9)
    config = QuantConfig(activation=None, weight=None)
    config.add_type_config(Linear, activation=quanter, weight=quanter)
    quantised = build()
    quantised.train()
    quantised = QAT(config).quantize(quantised)
    quantised(paddle.to_tensor(IDS))
    found["quantised"] = logits_of(quantised)
    build().save_pretrained(str(folder / "quantised"))
    paddle.save(quantised.state_dict(), str(folder / "quantised" / "model_state.pdparams"))

    for name in ("train", "merged", "quantised"):
        found[f"{name}, loaded"] = logits_of(ErnieMForSequenceClassification.from_pretrained(str(folder / name)))
    np.savez(folder / "logits.npz", **found)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
