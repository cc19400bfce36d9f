"""Continue ERNIE-M's pre-training on text of your own: MMLM, TLM, CAMLM and BTMLM, mixed.

    python pretrain_ernie_m.py --model out --output trained --parallel de.txt en.txt --monolingual news.txt --steps 1000
    torchrun --nproc-per-node 8 pretrain_ernie_m.py ...          several processes, or machines by torchrun's options
    accelerate launch --config_file fsdp.yaml pretrain_ernie_m.py ...   whatever `accelerate config` has written

The model is a folder that `paddle2torch convert` made, or this program. Text files have a sentence a line; in the two
files of --parallel each line is the translation of the other's. A file that is named twice is read twice as often.
After an interruption the same command with --resume goes on from the last whole checkpoint.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pretraining_data import BatchMaker, Share, TrainingBatches, evaluation_batches, takes_single_texts
from pretraining_trainer import PretrainingTrainer
from transformers import TrainingArguments
from transformers.utils import logging

import ernie_m

OBJECTIVES = ("mmlm", "tlm", "camlm", "btmlm")
logger = logging.get_logger("pretrain_ernie_m")


def read_weights(text: str) -> dict[str, float]:
    """`camlm=2,mmlm=1` as a dictionary. Raises argparse's error for what is no objective or no weight."""
    found = {}
    for part in text.split(","):
        name, _, weight = part.partition("=")
        if name not in OBJECTIVES or name in found:
            raise argparse.ArgumentTypeError(f"{name!r} is not one of {', '.join(OBJECTIVES)}, named once")
        try:
            found[name] = float(weight or 1)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{part!r} has no number behind the =") from None
        if not 0 < found[name] < float("inf"):
            raise argparse.ArgumentTypeError(f"the weight of {name} must be above 0")
    return found


def make_parser() -> argparse.ArgumentParser:
    """The command line. What is called ours is no setting of the paper, whose settings are not known."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--model", required=True, help="a converted folder, or one that this program wrote")
    add("--output", required=True, type=Path, help="where checkpoints and the trained model go")
    add("--new-head", action="store_true", help="make a random masked-LM head where the folder has none")
    add("--monolingual", action="append", nargs=1, type=Path, default=[], metavar="FILE", help="for mmlm and btmlm")
    add("--parallel", action="append", nargs=2, type=Path, default=[], metavar="FILE", help="for tlm and camlm")
    add("--eval-monolingual", action="append", nargs=1, type=Path, default=[], metavar="FILE", help="held-out text")
    add(
        "--eval-parallel", action="append", nargs=2, type=Path, default=[], metavar="FILE", help="held-out translations"
    )
    add(
        "--objectives",
        type=read_weights,
        default="mmlm,tlm,camlm",
        help="with weights: mmlm=1,camlm=2 (ours: all alike)",
    )
    add("--ratio", type=float, default=0.15, help="share of the tokens that is predicted (ours: 0.15)")
    add("--pseudo-ratio", type=float, default=0.15, help="placeholders of btmlm by length of the text (ours: 0.15)")
    add("--sample-pseudo", action="store_true", help="draw btmlm's pseudo tokens (else the most probable)")
    add("--bert-rule", action="store_true", help="80/10/10 in mmlm and tlm (else [MASK] alone)")
    add("--restart-positions", action="store_true", help="count the second side's positions from the beginning")
    add("--max-length", type=int, default=256, help="longest row in tokens; what is longer is cut")
    add("--batch-size", type=int, default=8, help="examples of one process at a time")
    add("--accumulate", type=int, default=1, help="batches in a step")
    add("--steps", type=int, required=True, help="steps of the optimizer in all")
    add("--learning-rate", type=float, default=5e-5)
    add("--warmup-steps", type=int, default=0)
    add("--weight-decay", type=float, default=0.01)
    add("--shuffle", type=int, default=10000, help="lines in the buffer for shuffling")
    add("--workers", type=int, default=0, help="processes that make batches, for each process that trains")
    add("--seed", type=int, default=1)
    add("--log-steps", type=int, default=10)
    add("--eval-steps", type=int, help="steps between evaluations (default: at the end alone)")
    add("--save-steps", type=int, default=1000)
    add("--save-limit", type=int, help="checkpoints to keep (default: all)")
    add("--resume", action="store_true", help="go on from the last whole checkpoint in --output, if there is one")
    add("--bf16", action="store_true", help="compute in bfloat16 where that is safe")
    add("--gradient-checkpointing", action="store_true")
    add("--report-to", choices=("none", "tensorboard"), default="none", help="beside the lines that are printed")
    add("--cpu", action="store_true", help="even where there is an accelerator")
    return parser


def load_model(folder: str, new_head: bool) -> Any:
    """The masked LM of a folder. Raises SystemExit where weights are missing, a head only if `new_head` is not set."""
    model, info = ernie_m.ErnieMForMaskedLM.from_pretrained(folder, new_head=True, output_loading_info=True)
    missing = sorted(info["missing_keys"])
    rest = [name for name in missing if not name.startswith("lm_head.")]
    if rest:
        raise SystemExit(f"{folder}: {', '.join(rest)} missing: this is no whole ERNIE-M.")
    if missing and not new_head:
        raise SystemExit(f"{folder} has no masked-LM head. With --new-head it gets one of random numbers.")
    if missing:
        logger.warning(f"{folder} has no masked-LM head: its head is new, random numbers ({', '.join(missing)}).")
    return model


def find_checkpoint(output: Path, processes: int) -> Path | None:
    """The last checkpoint that was written to its end: with the Trainer's state, and a part of each process."""
    found = []
    for folder in output.glob("checkpoint-*"):
        states = len(list(folder.glob("rng_state*.pth")))
        if (folder / "trainer_state.json").is_file() and states >= processes:
            found.append((int(folder.name.rpartition("-")[2]), folder))
    return max(found)[1] if found else None


