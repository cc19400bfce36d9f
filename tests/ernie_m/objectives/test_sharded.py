"""A masked LM whose weights are divided between two processes (torch's FSDP, over gloo) has the same loss and words."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from tests.conftest import ROOT

#: The table of words is used at both ends of the model: it stays with the root.
PROGRAM = """\
import sys, torch, ernie_m
import torch.distributed as dist
from ernie_m import objectives
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import fully_shard

dist.init_process_group("gloo", init_method="file://" + sys.argv[2], rank=int(sys.argv[1]), world_size=2)
config = ernie_m.ErnieMConfig(
    vocab_size=60, hidden_size=16, num_attention_heads=4, num_hidden_layers=2, max_position_embeddings=40,
    hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, initializer_range=0.3,
)
small = {"mask_token_id": 59, "vocab_size": 60}
texts = [[10, 11, 12, 13], [20, 21, 22, 23, 24, 25]]
stage1 = objectives.placeholders(texts, pseudo_ratio=1.0, **small)
mesh = init_device_mesh("cpu", (2,))
found = []
for sharded in (False, True):
    torch.manual_seed(0)
    model = ernie_m.ErnieMForMaskedLM(config).train()
    if sharded:
        for layer in model.ernie_m.encoder.layers:
            fully_shard(layer, mesh=mesh)
        fully_shard(model, mesh=mesh)
        assert model.get_input_embeddings().weight.to_local().shape[0] == 30
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    steps = []
    for step in range(3):
        pseudo = objectives.fill_placeholders(model, stage1)
        inputs = objectives.to_tensors(objectives.btmlm(texts, pseudo, seed=step, ratio=0.5, **small))
        loss = model(**inputs).loss
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        steps.append((loss.item(), pseudo))
    found.append(steps)
for (plain, words), (divided, same) in zip(*found):
    assert abs(plain - divided) < 1e-5 and words == same, found
assert found[0][0][0] != found[0][2][0]
print("equal")
"""


def test_two_processes_with_half_the_weights_each(tmp_path: Path, product_python: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo"}
    started = [
        subprocess.Popen(
            [str(product_python), "-c", PROGRAM, str(rank), str(tmp_path / "rendezvous")], text=True, cwd=tmp_path,
            env={**environment, "HF_HUB_OFFLINE": "1"}, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for rank in range(2)
    ]  # fmt: skip
    try:
        ended = [process.communicate(timeout=180) for process in started]
    finally:
        for process in started:
            process.kill()
    for process, (said, errors) in zip(started, ended):
        assert process.returncode == 0 and said.split() == ["equal"], errors[-3000:]
