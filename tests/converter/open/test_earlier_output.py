"""A folder that this tool made is no SOURCE, but for the class whose head it keeps apart."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from converter import convert
from converter.common.errors import SourceError
from converter.files.regular_files import is_file
from tests.converter.open.names.test_pretraining_head import ASKED, HEAD, state, write


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write(tmp_path / "in", state())


@pytest.mark.parametrize("behavior", [None, "paddlenlp"])
def test_what_was_kept_apart_gives_the_same_bytes_as_the_checkpoint(
    source: Path, tmp_path: Path, behavior: str | None
) -> None:
    convert(source, tmp_path / "direct", behavior=behavior, **ASKED)
    convert(source, tmp_path / "earlier", behavior=behavior)
    result = convert(tmp_path / "earlier", tmp_path / "again", **ASKED)
    assert result.extras == () and result.behavior == (behavior or "release")
    assert not any("not carried over" in warning for warning in result.warnings), "the rules were carried over"
    for name in ("model.safetensors", "config.json", "modeling_ernie_m.py"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "direct" / name).read_bytes()
    direct, again = (json.loads((tmp_path / name / "paddle2torch.json").read_text()) for name in ("direct", "again"))
    assert [row["sha256"] for row in direct["tensors"]] == [row["sha256"] for row in again["tensors"]]
    assert direct.get("behavior_chosen") == again.get("behavior_chosen")
    assert "release_extras.safetensors" in {row["name"] for row in again["source"]["files"]}


def test_every_other_earlier_output_is_refused(source: Path, tmp_path: Path) -> None:
    convert(source, tmp_path / "earlier")
    hint = "E041.*converted already.*--architecture ErnieMForMaskedLM takes the head"
    for architecture in (None, "ErnieMModel"):
        with pytest.raises(SourceError, match=hint):
            convert(tmp_path / "earlier", tmp_path / "again", architecture=architecture)
    (tmp_path / "earlier" / "release_extras.safetensors").unlink()
    with pytest.raises(SourceError, match=r"E041.*load it with transformers$"):
        convert(tmp_path / "earlier", tmp_path / "again", **ASKED)


def test_an_earlier_output_without_a_whole_head_is_refused(tmp_path: Path) -> None:
    source = write(tmp_path / "in", state(**{next(iter(HEAD)): None}))
    convert(source, tmp_path / "earlier")
    assert is_file(tmp_path / "earlier" / "release_extras.safetensors")
    with pytest.raises(SourceError, match="E101.*missing mask_lm_trans_fc.w_0"):
        convert(tmp_path / "earlier", tmp_path / "again", **ASKED)


@pytest.mark.parametrize(
    ("file", "field", "value"),
    [
        ("config.json", "implicit_mask_token_ids", [0]),
        ("config.json", "position_offset", 3),
        ("paddle2torch.json", "behavior", "another"),
        ("paddle2torch.json", "behavior", "paddlenlp"),
    ],
)
def test_an_earlier_output_that_was_changed_since_is_refused(
    source: Path, tmp_path: Path, file: str, field: str, value: object
) -> None:
    convert(source, tmp_path / "earlier")
    path = tmp_path / "earlier" / file
    path.write_text(json.dumps({**json.loads(path.read_text()), field: value}))
    with pytest.raises(SourceError, match="E041"):
        convert(tmp_path / "earlier", tmp_path / "again", **ASKED)
