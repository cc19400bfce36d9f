"""Fine-tune a converted checkpoint to classify texts or pairs, as Baidu's scripts do for XNLI: README.md has commands.

Data are files that `paddle2torch evaluate` reads too: TSV, CSV or JSON lines with columns of XNLI's, PAWS-X's or
Baidu's names. Optimizer: AdamW with layer-wise decay of the learning rate, linear warm-up, then linear to 0.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from layer_decay import BAIDU, VARIANTS, parameter_groups
from transformers import AutoModelForSequenceClassification, AutoTokenizer, Trainer, TrainingArguments

import ernie_m  # Registers its classes with the Auto classes.
from evaluation.examples import LabelledText
from evaluation.readers.data import open_texts
from evaluation.tasks.labels import with_spellings

__all__ = ["ernie_m"]


def make_parser() -> argparse.ArgumentParser:
    """The command line. The defaults are Baidu's settings for XNLI."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--model", required=True, help="a converted folder, with a head or without")
    add("--output", required=True, type=Path, help="where checkpoints and the trained model go")
    add("--train", required=True, nargs="+", type=Path, metavar="FILE", help="one file, or one of each language")
    add("--dev", nargs="+", type=Path, default=[], metavar="FILE", help="evaluated after each epoch, by language")
    add("--labels", required=True, type=lambda text: text.split(","), metavar="A,B,C", help="names of class 0, 1, 2")
    add("--mask", choices=("ones", "none"), default="ones", help="none: no attention mask, as Baidu's deployment")
    add("--max-length", type=int, default=256, help="longest pair in tokens; what is longer is cut")
    add("--epochs", type=float, default=5)
    add("--batch-size", type=int, default=16, help="examples of one process at a time")
    add("--accumulate", type=int, default=1, help="batches in a step")
    add("--learning-rate", type=float, default=5e-5)
    add("--layer-decay", type=float, default=0.8, help="1: none")
    add("--decay-rule", choices=VARIANTS, default=BAIDU, help="whether the norm of the embeddings is decayed")
    add("--weight-decay", type=float, default=0.0, help="of all but biases and norms")
    add("--warmup", type=float, default=0.1, help="share of the steps")
    add("--dropout", type=float, default=0.1, help="before the classifier")
    add("--seed", type=int, default=1)
    add("--log-steps", type=int, default=100)
    add("--bf16", action="store_true", help="compute in bfloat16 where that is safe")
    add("--cpu", action="store_true", help="even where there is an accelerator")
    return parser


def read_examples(files: Sequence[Path], known: dict[str, int]) -> list[LabelledText]:
    """Texts as they are; they are tokenized in the batch that has them. Raises SystemExit for unknown labels."""
    found = [example for file in files for example in open_texts(file).examples()]
    unknown = {example.label for example in found} - set(known)
    if unknown:
        raise SystemExit(f"labels of the data are unknown: {', '.join(sorted(unknown)[:8])}. --labels names them")
    return found


@dataclass
class Collator:
    """Tokenizes the texts of a batch and pads them."""

    tokenizer: Any
    known: dict[str, int]
    max_length: int
    mask: bool

    def __call__(self, examples: list[LabelledText]) -> dict[str, torch.Tensor]:
        seconds = [example.second for example in examples]
        found = self.tokenizer(
            [example.first for example in examples],
            seconds if all(second is not None for second in seconds) else None,
            truncation=True, max_length=self.max_length, padding=True, return_attention_mask=self.mask,
            return_tensors="pt",
        )  # fmt: skip
        return {**found, "labels": torch.tensor([self.known[example.label] for example in examples])}


class Finetuning(Trainer):
    """The Trainer with a warm-up that is a share of the steps, in each of its releases alike."""

    def __init__(self, *, warmup: float, **arguments: Any) -> None:
        super().__init__(**arguments)
        self.warmup = warmup

    def create_scheduler(self, num_training_steps: int, optimizer: Any = None) -> Any:
        self.args.warmup_steps = math.ceil(self.warmup * num_training_steps)
        return super().create_scheduler(num_training_steps, optimizer)


def make_settings(given: argparse.Namespace) -> TrainingArguments:
    """The Trainer's own settings."""
    return TrainingArguments(
        output_dir=str(given.output), seed=given.seed, num_train_epochs=given.epochs, max_grad_norm=1.0,
        per_device_train_batch_size=given.batch_size, gradient_accumulation_steps=given.accumulate,
        learning_rate=given.learning_rate, lr_scheduler_type="linear", logging_steps=given.log_steps,
        eval_strategy="epoch" if given.dev else "no", save_strategy="epoch", bf16=given.bf16, use_cpu=given.cpu,
        report_to=[], remove_unused_columns=False, ddp_find_unused_parameters=False,
    )  # fmt: skip


def measure(prediction: Any) -> dict[str, float]:
    """Accuracy by the largest logit."""
    return {"accuracy": float(np.mean(prediction.predictions.argmax(axis=1) == prediction.label_ids))}


def main(words: Sequence[str] | None = None) -> int:
    """Train, evaluate, save."""
    given = make_parser().parse_args(words)
    known = with_spellings(given.labels)
    settings = make_settings(given)
    if settings.n_gpu > 1:
        raise SystemExit(f"One process sees {settings.n_gpu} GPUs: start one for each, with torchrun or accelerate.")
    train = read_examples(given.train, known)
    torch.manual_seed(given.seed)  # A head that the folder does not have is the same in every process.
    model = AutoModelForSequenceClassification.from_pretrained(
        given.model, num_labels=len(given.labels), classifier_dropout=given.dropout,
        id2label=dict(enumerate(given.labels)), label2id={name: n for n, name in enumerate(given.labels)},
    )  # fmt: skip
    tokenizer = AutoTokenizer.from_pretrained(given.model)
    groups = parameter_groups(
        model, model.config.num_hidden_layers, given.learning_rate, given.layer_decay, given.weight_decay,
        given.decay_rule,
    )  # fmt: skip
    dev: dict[str, list[LabelledText]] = {}
    for example in read_examples(given.dev, known):
        dev.setdefault(example.language, []).append(example)
    trainer = Finetuning(
        model=model, args=settings, train_dataset=train, eval_dataset=dev or None, processing_class=tokenizer,
        data_collator=Collator(tokenizer, known, given.max_length, given.mask == "ones"), compute_metrics=measure,
        optimizers=(torch.optim.AdamW(groups, eps=1e-6), None), warmup=given.warmup,
    )  # fmt: skip
    trainer.train()
    trainer.save_model()
    trainer.save_state()
    return 0


if __name__ == "__main__":
    sys.exit(main())