def make_options(arguments: argparse.Namespace, vocab_size: int, mask_token_id: int) -> dict[str, dict[str, Any]]:
    """objective -> the options of its function."""
    common = {"mask_token_id": mask_token_id, "vocab_size": vocab_size, "ratio": arguments.ratio}
    paired = {**common, "restart_positions": arguments.restart_positions}
    every = {
        "mmlm": {**common, "bert_rule": arguments.bert_rule},
        "tlm": {**paired, "bert_rule": arguments.bert_rule},
        "camlm": paired,
        "btmlm": {**paired, "pseudo_ratio": arguments.pseudo_ratio},
    }
    return {name: every[name] for name in arguments.objectives}


def check_files(arguments: argparse.Namespace) -> None:
    """Raises SystemExit for files that are not there and objectives that have none."""
    for source in (*arguments.monolingual, *arguments.parallel, *arguments.eval_monolingual, *arguments.eval_parallel):
        for path in source:
            if not path.is_file():
                raise SystemExit(f"{path} is not there.")
    for name in arguments.objectives:
        single = takes_single_texts(name)
        if not (arguments.monolingual if single else arguments.parallel):
            raise SystemExit(f"{name} needs --{'monolingual' if single else 'parallel'} FILE.")


def make_training_arguments(arguments: argparse.Namespace) -> TrainingArguments:
    """The Trainer's own settings."""
    evaluated = bool(arguments.eval_monolingual or arguments.eval_parallel) and arguments.eval_steps
    return TrainingArguments(
        output_dir=str(arguments.output), seed=arguments.seed, max_steps=arguments.steps,
        per_device_train_batch_size=arguments.batch_size, gradient_accumulation_steps=arguments.accumulate,
        learning_rate=arguments.learning_rate, warmup_steps=arguments.warmup_steps, weight_decay=arguments.weight_decay,
        logging_steps=arguments.log_steps, logging_first_step=True, save_steps=arguments.save_steps,
        save_total_limit=arguments.save_limit, eval_strategy="steps" if evaluated else "no",
        eval_steps=arguments.eval_steps, dataloader_num_workers=arguments.workers, bf16=arguments.bf16,
        report_to=[arguments.report_to], use_cpu=arguments.cpu, remove_unused_columns=False, ignore_data_skip=True,
        ddp_find_unused_parameters=False,
    )  # fmt: skip


def main(words: Sequence[str] | None = None) -> int:
    """Train, evaluate, save."""
    arguments = make_parser().parse_args(words)
    check_files(arguments)
    settings = make_training_arguments(arguments)
    if settings.n_gpu > 1:
        raise SystemExit(f"One process sees {settings.n_gpu} GPUs: start one for each, with torchrun or accelerate.")
    model = load_model(arguments.model, arguments.new_head)
    if arguments.gradient_checkpointing:
        model.gradient_checkpointing_enable(gradient_checkpointing_kwargs={"use_reentrant": False})
    tokenizer = ernie_m.ErnieMTokenizer.from_pretrained(arguments.model)
    options = make_options(arguments, model.config.vocab_size, tokenizer.mask_token_id)
    share = Share(settings.process_index, settings.world_size, arguments.batch_size)
    checkpoint = find_checkpoint(arguments.output, share.processes) if arguments.resume else None
    if arguments.resume and settings.process_index == 0:
        print(f"goes on from {checkpoint}" if checkpoint else "no whole checkpoint: begins at the beginning")
    done = int(checkpoint.name.rpartition("-")[2]) if checkpoint else 0
    make, held_out_make = (
        BatchMaker(tokenizer, arguments.seed, arguments.max_length, options, keep_side=keep) for keep in (False, True)
    )
    batches = TrainingBatches(
        arguments.monolingual, arguments.parallel, arguments.objectives, make, share, arguments.shuffle,
        start=done * arguments.accumulate,
    )  # fmt: skip
    held_out = {}
    for name in arguments.objectives:
        sources = arguments.eval_monolingual if takes_single_texts(name) else arguments.eval_parallel
        if sources:
            held_out[name] = lambda name=name, sources=sources: evaluation_batches(sources, name, held_out_make, share)
    trainer = PretrainingTrainer(
        model=model, args=settings, train_dataset=batches, eval_dataset=list(held_out), processing_class=tokenizer,
        objective_options=options, held_out=held_out, sample=arguments.sample_pseudo,
    )  # fmt: skip
    trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    if held_out:
        trainer.evaluate()
    trainer.save_model()
    trainer.save_state()
    return 0


if __name__ == "__main__":
    sys.exit(main())
