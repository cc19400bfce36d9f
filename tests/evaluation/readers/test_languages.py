"""Languages by the names of files."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluation.readers.languages import language_of_path, two_letters


@pytest.mark.parametrize(
    ("path", "language"),
    [
        ("xnli.test.de.tsv", "de"),
        ("test-zh.tsv", "zh"),
        ("de_test.tsv", "de"),
        ("esp.testb", "es"),
        ("eng.train", "en"),
        ("x-final/ko/test_2k.tsv", "ko"),
        ("my_data.tsv", "und"),
        ("id.of.something.tsv", "und"),
        ("my/data.tsv", "my"),
        ("test.tsv", "und"),
    ],
)
def test_language_of_path(path: str, language: str) -> None:
    assert language_of_path(Path("/data/x") / path) == language


@pytest.mark.parametrize(
    ("code", "language"),
    [("cmn", "zh"), ("pes", "fa"), ("swh", "sw"), ("zh-CN", "zh"), ("DE", "de"), ("zho", "zh"), ("yue", "yue")],
)
def test_two_letters(code: str, language: str) -> None:
    assert two_letters(code) == language
