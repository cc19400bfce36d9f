"""Fields as PaddleNLP 2.8.1 reads them (tried there, one by one): aliases, labels, dtypes, and what nobody reads."""

from __future__ import annotations

from typing import Any

import pytest

from converter.open.config.config import read_config as read_config_of
from mappings import load_family
from mappings.config_fields import build_config_fields
from mappings.toml_files import TableError


def read_config(data: Any, file: str, **options: bool) -> Any:
    return read_config_of(data, file, load_family("ernie_m"), **options)


GOOD: dict[str, Any] = {
    "architectures": ["ErnieMForSequenceClassification"],
    "model_type": "ernie_m",
    "vocab_size": 60,
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "max_position_embeddings": 20,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "attention_probs_dropout_prob": 0.1,
    "initializer_range": 0.02,
    "pad_token_id": 1,
    "type_vocab_size": 16,
    "intermediate_size": 3072,
    "paddlenlp_version": None,
}
THREE = ("LABEL_0", "LABEL_1", "LABEL_2")


def read(**fields: Any) -> Any:
    config, problems = read_config({**GOOD, **fields}, "config.json")
    assert problems == []
    return config


def refuse(code: str, *, of_transformers: bool = False, **fields: Any) -> str:
    """The one problem of a config with these fields, which has this code."""
    _, problems = read_config({**GOOD, **fields}, "config.json", of_transformers=of_transformers)
    assert [problem.code for problem in problems] == [code]
    return problems[0].text


def test_an_ordinary_config_needs_no_warning() -> None:
    assert read().warnings == ()


@pytest.mark.parametrize(
    ("fields", "labels", "warned"),
    [
        ({"num_classes": 3}, THREE, ""),
        ({"num_classes": 3, "num_labels": 3}, THREE, ""),
        ({"num_classes": 3, "num_labels": 2}, THREE, "the alias wins"),
        ({"num_classes": 0, "num_labels": 3}, THREE, "num_labels 3 is taken"),
        ({"num_classes": None, "num_labels": 3}, THREE, ""),
        ({"num_classes": 3, "id2label": {"0": "a", "1": "b", "2": "c"}}, ("a", "b", "c"), ""),
    ],
)
def test_num_classes_is_num_labels_under_another_name(fields: Any, labels: Any, warned: str) -> None:
    config = read(**fields)
    assert config.labels == labels
    assert warned in "".join(config.warnings) and bool(config.warnings) == bool(warned)


@pytest.mark.parametrize(
    ("fields", "dropout", "warned"),
    [
        ({"dropout": 0.5}, 0.5, ""),
        ({"dropout": 0.5, "classifier_dropout": 0.2}, 0.5, "the alias wins"),
        ({"dropout": 0.0, "classifier_dropout": 0.2}, 0.2, "classifier_dropout 0.2 is taken"),
        ({"dropout": 0.0}, None, "nothing is taken"),
        ({"dropout": None, "classifier_dropout": 0.2}, 0.2, ""),
        ({"classifier_dropout": 0.0}, 0.0, ""),
    ],
)
def test_dropout_is_classifier_dropout_under_another_name(fields: Any, dropout: Any, warned: str) -> None:
    config = read(**fields)
    assert config.get("classifier_dropout") == dropout
    assert warned in "".join(config.warnings) and bool(config.warnings) == bool(warned)


def test_a_wrong_value_is_named_by_the_name_that_the_file_has() -> None:
    assert "num_classes is '3'" in refuse("E014", num_classes="3")
    assert "dropout is 7, expected a probability" in refuse("E014", dropout=7)
    assert "num_classes is 5, id2label has 2 names" in refuse("E016", num_classes=5, id2label={"0": "a", "1": "b"})


def test_the_port_has_one_of_the_two_aliases() -> None:
    """transformers 4.57.6: the constructor of its class overwrites what `dropout` set."""
    port = {**GOOD, "num_classes": 3, "dropout": 0.5}
    config, problems = read_config(port, "config.json", of_transformers=True)
    assert (problems, config.labels, config.get("classifier_dropout")) == ([], THREE, None)
    assert any("dropout (0.5)" in warning and "not carried over" in warning for warning in config.warnings)


