"""What Paddle computes for the objectives: loss, gradients and pseudo tokens, in float64.

Run by the reference interpreter: `python objective_numbers.py REQUEST.npz ANSWER.npz`. PaddleNLP 2.8.1 has ERNIE-M's
encoder and no masked-LM head; the head is made of Paddle's own layers, as in PaddlePaddle/ERNIE's pre-training
(`ernie/model/ernie.py:get_lm_output`): dense, gelu, LayerNorm, the word embedding transposed, a bias; on the predicted
rows alone. REQUEST has `config`, the names of PaddleNLP's encoder and of the head, and batches by objective.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
import paddle
import paddle.nn.functional as F
from paddlenlp.transformers import ErnieMConfig
from paddlenlp.transformers.ernie_m.modeling import ErnieMModel

paddle.set_default_dtype("float64")
EPSILON = float(np.float32(1e-5))


class MaskedLM(paddle.nn.Layer):
    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        size = config["hidden_size"]
        self.ernie_m = ErnieMModel(ErnieMConfig(**config))
        self.dense = paddle.nn.Linear(size, size)
        self.layer_norm = paddle.nn.LayerNorm(size, epsilon=EPSILON)
        self.bias = self.create_parameter([config["vocab_size"]], is_bias=True)

    def forward(self, inputs: dict[str, np.ndarray], rows: np.ndarray) -> Any:
        """Logits of the rows that are chosen, in the order of the batch."""
        # A 3-D mask has the axis of the heads in front in Paddle: one is put in.
        mask = paddle.to_tensor(inputs["attention_mask"][:, None].astype("int64"))
        states = self.ernie_m(
            paddle.to_tensor(inputs["input_ids"]),
            position_ids=paddle.to_tensor(inputs["position_ids"]),
            attention_mask=mask,
        )[0]
        chosen = paddle.to_tensor(np.flatnonzero(rows))
        picked = paddle.gather(states.reshape([-1, states.shape[-1]]), chosen)
        table = self.ernie_m.embeddings.word_embeddings.weight
        return paddle.matmul(self.layer_norm(F.gelu(self.dense(picked))), table, transpose_y=True) + self.bias


def main(request: str, answer: str) -> None:
    with np.load(request) as file:
        given = {name: file[name] for name in file.files}
    model = MaskedLM(json.loads(str(given["config"])))
    model.eval()
    for name, parameter in model.named_parameters():
        if f"weights/{name}" in given:  # PaddleNLP's model has a pooler, which no loss reaches
            parameter.set_value(given[f"weights/{name}"])
        else:
            assert ".pooler." in name, name
    found: dict[str, np.ndarray] = {}
    for objective in json.loads(str(given["objectives"])):
        inputs = {
            name: given[f"{objective}/{name}"] for name in ("input_ids", "attention_mask", "position_ids", "labels")
        }
        rows = given[f"{objective}/rows"].reshape(-1)
        logits = model(inputs, rows)
        found[f"{objective}/logits"] = logits.numpy()
        if (inputs["labels"] == -100).all():
            continue
        loss = F.cross_entropy(logits, paddle.to_tensor(inputs["labels"].reshape(-1)[rows]))
        loss.backward()
        found[f"{objective}/loss"] = loss.numpy()
        for name, parameter in model.named_parameters():
            if parameter.grad is not None:
                found[f"{objective}/grad/{name}"] = parameter.grad.numpy()
        model.clear_gradients()
    np.savez(answer, **found)


if __name__ == "__main__":
    main(*sys.argv[1:])
