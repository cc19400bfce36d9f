"""DistributedDataParallel: every head trains without find_unused_parameters."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.several_processes import finish_together, start_process

CLASSES = ["SequenceClassification", "TokenClassification", "QuestionAnswering", "MultipleChoice"]
CLASSES += ["InformationExtraction"]
#: Two processes, three steps; the class is loaded as users load it, for that makes the parameters anew.
TRAIN = """\
import sys, torch, ernie_m
import torch.distributed as dist

rank, rendezvous, folder, names = int(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4:]
dist.init_process_group("gloo", init_method="file://" + rendezvous, rank=rank, world_size=2)
for name in names:
    model = getattr(ernie_m, "ErnieMFor" + name).from_pretrained(folder + "/" + name).train()
    parallel = torch.nn.parallel.DistributedDataParallel(model)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    torch.manual_seed(rank)
    ids = torch.randint(4, 60, (2, 3, 6) if name == "MultipleChoice" else (2, 6))
    if name in ("QuestionAnswering", "InformationExtraction"):
        place = torch.tensor([1, 2]) if name == "QuestionAnswering" else torch.eye(2, 6)
        labels = {"start_positions": place, "end_positions": place}
    else:
        labels = {"labels": torch.ones(2, 6, dtype=torch.long) if name[0] == "T" else torch.tensor([0, 1])}
    for _ in range(3):
        parallel(input_ids=ids, **labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    sums = [None, None]
    dist.all_gather_object(sums, float(sum(p.detach().double().abs().sum() for p in model.parameters())))
    assert sums[0] == sums[1], (name, sums)
    if rank == 0:
        print("trained", name)
"""


def test_every_head_trains_in_two_processes(product_python: Path, tmp_path: Path) -> None:
    import torch

    import ernie_m

    for name in CLASSES:
        config = ernie_m.ErnieMConfig(
            vocab_size=60, hidden_size=8, num_attention_heads=2, num_hidden_layers=1, max_position_embeddings=20
        )
        torch.manual_seed(0)
        getattr(ernie_m, f"ErnieMFor{name}")(config).save_pretrained(tmp_path / name)
    started = [
        start_process([product_python, "-c", TRAIN, rank, tmp_path / "rendezvous", tmp_path, *CLASSES], tmp_path)
        for rank in range(2)
    ]
    first, _ = finish_together(started)
    assert first.split() == [word for name in CLASSES for word in ("trained", name)]


@pytest.mark.parametrize("with_pooler", [True, False])
def test_what_no_loss_reaches_is_kept_with_the_weights(with_pooler: bool) -> None:
    """UIE-M's pooler: there for its weights, and named for DistributedDataParallel alone."""
    import ernie_m

    config = ernie_m.ErnieMConfig(
        vocab_size=60, hidden_size=8, num_attention_heads=2, num_hidden_layers=1, add_pooling_layer=with_pooler
    )
    model = ernie_m.ErnieMForInformationExtraction(config)
    poolers = [name for name, _ in model.named_parameters() if ".pooler." in name]
    assert model._ddp_params_and_buffers_to_ignore == poolers
    assert poolers == ["ernie_m.pooler.dense.weight", "ernie_m.pooler.dense.bias"] * with_pooler
