"""Whatever PaddleNLP's tokenizer can save: converted, loaded as a user loads it, it answers as PaddleNLP's does.

PaddleNLP makes every variant with a small vocabulary and answers each question (tests/reference/tokenizer_variants.py);
both lines of transformers load what `convert` made of it, and once more what they saved of that themselves.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from converter import convert
from tests.support.checkpoints import make_config, make_state, write_folder

SIZES = {"vocab_size": 1502, "max_position_embeddings": 514}


@pytest.fixture(scope="module")
def saved(run_paddle: Any, tokenizer_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for each variant, and answers.json."""
    folder = tmp_path_factory.mktemp("variants")
    run_paddle("tokenizer_variants.py", tokenizer_folder, folder)
    return folder


@pytest.fixture(scope="module")
def expected(saved: Path) -> dict[str, dict[str, Any]]:
    """variant -> question -> PaddleNLP's answer."""
    answers: dict[str, dict[str, Any]] = json.loads((saved / "answers.json").read_text("utf-8"))
    return answers


@pytest.fixture(scope="module")
def converted(saved: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return convert_all(saved, tmp_path_factory.mktemp("converted"))


def convert_all(sources: Path, outputs: Path) -> Path:
    """What `convert` makes of each, with weights that have a row for every token of vocab.txt."""
    for source in sorted(path for path in sources.iterdir() if path.is_dir()):
        write_folder(source, make_state(**SIZES), make_config(**SIZES))
        convert(source, outputs / source.name)
    return outputs


def differences(expected: dict[str, dict[str, Any]], found: dict[str, Any]) -> list[tuple[str, str, str]]:
    assert found.keys() == expected.keys()
    return [
        (variant, when, question)
        for variant, answers in expected.items()
        for when in ("loaded", "reloaded")
        for question, answer in answers.items()
        if found[variant][when][question] != answer
    ]


@pytest.mark.parametrize("line", ["4", "5"])
def test_every_saved_variant_answers_as_paddlenlps(
    line: str, expected: dict[str, dict[str, Any]], converted: Path, run_script: Any, tmp_path: Path, request: Any
) -> None:
    python = request.getfixturevalue(f"transformers{line}_python")
    run_script(python, "load_tokenizers.py", converted, tmp_path / "answers.json")
    found = json.loads((tmp_path / "answers.json").read_text("utf-8"))
    assert len(expected) > 30
    assert not differences(expected, found)


@pytest.mark.parametrize("line", ["4", "5"])
def test_what_transformers_4_saved_answers_as_paddlenlps_with_the_ids_of_its_files(
    line: str,
    tokenizer_folder: Path,
    run_paddle: Any,
    run_script: Any,
    transformers4_python: Path,
    tmp_path: Path,
    request: Any,
) -> None:
    """PaddleNLP refuses ids that go on from vocab.txt: its answers are those that the recorder gets from it."""
    sources = tmp_path / "port"
    run_script(transformers4_python, "port_tokenizers.py", tokenizer_folder, sources)
    run_paddle("ask_recorder.py", sources, tmp_path / "expected.json")
    outputs = convert_all(sources, tmp_path / "converted")
    run_script(request.getfixturevalue(f"transformers{line}_python"), "load_tokenizers.py", outputs, tmp_path / "found")
    expected = json.loads((tmp_path / "expected.json").read_text("utf-8"))
    assert expected["port, added"]["ids of words"][:3] == [1502, 1503, 1504]
    assert not differences(expected, json.loads((tmp_path / "found").read_text("utf-8")))


def test_the_variants_differ_from_one_another(expected: dict[str, dict[str, Any]]) -> None:
    """Each of them would be seen if it were lost; those of the same effect are named."""
    same = {name for name, answers in expected.items() if name != "plain" and answers == expected["plain"]}
    assert same == {"too long", "no limit", "unknown fields"}


def test_a_limit_is_kept_and_one_beyond_the_model_is_cut(converted: Path) -> None:
    def limit(name: str) -> int:
        return int(json.loads((converted / name / "tokenizer_config.json").read_text("utf-8"))["model_max_length"])

    names = ("plain", "no limit", "too long", "both left, short", "max_len")
    assert [limit(name) for name in names] == [512, 512, 512, 16, 12]
