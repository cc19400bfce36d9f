"""Which behavior a checkpoint has, as the recorder finds it alone; `convert` finds the same for the same folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from converter.open.source import open_source
from tests.support.checkpoints import write_folder
from verify.protocol.request import Request
from verify.recorder.families.ernie_m.quirks import quirk_of_source

PADDLE = {"ernie_m.embeddings.word_embeddings.weight": None}
OFFICIAL = {"word_embedding": None}


@pytest.mark.parametrize(
    ("weights", "how", "expected"),
    [
        (PADDLE, "config.json, read by PaddleNLP's ErnieMConfig", "paddlenlp"),
        (PADDLE, "ernie_config.json, the 2021 release's", "release"),
        (OFFICIAL, "config.json, read by PaddleNLP's ErnieMConfig", "release"),
        (OFFICIAL, "no config next to the weights: given by the request", "release"),
    ],
)
def test_names_and_config_say_it(tmp_path: Path, weights: dict[str, None], how: str, expected: str) -> None:
    request = Request(source=str(tmp_path), behavior="paddlenlp")
    assert quirk_of_source(request, weights, how) == expected
    assert quirk_of_source(replace(request, source_behavior="transformers"), weights, how) == "transformers"


def test_the_release_s_tokenizer_next_to_the_weights_says_it_and_one_from_elsewhere_does_not(tmp_path: Path) -> None:
    source = write_folder(tmp_path / "source")
    request = Request(source=str(source), tokenizer=str(tmp_path))
    (tmp_path / "piece.model").write_bytes(b"x")
    assert quirk_of_source(request, PADDLE, "config.json") == "paddlenlp" == open_source(source).behavior
    (source / "piece.model").write_bytes(b"x")
    for named in (source, source / "model_state.pdparams"):
        assert quirk_of_source(replace(request, source=str(named)), PADDLE, "config.json") == "release"
