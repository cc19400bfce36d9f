"""The tables of docs/evaluation.md: models trained in Paddle, evaluated on real data, sound and with planted faults.

    python -m benchmarks.evaluation_evidence [--only retrieval|qa] [--models FOLDER] [--data FOLDER] [--write]

FOLDER of --data has Tatoeba's pairs in `tatoeba`, XQuAD in `xquad`, and ERNIE-M's vocabulary. --models is where trained
models are kept (`retrieval` and `qa`); what is not there yet is trained (benchmarks/train_in_paddle.py). Each is
converted and evaluated by the command in all languages. In some of them Paddle's answers are kept, and copies of OUTPUT
with one fault each are evaluated with those; for other tokens Paddle is asked too. With --write the numbers go to
docs/measurements.json and the tables to docs/evaluation.md, else they are printed. The reports stay in demo/evaluation.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.evaluation_faults import FAULTS, exchange_tokens, planted
from benchmarks.figures import ROOT, Figures, cite, origin, record, table

COMMAND = "python -m benchmarks.evaluation_evidence --write"
#: Task -> its data, and its section of the figures and of docs/evaluation.md.
TASKS = {"retrieval": "tatoeba", "qa": "xquad"}
SECTIONS = {"retrieval": "evaluating retrieval", "qa": "evaluating questions"}
OPTIONS = {"retrieval": ["--layer", "all"], "qa": []}
#: Where the reports with the pictures stay; ignored by git.
REPORTS = ROOT / "demo" / "evaluation"
SOUND, TOKENS = "sound", "two pieces of the vocabulary exchanged"
#: Texts of one length are a batch, and small models take many at once.
USUAL = ["--mask", "none", "--batch-size", "256"]
#: The languages in which faults are planted, and how many of their examples are asked.
PLANTED = {"retrieval": ("ar", "de", "el", "hi", "vi", "zh"), "qa": ("en",)}
LIMIT = 500


@dataclass(frozen=True)
class Run:
    """One call of the command: what it ended with, its report, and the seconds of each stage."""

    code: int
    report: dict[str, Any]
    seconds: dict[str, float]


def train(kind: str, data: Path, folder: Path, paddle_python: Path) -> None:
    """Train one of the models into `folder`."""
    with tempfile.TemporaryDirectory() as place:
        for name in ("vocab.txt", "sentencepiece.bpe.model"):
            shutil.copyfile(data / f"ernie_m.{name}", Path(place, name))
        script = ROOT / "benchmarks" / "train_in_paddle.py"
        options = ["--data", data / TASKS[kind], "--tokenizer", place, "--output", folder]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        subprocess.run(
            [str(word) for word in (paddle_python, script, kind, *options)],
            check=True,
            env=environment,
            stdout=sys.stderr,
        )


def run(*words: object) -> Run:
    """`paddle2torch WORDS --json`, which reports what it found: exit code 0 or 1."""
    command = [sys.executable, "-m", "converter", *map(str, words), "--json"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    stages: dict[str, float] = {}
    with tempfile.TemporaryFile("w+") as printed:  # A report is larger than what a pipe holds.
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=printed, stderr=subprocess.PIPE, text=True, env=environment
        )
        assert process.stderr is not None
        for line in process.stderr:
            # A stage begins with its first line; the time that a long one will take is a line between.
            if ", expected time" not in line:
                stages.setdefault(line.split(":")[0].strip(), time.monotonic())
            print(f"  {line}", end="", file=sys.stderr, flush=True)
        if process.wait() not in (0, 1):
            raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
        printed.seek(0)
        report = json.load(printed)
    times = [*stages.values(), time.monotonic()]
    seconds = {stage: round(after - at, 1) for (stage, at), after in zip(stages.items(), times[1:])}
    return Run(process.returncode, report, seconds)


def measure(kind: str, models: Path, data: Path, paddle_python: Path, scratch: Path) -> Figures:
    """One model: trained where it is not there, converted, evaluated, and in some languages with every fault."""
    source, output, trace = models / kind, scratch / kind, scratch / f"{kind}.answers"
    if not (source / "training.json").exists():
        train(kind, data, source, paddle_python)
    command = [sys.executable, "-m", "converter", "convert", str(source), str(output)]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    asked = ["--task", kind, "--data", data / TASKS[kind], *USUAL, *OPTIONS[kind]]
    live = ["--paddle-python", paddle_python]
    whole = run("evaluate", source, output, *asked, *live, "--report", REPORTS / kind)
    asked += [word for language in PLANTED[kind] for word in ("--language", language)] + ["--limit", LIMIT]
    runs = {SOUND: run("evaluate", source, output, *asked, *live, "--record", trace)}
    for name, fault in FAULTS.items():
        with planted(fault, output, scratch) as broken:
            report = REPORTS / f"{kind}, {name}"
            runs[name] = run("evaluate", broken, *asked, "--trace", trace, "--report", report)
    with planted(exchange_tokens, output, scratch) as broken:
        runs[TOKENS] = run("evaluate", source, broken, *asked, *live)
    return {
        "training": json.loads((source / "training.json").read_text(encoding="utf-8")),
        "seconds": whole.seconds,
        "warnings": whole.report["warnings"],
        "languages": {name: chosen_of(each) for name, each in whole.report["languages"].items()},
        "mean": whole.report["mean"],
        "code": whole.code,
        "planted": PLANTED[kind],
        "runs": {name: summarise(each) for name, each in runs.items()},
    }


def chosen_of(found: dict[str, Any]) -> dict[str, Any]:
    """What the table has of a language."""
    return {name: found[name] for name in ("examples", "paddle", "torch", "agree", "ties", "max_abs")}


def summarise(found: Run) -> Figures:
    """What the tables have of a run in some languages: metrics, answers that are the same, and those by layer."""
    report = found.report
    views = report.get("views", {"": report})
    return {
        "code": found.code,
        "problems": [problem["code"] for problem in report["problems"]],
        "warned": any("the answers agree, and the numbers" in warning for warning in report["warnings"]),
        "views": {view: view_of(each) for view, each in views.items()},
    }


def view_of(found: dict[str, Any]) -> Figures:
    """The mean over the languages, and how many examples there are, agree, and are ties."""
    every = found["languages"].values()
    return {**found["mean"], **{name: sum(each[name] for each in every) for name in ("examples", "agree", "ties")}}


def show(figures: Figures) -> str:
    """The tables of docs/evaluation.md for one task."""
    parts = [cite(figures), describe_training(figures["training"]), languages_of(figures), describe_time(figures)]
    parts += [
        f"Faults, {LIMIT} examples of each of these at most: {', '.join(figures['planted'])}.",
        faults_of(figures),
    ]
    return "\n\n".join(parts)


def describe_training(found: Figures) -> str:
    """What a model learned, and for how long."""
    return (
        f"The model: {found['layers']} layers of {found['hidden']}, trained in Paddle from random weights for "
        f"{found['seconds']} s, {found['steps']} steps of {found['batch']} of the {found['examples']:,} examples of "
        f"{', '.join(found['languages'])}, which are asked here too. The others it never saw."
    )


def languages_of(found: Figures) -> str:
    """A row for each language, and the mean."""
    names = list(found["mean"]["paddle"])
    head = [
        "",
        "examples",
        *(f"{name}, Paddle / PyTorch" for name in names),
        "same answer",
        "ties",
        "largest difference",
    ]
    rows: list[list[object]] = []
    for language, each in found["languages"].items():
        shares = (f"{100 * each['paddle'][name]:.2f} / {100 * each['torch'][name]:.2f}" for name in names)
        rows.append([language, each["examples"], *shares, each["agree"], each["ties"], f"{each['max_abs']:.1e}"])
    shares = (f"{100 * found['mean']['paddle'][name]:.2f} / {100 * found['mean']['torch'][name]:.2f}" for name in names)
    every = found["languages"].values()
    total = [f"{sum(each[name] for each in every):,}" for name in ("examples", "agree", "ties")]
    rows.append(["mean", total[0], *shares, total[1], total[2], f"{max(each['max_abs'] for each in every):.1e}"])
    return table(head, rows)


def describe_time(found: Figures) -> str:
    """How fast each side was."""
    examples = sum(each["examples"] for each in found["languages"].values())
    rates = [f"{side} {examples / found['seconds'][side]:,.0f}" for side in ("Paddle", "PyTorch")]
    return f"Examples a second, one thread each on a machine that others used as well: {', '.join(rates)}."


def faults_of(found: Figures) -> str:
    """A row for each fault: metric, answers that are the same, exit code, and the metric by layer where there are."""
    name = next(iter(found["mean"]["torch"]))
    views = sorted(found["runs"][SOUND]["views"])
    layers = [view.split(",")[0].replace(".", " ") for view in views] if len(views) > 1 else []
    head = ["planted fault", f"{name}, Paddle / PyTorch", "same or tie", "exit", *layers]
    rows: list[list[object]] = []
    for fault, run_ in found["runs"].items():
        view = next(iter(run_["views"].values()))
        sides = " / ".join(f"{100 * view[side][name]:.2f}" for side in ("paddle", "torch"))
        same = f"{view['agree'] + view['ties']:,} of {view['examples']:,}"
        code = " ".join(map(str, (run_["code"], *run_["problems"], *["with a warning"] * run_["warned"])))
        by_layer = [f"{100 * run_['views'][each]['torch'][name]:.2f}" for each in views] if layers else []
        rows.append([fault, sides, same, code, *by_layer])
    return table(head, rows)


def main() -> int:
    """Measure, and print or write."""
    parser = argparse.ArgumentParser(description="evaluate on real data, sound and with planted faults.")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--models", type=Path, help="where trained models are kept")
    parser.add_argument("--paddle-python", type=Path, default=ROOT / ".venv-paddle" / "bin" / "python")
    parser.add_argument("--only", choices=TASKS, nargs="+", default=list(SECTIONS))
    parser.add_argument("--write", action="store_true")
    arguments = parser.parse_args()
    source = origin(COMMAND, arguments.write)
    with tempfile.TemporaryDirectory() as place:
        scratch = Path(place)
        models = arguments.models or scratch / "models"
        for kind in arguments.only:
            found = {**source, **measure(kind, models, arguments.data, arguments.paddle_python, scratch)}
            if arguments.write:
                record(SECTIONS[kind], found, show, "evaluation.md")
            else:
                print(show(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
