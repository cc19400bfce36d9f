"""What people do to see whether a conversion is right: both models in float32, one text, the last states at 1e-5.

    python public_check.py PADDLE_PYTHON SOURCE CONVERTED OUTPUT

One side runs after the other, each with its own tokenizer. The verdict is printed and fails nothing: what it costs is
compared, and the noise of float32 alone comes near to the limit.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import numpy as np

TEXT = "Paris is the capital of France."
LIMIT = 1e-5


def ask_paddle(source: str) -> Any:
    """The last states of PaddleNLP's encoder."""
    import paddle
    from paddlenlp.transformers import AutoModel, AutoTokenizer

    model = AutoModel.from_pretrained(source)
    model.eval()
    with paddle.no_grad():
        return model(paddle.to_tensor([AutoTokenizer.from_pretrained(source)(TEXT)["input_ids"]]))[0].numpy()


def ask_torch(converted: str) -> Any:
    """The last hidden states of the converted model."""
    import torch
    from transformers import AutoModel, AutoTokenizer

    model = AutoModel.from_pretrained(converted, trust_remote_code=True).eval()
    tokenizer = AutoTokenizer.from_pretrained(converted, trust_remote_code=True)
    with torch.no_grad():
        return model(**tokenizer(TEXT, return_tensors="pt")).last_hidden_state.numpy()


def compare(paddle_python: str, source: str, converted: str, output: str) -> None:
    """Both sides, and the difference."""
    os.mkdir(output)
    states = os.path.join(output, "states.npy")
    subprocess.run([paddle_python, __file__, source, states], check=True)
    theirs, ours = np.load(states), ask_torch(converted)
    difference = float(np.abs(theirs - ours).max())
    print(f"{'equal' if difference <= LIMIT else 'different'} at {LIMIT}: largest difference {difference:.1e}")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        np.save(sys.argv[2], ask_paddle(sys.argv[1]))
    else:
        compare(*sys.argv[1:])
