"""PyTorch folders of transformers 4's own ErnieM against PaddleNLP's class with their weights and their config's rules.

One Paddle makes all traces; one live verification shows the whole way. What the port itself computed (port_numbers.py)
shows that the reference is the right one.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converter import convert
from tests.support.port_folders import CLASSES, FORMS, HEAD, Recordings, edit_config, edit_folders, edit_weights
from verify import Report, verify
from verify.folder.check_folder import Standard, check_fields
from verify.numbers.pytorch_process import Start
from verify.results.manifest import read_manifest
from verify.results.trace import read_trace
from verify.weights.output_weights import read_written

#: Of float32, in which the port computed: relative to the largest value.
NOISE = 2e-6


@pytest.fixture(scope="session")
def sources(
    port_numbers: Path, port_files: Path, tokenizer_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("port")
    for made in (port_numbers, port_files):
        shutil.copytree(made, root, dirs_exist_ok=True)
    return edit_folders(root, tokenizer_folder)


@pytest.fixture(scope="session")
def recordings(
    sources: dict[str, Path], run_paddle: Callable[..., None], tmp_path_factory: pytest.TempPathFactory
) -> Recordings:
    return Recordings(tmp_path_factory.mktemp("traces"), sources, run_paddle)


@pytest.fixture
def judge(recordings: Recordings, ready: Start, tmp_path: Path) -> Callable[..., Report]:
    """Convert a folder and verify it by its trace; `change` edits OUTPUT between the two."""

    def run(name: str, change: Callable[[Path], Any] = lambda output: None, **options: Any) -> Report:
        source = recordings.sources[name if name in recordings.sources else "ErnieMModel"]
        behavior = "paddlenlp" if name == "paddlenlp" else None
        convert(source, tmp_path / "out", behavior=behavior)
        change(tmp_path / "out")
        judged = options.pop("source", source)
        return verify(judged, tmp_path / "out", trace=recordings.trace(name), start=ready, **options)

    return run


@pytest.mark.parametrize("name", [*CLASSES, *FORMS])
def test_the_reference_computes_what_the_port_did(recordings: Recordings, name: str) -> None:
    """With and without a mask, a row of zeros, positions. Under Paddle's own rule it would be far off."""
    assert recordings.results[name]["refused"] == "" and recordings.results[name]["difference"] < NOISE
    assert recordings.results["paddlenlp"]["difference"] > 0.05


@pytest.mark.parametrize("name", [*CLASSES, "fields", "paddlenlp", "bare"])
def test_the_output_is_the_same_model(judge: Callable[..., Report], name: str) -> None:
    report = judge(name)
    assert report.passed and report.checked == ["weights", "numbers"], report.problems
    assert report.behavior == ("paddlenlp" if name == "paddlenlp" else "transformers")
    told = "; ".join(report.reference["how"])
    assert "weights of transformers 4's own ErnieM under PaddleNLP's names" in told
    assert "feed-forward layers 24 wide" in told
    assert f"epsilon {1e-6 if name == 'fields' else 1e-5!r} of the config" in told
    assert ("lowest number of float64" in told) == (name != "paddlenlp")
    assert (f"id {3 if name == 'fields' else 1} is hidden" in told) == (name != "paddlenlp")


def test_sequence_classification_cannot_be_without_a_pooler(recordings: Recordings) -> None:
    assert "weights are missing: ernie_m.pooler.dense" in recordings.results["no pooler"]["refused"]


def test_what_is_missing_or_does_not_fit_is_named(recordings: Recordings) -> None:
    lost, turned = recordings.results["lost"]["refused"], recordings.results["turned"]["refused"]
    assert "ernie_m.embeddings.layer_norm.weight is missing" in lost
    assert "ernie_m.encoder.layers.1.linear2.weight is [24, 16], expected [16, 24]" in turned


def test_what_the_class_does_not_know_is_left_out_and_told(judge: Callable[..., Report]) -> None:
    report = judge("more")
    assert report.passed and "not of this class, left out: other_head.weight" in "; ".join(report.reference["how"])


def change_element(name: str, place: tuple[int, ...]) -> Callable[[Path], Any]:
    """One element of OUTPUT, by one unit in its last place."""

    def change(weights: dict[str, np.ndarray]) -> None:
        bits = weights[name].view(np.uint32)
        bits[place] += 1

    return lambda output: edit_weights(output, change)


