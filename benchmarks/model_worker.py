"""A contender of benchmarks/model_speed.py: makes its model once, then does a step for each line of standard input.

    python benchmarks/model_worker.py CONTENDER THREADS

Runs in the environments of all contenders and imports nothing of this project but `ernie_m`. A line in is a task,
{"size": SIZE, "work": "forward" or "training", "batch": B, "length": S, "padded": bool}; a line out is
{"seconds": wall, "cpu_seconds": of all threads, "own_megabytes": the peak of pages that no file holds}.
A training step is forward with dropout, the mean square of the last state as the loss, and backward.
"""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

#: Layers, words and width. "medium" has layers enough for ratios; a table of words is the same for everyone.
SIZES = {
    "tiny": {"num_hidden_layers": 2, "vocab_size": 500, "hidden_size": 24, "intermediate_size": 96},
    "medium": {"num_hidden_layers": 4, "vocab_size": 5000, "hidden_size": 768, "intermediate_size": 3072},
    "short": {"num_hidden_layers": 2, "vocab_size": 5000, "hidden_size": 768, "intermediate_size": 3072},
    "base": {"num_hidden_layers": 12, "vocab_size": 250002, "hidden_size": 768, "intermediate_size": 3072},
}
FIRST_WORD, PAD = 5, 1

Step = Callable[[list[list[int]], list[list[int]], bool], None]


def make_step(contender: str, size: str, threads: int) -> Step:
    """A function of ids, mask and whether it is a training step. Contenders: "port", "paddle", or of ours "eager" or
    "sdpa", with words behind it: "checkpointing", "skip-padding"."""
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


class Peak:
    """The most memory of its own that this process has while the block runs, in megabytes; sampled every 5 ms."""

    def __enter__(self) -> Peak:
        self.megabytes, self._done = 0.0, threading.Event()
        self._sampler = threading.Thread(target=self._sample)
        self._sampler.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._sampler.join()

    def _sample(self) -> None:
        while not self._done.wait(0.005):
            with open("/proc/self/status") as file:
                own = next(line for line in file if line.startswith("RssAnon"))
            self.megabytes = max(self.megabytes, int(own.split()[1]) * 1024 / 1e6)


def main() -> None:
    """Answer every line."""
    contender, threads = sys.argv[1], int(sys.argv[2])
    steps: dict[str, Step] = {}
    answers, sys.stdout = sys.stdout, sys.stderr  # what libraries print is no answer
    for line in sys.stdin:
        task = json.loads(line)
        if task["size"] not in steps:
            steps = {task["size"]: make_step(contender, task["size"], threads)}
        texts = make_texts(task["batch"], task["length"], task["padded"])
        peak = Peak() if task.get("memory") else None
        if peak:
            peak.__enter__()
        wall, used = time.perf_counter(), time.process_time()
        steps[task["size"]](*texts, task["work"] == "training")
        found = {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - used}
        if peak:
            peak.__exit__()
            found["own_megabytes"] = peak.megabytes
        print(json.dumps(found), file=answers, flush=True)


if __name__ == "__main__":
    main()
