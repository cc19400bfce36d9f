"""examples/finetune: which learning rate each parameter has, and a run on a tiny model in one process and in two."""

from __future__ import annotations

import importlib
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.ernie_m.tokenization_reference import small_folder
from tests.support.several_processes import finish_together, start_process

FOLDER = ROOT / "examples" / "finetune"
#: Our own sentences.
ANIMALS = ("the dog", "a cat", "our bird", "this fish")
PLACES = ("in the house", "in the water", "in the city", "in the garden")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model without a head, and pairs whose class is a matter of one word of the first text."""
    import torch

    import ernie_m

    place = tmp_path_factory.mktemp("finetuning")
    small_folder(place / "model")
    torch.manual_seed(0)
    sizes = {"vocab_size": 2002, "hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 2}
    no_dropout = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    config = ernie_m.ErnieMConfig(**sizes, **no_dropout, max_position_embeddings=66, initializer_range=0.3)
    ernie_m.ErnieMModel(config).save_pretrained(place / "model")
    rows = ["text_a\ttext_b\tlabel"]
    for number in range(32):
        animal, where = ANIMALS[number % 4], PLACES[number // 4 % 4]
        rows.append(f"{animal} is {where}\tit is {where} {number}\t{'legs' if number % 4 < 2 else 'none'}")
    (place / "train.en.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    (place / "dev.en.tsv").write_text("\n".join(rows[:9]) + "\n", encoding="utf-8")
    return place


def start(
    python: Path, folder: Path, output: str, *launcher: object, processes: int = 1
) -> list[subprocess.Popen[str]]:
    """Start the program in as many processes as torchrun would, each through `launcher`; a step has 16 examples."""
    words = [python, *launcher, FOLDER / "finetune_classifier.py", "--cpu", "--model", "model", "--output", output]
    words += ["--train", "train.en.tsv", "--dev", "dev.en.tsv", "--labels", "legs,none", "--epochs", "5"]
    words += ["--batch-size", 16 // processes, "--learning-rate", "0.01", "--weight-decay", "0.01", "--dropout", "0"]
    words += ["--log-steps", "1", "--decay-rule", "paddlenlp"]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    several = {"WORLD_SIZE": str(processes), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    places = [{**several, "RANK": str(n), "LOCAL_RANK": str(n)} if processes > 1 else {} for n in range(processes)]
    return [start_process(words, folder, subprocess.STDOUT, **place) for place in places]


def history(output: Path) -> list[dict[str, float]]:
    """What was logged, without times."""
    state = json.loads((output / "trainer_state.json").read_text(encoding="utf-8"))
    kept = ("loss", "learning_rate", "step", "eval_loss", "eval_en_loss", "eval_accuracy", "eval_en_accuracy")
    return [{name: entry[name] for name in kept if name in entry} for entry in state["log_history"]]


@pytest.fixture(scope="module")
def histories(folder: Path, product_python: Path) -> dict[str, list[dict[str, float]]]:
    """By the Trainer alone, by `accelerate launch`, and in two processes, all at once."""
    accelerate = ("-m", "accelerate.commands.launch", "--cpu", "--num_processes", 1, "--num_machines", 1)
    more = ("--mixed_precision", "no", "--dynamo_backend", "no")
    started = start(product_python, folder, "alone")
    started += start(product_python, folder, "launched", *accelerate, *more)
    started += start(product_python, folder, "two", processes=2)
    finish_together(started)
    return {name: history(folder / name) for name in ("alone", "launched", "two")}


def test_a_run_is_the_same_through_accelerate_and_in_two_processes(histories: dict[str, Any]) -> None:
    alone = histories["alone"]
    assert histories["launched"] == alone
    assert [entry.keys() for entry in histories["two"]] == [entry.keys() for entry in alone]
    for one, other in zip(histories["two"], alone):
        assert one == pytest.approx(other, rel=1e-4), (one, other)


def test_the_learning_rate_rises_for_a_tenth_and_falls_to_0(histories: dict[str, Any]) -> None:
    rates = [entry["learning_rate"] for entry in histories["alone"] if "learning_rate" in entry]
    # 32 examples in steps of 16, five epochs: 10 steps, 1 of warm-up. Logged is the rate of the step that was made.
    assert rates == pytest.approx([0, 0.01, *(0.01 * left / 9 for left in range(8, 0, -1))], abs=1e-9)


def test_it_learns_and_names_its_classes(histories: dict[str, Any], folder: Path) -> None:
    losses = [entry["loss"] for entry in histories["alone"] if "loss" in entry]
    assert losses[-1] < 0.5 * losses[0]
    import ernie_m

    model, info = ernie_m.ErnieMForSequenceClassification.from_pretrained(folder / "alone", output_loading_info=True)
    assert not info["missing_keys"] and model.config.id2label == {0: "legs", 1: "none"}


@pytest.fixture
def program() -> Iterator[Any]:
    sys.path.insert(0, str(FOLDER))
    yield importlib.import_module("layer_decay")
    sys.path.remove(str(FOLDER))


@pytest.mark.parametrize(("rule", "norm"), [("baidu", 1.0), ("paddlenlp", 0.8**3)])
def test_each_layer_has_its_learning_rate(program: Any, rule: str, norm: float) -> None:
    import ernie_m

    sizes = {"vocab_size": 9, "hidden_size": 8, "num_attention_heads": 2, "num_hidden_layers": 2}
    model = ernie_m.ErnieMForSequenceClassification(ernie_m.ErnieMConfig(**sizes))
    groups = program.parameter_groups(model, 2, 1.0, 0.8, 0.01, rule)
    of = {id(parameter): group for group in groups for parameter in group["params"]}
    found = {name: (of[id(one)]["lr"], of[id(one)]["weight_decay"]) for name, one in model.named_parameters()}
    assert len(found) == sum(len(group["params"]) for group in groups)
    expected = {
        "ernie_m.embeddings.word_embeddings.weight": (0.8**3, 0.01),
        "ernie_m.embeddings.position_embeddings.weight": (0.8**3, 0.01),
        "ernie_m.embeddings.layer_norm.weight": (norm, 0),
        "ernie_m.embeddings.layer_norm.bias": (norm, 0),
        "ernie_m.encoder.layers.0.linear1.weight": (0.8**2, 0.01),
        "ernie_m.encoder.layers.0.linear1.bias": (0.8**2, 0),
        "ernie_m.encoder.layers.1.norm2.weight": (0.8, 0),
        "ernie_m.pooler.dense.weight": (1, 0.01),
        "classifier.bias": (1, 0),
    }
    assert {name: found[name] for name in expected} == {name: pytest.approx(pair) for name, pair in expected.items()}
    assert groups[0]["lr"] == 1  # Which the Trainer logs.
    with pytest.raises(ValueError, match="of 3 layers, embeddings and a head some have no parameters"):
        program.parameter_groups(model, 3, 1.0, 0.8, 0.01, rule)


def test_labels_are_not_guessed(folder: Path, product_python: Path) -> None:
    words = [product_python, FOLDER / "finetune_classifier.py", "--cpu", "--model", "model", "--output", "none"]
    process = start_process([*words, "--train", "train.en.tsv", "--labels", "a,b"], folder, subprocess.STDOUT)
    said = process.communicate(timeout=120)[0]
    assert process.returncode == 1 and "labels of the data are unknown: legs, none" in said
    assert not (folder / "none").exists()
