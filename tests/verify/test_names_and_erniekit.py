"""Sources whose names are not PaddleNLP's as they are: Paddle computes what OUTPUT does, by rules of its side."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converter.conversion import convert
from mappings.registry import load_family
from tests.converter.test_erniekit import WEIGHTS, trained, trained_with_rows
from tests.support.checkpoints import make_config, make_state, write_folder
from tests.support.fewer import without_tokens
from verify import verify
from verify.numbers.pytorch_process import Start
from verify.recorder.errors import Refused
from verify.recorder.families.ernie_m.config import config_names
from verify.recorder.families.ernie_m.names import rename_encoder
from verify.recorder.families.ernie_m.quirks import first_position_row, has_masked_row
from verify.recorder.families.ernie_m.release_names import fields_from_weights
from verify.recorder.files import content_of
from verify.recorder.sources.prefix import remove_prefix
from verify.recorder.sources.static_graph import is_static

HEAD = "ErnieMForSequenceClassification"


def test_erniekits_numbers_and_tokens(
    paddle_python: Path, ready: Start, tokenizer_folder: Path, tmp_path: Path
) -> None:
    source, output, trace = trained_with_rows(tmp_path / "step", 1502), tmp_path / "out", tmp_path / "trace"
    shutil.copyfile(tokenizer_folder / "vocab.txt", source / "erniem.vocab.txt")
    shutil.copyfile(tokenizer_folder / "sentencepiece.bpe.model", source / "sentencepiece.bpe.model")
    convert(source, output)
    report = verify(source, output, paddle_python=paddle_python, start=ready, record=trace)
    assert report.passed and report.checked == ["weights", "numbers", "tokens"], report.problems
    assert report.behavior == "erniekit"
    said = " ".join(report.reference["how"])
    assert "positions count from row 0" in said and "outer product" in said
    assert verify(None, output, trace=trace, start=ready).passed
    # An output that says these rules and has others is found by the numbers.
    config, numbers = output / "config.json", without_tokens(trace, tmp_path / "numbers")
    for wrong in ('"implicit_mask_queries": false', '"position_offset": 2'):
        name = wrong.split(":")[0]
        text = config.read_text()
        line = next(line for line in text.split("\n") if name in line)
        config.write_text(text.replace(line.strip().rstrip(","), wrong))
        found = verify(None, output, trace=numbers, start=ready)
        assert {problem.code for problem in found.problems} >= {"E402", "E408"}, wrong
        config.write_text(text)


def test_the_encoder_of_a_network_of_ones_own(paddle_python: Path, ready: Start, tmp_path: Path) -> None:
    """A prefix, a class of the config's that is overruled, and heads that nobody knows."""
    heads = {"fc.weight": np.ones((8, 3), "<f4"), "fc.bias": np.ones(3, "<f4")}
    state = {**{f"ptm.{name}": array for name, array in make_state().items()}, **heads}
    source = write_folder(tmp_path / "s", state, make_config(HEAD))
    output, trace = tmp_path / "out", tmp_path / "trace"
    options: dict[str, Any] = {"prefix": "ptm.", "architecture": "ErnieMModel"}
    convert(source, output, **options)
    report = verify(source, output, paddle_python=paddle_python, start=ready, record=trace, **options)
    assert report.passed and report.checked == ["weights", "numbers"], report.problems
    assert "`ptm.` was taken off the names" in report.reference["how"]
    assert verify(None, output, trace=trace, start=ready).passed


@pytest.mark.parametrize("prefix", ["module.", "_layers._orig_mod.", "@HUB_x@"])
def test_the_recorder_takes_off_what_every_name_has(prefix: str) -> None:
    given = {f"{prefix}a": 1, f"{prefix}b": 2}
    assert remove_prefix(dict(given), None) == ({"a": 1, "b": 2}, [f"`{prefix}` was taken off the names"])
    assert remove_prefix({**given, "c": 3}, None) == ({**given, "c": 3}, [])
    assert remove_prefix({**given, "c": 3}, prefix)[0] == {"a": 1, "b": 2, "c": 3}
    assert remove_prefix(dict(given), "") == (given, [])
    with pytest.raises(Refused, match="with .* in front of it and without"):
        remove_prefix({**given, "a": 3}, prefix)


@pytest.mark.parametrize("front", ["ernie_m.", "encoder."])
def test_an_encoder_is_taken_out_of_either_scheme(front: str) -> None:
    weights = {f"{front}embeddings.word_embeddings.weight": 1, f"{front}encoder.layers.0.norm1.bias": 2, "linear": 3}
    renamed, _ = rename_encoder(weights, "ernie_m.", with_head=False)
    assert list(renamed.values()) == ["embeddings.word_embeddings.weight", "encoder.layers.0.norm1.bias", "linear"]


def test_the_recorder_tells_files_and_configs_by_what_they_are(tmp_path: Path) -> None:
    source = trained(tmp_path / "step")
    assert config_names(str(source))[-1] == "ernie_m_1.0_base_config.json"
    shutil.copyfile(source / "wenxin.pdparams", tmp_path / "params")
    assert content_of(str(tmp_path / "params")) == "pickle" and not is_static([str(tmp_path / "params")])
    (tmp_path / "word_embedding").write_bytes(bytes(16) + b"\x05\x00\x00\x00\x08\x05\x10\x02\x10\x03" + bytes(24))
    assert content_of(str(tmp_path / "word_embedding")) == "" and is_static([str(tmp_path / "word_embedding")])
    shutil.copyfile(tmp_path / "word_embedding", tmp_path / "x.pdparams")
    (tmp_path / "old.pdparams").write_bytes(b"(dp0\nS'a'\n")
    assert is_static([str(tmp_path / "x.pdparams")]) and not is_static([str(tmp_path / "old.pdparams")])
    assert fields_from_weights(WEIGHTS) == {"architecture": HEAD, "num_labels": 3}


def test_a_row_that_sees_everything_has_the_rounding_of_what_hides_it() -> None:
    ids = np.array([[0, 5]])
    assert has_masked_row({"inputs": {"input_ids": ids}}, "erniekit")
    assert not has_masked_row({"inputs": {"input_ids": ids}}, "paddlenlp")
    assert not has_masked_row({"inputs": {"input_ids": ids, "attention_mask": ids}}, "erniekit")
    assert not has_masked_row({"inputs": {"input_ids": ids + 1}}, "erniekit") and not has_masked_row(
        {"inputs": {}}, "erniekit"
    )
    presets = load_family("ernie_m").presets
    assert [first_position_row(each.name) for each in presets] == [each.values["position_offset"] for each in presets]
