"""What a config may contain, and each invalid form."""

from __future__ import annotations

from typing import Any

import pytest

from converter.open.config.config import SourceConfig, silent_config, with_options
from converter.open.config.config import read_config as read_config_of
from mappings import load_family

GOOD: dict[str, Any] = {
    "architectures": ["ErnieMForSequenceClassification"],
    "model_type": "ernie_m",
    "vocab_size": 60,
    "hidden_size": 16,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "max_position_embeddings": 20,
    "hidden_act": "relu",
    "hidden_dropout_prob": 0.2,
    "attention_probs_dropout_prob": 0.3,
    "initializer_range": 0.05,
    "pad_token_id": 1,
    "id2label": {"0": "no", "1": "yes", "2": "maybe"},
    "label2id": {"no": 0, "yes": 1, "maybe": 2},
    "intermediate_size": 3072,
    "paddlenlp_version": None,
}
FAMILY = load_family("ernie_m")
SIZES = {"vocab_size": 60, "hidden_size": 16, "num_hidden_layers": 3, "num_attention_heads": 4}


def read_config(data: Any, file: str, **options: bool) -> Any:
    return read_config_of(data, file, FAMILY, **options)


def test_a_config_json_is_read_whole() -> None:
    config, problems = read_config(GOOD, "config.json")
    assert problems == []
    values = {
        "vocab_size": 60,
        "hidden_size": 16,
        "num_hidden_layers": 3,
        "num_attention_heads": 4,
        "max_position_embeddings": 20,
        "hidden_act": "relu",
        "hidden_dropout_prob": 0.2,
        "attention_probs_dropout_prob": 0.3,
        "classifier_dropout": None,
        "initializer_range": 0.05,
        "pad_token_id": 1,
        "num_choices": None,
        "problem_type": None,
        "layer_norm_eps": None,
        "act_dropout": None,
    }
    assert config == SourceConfig(
        FAMILY,
        file="config.json",
        kind="paddlenlp",
        architecture="ErnieMForSequenceClassification",
        values=values,
        labels=("no", "yes", "maybe"),
    )


@pytest.mark.parametrize(
    ("change", "code", "said"),
    [
        ({"hidden_size": "16"}, "E014", "hidden_size is '16'"),
        ({"hidden_size": True}, "E014", "hidden_size is True"),
        ({"hidden_size": -16}, "E014", "hidden_size is -16"),
        ({"num_hidden_layers": 10**9}, "E014", "num_hidden_layers is 1000000000"),
        ({"num_attention_heads": 5}, "E015", "does not divide"),
        ({"hidden_act": "gelu_new"}, "E014", "hidden_act is 'gelu_new', expected one of gelu, relu"),
        ({"hidden_act": ["gelu"]}, "E014", "hidden_act"),
        ({"hidden_dropout_prob": 1.5}, "E014", "expected a probability"),
        ({"initializer_range": float("nan")}, "E014", "initializer_range"),
        ({"problem_type": "bogus"}, "E014", "problem_type is 'bogus', expected one of regression"),
        ({"pad_token_id": 60}, "E014", "pad_token_id is 60"),
        ({"architectures": ["BertModel"]}, "E012", "BertModel"),
        ({"architectures": []}, "E012", "architectures is []"),
        ({"model_type": "bert"}, "E011", "model_type is 'bert'"),
        ({"id2label": {"0": "no", "2": "yes"}}, "E016", "id2label"),
        ({"id2label": {}}, "E016", "id2label"),
        ({"id2label": ["no", "yes"]}, "E016", "id2label"),
        ({"label2id": {"no": 1, "yes": 0, "maybe": 2}}, "E016", "not the reverse"),
        ({"num_labels": 2}, "E016", "num_labels is 2, id2label has 3"),
    ],
)
def test_a_wrong_value_is_named(change: dict[str, Any], code: str, said: str) -> None:
    _, problems = read_config({**GOOD, **change}, "config.json")
    assert [problem.code for problem in problems] == [code]
    assert said in str(problems[0])


