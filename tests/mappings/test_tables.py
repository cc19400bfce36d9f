"""The tables hold what they promise, proved from the data itself and from the real classes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mappings import OPERATIONS, all_families, expand, load_family, load_table, matches_row
from tests.support.classes import ERNIE_CLASSES, ERNIE_M_CLASSES, SOURCE_CLASSES
from tests.support.models import parameters_of, stock_parameters

SIZES = {
    "vocab_size": 60,
    "max_position_embeddings": 20,
    "hidden_size": 16,
    "intermediate_size": 64,
    "num_hidden_layers": 3,
    "num_labels": 5,
    "type_vocab_size": 4,
    "task_type_vocab_size": 3,
    "embedding_size": 16,
}
CLASSES = tuple(entry.source for family in all_families() for entry in family.classes)
EVERY_SCHEME = [(name, scheme) for name in CLASSES for scheme in load_table(name).schemes]
IDS = [f"{name}-{scheme.name}" for name, scheme in EVERY_SCHEME]


@pytest.mark.parametrize(("name", "scheme"), EVERY_SCHEME, ids=IDS)
def test_every_source_is_used_once_or_dropped_with_a_reason(name: str, scheme: Any) -> None:
    mapped = expand(load_table(name), scheme, SIZES)
    assert len({entry.source for entry in mapped}) == len(mapped)
    for entry in mapped:
        assert bool(entry.target) != bool(entry.drop)
        assert entry.op in OPERATIONS


@pytest.mark.parametrize(("name", "scheme"), EVERY_SCHEME, ids=IDS)
def test_every_target_is_a_parameter_of_the_class_and_none_is_left_over(name: str, scheme: Any) -> None:
    table = load_table(name)
    made = {entry.target: entry.target_shape for entry in expand(table, scheme, SIZES) if entry.target}
    if name in ERNIE_M_CLASSES:
        assert made == parameters_of("ernie_m", table.target_class, SIZES)
        return
    family = load_family(table.family)
    parameters = stock_parameters(family, table.target_class, SIZES)
    # A masked-LM folder keeps the pooling layer, which AutoModel loads.
    kept = {f"{family.backbone}.pooler.dense.{part}" for part in ("weight", "bias")}
    aside = kept if family.class_named(name).head == "masked" else set()  # type: ignore[union-attr]
    assert {target: shape for target, shape in made.items() if target not in aside} == parameters


# Of ERNIE-Gram, SKEP and ERNIE-Health test_like.py compares the names with those of the family that they are like.
@pytest.mark.parametrize("name", SOURCE_CLASSES)
def test_every_source_is_a_parameter_of_paddle_class(name: str, paddle_parameters: dict[str, Any]) -> None:
    table = load_table(name)
    sizes = {**SIZES, "num_labels": 2}
    mapped = {entry.source: list(entry.source_shape) for entry in expand(table, table.schemes[0], sizes)}
    # Names of earlier versions.
    earlier = {f"cls.predictions.{name}" for name in ("layer_norm.scale", "decoder_weight")}
    earlier |= {f"lm_head.decoder.{name}" for name in ("weight", "bias")}  # tied, and no parameters there
    assert {name: shape for name, shape in mapped.items() if name not in earlier} == paddle_parameters[name]


@pytest.fixture(scope="module")
def paddle_parameters(run_paddle: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    import json

    path = tmp_path_factory.mktemp("parameters") / "parameters.json"
    run_paddle(
        "class_parameters.py",
        path,
        *(f"{key}={value}" for key, value in SIZES.items() if key not in ("num_labels", "embedding_size")),
    )
    names: dict[str, Any] = json.loads(path.read_text())
    return names


def test_transposed_are_exactly_the_weights_of_linear_layers() -> None:
    """By name, for the square ones would pass any check of shapes."""
    linear = (
        "q_proj",
        "k_proj",
        "v_proj",
        "out_proj",
        "linear1",
        "linear2",
        "dense",
        "classifier",
        "linear_start",
        "linear_end",
        *("transform", "seq_relationship", "dense_prediction", "summary"),
    )
    for name, scheme in EVERY_SCHEME:
        for entry in expand(load_table(name), scheme, SIZES):
            module, kind = f".{entry.source}".rsplit(".", 2)[-2:]
            if entry.drop:
                continue
            is_linear = kind == "weight" and module in linear
            assert (entry.op == "transpose") == (is_linear and not scheme.identity), entry.source


def test_heads_on_tokens_drop_their_pooler_and_no_others_do() -> None:
    for name, scheme in EVERY_SCHEME:
        if name not in ERNIE_M_CLASSES:
            continue
        mapped = expand(load_table(name), scheme, SIZES)
        dropped = [entry.source for entry in mapped if entry.drop and not entry.same_as]
        expected = name in ("ErnieMForQuestionAnswering", "ErnieMForTokenClassification", "ErnieMForMaskedLM")
        assert dropped == (["ernie_m.pooler.dense.weight", "ernie_m.pooler.dense.bias"] if expected else [])


@pytest.mark.parametrize("name", ERNIE_CLASSES)
def test_ernie_drops_the_pooler_of_the_same_two_heads_and_copies(name: str) -> None:
    table = load_table(name)
    dropped = [entry.source for entry in expand(table, table.schemes[0], SIZES) if entry.drop and not entry.same_as]
    expected = name in ("ErnieForQuestionAnswering", "ErnieForTokenClassification")
    assert dropped == (["ernie.pooler.dense.weight", "ernie.pooler.dense.bias"] if expected else [])


def test_operations_on_a_numbered_matrix_and_back() -> None:
    matrix = np.array([[11, 12, 13], [21, 22, 23]], "<f4")
    transposed = OPERATIONS["transpose"].apply(matrix)
    assert transposed.tolist() == [[11, 21], [12, 22], [13, 23]]
    assert OPERATIONS["keep"].apply(matrix).tolist() == [[11, 12, 13], [21, 22, 23]]
    for operation in OPERATIONS.values():
        there = operation.apply(matrix)
        assert there.shape == operation.target_shape(matrix.shape)
        assert operation.invert(there).tolist() == matrix.tolist()


def test_a_name_out_of_range_is_known_and_a_stranger_is_not() -> None:
    table = load_table("ErnieMModel")
    scheme = table.schemes[0]
    assert matches_row("encoder.layers.12.norm1.bias", table, scheme)
    assert not matches_row("encoder.layers.12.norm3.bias", table, scheme)
    assert not matches_row("encoder.layers.-1.norm1.bias", table, scheme)
    assert not matches_row("encoder.layers.1.norm1.bias.extra", table, scheme)


def test_rows_are_frozen() -> None:
    with pytest.raises(AttributeError):
        load_table("ErnieMModel").backbone[0].op = "keep"  # type: ignore[misc]
