"""The tables of variable names cover the classes exactly, and a wrong table is refused as it is read."""

from __future__ import annotations

from typing import Any

import pytest

from mappings import TableError, expand, load_family, load_table
from mappings.names.automatic import build_automatic
from mappings.names.others import load_left_out
from mappings.names.release import build_release
from mappings.tensors.patterns import Pattern
from tests.support.classes import SOURCE_CLASSES

FAMILY = load_family("ernie_m")
SIZES = {
    "vocab_size": 60,
    "max_position_embeddings": 20,
    "hidden_size": 16,
    "intermediate_size": 64,
    "num_hidden_layers": 12,
    "num_labels": 5,
}


def keys_of(source_class: str) -> set[str]:
    table = load_table(source_class)
    prefix = table.schemes[0].prefix
    return {entry.source.removeprefix(prefix) for entry in expand(table, table.schemes[0], SIZES)}


@pytest.mark.parametrize(
    ("source_class", "behavior"),
    [
        ("ErnieMModel", ""),
        ("ErnieMForSequenceClassification", ""),
        ("ErnieMForQuestionAnswering", ""),
        ("ErnieMForTokenClassification", ""),
        ("ErnieMForSequenceClassification", "erniekit"),
    ],
)
def test_official_names_are_one_to_one_with_the_keys_of_a_class(source_class: str, behavior: str) -> None:
    head = (source_class, behavior)
    rows = [row for row in FAMILY.release.names if row.role != "head" or (row.source_class, row.preset) == head]
    pairs = [(row.stored.fill(v), row.stored.translate(v, row.key)) for row in rows for v in row.stored.expand(12)]
    assert len({stored for stored, _ in pairs}) == len(pairs) == 198 + (2 if source_class != "ErnieMModel" else 0)
    assert {key for _, key in pairs} == keys_of(source_class) and len({key for _, key in pairs}) == len(pairs)


@pytest.mark.parametrize("source_class", ["ErnieMModel", "UIEM", "ErnieMForTokenClassification"])
def test_numbered_kinds_are_the_keys_of_a_class(source_class: str) -> None:
    names = FAMILY.automatic
    parts = {kind.name: kind.parts.values() for kind in names.kinds}
    found = {f"{key.text}.{part}" for kind in names.kinds for key in kind.begin for part in kind.parts.values()}
    found |= {
        f"{key.fill((str(n),))}.{part}"
        for kind in names.kinds
        for key in kind.layer
        for part in kind.parts.values()
        for n in range(12)
    }
    heads = [names.pooler]
    if source_class != "ErnieMModel":
        heads += names.heads[0 if source_class == "UIEM" else 1].keys
    found |= {f"{key}.{part}" for key in heads for part in parts[names.head_kind]}
    assert found == keys_of(source_class)


def test_every_reason_is_a_reason() -> None:
    assert all(row.why and row.stored.text for row in load_left_out())
    assert {head.source_class for head in FAMILY.automatic.heads} <= {*SOURCE_CLASSES, ""}


@pytest.mark.parametrize(
    ("pattern", "name", "values"),
    [
        ("a_{layer}.b", "a_10.b", ("10",)),
        ("a_{layer}.b", "a_010.b", None),
        ("a_{layer}.b", "a_-1.b", None),
        ("a_{layer}.b", "a_1xb", None),
        ("a_{layer}.b", "a_1.b\n", None),
        ("a_{layer}.b", "a_٣.b", None),
        ("a_{layer}.b", "a_1234567890.b", None),
        ("{x,y}_{layer}", "y_0", ("y", "0")),
        ("{x,y}_{layer}", "z_0", None),
        ("{any}_end", "_end", None),
        ("plain", "plain", ()),
        ("plain", "plain.", None),
    ],
)
def test_what_a_pattern_matches(pattern: str, name: str, values: Any) -> None:
    assert Pattern(pattern).match(name) == values
    assert Pattern(pattern).matches(name) == (values is not None)
    if values is not None:
        assert Pattern(pattern).fill(values) == name


def test_choices_are_translated_by_their_place() -> None:
    source, target = Pattern("n_{layer}_{q,k}.{w,b}"), Pattern("l.{layer}.{query,key}.{weight,bias}")
    assert source.fits(target) and source.translate(("7", "k", "w"), target) == "l.7.key.weight"
    assert not source.fits(Pattern("l.{layer}.{query,key,value}.{weight,bias}"))
    assert not source.fits(Pattern("l.{layer}.{query,key}"))
    assert not source.fits(Pattern("l.{other}.{query,key}.{weight,bias}"))


GOOD: dict[str, Any] = {"weight": [], "pooler": [], "head": [], "extra": []}
WEIGHT = {"stored": "a_{x,y}", "key": "b.{x,y}"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"weight": [{**WEIGHT, "kye": "b"}]}, "unknown keys: kye"),
        ({"weight": [{**WEIGHT, "key": "b.{x,y,z}"}]}, "have different placeholders"),
        ({"head": [{**WEIGHT, "class": ["Bert"]}]}, "no class Bert"),
        ({"head": [WEIGHT]}, "a head of no class"),
        ({"extra": [{"stored": "a", "shap": []}]}, "unknown keys: shap"),
        ({"head": [{**WEIGHT, "class": ["UIEM"], "preset": "even"}]}, "no preset even"),
        ({"variable_table": {"writer": "x", "preset": "even"}}, "no preset even"),
        ({"more": []}, "unknown keys: more"),
    ],
)
def test_a_wrong_table_of_official_names(change: Any, said: str) -> None:
    assert build_release({**GOOD, "weight": [WEIGHT]}, SOURCE_CLASSES, ["odd"]).names
    with pytest.raises(TableError, match=said):
        build_release({**GOOD, **change}, SOURCE_CLASSES, ["odd"])


KIND = {"name": "linear", "parts": {"w_0": "weight"}, "begin": [], "layer": ["l.{layer}.q"]}
AUTOMATIC: dict[str, Any] = {
    "suffix": "_{number}",
    "head_kind": "linear",
    "kind": [KIND],
    "pooler": {"key": "p", "shape": ["H", "H"]},
    "head": [],
}
HEAD = {"class": "UIEM", "keys": ["c"], "shapes": [["H", 1]]}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": [{**KIND, "layer": ["q"]}]}, "{layer} belongs into the keys"),
        ({"kind": [{**KIND, "begin": ["q.{layer}"]}]}, "{layer} belongs into the keys"),
        ({"head_kind": "conv"}, "no kind conv"),
        ({"head": [{**HEAD, "class": "Bert"}]}, "no class Bert"),
        ({"head": [{**HEAD, "keys": ["c", "d"]}]}, "2 keys and 1 shapes"),
        ({"head": [{**HEAD, "further": {"conv": ["d"]}}]}, "no kind conv"),
    ],
)
def test_a_wrong_table_of_numbered_names(change: Any, said: str) -> None:
    assert build_automatic({**AUTOMATIC, "head": [HEAD]}, SOURCE_CLASSES).kinds
    with pytest.raises(TableError, match=said):
        build_automatic({**AUTOMATIC, **change}, SOURCE_CLASSES)