def test_all_problems_are_reported_at_once() -> None:
    _, problems = read_config({**GOOD, "hidden_size": 0, "hidden_act": "x", "architectures": ["X"]}, "config.json")
    assert [problem.code for problem in problems] == ["E014", "E014", "E012"]


def test_class_defaults_are_taken_with_a_warning_but_not_the_number_of_heads() -> None:
    config, problems = read_config({"architectures": ["ErnieMModel"], "model_type": "ernie_m"}, "config.json")
    assert problems == []
    assert config.get("num_attention_heads") is None
    assert config.get("hidden_act") == "gelu"
    assert "hidden_act" in config.warnings[0]


CONSTRUCTORS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("base", {**SIZES, "init_class": "ErnieMModel"}, {"architecture": "ErnieMModel", "max_position_embeddings": 514}),
    ("positional base", {"init_args": [60, 16, 3, 4, "tanh"], "init_class": "ErnieMModel"}, {"hidden_act": "tanh"}),
    (
        "nested",
        {
            "init_args": [{**SIZES, "init_class": "ErnieMModel"}],
            "num_classes": 3,
            "init_class": "ErnieMForSequenceClassification",
        },
        {"labels": ("LABEL_0", "LABEL_1", "LABEL_2"), "architecture": "ErnieMForSequenceClassification"},
    ),
    (
        "positional head",
        {"init_args": [{**SIZES, "init_class": "ErnieMModel"}, 3, 0.2], "init_class": "ErnieMForTokenClassification"},
        {"labels": ("LABEL_0", "LABEL_1", "LABEL_2"), "classifier_dropout": 0.2},
    ),
    (
        "keyword head",
        {"ernie_m": {**SIZES, "init_class": "ErnieMModel"}, "num_choices": 4, "init_class": "ErnieMForMultipleChoice"},
        {"num_choices": 4, "labels": None},
    ),
    ("uiem", {"init_args": [{**SIZES, "init_class": "ErnieMModel"}], "init_class": "UIEM"}, {"architecture": "UIEM"}),
]


@pytest.mark.parametrize(("name", "data", "expected"), CONSTRUCTORS, ids=[case[0] for case in CONSTRUCTORS])
def test_a_constructor_call_is_read_as_python_binds_it(name: str, data: Any, expected: dict[str, Any]) -> None:
    config, problems = read_config(data, "model_config.json")
    assert problems == []
    found = {**config.values, "architecture": config.architecture, "labels": config.labels}
    for field, value in {**SIZES, **expected}.items():
        assert found[field] == value


@pytest.mark.parametrize(
    "data",
    [
        {"init_class": 5},
        {"init_class": "BertModel"},
        {"init_class": "ErnieMModel", "init_args": {"a": 1}},
        {"init_class": "ErnieMModel", "init_args": list(range(20))},
        {"init_class": "ErnieMModel", "init_args": [60], "vocab_size": 60},
        {"init_class": "UIEM", "init_args": ["x"]},
    ],
)
def test_a_wrong_constructor_call_is_refused(data: Any) -> None:
    _, problems = read_config(data, "model_config.json")
    assert problems and problems[0].code in ("E012", "E013")


def test_an_option_wins_over_the_config_and_says_so() -> None:
    config, problems = with_options(
        SourceConfig(FAMILY, file="config.json", values={"num_attention_heads": 4}), "UIEM", 8
    )
    assert problems == []
    assert (config.architecture, config.get("num_attention_heads")) == ("UIEM", 8)
    assert config.warnings == ("config.json has num_attention_heads 4; the option 8 is taken",)


def test_both_libraries_names_of_a_class_are_known() -> None:
    config, problems = with_options(silent_config(FAMILY), "ErnieMForInformationExtraction", None)
    assert (config.architecture, problems) == ("UIEM", [])
    _, problems = with_options(silent_config(FAMILY), "Bert", None)
    assert all(name in str(problems[0]) for name in FAMILY.class_names)


