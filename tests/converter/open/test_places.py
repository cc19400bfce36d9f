"""Messages that name a file get the path that the user gave."""

from __future__ import annotations

from pathlib import Path

from converter.open.places import warnings_with_paths


def test_a_file_gets_its_folder_in_front(tmp_path: Path) -> None:
    source = tmp_path / "model"
    source.mkdir()
    (source / "vocab.txt").touch()
    (found,) = warnings_with_paths(["vocab.txt has 5 tokens"], source)
    assert found == f"{source}/vocab.txt has 5 tokens"
    assert warnings_with_paths(["vocab.txt has 5 tokens"], source, origin="a/model") == ("vocab.txt has 5 tokens",)


def test_a_folder_that_is_called_as_a_word_is_meant_at_the_beginning_alone(tmp_path: Path) -> None:
    source = tmp_path / "model"
    source.mkdir()
    texts = ["more tokens than the model has rows", "model: no tokenizer was found"]
    assert warnings_with_paths(texts, source) == (texts[0], f"{source}: no tokenizer was found")
