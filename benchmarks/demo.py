"""The demo of the README: a full-size model made with PaddleNLP, converted, verified, loaded, published to a Hub on
127.0.0.1 and loaded from there.

    python benchmarks/demo.py --paddle-python .venv-paddle/bin/python [--family uie] [--tokenizer FOLDER] [--size base]

It runs the commands that a user runs, shows them, and keeps its files in ./demo.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared" / "data"
SEED = 2026


@dataclass(frozen=True)
class Subject:
    """What the demo makes: the script of tests/support/, PaddleNLP's class, the name of its folder, its rows of words,
    and the files of the real vocabulary in ../shared/data with their names in a tokenizer's folder."""

    title: str
    script: str
    architecture: str
    folder: str
    words: int
    vocabulary: dict[str, str]


_ERNIE_3 = {"families/ernie3_zh.vocab.txt": "vocab.txt"}
SUBJECTS = {
    "ernie_m": Subject(
        *("ERNIE-M", "make_checkpoint.py", "ErnieMModel", "ernie-m", 250002),
        {f"ernie_m.{name}": name for name in ("vocab.txt", "sentencepiece.bpe.model")},
    ),
    "ernie": Subject("ERNIE 3.0", "make_ernie_checkpoint.py", "ErnieForMaskedLM", "ernie-3.0", 40000, _ERNIE_3),
    "uie": Subject("UIE", "make_ernie_checkpoint.py", "UIE", "uie", 40000, _ERNIE_3),
}
OFFLINE = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}


def main() -> int:
    """Run every step; 0 when the converted model is proved equal."""
    arguments = read_arguments()
    folder: Path = arguments.folder.absolute()
    folder.mkdir(exist_ok=True)
    seconds: dict[str, float] = {}
    subject = SUBJECTS[arguments.family]
    tokenizer = choose_tokenizer(subject, arguments.tokenizer, folder)
    output = folder / f"{subject.folder}-{arguments.size}"
    source = output.with_name(f"{output.name}-paddle")
    seconds["make the checkpoint with PaddleNLP"] = make_checkpoint(arguments, subject, source, tokenizer)
    seconds["convert"] = run(sys.executable, "-m", "converter", "convert", source, output, "--force")
    verify = [sys.executable, "-m", "converter", "verify", source, output, "--paddle-python", arguments.paddle_python]
    seconds["verify"] = run(*verify)
    seconds["load and use"] = run(sys.executable, Path(__file__), "--load", output)
    publish(folder, output, seconds)
    print_table(source, output, seconds)
    return 0