def test_a_constructor_call_keeps_a_dropout_of_nothing() -> None:
    call = {"ernie_m": {"vocab_size": 9}, "num_classes": 3, "dropout": 0.0}
    config, problems = read_config({**call, "init_class": "ErnieMForSequenceClassification"}, "model_config.json")
    assert (problems, config.labels, config.get("classifier_dropout")) == ([], THREE, 0.0)


@pytest.mark.parametrize(
    ("names", "written"),
    [
        ([0, 1, 2], ("0", "1", "2")),
        ([-1, 0.5, "neutral"], ("-1", "0.5", "neutral")),
        ([True, False, None], ("True", "False", "None")),
    ],
)
def test_label_names_that_are_no_texts_are_written_as_texts(names: list[Any], written: Any) -> None:
    config = read(id2label={str(index): name for index, name in enumerate(names)})
    assert config.labels == written
    assert any("no texts" in warning and written[0] in warning for warning in config.warnings)


def test_label2id_may_spell_such_a_name_as_python_or_as_json() -> None:
    for keys in (("True", "None", "2"), ("true", "null", "2")):
        reverse = {key: index for index, key in enumerate(keys)}
        assert read(id2label={"0": True, "1": None, "2": 2}, label2id=reverse).labels == ("True", "None", "2")


@pytest.mark.parametrize("name", [["B-PER"], {"name": "a"}])
def test_a_label_name_that_has_no_text_is_another_fault_than_wrong_ids(name: Any) -> None:
    text = refuse("E017", id2label={"0": "a", "1": name})
    assert "name of 1" in text and "expected a text" in text
    text = refuse("E016", id2label={"0": "a", "2": "b"})
    assert "its ids are 0, 2" in text


@pytest.mark.parametrize("ids", [("0", "1", "2"), (0, 1, 2), ("2", "0", "1"), ("00", " 1", "+2")])
def test_ids_of_labels_may_be_numbers_or_texts_in_any_order(ids: Any) -> None:
    assert read(id2label={key: f"name {int(key)}" for key in ids}).labels == ("name 0", "name 1", "name 2")


@pytest.mark.parametrize("ids", [("0", "0.0"), ("0", "one"), ("1", "2"), ("0", "00"), ("-1", "0"), ("0", "1_")])
def test_other_ids_are_named(ids: Any) -> None:
    assert ids[1] in refuse("E016", id2label={key: "a" for key in ids})


def test_label2id_may_hold_its_ids_as_texts() -> None:
    names = {"0": "no", "1": "yes"}
    assert read(id2label=names, label2id={"no": "0", "yes": "1"}).labels == ("no", "yes")
    assert read(label2id={"yes": "1", "no": "0"}).labels == ("no", "yes")
    assert "not the reverse" in refuse("E016", id2label=names, label2id={"no": "1", "yes": "0"})
    assert "not the reverse" in refuse("E016", id2label=names, label2id={"no": "0", "yes": "one"})


@pytest.mark.parametrize(
    ("fields", "dtype"),
    [
        ({}, None),
        ({"dtype": None}, None),
        ({"dtype": ""}, None),
        ({"dtype": "float16"}, "float16"),
        ({"dtype": "float64"}, "float64"),
        ({"torch_dtype": "bfloat16"}, "bfloat16"),
        ({"torch_dtype": None, "dtype": "float16"}, "float16"),
        ({"torch_dtype": "float16", "dtype": "float32"}, "float32"),
        ({"torch_dtype": "float16", "dtype": None}, None),
    ],
)
def test_the_dtype_is_the_one_that_paddlenlp_loads_in(fields: Any, dtype: str | None) -> None:
    config = read(**fields)
    assert config.dtype == dtype
    assert bool(config.warnings) == (bool(fields.get("torch_dtype")) and "dtype" in fields)


