"""A contender of the subject `model`: makes its model once, then does a step for each line of standard input.

    python model_step.py CONTENDER SIZE THREADS

CONTENDER: "port", "paddle", or of ours "eager" or "sdpa", with words behind it: "checkpointing", "skip-padding".
Runs in the environments of all contenders and imports nothing of this project but `ernie_m`. A task is
{"work": "forward" or "training", "batch": B, "length": S, "padded": bool}. A training step is forward with dropout, the
mean square of the last state as the loss, and backward.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

from answering import answer

#: Layers, words and width: a table of words is the same for everyone.
SIZES = {
    "tiny": {"num_hidden_layers": 2, "vocab_size": 500, "hidden_size": 24, "intermediate_size": 96},
    "one layer": {"num_hidden_layers": 1, "vocab_size": 5000, "hidden_size": 768, "intermediate_size": 3072},
    "four layers": {"num_hidden_layers": 4, "vocab_size": 5000, "hidden_size": 768, "intermediate_size": 3072},
}
FIRST_WORD, PAD = 5, 1

Step = Callable[[list[list[int]], list[list[int]], bool], None]


def make_step(contender: str, size: str, threads: int) -> Step:
    """A function of ids, mask and whether it is a training step."""
    sizes: Any = {**SIZES[size], "num_attention_heads": 12, "hidden_act": "gelu"}
    if contender == "paddle":
        return _paddle_step(sizes)
    import torch

    torch.set_num_threads(threads)
    torch.manual_seed(0)
    if contender == "port":
        from transformers.models.deprecated.ernie_m.configuration_ernie_m import ErnieMConfig
        from transformers.models.deprecated.ernie_m.modeling_ernie_m import ErnieMModel

        model = ErnieMModel(ErnieMConfig(**sizes))
    else:
        from ernie_m import ErnieMConfig, ErnieMModel

        way, *options = contender.split()
        model = ErnieMModel(ErnieMConfig(**sizes))
        model.set_attn_implementation(way)
        if "skip-padding" in options:
            model.skip_padding()
        if "checkpointing" in options:
            model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})

    def step(ids: list[list[int]], mask: list[list[int]], training: bool) -> None:
        model.train(training)
        model.zero_grad(set_to_none=True)
        with torch.set_grad_enabled(training):
            output = model(input_ids=torch.tensor(ids), attention_mask=torch.tensor(mask))
            if training:
                output.last_hidden_state.square().mean().backward()

    return step


def _paddle_step(sizes: dict[str, Any]) -> Step:
    import paddle
    from paddlenlp.transformers import ErnieMConfig, ErnieMModel

    paddle.seed(0)
    model = ErnieMModel(ErnieMConfig(**sizes))

    def step(ids: list[list[int]], mask: list[list[int]], training: bool) -> None:
        model.train() if training else model.eval()
        model.clear_gradients(set_to_zero=False)
        with paddle.set_grad_enabled(training):
            output = model(input_ids=paddle.to_tensor(ids), attention_mask=paddle.to_tensor(mask))
            if training:
                output[0].square().mean().backward()
            output[0].numpy()

    return step


def make_texts(batch: int, length: int, padded: bool) -> tuple[list[list[int]], list[list[int]]]:
    """Ids and mask. The texts of a padded batch have lengths from a quarter of the longest to the longest, evenly."""
    ids, mask = [], []
    for row in range(batch):
        share = 1.0 if not padded else 1.0 - 0.75 * row / max(batch - 1, 1)
        own = max(2, round(length * share))
        words = [0] + [FIRST_WORD + (31 * row + 7 * place) % 400 for place in range(own - 1)]
        ids.append(words + [PAD] * (length - own))
        mask.append([1] * own + [0] * (length - own))
    return ids, mask


def main() -> None:
    """Answer every line."""
    contender, size, threads = sys.argv[1:]
    # Before the libraries are loaded. A thread that spins takes the core of whoever shares the machine.
    os.environ.update(OMP_NUM_THREADS=threads, MKL_NUM_THREADS=threads, OMP_WAIT_POLICY="PASSIVE", KMP_BLOCKTIME="0")
    step = make_step(contender, size, int(threads))

    def make(task: dict[str, Any]) -> Callable[[], None]:
        ids, mask = make_texts(task["batch"], task["length"], task["padded"])
        return lambda: step(ids, mask, task["work"] == "training")

    answer(make)


if __name__ == "__main__":
    main()
