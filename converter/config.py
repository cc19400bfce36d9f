"""What a checkpoint's config says, in one form whichever PaddleNLP wrote it, and checked.

`config.json` is PaddleNLP 2.5 and later (`configuration_utils.py`), `model_config.json` holds the constructor call
of earlier releases (`ernie_m/modeling.py` of 2.4.2).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from converter.errors import Problem

#: PaddleNLP's class names, and those of transformers that differ.
ARCHITECTURES = {
    "ErnieMModel": "ErnieMModel",
    "ErnieMForSequenceClassification": "ErnieMForSequenceClassification",
    "ErnieMForMultipleChoice": "ErnieMForMultipleChoice",
    "ErnieMForTokenClassification": "ErnieMForTokenClassification",
    "ErnieMForQuestionAnswering": "ErnieMForQuestionAnswering",
    "UIEM": "UIEM",
    "ErnieMForInformationExtraction": "UIEM",
}

#: Activations that compute the same in Paddle and PyTorch under this name (MODEL.md, quirk 15).
ACTIVATIONS = ("gelu", "relu", "tanh", "silu", "swish", "mish", "leaky_relu", "relu6", "sigmoid")

#: Fields that hold a size, and what PaddleNLP's constructor takes when it is not given. `num_attention_heads` is
#: there for the constructor calls of model_config.json alone: weights and config.json without it are an error.
SIZES = ("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "max_position_embeddings")
CONSTRUCTOR_SIZES = {
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "max_position_embeddings": 514,
}
CLASS_DEFAULTS: dict[str, Any] = {
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "attention_probs_dropout_prob": 0.1,
    "initializer_range": 0.02,
    "pad_token_id": 1,
}
PROBLEM_TYPES = ("regression", "single_label_classification", "multi_label_classification")
_LARGEST_SIZE = 1 << 31
_MOST_LAYERS = 1000


@dataclass(frozen=True)
class SourceConfig:
    """Facts that the weights do not hold, and sizes that they must agree with. None: the config does not say."""

    file: str = ""
    architecture: str | None = None
    vocab_size: int | None = None
    hidden_size: int | None = None
    num_hidden_layers: int | None = None
    num_attention_heads: int | None = None
    max_position_embeddings: int | None = None
    hidden_act: str = "gelu"
    hidden_dropout_prob: float = 0.1
    attention_probs_dropout_prob: float = 0.1
    initializer_range: float = 0.02
    pad_token_id: int = 1
    classifier_dropout: float | None = None
    num_choices: int | None = None
    problem_type: str | None = None
    #: Label names in the order of their ids. None: PaddleNLP's default, which is two labels.
    labels: tuple[str, ...] | None = None
    dtype: str | None = None
    warnings: tuple[str, ...] = field(default=())


def read_config(data: Mapping[str, Any], file: str) -> tuple[SourceConfig, list[Problem]]:
    """The config that a parsed `config.json` or `model_config.json` holds, with every problem found in it."""
    legacy = "init_class" in data or file == "model_config.json"
    flat, problems = flatten_constructor_call(data, file) if legacy else (dict(data), [])
    if not legacy:
        problems += _check_identity(flat, file)
    config, more = _read_fields(flat, file, legacy)
    return config, problems + more


def _check_identity(flat: dict[str, Any], file: str) -> list[Problem]:
    problems = []
    kind = flat.get("model_type", "ernie_m")
    if kind != "ernie_m":
        problems.append(Problem("E011", f"{file}: model_type is {kind!r}, expected 'ernie_m'. Is this another model?"))
    names = flat.get("architectures")
    if names is not None:
        if not (isinstance(names, list) and len(names) == 1 and isinstance(names[0], str)):
            problems.append(Problem("E012", f"{file}: architectures is {names!r}, expected a list of one class name"))
        else:
            flat["architecture"] = names[0]
    return problems


_POSITIONAL = {
    "ErnieMModel": [
        "vocab_size",
        "hidden_size",
        "num_hidden_layers",
        "num_attention_heads",
        "hidden_act",
        "hidden_dropout_prob",
        "attention_probs_dropout_prob",
        "max_position_embeddings",
        "initializer_range",
        "pad_token_id",
    ],
    "ErnieMForSequenceClassification": ["ernie_m", "num_classes", "dropout"],
    "ErnieMForTokenClassification": ["ernie_m", "num_classes", "dropout"],
    "ErnieMForMultipleChoice": ["ernie_m", "num_choices", "dropout"],
    "ErnieMForQuestionAnswering": ["ernie_m"],
    "UIEM": ["encoder"],
}


def flatten_constructor_call(data: Mapping[str, Any], file: str) -> tuple[dict[str, Any], list[Problem]]:
    """`model_config.json` (a constructor call: nested, positional or by keyword) as one flat dict of fields."""
    call, problem = _bind(data, file)
    if problem:
        return {}, [problem]
    encoder = call.pop("ernie_m", None) or call.pop("encoder", None)
    flat: dict[str, Any] = {"architecture": call.pop("init_class")}
    if encoder is not None:
        if not isinstance(encoder, Mapping):
            return flat, [Problem("E013", f"{file}: the encoder's arguments are {encoder!r:.60}, expected an object")]
        inner, problem = _bind({"init_class": "ErnieMModel", **encoder}, file)
        if problem:
            return flat, [problem]
        flat.update(inner, architecture=flat["architecture"])
        flat.pop("init_class")
    names = {"num_classes": "num_labels", "dropout": "classifier_dropout"}
    flat.update({names.get(key, key): value for key, value in call.items()})
    return flat, []


def _bind(data: Mapping[str, Any], file: str) -> tuple[dict[str, Any], Problem | None]:
    """Positional arguments given their names, as Python would."""
    call = dict(data)
    name, arguments = call.get("init_class"), call.pop("init_args", [])
    if not isinstance(name, str) or not isinstance(arguments, list):
        return {}, Problem("E013", f"{file}: init_class must be a class name and init_args a list")
    positions = _POSITIONAL.get(ARCHITECTURES.get(name, name))
    if positions is None:
        return {}, _unknown_architecture(name, file)
    if len(arguments) > len(positions):
        return {}, Problem(
            "E013", f"{file}: {name} takes {len(positions)} positional arguments, found {len(arguments)}"
        )
    for position, value in zip(positions, arguments):
        if position in call:
            return {}, Problem("E013", f"{file}: {position} is given twice, by position and by name")
        call[position] = value
    return call, None


def _unknown_architecture(name: object, file: str) -> Problem:
    return Problem("E012", f"{file}: the class is {name!r}; known are {', '.join(ARCHITECTURES)}")


def _read_fields(flat: Mapping[str, Any], file: str, legacy: bool) -> tuple[SourceConfig, list[Problem]]:
    problems: list[Problem] = []
    warnings: list[str] = []
    values: dict[str, Any] = {}

    def wrong(name: str, expected: str) -> None:
        problems.append(Problem("E014", f"{file}: {name} is {flat[name]!r:.80}, expected {expected}"))

    for name in (*SIZES, "num_choices"):
        value = flat.get(name)
        if value is None:
            continue
        most = _MOST_LAYERS if name == "num_hidden_layers" else _LARGEST_SIZE
        if type(value) is int and 0 < value <= most:
            values[name] = value
        else:
            wrong(name, f"a whole number from 1 to {most}")
    for name in ("hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout"):
        value = flat.get(name)
        if value is not None:
            if type(value) in (int, float) and 0 <= value <= 1:
                values[name] = float(value)
            else:
                wrong(name, "a probability")
    if flat.get("initializer_range") is not None:
        value = flat["initializer_range"]
        if type(value) in (int, float) and 0 <= value < float("inf"):
            values["initializer_range"] = float(value)
        else:
            wrong("initializer_range", "a number of 0 or more")
    if flat.get("pad_token_id") is not None:
        value = flat["pad_token_id"]
        if type(value) is int and 0 <= value < values.get("vocab_size", _LARGEST_SIZE):
            values["pad_token_id"] = value
        else:
            wrong("pad_token_id", "an id of the vocabulary")
    if flat.get("hidden_act") is not None:
        if flat["hidden_act"] in ACTIVATIONS:
            values["hidden_act"] = flat["hidden_act"]
        else:
            wrong("hidden_act", f"one of {', '.join(ACTIVATIONS)}")
    if isinstance(flat.get("dtype"), str):
        values["dtype"] = flat["dtype"]
    if flat.get("problem_type") is not None:
        if flat["problem_type"] in PROBLEM_TYPES:
            values["problem_type"] = flat["problem_type"]
        else:
            wrong("problem_type", f"one of {', '.join(PROBLEM_TYPES)}")
    if flat.get("architecture") is not None:
        name = flat["architecture"]
        if isinstance(name, str) and name in ARCHITECTURES:
            values["architecture"] = ARCHITECTURES[name]
        else:
            problems.append(_unknown_architecture(name, file))
    labels, label_problems = read_labels(flat, file)
    values["labels"] = labels
    problems += label_problems
    if legacy:
        _take_defaults(CONSTRUCTOR_SIZES, flat, values, file, warnings)
    _take_defaults(CLASS_DEFAULTS, flat, values, file, warnings)
    _check_heads(values, file, problems)
    return SourceConfig(file=file, warnings=tuple(warnings), **values), problems


def _take_defaults(
    defaults: Mapping[str, Any], flat: Mapping[str, Any], values: dict[str, Any], file: str, warnings: list[str]
) -> None:
    taken = [name for name in defaults if flat.get(name) is None]
    values.update({name: defaults[name] for name in taken})
    if taken:
        said = ", ".join(f"{name}={defaults[name]}" for name in taken)
        warnings.append(f"{file} does not give {', '.join(taken)}: PaddleNLP's class defaults are taken ({said})")


def _check_heads(values: Mapping[str, Any], file: str, problems: list[Problem]) -> None:
    hidden, heads = values.get("hidden_size"), values.get("num_attention_heads")
    if hidden and heads and hidden % heads:
        problems.append(
            Problem("E015", f"{file}: hidden_size {hidden} does not divide into num_attention_heads {heads}")
        )


def read_labels(flat: Mapping[str, Any], file: str) -> tuple[tuple[str, ...] | None, list[Problem]]:
    """Label names in order of their ids, from `id2label`, else LABEL_i for `num_labels`, else None."""
    table, count = flat.get("id2label"), flat.get("num_labels")
    if table is None:
        if count is None:
            return None, []
        if type(count) is not int or not 0 < count <= 1 << 20:
            return None, [Problem("E014", f"{file}: num_labels is {count!r:.40}, expected a whole number over 0")]
        return tuple(f"LABEL_{index}" for index in range(count)), []
    names = [table.get(str(index)) for index in range(len(table))] if isinstance(table, Mapping) else []
    if not names or not all(isinstance(name, str) for name in names):
        return None, [Problem("E016", f"{file}: id2label must give a name to each of 0, 1, 2, ... and to nothing else")]
    problems = []
    reverse = flat.get("label2id")
    if reverse is not None and reverse != {name: index for index, name in enumerate(names)}:
        problems.append(Problem("E016", f"{file}: label2id is not the reverse of id2label. Which of the two is right?"))
    if count is not None and count != len(names):
        problems.append(Problem("E016", f"{file}: num_labels is {count!r:.40}, id2label has {len(names)} names"))
    return tuple(str(name) for name in names), problems


def with_options(
    config: SourceConfig, architecture: str | None, num_attention_heads: int | None
) -> tuple[SourceConfig, list[Problem]]:
    """The config with what the user said on the command line, which wins; a difference is warned of."""
    problems: list[Problem] = []
    changed: dict[str, Any] = {}
    if architecture is not None:
        if architecture not in ARCHITECTURES:
            problems.append(_unknown_architecture(architecture, "--architecture"))
        else:
            changed["architecture"] = ARCHITECTURES[architecture]
    if num_attention_heads is not None:
        changed["num_attention_heads"] = num_attention_heads
    warnings = list(config.warnings)
    for name, value in changed.items():
        said = getattr(config, name)
        if said is not None and said != value:
            warnings.append(f"{config.file} says {name} {said}; the option says {value}, which is taken")
    return replace(config, warnings=tuple(warnings), **changed), problems