@pytest.mark.parametrize("value", ["fp16", "half", "auto", "int8", "paddle.float32", 16, ["float16"]])
def test_a_dtype_that_paddlenlp_has_not_is_named(value: Any) -> None:
    assert "expected one of float16, bfloat16, float32, float64" in refuse("E019", dtype=value)
    assert "torch_dtype is" in refuse("E019", torch_dtype=value)


def test_the_port_is_loaded_in_float32_whatever_its_config_says() -> None:
    """transformers 4.57.6: from_pretrained takes no dtype from the config unless it is asked to."""
    config, problems = read_config({**GOOD, "torch_dtype": "float16"}, "config.json", of_transformers=True)
    assert (problems, config.dtype) == ([], None)


def test_a_field_that_nobody_reads_is_warned_of_with_its_value() -> None:
    (warning,) = read(hidden_activation="relu", layer_norm_eps=0.01, use_cache=True, return_dict=True).warnings
    assert "hidden_activation ('relu'), layer_norm_eps (0.01)" in warning
    assert "use_cache" not in warning and "return_dict" not in warning


def test_many_such_fields_make_one_line() -> None:
    (warning,) = read(**{f"field_{number}": number for number in range(12)}).warnings
    assert "field_7 (7) and 4 more" in warning and "field_8" not in warning


def test_values_decide_whether_a_field_is_worth_a_word() -> None:
    assert read(pruned_heads={}, use_sent_id=False).warnings == ()
    assert "pruned_heads" in read(pruned_heads={"0": [1]}).warnings[0]
    assert "use_sent_id" in read(use_sent_id=True).warnings[0]
    assert "use_sent_id" in read(use_sent_id=0).warnings[0]


def test_fields_with_which_another_model_is_meant_are_refused() -> None:
    assert "quantizes" in refuse("E018", quantization_config={"weight_quantize_algo": "weight_only_int8"})
    assert "merge_tensor_parallel" in refuse("E018", tensor_parallel_degree=2)
    assert "is_decoder is True" in refuse("E018", of_transformers=True, is_decoder=True)
    assert "quantized" in refuse("E018", of_transformers=True, quantization_config={"quant_method": "gptq"})


def test_the_same_fields_are_harmless_where_they_mean_nothing() -> None:
    harmless = {"quantization_config": {"quant_type": None, "shift": False}, "tensor_parallel_degree": 1}
    assert read(**harmless, is_decoder=True).warnings == ()
    assert read(quantization_config={}).warnings == ()
    assert read(quantization_config=None, tensor_parallel_degree=-1).warnings == ()


def test_what_the_port_reads_is_not_warned_of_beside_its_weights() -> None:
    port = {**GOOD, "layer_norm_eps": 1e-6, "act_dropout": 0.25, "transformers_version": "4.57.6", "dtype": "float32"}
    config, problems = read_config({**port, "output_attentions": True}, "config.json", of_transformers=True)
    assert problems == []
    (warning,) = config.warnings
    assert warning.endswith(": output_attentions (True)")


@pytest.mark.parametrize("writer", ["paddlenlp", "constructor call", "release", "erniekit", "transformers"])
def test_the_table_of_fields_is_whole_for_every_writer(writer: str) -> None:
    rules = load_family("ernie_m").config_fields[writer]
    assert rules.left_out and all(row.why and row.advice for row in rules.refused)
    assert not set(rules.left_out) & {"hidden_size", "hidden_act", "dropout", "num_classes", "id2label", "dtype"}


@pytest.mark.parametrize(
    "change",
    [
        {"alias": [{"writer": "nobody", "falsy": "taken", "names": {}}]},
        {"alias": [{"writer": "paddlenlp", "falsy": "perhaps", "names": {}}]},
        {"left_out": [{"fields": ["a"], "why": "", "writer": ["paddlenlp"]}]},
        {"refused": [{"field": "a", "harmless": [], "why": "", "advice": "", "writers": ["me"]}]},
        {"fixed": [{"field": "a", "values": [1]}]},
        {"others": []},
    ],
)
def test_a_wrong_table_of_fields_is_refused(change: Any) -> None:
    with pytest.raises(TableError):
        build_config_fields({"alias": [], "left_out": [], "refused": [], **change}, "paddlenlp")
