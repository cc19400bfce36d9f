"""The whole way on tiny models: Paddle's answers, PyTorch's, and what a fault in OUTPUT does to them."""

from __future__ import annotations

import json
import random
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from converter.common.errors import Paddle2TorchError
from converter.common.progress import OnProgress, Progress
from converter.conversion import convert
from evaluation.report.terminal import render_table
from evaluation.report.write_report import write_report
from evaluation.results import Evaluation
from evaluation.run import evaluate
from verify.folder.check_manifest import deciding_files
from verify.numbers.pytorch_process import Start
from verify.reference.subprocess_runner import Ended

CLASSES = {
    "classification": "ErnieMForSequenceClassification",
    "ner": "ErnieMForTokenClassification",
    "qa": "ErnieMForQuestionAnswering",
    "retrieval": "ErnieMModel",
}
LABELS = {"classification": ("x", "y", "z"), "ner": ("O", "B-A", "I-A")}
WORDS = ("der", "die", "das", "Haus", "Fluss", "Berg", "Rhein", "alt", "neu", "geht", "kommt", "the", "house", "river")


def sentence(number: int, length: int = 5) -> str:
    return " ".join(random.Random(number).choices(WORDS, k=length))


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Small data of each task, in German."""
    folder = tmp_path_factory.mktemp("data")
    rows = [f"{sentence(n)}\t{sentence(n + 31, 3)}\t{'xyz'[n % 3]}" for n in range(60)]
    (folder / "test.de.tsv").write_text("\n".join(["text_a\ttext_b\tlabel", *rows]), encoding="utf-8")
    tagged = [f"{word} {'B-A' if n % 3 else 'O'}" for n in range(20) for word in [*sentence(n).split(), ""]]
    (folder / "deu.testb").write_text("\n".join(line if line[0] != " " else "" for line in tagged), encoding="utf-8")
    contexts = [sentence(n, 40) for n in range(12)]
    entries = [
        {
            "context": context,
            "qas": [{"id": str(n), "question": sentence(n, 3), "answers": [{"text": context[:8], "answer_start": 0}]}],
        }
        for n, context in enumerate(contexts)
    ]
    (folder / "xquad.de.json").write_text(json.dumps({"data": [{"paragraphs": entries}]}), encoding="utf-8")
    for end, first in (("deu", 0), ("eng", 90)):
        lines = "".join(f"{sentence(first + n, 4)}\n" for n in range(40))
        (folder / f"tatoeba.deu-eng.{end}").write_text(lines, encoding="utf-8")
    names = ("test.de.tsv", "deu.testb", "xquad.de.json", "tatoeba.deu-eng.deu")
    return {task: folder / name for task, name in zip(CLASSES, names)}


@pytest.fixture(scope="module")
def evaluated(
    checkpoints: dict[str, Path],
    data: dict[str, Path],
    paddle_python: Path,
    start: Start,
    tmp_path_factory: pytest.TempPathFactory,
) -> Callable[..., tuple[Path, Path, Evaluation]]:
    """(task) -> OUTPUT, Paddle's answers, and the result of evaluating the two."""
    folder = tmp_path_factory.mktemp("evaluated")
    found: dict[str, tuple[Path, Path, Evaluation]] = {}

    def run(task: str) -> tuple[Path, Path, Evaluation]:
        if task not in found:
            source, output, answers = checkpoints[CLASSES[task]], folder / task, folder / f"{task}.answers"
            convert(source, output)
            more: dict[str, Any] = {"layer": "all", "direction": "both"} if task == "retrieval" else {}
            result = evaluate(
                source,
                output,
                task=task,
                data=data[task],
                labels=LABELS.get(task),
                record=answers,
                paddle_python=paddle_python,
                start=start,
                **more,
            )
            found[task] = output, answers, result
        return found[task]

    return run


@pytest.mark.parametrize(("task", "examples"), [("classification", 60), ("ner", 20), ("qa", 12), ("retrieval", 40)])
def test_both_sides_give_the_same_answers(
    evaluated: Callable[..., Any], data: dict[str, Path], task: str, examples: int, tmp_path: Path
) -> None:
    output, _, result = evaluated(task)
    assert result.passed, render_table(result)
    found = result.to_json()
    german = found["languages"]["de"]
    assert german["examples"] == german["agree"] + german["ties"] == examples
    assert german["paddle"] == german["torch"] == found["mean"]["paddle"] == found["mean"]["torch"]
    assert 0 < german["max_abs"] < 2e-5
    assert found["protocol"]["mask"] == "none" and found["protocol"]["read from"] == data[task].name
    assert found["files"] == deciding_files(output) and "model.safetensors" in found["files"]
    write_report(result, tmp_path)
    assert json.loads((tmp_path / "report.json").read_text(encoding="utf-8")) == found
    assert "PASSED" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert 'failures="0"' in (tmp_path / "junit.xml").read_text(encoding="utf-8")


