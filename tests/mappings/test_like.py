"""A family that is like another takes over what its folder does not give, row by row, and says what it leaves out."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from mappings import Family, TableError, load_family
from mappings.build import build_family
from mappings.like import complete
from tests.mappings.test_families import files

CLASS = {"source": "SmallModel", "like": "TinyModel"}
LM = {"source": "SmallLM", "like": "TinyLM"}


def folder(**facts: Any) -> dict[str, dict[str, Any]]:
    """A family that has no more of its own than it must."""
    given = {"like": "tiny", "title": "Small", "model_type": "small", "source_backbone": "small", "class": [CLASS, LM]}
    return {"family.toml": {**given, **facts}, "pretrained.toml": {}}


def small(own: dict[str, dict[str, Any]] | None = None) -> Family:
    return build_family("small", complete(own or folder(), files()))


def test_classes_and_their_tables_are_taken_over_under_their_own_names() -> None:
    family = small()
    assert [(entry.source, entry.target) for entry in family.classes] == [
        ("SmallModel", "TinyModel"),
        ("SmallLM", "TinyLM"),
    ]
    table = family.tables["SmallLM"]
    assert table.backbone_prefix == "tiny." and [scheme.prefix for scheme in table.schemes] == ["small.", "tiny."]
    assert [row.source.text for row in table.head] == ["cls.decoder.weight", "cls.decoder.bias", "cls.decoder_bias"]
    assert family.class_named("SmallLM").constructor == ("small",)  # type: ignore[union-attr]
    assert family.paddle_name("tiny.layers.0.q.weight") == "small.layers.0.q.weight"
    assert family.without_backbone("small.layers.0.q.weight") == "layers.0.q.weight"


def test_a_row_of_the_same_name_replaces_the_other_s_in_its_place() -> None:
    size = {"field": "hidden_size", "tensor": "words.weight", "axis": 1, "constructor": 9}
    family = small(folder(size=[size, {"field": "depth", "tensor": "words.weight"}]))
    assert [entry.field for entry in family.sizes] == ["vocab_size", "hidden_size", "num_hidden_layers", "depth"]
    assert family.sizes[1].constructor == 9


def test_rows_are_left_out_by_name() -> None:
    without = {"tensor": ["types.weight"], "part": ["types"], "written": ["use_types"]}
    family = small(folder(without=without))
    assert "types.weight" not in [row.source.text for row in family.base_table.backbone]
    assert "use_types" not in family.written and not family.base_table.parts


def test_the_other_family_is_not_changed() -> None:
    theirs = files()
    before = copy.deepcopy(theirs)
    complete(folder(without={"part": ["types"]}), theirs)
    assert theirs == before


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"without": {"size": ["colour"]}}, "names size colour, which tiny does not have"),
        ({"without": {"colour": ["red"]}}, "names colour red"),
        ({"class": [{"source": "SmallModel", "like": "Other"}]}, "no class Other that another could be like"),
    ],
)
def test_what_the_other_does_not_have_is_refused(facts: dict[str, Any], said: str) -> None:
    with pytest.raises(TableError, match=said):
        complete(folder(**facts), files())


def test_a_class_that_is_not_taken_over_has_no_table() -> None:
    family = small(folder(**{"class": [CLASS]}))
    assert set(family.tables) == {"SmallModel"}


@pytest.mark.parametrize("name", ["ernie_gram", "skep"])
def test_families_with_the_classes_of_another_are_its_network(name: str) -> None:
    family, other = load_family(name), load_family("ernie")
    assert family.network.layer == other.network.layer
    assert {entry.target for entry in family.classes} < {entry.target for entry in other.classes}
    assert family.usual_preset.values == {"layer_norm_eps": 9.999999747378752e-06}
    assert family.source_backbone == name and family.backbone == "ernie"


def test_a_whole_file_is_left_out() -> None:
    theirs = {**files(), "names/foreign.toml": {}, "names/release.toml": {"weight": [{"stored": "a", "key": "b"}]}}
    assert "names/release.toml" in complete(folder(), theirs)
    assert "names/release.toml" not in complete(folder(without={"file": ["names/release.toml"]}), theirs)
    with pytest.raises(TableError, match="names the file names/other.toml"):
        complete(folder(without={"file": ["names/other.toml"]}), theirs)