RELEASE: dict[str, Any] = {
    "attention_probs_dropout_prob": 0.1,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "hidden_size": 16,
    "initializer_range": 0.02,
    "max_position_embeddings": 20,
    "num_attention_heads": 4,
    "num_hidden_layers": 3,
    "vocab_size": 60,
}


def test_the_releases_config_names_no_class_no_labels_and_no_padding_and_needs_no_warning() -> None:
    config, problems = read_config(RELEASE, "ernie_config.json")
    assert (problems, config.warnings, config.kind) == ([], (), "release")
    assert (config.architecture, config.labels, config.get("pad_token_id")) == (None, None, 1)
    assert (config.get("num_attention_heads"), config.get("vocab_size")) == (4, 60)


def test_the_releases_config_without_heads_gets_none() -> None:
    config, _ = read_config({**RELEASE, "num_attention_heads": None}, "ernie_config.json")
    assert config.get("num_attention_heads") is None


def test_heads_have_a_default_in_a_constructor_call_and_never_in_a_config_json() -> None:
    call = {"vocab_size": 60, "hidden_size": 24, "init_class": "ErnieMModel"}
    config, problems = read_config(call, "model_config.json")
    assert (problems, config.get("num_attention_heads")) == ([], 12)
    assert "num_attention_heads=12" in config.warnings[0]
    config, problems = read_config(call, "config.json")
    assert (problems, config.get("num_attention_heads")) == ([], None)
    config, problems = read_config({"vocab_size": 60, "hidden_size": 24}, "model_config.json")
    assert problems[0].code == "E013"


def test_labels_come_from_label2id_where_it_stands_alone() -> None:
    config, problems = read_config({**GOOD, "id2label": None, "label2id": {"yes": 1, "no": 0}}, "config.json")
    assert (problems, config.labels) == ([], ("no", "yes"))
    assert "labels are taken from it" in config.warnings[0]


@pytest.mark.parametrize("table", [{"no": 0, "yes": 2}, {"no": 0, "yes": 0}, {}, ["no"], {"no": "1"}, {"no": True}])
def test_a_label2id_alone_that_says_nothing_clear_is_named(table: Any) -> None:
    _, problems = read_config({**GOOD, "id2label": None, "label2id": table}, "config.json")
    assert [problem.code for problem in problems] == ["E016"] and "no id2label" in str(problems[0])


def test_the_ports_own_fields_are_read_beside_its_weights_alone() -> None:
    port = {**GOOD, "layer_norm_eps": 1e-6, "act_dropout": 0.25, "transformers_version": "4.57.6"}
    config, problems = read_config(port, "config.json", of_transformers=True)
    assert (problems, config.kind, config.get("layer_norm_eps"), config.get("act_dropout")) == (
        [],
        "transformers",
        1e-6,
        0.25,
    )
    config, _ = read_config(port, "config.json")
    assert (config.kind, config.get("layer_norm_eps"), config.get("act_dropout")) == ("paddlenlp", None, None)


def test_what_the_ports_class_takes_for_itself_is_taken() -> None:
    config, _ = read_config({**GOOD, "act_dropout": None}, "config.json", of_transformers=True)
    assert (config.get("layer_norm_eps"), config.get("act_dropout")) == (
        1e-05,
        0.2,
    )  # None means hidden_dropout_prob there
    assert "layer_norm_eps" in config.warnings[0] and "transformers' class defaults" in config.warnings[0]


@pytest.mark.parametrize("field", [{"position_embedding_type": "relative_key"}, {"pruned_heads": {"0": [1]}}])
def test_what_only_the_port_can_compute_is_refused(field: dict[str, Any]) -> None:
    _, problems = read_config({**GOOD, **field}, "config.json", of_transformers=True)
    assert [problem.code for problem in problems] == ["E014"] and next(iter(field)) in str(problems[0])