def test_all_layers_in_both_directions(evaluated: Callable[..., Any]) -> None:
    _, _, result = evaluated("retrieval")
    expected = {f"layer.{layer}, {way}" for layer in range(4) for way in ("en2xx", "xx2en")}
    assert set(result.to_json()["views"]) == expected and result.views[0] == "layer.2, en2xx"


@pytest.mark.parametrize(("task", "processes"), [("classification", 2), ("ner", 3), ("qa", 3), ("retrieval", 2)])
def test_several_processes_give_what_one_gives(
    checkpoints: dict[str, Path],
    evaluated: Callable[..., Any],
    data: dict[str, Path],
    paddle_python: Path,
    product_python: Path,
    start: Start,
    task: str,
    processes: int,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The same report, and the same bytes in the file of Paddle's answers."""
    output, answers, one = evaluated(task)
    monkeypatch.setattr(sys, "executable", str(product_python))
    more: dict[str, Any] = {"layer": "all", "direction": "both"} if task == "retrieval" else {}
    heard: list[Progress] = []
    result = evaluate(
        checkpoints[CLASSES[task]],
        output,
        task=task,
        data=data[task],
        labels=LABELS.get(task),
        record=tmp_path / "answers",
        paddle_python=paddle_python,
        processes=processes,
        start=start,
        progress=heard.append,
        **more,
    )
    assert result.to_json() == one.to_json()
    assert (tmp_path / "answers").read_bytes() == answers.read_bytes()
    told = [event for event in heard if event.startswith(("memory", "starting ")) and event.detail]
    size = 4e-6 * sum(array.size for array in load_file(output / "model.safetensors").values())
    assert told == [
        f"memory of each process: {size:,.1f} MB of weights in float32, about three times as much at the peak",
        f"starting Paddle: {processes} processes, each with 1 thread",
        f"starting PyTorch: {processes} processes, each with 1 thread",
    ]


def test_several_processes_with_kept_answers_and_alone(
    evaluated: Callable[..., Any],
    data: dict[str, Path],
    product_python: Path,
    start: Start,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    output, answers, before = evaluated("ner")
    monkeypatch.setattr(sys, "executable", str(product_python))
    usual: dict[str, Any] = {"task": "ner", "data": data["ner"], "labels": LABELS["ner"], "start": start}
    kept = evaluate(None, output, **usual, trace=answers, processes=2)
    assert kept.to_json() == before.to_json()
    alone = evaluate(None, output, **usual, torch_only=True, processes=2, mask="none", limit=1)
    # One sentence is one batch, which is not divided.
    assert alone.to_json()["languages"]["de"]["examples"] == 1 and alone.passed


def damage(output: Path, weight: str, change: Callable[[np.ndarray], np.ndarray]) -> None:
    """Plant a fault that shapes do not show."""
    path = output / "model.safetensors"
    tensors = load_file(path)
    (name,) = (name for name in tensors if name.endswith(weight))
    tensors[name] = np.ascontiguousarray(change(tensors[name]))
    save_file(tensors, path, metadata={"format": "pt"})


def transpose_a_weight(output: Path) -> None:
    damage(output, "layers.0.self_attn.self_attn.v_proj.weight", np.transpose)


def change_epsilon(output: Path) -> None:
    path = output / "config.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    assert abs(config["layer_norm_eps"] - 1e-5) < 1e-9
    path.write_text(json.dumps({**config, "layer_norm_eps": 0.1}), encoding="utf-8")


@pytest.mark.parametrize("plant", [transpose_a_weight, change_epsilon])
@pytest.mark.parametrize("task", CLASSES)
def test_a_fault_gives_other_answers(
    evaluated: Callable[..., Any],
    data: dict[str, Path],
    task: str,
    plant: Callable[[Path], None],
    start: Start,
    tmp_path: Path,
) -> None:
    sound, answers, before = evaluated(task)
    output = tmp_path / "output"
    shutil.copytree(sound, output)
    plant(output)
    more: dict[str, Any] = {"layer": "all", "direction": "both"} if task == "retrieval" else {}
    result = evaluate(
        None, output, task=task, data=data[task], labels=LABELS.get(task), trace=answers, start=start, **more
    )
    assert not result.passed
    found = result.to_json()
    german = found["languages"]["de"]
    assert german["paddle"] == before.to_json()["languages"]["de"]["paddle"]
    assert german["agree"] < german["examples"] - german["ties"] and german["max_abs"] > 1e-3
    wrong = next(one for one in german["differ"] if not one["tie"])
    assert (
        wrong["paddle"] != wrong["torch"] and max(wrong["paddle_margin"], wrong["torch_margin"]) > german["tie_below"]
    )
    write_report(result, tmp_path / "report")
    assert "FAILED" in render_table(result)
    assert "<failure" in (tmp_path / "report" / "junit.xml").read_text(encoding="utf-8")


def test_torch_alone_needs_no_source(evaluated: Callable[..., Any], data: dict[str, Path], start: Start) -> None:
    output, _, before = evaluated("classification")
    task = "classification"
    usual: dict[str, Any] = {"task": task, "data": data[task], "labels": LABELS[task], "torch_only": True}
    part = evaluate(None, output, **usual, limit=3, mask="ones", start=start).to_json()
    assert part["languages"]["de"]["examples"] == 3
    assert part["protocol"]["limit"] == "the first 3 of each language, not the whole set"
    assert "--limit 3: not the whole set" in part["warnings"]
    result = evaluate(None, output, **usual, start=start)
    found = result.to_json()
    assert "limit" not in found["protocol"]
    assert found["passed"] and found["languages"]["de"] == {
        "examples": 60,
        "torch": before.to_json()["languages"]["de"]["torch"],
    }


@pytest.mark.parametrize(
    ("task", "change", "expected"),
    [
        ("classification", {"limit": 3}, "E605]: classification.answers has the answers to other texts"),
        ("classification", {"mask": "ones"}, "E605]: classification.answers has the answers to other texts"),
        ("classification", {"precision": "float64"}, "E605]: classification.answers was recorded in float32"),
        ("classification", {"labels": None}, "E904]: labels of the data are unknown: 'x', 'y', 'z'"),
        ("classification", {"task": "ner"}, "E905]: --task ner needs a classifier of tokens"),
        ("retrieval", {"task": "xnli"}, "E905]: --task xnli needs a classifier of texts .* Fine-tune it first"),
        ("classification", {"task": "xyz"}, "E906]: --task is 'xyz'"),
        ("classification", {"processes": 0}, "E906]: --processes is 0, expected a number over 0"),
        ("classification", {"layer": "3"}, "E906]: --layer and --direction belong to --task retrieval"),
        ("classification", {"data": "gone"}, "E901]: gone: there is no such file or folder"),
        ("classification", {"trace": "gone"}, "E604]: gone: no such file of answers"),
        ("classification", {"torch_only": True}, "E090]: --torch-only runs no Paddle"),
        ("classification", {"trace": None}, "E090]: there is no SOURCE to compare with"),
        ("classification", {"language": ("fr",)}, "E901]: .* no file of fr|E901]: no examples of fr"),
    ],
)
def test_what_cannot_be_judged(
    evaluated: Callable[..., Any], data: dict[str, Path], task: str, change: Any, expected: str, start: Start
) -> None:
    output, answers, _ = evaluated(task)
    usual: dict[str, Any] = {"task": task, "data": data[task], "labels": LABELS.get(task), "trace": answers}
    with pytest.raises(Paddle2TorchError, match=expected):
        evaluate(None, output, **{**usual, **change}, start=start)


def test_kept_answers_of_another_source_are_refused(
    checkpoints: dict[str, Path], evaluated: Callable[..., Any], data: dict[str, Path], start: Start, tmp_path: Path
) -> None:
    """With SOURCE beside --trace its weights must be those that Paddle answered with; the same class is not enough."""
    task = "classification"
    output, answers, before = evaluated(task)
    usual: dict[str, Any] = {"task": task, "data": data[task], "labels": LABELS[task], "trace": answers, "start": start}
    result = evaluate(checkpoints[CLASSES[task]], output, **usual)
    assert result.passed and result.results == before.results
    other = tmp_path / "other"
    shutil.copytree(checkpoints[CLASSES[task]], other)
    (weights,) = other.glob("*.pdparams")
    content = bytearray(weights.read_bytes())
    content[len(content) // 2] ^= 1
    weights.write_bytes(content)
    with pytest.raises(Paddle2TorchError, match="E605]: classification.answers was recorded from another checkpoint"):
        evaluate(other, output, **usual)


def test_an_output_that_changes_meanwhile_is_a_failure(
    evaluated: Callable[..., Any], data: dict[str, Path], start: Start, tmp_path: Path
) -> None:
    """Its checksums would be those of other bytes than gave the answers."""
    task, output = "classification", tmp_path / "output"
    shutil.copytree(evaluated(task)[0], output)

    def change(request: Path, folder: Path, on_progress: OnProgress) -> Ended:
        ended = start(request, folder, on_progress)
        damage(output, "classifier.bias", lambda bias: bias + np.float32(1))
        return ended

    result = evaluate(
        None, output, task=task, data=data[task], labels=LABELS[task], mask="ones", torch_only=True, start=change
    )
    assert not result.passed and [problem.code for problem in result.problems] == ["E413"]


def test_damaged_answers_are_refused(
    evaluated: Callable[..., Any], data: dict[str, Path], start: Start, tmp_path: Path
) -> None:
    output, answers, _ = evaluated("classification")
    damaged = tmp_path / "damaged"
    content = bytearray(answers.read_bytes())
    content[-1] ^= 1
    damaged.write_bytes(content)
    usual: dict[str, Any] = {"task": "classification", "data": data["classification"], "labels": ("x", "y", "z")}
    with pytest.raises(
        Paddle2TorchError, match="E604]: damaged is not what `evaluate --record` writes: .* has another sum"
    ):
        evaluate(None, output, **usual, trace=damaged, start=start)


def test_the_same_answers_from_other_numbers_are_a_warning(
    evaluated: Callable[..., Any], data: dict[str, Path], start: Start, tmp_path: Path
) -> None:
    """A metric does not find every fault: what is added to all classes alike changes no answer."""
    sound, answers, before = evaluated("classification")
    assert not any("the answers agree" in warning for warning in before.warnings)
    output = tmp_path / "output"
    shutil.copytree(sound, output)
    damage(output, "classifier.bias", lambda bias: bias + np.float32(0.01))
    task = "classification"
    result = evaluate(None, output, task=task, data=data[task], labels=LABELS[task], trace=answers, start=start)
    assert result.passed
    (warning,) = (warning for warning in result.warnings if "the answers agree" in warning)
    assert warning.startswith("de: the answers agree, and the numbers behind them differ by up to 1.0e-02")


def exchange_tokens(output: Path) -> None:
    """Give the tokenizer other ids for two frequent letters."""
    path = output / "vocab.txt"
    lines = path.read_text(encoding="utf-8").split("\n")
    one, other = lines.index("a"), lines.index("e")
    lines[one], lines[other] = lines[other], lines[one]
    path.write_text("\n".join(lines), encoding="utf-8")


@pytest.mark.parametrize("task", ["classification", "ner", "qa", "retrieval"])
def test_other_tokens_are_a_failure(
    evaluated: Callable[..., Any], data: dict[str, Path], task: str, start: Start, tmp_path: Path
) -> None:
    """Both models get OUTPUT's tokens, so no answer shows it."""
    sound, answers, before = evaluated(task)
    assert not any("tokens were not compared" in warning for warning in before.warnings)
    output = tmp_path / "output"
    shutil.copytree(sound, output)
    exchange_tokens(output)
    more: dict[str, Any] = {"layer": "all", "direction": "both"} if task == "retrieval" else {}
    result = evaluate(
        None, output, task=task, data=data[task], labels=LABELS.get(task), trace=answers, start=start, **more
    )
    assert not result.passed and [problem.code for problem in result.problems] == ["E907"]
    assert "have other tokens in Paddle" in render_table(result).splitlines()[0]
    assert json.loads(json.dumps(result.to_json()))["passed"] is False


def test_other_tokens_with_paddle_itself(
    checkpoints: dict[str, Path],
    evaluated: Callable[..., Any],
    data: dict[str, Path],
    paddle_python: Path,
    start: Start,
    tmp_path: Path,
) -> None:
    task, output = "classification", tmp_path / "output"
    shutil.copytree(evaluated(task)[0], output)
    exchange_tokens(output)
    result = evaluate(
        checkpoints[CLASSES[task]],
        output,
        task=task,
        data=data[task],
        labels=LABELS[task],
        paddle_python=paddle_python,
        start=start,
    )
    assert not result.passed and [problem.code for problem in result.problems] == ["E907"]
    german = result.to_json()["languages"]["de"]
    assert german["agree"] == german["examples"]