@pytest.mark.parametrize(
    ("tensor", "place", "told"),
    [
        ("ernie_m.encoder.layers.1.linear1.bias", (23,), "linear1"),
        ("ernie_m.encoder.layers.0.self_attn.self_attn.k_proj.bias", (5,), "k_proj"),
        ("ernie_m.pooler.dense.weight", (3, 11), "pooler"),
        ("ernie_m.embeddings.word_embeddings.weight", (1, 2), "word_embeddings"),
        ("classifier.bias", (2,), "classifier"),
    ],
)
def test_one_element_by_one_unit_is_found_by_the_numbers_alone(
    judge: Callable[..., Report], tensor: str, place: tuple[int, ...], told: str
) -> None:
    report = judge(HEAD, change_element(tensor, place), static=False)
    assert not report.passed and report.checked == ["numbers"]
    assert told in "".join(problem.text for problem in report.problems if problem.code == "E402")


def test_a_mistake_of_the_mapping_is_found_though_the_bytes_agree_with_it(
    judge: Callable[..., Report], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table that wrongly turns the port's pooler: conversion and bytes follow it, the reference does not."""
    import converter.plan.make_plan

    sound = converter.plan.make_plan.expand

    def expand(*arguments: Any) -> Any:
        return tuple(
            replace(row, op="transpose") if row.source == "ernie_m.pooler.dense.weight" else row
            for row in sound(*arguments)
        )

    monkeypatch.setattr(converter.plan.make_plan, "expand", expand)
    report = judge(HEAD)
    assert report.static is not None and report.static.mismatched == ()
    assert [problem.code for problem in report.problems] == ["E402"]
    assert "pooler" in report.problems[0].text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("act_dropout", 0.0),
        ("intermediate_size", 64),
        ("layer_norm_eps", 1e-5),
        ("implicit_mask_token_ids", [1]),
        ("attention_mask_value", -10000.0),
        ("classifier_dropout", 0.1),
        ("pad_token_id", 1),
    ],
)
def test_a_field_is_named(recordings: Recordings, tmp_path: Path, field: str, value: Any) -> None:
    """By the source's config, and by the trace alone, which tells what PaddleNLP's config cannot hold."""
    source, output, trace = recordings.sources["fields"], tmp_path / "out", read_trace(recordings.trace("fields"))
    convert(source, output)
    written = read_written(output)
    standard = Standard(None, trace, read_manifest(output)[0])
    assert check_fields(output, standard, written)[0] == []
    edit_config(output, **{field: value})
    for problems in (
        verify(source, output, static_only=True).problems,
        check_fields(output, standard, written)[0],
    ):
        assert [problem.code for problem in problems] == ["E408"] and f" {field} is" in problems[0].text


def test_the_trace_alone_is_enough(judge: Callable[..., Report]) -> None:
    report = judge("fields", source=None)
    assert report.passed and report.checked == ["weights", "numbers"], report.problems
    assert report.static is not None and (report.static.against, report.static.tensors) == ("trace", 40)


def test_live_from_torchs_own_file_with_tokens_and_a_self_test(
    sources: dict[str, Path],
    paddle_python: Path,
    ready: Start,
    few_faults: Callable[..., None],
    tmp_path: Path,
) -> None:
    """The whole way: `pytorch_model.bin` into Paddle without torch, and a fault of each kind found."""
    few_faults(".bias[")
    convert(sources["bin"], tmp_path / "out")
    report = verify(sources["bin"], tmp_path / "out", paddle_python=paddle_python, start=ready, self_test=True)
    assert report.passed and report.checked == ["weights", "numbers", "tokens"], report.problems
    assert "torch's zip archive was read by the recorder itself, without torch" in report.reference["how"]
    assert report.self_test is not None and report.self_test.missed == []
    assert report.self_test.without_static.unexplained == []


def test_a_converted_folder_is_no_source_to_record(sources: dict[str, Path], tmp_path: Path) -> None:
    from verify.protocol.request import Request
    from verify.recorder.errors import Refused
    from verify.recorder.families import FAMILIES
    from verify.recorder.sources.config import read_config

    convert(sources[HEAD], tmp_path / "out")
    with pytest.raises(Refused, match="converted already: record the checkpoint that it came from"):
        read_config(Request(source=str(tmp_path / "out")), FAMILIES[0])
