"""Fine-tuning a converted folder: transformers' Trainer, gradient checkpointing, and LoRA with PEFT."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoTokenizer, Trainer, TrainingArguments

import ernie_m
from tests.ecosystem.conftest import TEXTS, Make

Need = Callable[[str], Any]
NO_DROPOUT = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}


def classifier(folder: Path) -> Any:
    torch.manual_seed(0)
    return ernie_m.ErnieMForSequenceClassification.from_pretrained(folder, **NO_DROPOUT)


def examples(folder: Path) -> list[dict[str, Any]]:
    tokenizer = AutoTokenizer.from_pretrained(folder)
    return [{"input_ids": tokenizer(text)["input_ids"], "labels": place % 3} for place, text in enumerate(TEXTS)]


def logits(model: Any, folder: Path) -> torch.Tensor:
    with torch.no_grad():
        return torch.cat([model.eval()(torch.tensor([one["input_ids"]])).logits for one in examples(folder)])


def train(model: Any, folder: Path, output: Path, **options: Any) -> list[float]:
    """A few steps; the losses."""
    arguments = TrainingArguments(
        output_dir=str(output), max_steps=6, per_device_train_batch_size=4, learning_rate=5e-3, logging_steps=1,
        report_to=[], save_strategy="no", use_cpu=True, disable_tqdm=True, seed=1, **options,
    )  # fmt: skip
    tokenizer = AutoTokenizer.from_pretrained(folder)
    trainer = Trainer(model=model, args=arguments, train_dataset=examples(folder), processing_class=tokenizer)
    trainer.train()
    trainer.save_model()
    return [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]


@pytest.mark.filterwarnings("ignore")
def test_trainer_learns_and_what_it_saves_is_what_it_has(converted: Make, need: Need, tmp_path: Path) -> None:
    need("accelerate")
    folder = converted("ErnieMForSequenceClassification")
    model = classifier(folder)
    losses = train(model, folder, tmp_path)
    assert len(losses) == 6 and losses[-1] < losses[0]
    again = ernie_m.ErnieMForSequenceClassification.from_pretrained(tmp_path)
    trained, saved = model.state_dict(), again.state_dict()
    assert trained.keys() == saved.keys() and all(torch.equal(saved[name], value) for name, value in trained.items())
    # Loaded tensors lie elsewhere in memory: kernels that go by alignment round the last bits otherwise.
    assert torch.allclose(logits(again, folder), logits(model, folder), rtol=2e-6, atol=2e-6)
    assert not torch.allclose(logits(again, folder), logits(classifier(folder), folder))
    assert AutoTokenizer.from_pretrained(tmp_path)(TEXTS) == AutoTokenizer.from_pretrained(folder)(TEXTS)


@pytest.mark.filterwarnings("ignore")
def test_trainer_with_gradient_checkpointing_takes_the_same_steps(converted: Make, need: Need, tmp_path: Path) -> None:
    need("accelerate")
    folder = converted("ErnieMForSequenceClassification")
    plain = train(classifier(folder), folder, tmp_path / "plain")
    options = {"gradient_checkpointing": True, "gradient_checkpointing_kwargs": {"use_reentrant": False}}
    model = classifier(folder)
    assert train(model, folder, tmp_path / "checkpointed", **options) == pytest.approx(plain, abs=1e-4)
    assert model.is_gradient_checkpointing


@pytest.mark.filterwarnings("ignore")
def test_lora_trains_saves_loads_and_merges(converted: Make, need: Need, tmp_path: Path) -> None:
    peft = need("peft")
    folder = converted("ErnieMForSequenceClassification")
    before = logits(classifier(folder), folder)
    config = peft.LoraConfig(
        task_type="SEQ_CLS", r=4, lora_alpha=8, target_modules=["q_proj", "v_proj"], modules_to_save=["classifier"]
    )
    model = peft.get_peft_model(classifier(folder), config)
    assert torch.equal(logits(model, folder), before)
    trained = [name for name, parameter in model.named_parameters() if parameter.requires_grad]
    assert len(trained) == 2 * 2 * 2 + 2, "two matrices for each of q and v in two layers, and the classifier"
    optimizer = torch.optim.Adam((p for p in model.parameters() if p.requires_grad), lr=0.02)
    for _ in range(3):
        for one in examples(folder):
            model.train()(torch.tensor([one["input_ids"]]), labels=torch.tensor([one["labels"]])).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    after = logits(model, folder)
    assert (after - before).abs().max() > 0.01
    model.save_pretrained(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} >= {"adapter_config.json", "adapter_model.safetensors"}
    loaded = peft.PeftModel.from_pretrained(classifier(folder), tmp_path)
    assert torch.equal(logits(loaded, folder), after)
    merged = loaded.merge_and_unload()
    assert type(merged) is ernie_m.ErnieMForSequenceClassification
    assert torch.allclose(logits(merged, folder), after, atol=1e-4)
