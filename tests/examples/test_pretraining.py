"""examples/pretrain_ernie_m.py on a tiny model: several processes, an interruption, what it refuses."""

from __future__ import annotations

import importlib
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.ernie_m.tokenization_reference import small_folder

SCRIPT = ROOT / "examples" / "pretrain_ernie_m.py"
NO_DROPOUT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
EVERYTHING = "mmlm,tlm,camlm=2,btmlm"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, one without a head, one with dropout, and text: lines of words that the small tokenizer knows."""
    import torch

    import ernie_m

    place = tmp_path_factory.mktemp("pretraining")
    tokenizer = small_folder(place / "tokenizer")
    config = {"vocab_size": 2002, "hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 2}
    for name, changes in (("model", NO_DROPOUT), ("dropout", {}), ("no-head", {})):
        torch.manual_seed(0)
        made = ernie_m.ErnieMModel if name == "no-head" else ernie_m.ErnieMForMaskedLM
        made(ernie_m.ErnieMConfig(**config, max_position_embeddings=66, **changes)).save_pretrained(place / name)
        for path in tokenizer.iterdir():
            shutil.copy(path, place / name)
    animals, places = ("the dog", "a cat", "our bird", "this fish"), ("house", "water", "city", "garden", "street")
    lines = [f"{animal} is in the {where} {number}" for number in range(4) for animal in animals for where in places]
    # A special token in the text is taken out, and a line without any others left out where it is met.
    lines[4], lines[5] = f"{lines[4]} [SEP]", "[MASK]"
    (place / "a.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    (place / "b.txt").write_text("\n".join(line[::-1] for line in lines) + "\n", encoding="utf-8")
    for name in "ab":
        text = (place / f"{name}.txt").read_text(encoding="utf-8").splitlines()
        (place / f"{name}.held").write_text("\n".join(text[:7]) + "\n", encoding="utf-8")
    return place


def words(folder: Path, model: str, output: Path, **options: Any) -> list[str]:
    defaults = {"objectives": EVERYTHING, "steps": 8, "log-steps": 1, "shuffle": 5, "learning-rate": 5e-3}
    found = [str(SCRIPT), "--cpu", "--model", str(folder / model), "--output", str(output)]
    for name, value in {**defaults, **options}.items():
        found += [f"--{name}"] if value is True else [f"--{name}", str(value)]
    text = ["--monolingual", "a.txt", "--parallel", "a.txt", "b.txt"]
    return [*found, *text, "--eval-monolingual", "a.held", "--eval-parallel", "a.held", "b.held"]


def start(python: Path, folder: Path, command: list[str], **environment: str) -> subprocess.Popen[str]:
    settings = {**os.environ, "PYTHONPATH": f"{ROOT}:{SCRIPT.parent}", "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    settings["GLOO_SOCKET_IFNAME"] = "lo"
    return subprocess.Popen(
        [str(python), *command], cwd=folder, env={**settings, **environment}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def run(python: Path, folder: Path, command: list[str], processes: int = 1) -> None:
    """Run the program, in as many processes as torchrun would start, and wait for its end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    several = {"WORLD_SIZE": str(processes), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    places = [{**several, "RANK": str(n), "LOCAL_RANK": str(n)} for n in range(processes)] if processes > 1 else [{}]
    started = [start(python, folder, command, **place) for place in places]
    try:
        said = [process.communicate(timeout=180)[0] for process in started]
    finally:
        for process in started:
            process.kill()
    for process, text in zip(started, said):
        assert process.returncode == 0, text[-3000:]


def history(output: Path) -> list[dict[str, float]]:
    """What was logged, without times."""
    state = json.loads((output / "trainer_state.json").read_text(encoding="utf-8"))
    return [{k: v for k, v in entry.items() if "loss" in k or k == "step"} for entry in state["log_history"]]


def losses(output: Path) -> dict[int, float]:
    return {int(entry["step"]): entry["loss"] for entry in history(output) if "loss" in entry}


def compare(one: list[dict[str, float]], other: list[dict[str, float]], tolerance: float) -> None:
    assert [entry.keys() for entry in one] == [entry.keys() for entry in other]
    for left, right in zip(one, other):
        assert left == pytest.approx(right, rel=tolerance), (left, right)


@pytest.fixture(scope="module")
def alone(folder: Path, product_python: Path) -> Path:
    """One process with four examples at a time, two times a step."""
    command = words(folder, "model", folder / "alone", **{"batch-size": 4, "eval-steps": 4, "accumulate": 2})
    run(product_python, folder, command)
    return folder / "alone"


def test_two_processes_have_the_losses_of_one(folder: Path, alone: Path, product_python: Path) -> None:
    options: dict[str, Any] = {"batch-size": 2, "eval-steps": 4, "accumulate": 2, "gradient-checkpointing": True}
    command = words(folder, "model", folder / "two", workers=2, **options)
    run(product_python, folder, command, processes=2)
    assert len(losses(folder / "two")) == 8
    compare(history(alone), history(folder / "two"), 1e-5)


def test_every_objective_is_evaluated_and_both_sides_of_pairs(alone: Path) -> None:
    evaluations = [entry for entry in history(alone) if "eval_camlm_loss" in entry]
    assert [entry["step"] for entry in evaluations] == [4, 8, 8]
    names = {"mmlm": False, "tlm": True, "camlm": True, "btmlm": False}
    for entry in evaluations:
        for name, paired in names.items():
            assert f"eval_{name}_loss" in entry and (f"eval_{name}_side1_loss" in entry) == paired
    assert evaluations[-1]["eval_tlm_loss"] < evaluations[0]["eval_tlm_loss"]


def test_what_is_saved_is_a_masked_lm_with_its_tokenizer(alone: Path, folder: Path) -> None:
    from transformers import AutoModelForMaskedLM

    import ernie_m

    model, info = ernie_m.ErnieMForMaskedLM.from_pretrained(alone, output_loading_info=True)
    assert not info["missing_keys"] and not info["unexpected_keys"]
    before = ernie_m.ErnieMForMaskedLM.from_pretrained(folder / "model")
    assert not model.lm_head.dense.weight.equal(before.lm_head.dense.weight)
    assert isinstance(AutoModelForMaskedLM.from_pretrained(alone), ernie_m.ErnieMForMaskedLM)
    text = "the dog is in the water"
    tokenizers = [ernie_m.ErnieMTokenizer.from_pretrained(str(one)) for one in (alone, folder / "model")]
    assert tokenizers[0](text) == tokenizers[1](text)


def test_a_run_that_is_killed_goes_on_as_if_it_had_not_been(folder: Path, product_python: Path) -> None:
    options: dict[str, Any] = {"batch-size": 3, "steps": 24, "save-steps": 2, "accumulate": 2}
    whole, cut = folder / "not-killed", folder / "killed"
    run(product_python, folder, words(folder, "dropout", whole, **options))
    process = start(product_python, folder, words(folder, "dropout", cut, **options))
    deadline = time.monotonic() + 120
    while not (cut / "checkpoint-4" / "trainer_state.json").exists():
        assert process.poll() is None and time.monotonic() < deadline, process.communicate()[0][-3000:]
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    time.sleep(0.2)
    assert not (cut / "trainer_state.json").exists(), "it ended before it was killed"
    # What a kill while a checkpoint is written leaves behind is not a checkpoint.
    (cut / "checkpoint-23").mkdir()
    run(product_python, folder, words(folder, "dropout", cut, resume=True, **options))
    assert losses(cut) == losses(whole) and len(losses(whole)) == 24
    compare(history(whole)[-1:], history(cut)[-1:], 1e-12)


def test_a_head_of_random_numbers_is_made_only_when_it_is_asked_for(folder: Path, product_python: Path) -> None:
    command = words(folder, "no-head", folder / "fresh", **{"steps": 1, "objectives": "camlm"})
    refused = start(product_python, folder, command)
    said = refused.communicate(timeout=120)[0]
    assert refused.returncode == 1 and "no masked-LM head. With --new-head" in said
    assert not (folder / "fresh").exists()
    made = start(product_python, folder, [*command, "--new-head"])
    said = made.communicate(timeout=120)[0]
    assert made.returncode == 0 and "its head is new, random numbers (lm_head." in said, said


REFUSED = [
    ({"objectives": "nsp"}, "'nsp' is not one of mmlm, tlm, camlm, btmlm"),
    ({"objectives": "camlm=0"}, "the weight of camlm must be above 0"),
    ({"objectives": "camlm=x"}, "has no number behind the ="),
    ({"objectives": "camlm,camlm"}, "named once"),
    ({"monolingual": "nowhere.txt"}, "nowhere.txt is not there"),
]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The program as a module."""
    monkeypatch.syspath_prepend(str(SCRIPT.parent))
    return importlib.import_module("pretrain_ernie_m")


@pytest.mark.parametrize(("options", "message"), REFUSED)
def test_a_command_that_cannot_be_meant_is_refused(
    options: Any, message: str, folder: Path, script: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    monkeypatch.chdir(folder)
    with pytest.raises(SystemExit) as raised:
        script.main(words(folder, "model", folder / "refused", **options)[1:])
    assert message in f"{raised.value} {capsys.readouterr().err}"
    assert not (folder / "refused").exists()


def test_translations_of_unequal_length_are_refused(tmp_path: Path, script: Any) -> None:
    for name, text in (("a", "one\ntwo\n"), ("b", "eins\n"), ("empty", "\n")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    data = importlib.import_module("pretraining_data")
    with pytest.raises(ValueError, match="do not have the same number of lines"):
        list(data.read_lines((tmp_path / "a", tmp_path / "b")))
    with pytest.raises(ValueError, match="no line of text"):
        next(data.stream([(tmp_path / "empty",)], 1, 5))