def read_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Make, convert, verify and load a full-size model.")
    parser.add_argument("--family", choices=SUBJECTS, default="ernie_m")
    parser.add_argument("--paddle-python", type=Path, default=ROOT / ".venv-paddle" / "bin" / "python")
    parser.add_argument("--tokenizer", type=Path, help="a folder with the tokenizer's files")
    parser.add_argument("--size", choices=("tiny", "base", "large"), default="base")
    parser.add_argument("--folder", type=Path, default=ROOT / "demo")
    parser.add_argument("--load", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.load:
        load(arguments.load)
        sys.exit(0)
    return arguments


def say(text: str) -> None:
    print(f"\n== {text}", flush=True)


def run(*command: object, **environment: str) -> float:
    """Show a command and run it from the project's root; how long it took in seconds. A failure ends the demo."""
    words = [shown(word) if isinstance(word, Path) else str(word) for word in command]
    of_product = words[1:3] == ["-m", "converter"]
    say(" ".join(["paddle2torch", *words[3:]] if of_product else [Path(words[0]).name, *words[1:]]))
    start = time.monotonic()
    done = subprocess.run(words, cwd=ROOT, env={**os.environ, **OFFLINE, **environment}, check=False)
    if done.returncode:
        print(f"\nThe demo stops: this command ended with {done.returncode}.", file=sys.stderr)
        sys.exit(done.returncode)
    return time.monotonic() - start


def choose_tokenizer(subject: Subject, named: Path | None, folder: Path) -> Path | None:
    """The folder named, else the real vocabulary next to the project; else for ERNIE-M a small one that is trained on
    this project's sentences, and for the others None, for the small one that their script has."""
    if named is not None:
        say(f"the tokenizer is the one in {named}")
        return named
    target = folder / f"{subject.folder}-tokenizer"
    target.mkdir(exist_ok=True)
    if SHARED.is_dir():
        say(f"the tokenizer is {subject.title}'s own (../shared/data)")
        for place, name in subject.vocabulary.items():
            shutil.copyfile(SHARED / place, target / name)
    elif subject.script != "make_checkpoint.py":
        say(f"{subject.title}'s vocabulary is not at hand: a small one is written")
        return None
    else:
        say(f"{subject.title}'s vocabulary is not at hand: a small tokenizer is trained on this project's sentences")
        run(sys.executable, ROOT / "tests" / "support" / "train_tokenizer.py", target)
    return target


def make_checkpoint(arguments: argparse.Namespace, subject: Subject, source: Path, tokenizer: Path | None) -> float:
    """Make the Paddle checkpoint unless this seed's is there from an earlier run, whole."""
    done = source.with_suffix(".made")
    script = ROOT / "tests" / "support" / subject.script
    recipe = f"{SEED} {hashlib.sha256(script.read_bytes()).hexdigest()} {tokenizer}"
    if done.exists() and done.read_text() == recipe:
        say(f"{shown(source)} is there from an earlier run (make clean removes it)")
        return 0.0
    shutil.rmtree(source, ignore_errors=True)
    done.unlink(missing_ok=True)
    options: list[object] = ["--size", arguments.size, "--seed", SEED, "--output", source]
    options += ["--tokenizer", tokenizer] if tokenizer is not None else []
    if arguments.size != "tiny":
        options += ["--vocab-size", subject.words]
    seconds = run(
        *(arguments.paddle_python, script, "--architecture", subject.architecture, *options), PYTHONWARNINGS="ignore"
    )
    done.write_text(recipe)
    return seconds


def publish(folder: Path, output: Path, seconds: dict[str, float]) -> None:
    """Push to a Hub of our own, push again, load from it. It needs no network, and is gone afterwards."""
    say("a Hub on 127.0.0.1 (tests/support/local_hub.py)")
    cache = folder / "hub-cache"
    command = [sys.executable, "-m", "tests.support.local_hub"]
    server = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None and server.stdin is not None
    try:
        hub = {
            "HF_ENDPOINT": server.stdout.readline().strip(),
            "HF_TOKEN": "hf_local_token",
            "HF_HUB_OFFLINE": "0",
            "HF_HUB_DISABLE_XET": "1",
            "HF_HOME": str(cache.absolute()),
        }
        name = f"me/{output.name}"
        push = [sys.executable, "-m", "converter", "push", output, name]
        seconds["push to a local Hub"] = run(*push, **hub)
        seconds["push again"] = run(*push, **hub)
        seconds["load from the local Hub"] = run(sys.executable, Path(__file__), "--load", name, **hub)
    finally:
        server.stdin.close()
        server.wait()
        shutil.rmtree(cache, ignore_errors=True)


def load(folder: str) -> None:
    """What a user does: plain AutoModel and AutoTokenizer, from a folder or from the Hub, with the remote code of a
    folder that has some; of UIE also a question."""
    import torch
    from transformers import AutoConfig, AutoModel, AutoTokenizer

    trust = {"trust_remote_code": True}
    options = trust if hasattr(AutoConfig.from_pretrained(folder, **trust), "auto_map") else {}
    tokenizer = AutoTokenizer.from_pretrained(folder, **options)
    model = AutoModel.from_pretrained(folder, **options)
    if type(model).__name__ == "ErnieForInformationExtraction":
        ask(model, tokenizer)
        return
    text = "The lighthouse keeper counted forty steps. 灯台守は四十段を数えた。"
    encoded = tokenizer(text, return_tensors="pt")
    with torch.no_grad():
        output = model(**encoded)
    print(f"AutoTokenizer: {' '.join(tokenizer.convert_ids_to_tokens(encoded['input_ids'][0].tolist()))}")
    print(f"AutoModel: {type(model).__name__}, last_hidden_state {list(output.last_hidden_state.shape)}")


def ask(model: Any, tokenizer: Any) -> None:
    """The question of PaddleNLP's own example. The weights are random, and so are the answers: random probabilities lie
    close together, so that the usual limit of 0.5 would let all of them pass or none."""
    from extraction import InformationExtractor

    schema, longest = ["时间", "选手", "赛事名称"], min(128, model.config.max_position_embeddings)
    extract = InformationExtractor(model, tokenizer, schema, position_prob=0.05, max_seq_len=longest)
    answers = extract("2月8日上午北京冬奥会自由式滑雪女子大跳台决赛中中国选手谷爱凌以188.25分获得金牌！")[0]
    if list(answers) != schema:
        sys.exit(f"no answers to {sorted(set(schema) - set(answers))}")
    print(f"AutoModel: {type(model).__name__}. Its likeliest answers, at random as its weights are:")
    for name, found in answers.items():
        print(f"{name}: {max(found, key=lambda answer: float(answer['probability']))}")


def print_table(source: Path, output: Path, seconds: dict[str, float]) -> None:
    """Sizes, times, and the worst difference of each group of activations."""
    from verify.report.groups import group_sites
    from verify.results.numbers import share_of_limit
    from verify.results.report import read_report

    file = output / "verification" / "report.json"
    report: dict[str, Any] = json.loads(file.read_text())
    static, tokens = report["static"], report["tokenizer"]
    say("the demo in short")
    for name, folder in (("source", source), ("output", output)):
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
        row(name, f"{size / 1e9:8.2f} GB", shown(folder))
    for step, duration in seconds.items():
        row(step, f"{duration:8.1f} s")
    row("tensors equal, bit for bit", f"{static['tensors'] - len(static['mismatched']):8}", f"of {static['tensors']}")
    row("texts with equal tokens", f"{tokens['texts'] - tokens['mismatched']:8}", f"of {tokens['texts']}")
    for kind, sites in group_sites(read_report(report)):
        worst = max(sites, key=share_of_limit)
        more = f"limit {worst.tolerance:.0e}, of the largest value"
        row(f"worst difference, {kind}", f"{worst.max_rel or 0.0:8.1e}", more)
    print(f"  report: {shown(file)}")


def row(name: str, value: str, more: str = "") -> None:
    print(f"  {name:<46} {value:<12} {more}".rstrip())


def shown(path: Path) -> str:
    """A path as it is shown: from the project's root where it lies in it."""
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


if __name__ == "__main__":
    sys.exit(main())
