"""What a checkpoint's config says, in one form whoever wrote it, and checked.

`config.json` is PaddleNLP 2.5 and later (`configuration_utils.py`), or transformers 4's ErnieM;
`model_config.json` holds the constructor call of earlier PaddleNLP (`ernie_m/modeling.py` of 2.4.2);
`ernie_config.json` is the 2021 release's, `ernie_m_1.0_base_config.json` ERNIEKit's: they name no class and no labels.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Callable

from converter.common.errors import Problem
from converter.open.config.config_fields import read_dtype, refuse_fields, resolve_aliases, warn_of_unread
from converter.open.config.constructor_call import ARCHITECTURES, flatten_constructor_call, unknown_architecture
from converter.open.config.labels import read_labels
from mappings.config_fields import load_config_fields

#: Activations that compute the same in Paddle and PyTorch under this name (MODEL.md, quirk 15).
ACTIVATIONS = ("gelu", "relu", "tanh", "silu", "swish", "mish", "leaky_relu", "relu6", "sigmoid")

#: Fields that hold a size, and what PaddleNLP's constructor takes when it is not given. A constructor call that does
#: not name the heads was made with 12 of them; weights and a config.json without it are an error.
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
RELEASE_CONFIG = "ernie_config.json"
#: The config of ERNIEKit's distribution (ernie_m_1.0_base_config.json), with the fields of the release's.
ERNIEKIT_CONFIG = re.compile(r"ernie_m_[\w.]+_config\.json", re.ASCII)
#: Who wrote a config, which decides what it leaves unsaid.
PADDLENLP, CONSTRUCTOR, RELEASE, TRANSFORMERS = "paddlenlp", "constructor call", "release", "transformers"
ERNIEKIT = "erniekit"
#: Kinds of configs that name no class and no labels.
CLASSLESS = (RELEASE, ERNIEKIT)
#: What transformers 4's class takes where its config is silent (models/deprecated/ernie_m/configuration_ernie_m.py).
PORT_DEFAULTS: dict[str, Any] = {**CLASS_DEFAULTS, "layer_norm_eps": 1e-05}
PROBLEM_TYPES = ("regression", "single_label_classification", "multi_label_classification")
#: Fields that are not read by FieldReader.
_IDENTITY = (
    *("architecture", "architectures", "model_type", "init_class"),
    *("id2label", "label2id", "num_labels", "dtype", "torch_dtype"),
)
_LARGEST_SIZE = 1 << 31
MOST_LAYERS = 1000


@dataclass(frozen=True)
class SourceConfig:
    """Facts that the weights do not hold, and sizes that they must agree with. None: the config does not say."""

    file: str = ""
    #: PADDLENLP, CONSTRUCTOR, RELEASE, ERNIEKIT or TRANSFORMERS; '' where there is no config.
    kind: str = ""
    architecture: str | None = None
    #: Who said the class: "config", "option" or "weights".
    class_from: str = "config"
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
    #: transformers' class alone has these two: None means that Paddle's are meant.
    layer_norm_eps: float | None = None
    act_dropout: float | None = None
    num_choices: int | None = None
    problem_type: str | None = None
    #: Label names in the order of their ids. None: PaddleNLP's default, which is two labels.
    labels: tuple[str, ...] | None = None
    #: What the source's own from_pretrained loads the model in, whatever the file holds. None: float32.
    dtype: str | None = None
    warnings: tuple[str, ...] = field(default=())


def read_config(
    data: Mapping[str, Any], file: str, *, of_transformers: bool = False
) -> tuple[SourceConfig, list[Problem]]:
    """The config that a parsed file holds, with every problem found in it.

    `of_transformers`: the weights beside it have the names of transformers' ErnieM.
    """
    kind = _kind_of(data, file, of_transformers)
    flat, problems = flatten_constructor_call(data, file) if kind == CONSTRUCTOR else (dict(data), [])
    if kind != CONSTRUCTOR:
        problems += _check_identity(flat, file)
    rules = load_config_fields(kind)
    flat, called, warnings = resolve_aliases(flat, file, rules)
    reader = FieldReader(flat, file, problems, called=called)
    reader.read_sizes()
    reader.read_numbers()
    reader.read_choices()
    if kind == TRANSFORMERS:
        reader.read_port_fields()
    values = reader.values
    values["labels"], label_problems, label_warnings = read_labels(flat, file, called.get("num_labels", "num_labels"))
    values["dtype"], dtype_problems, dtype_warnings = read_dtype(flat, file, kind != TRANSFORMERS)
    problems += label_problems + dtype_problems + refuse_fields(flat, file, rules)
    warnings += label_warnings + dtype_warnings + warn_of_unread(flat, file, rules, (*_IDENTITY, *reader.read))
    for defaults in _defaults_of(kind, file):
        taken = {name: value for name, value in defaults.items() if flat.get(name) is None}
        values.update(taken)
        warnings += _say_taken(taken, file, kind)
    _check_heads(values, file, problems)
    return SourceConfig(file=file, kind=kind, warnings=tuple(warnings), **values), problems


def _kind_of(data: Mapping[str, Any], file: str, of_transformers: bool) -> str:
    if "init_class" in data or file == "model_config.json":
        return CONSTRUCTOR
    if of_transformers:
        return TRANSFORMERS
    if ERNIEKIT_CONFIG.fullmatch(file):
        return ERNIEKIT
    return RELEASE if file == RELEASE_CONFIG else PADDLENLP


def _defaults_of(kind: str, file: str) -> list[dict[str, Any]]:
    if kind == CONSTRUCTOR:
        sizes = dict(CONSTRUCTOR_SIZES)
        if file == "config.json":  # no release wrote a call under this name: what it leaves out is not known
            del sizes["num_attention_heads"]
        return [sizes, CLASS_DEFAULTS]
    return [PORT_DEFAULTS if kind == TRANSFORMERS else CLASS_DEFAULTS]


def _say_taken(taken: Mapping[str, Any], file: str, kind: str) -> list[str]:
    # The release has no such field: its reader pads with 1.
    shown = {name: value for name, value in taken.items() if not (kind in CLASSLESS and name == "pad_token_id")}
    if not shown:
        return []
    whose = "transformers'" if kind == TRANSFORMERS else "PaddleNLP's"
    said = ", ".join(f"{name}={value}" for name, value in shown.items())
    return [f"{file} does not give {', '.join(shown)}: {whose} class defaults are taken ({said})"]


def _check_identity(flat: dict[str, Any], file: str) -> list[Problem]:
    problems = []
    kind = flat.get("model_type", "ernie_m")
    if kind != "ernie_m":
        text = f"{file}: model_type is {kind!r:.80}, expected 'ernie_m'. Is this another model? paddle2torch converts"
        return [Problem("E011", f"{text} ERNIE-M and UIE-M")]
    names = flat.get("architectures")
    if names is not None:
        if not (isinstance(names, list) and len(names) == 1 and isinstance(names[0], str)):
            text = f"{file}: architectures is {names!r:.80}, expected a list of one class name"
            problems.append(Problem("E012", text))
        else:
            flat["architecture"] = names[0]
    return problems


@dataclass
class FieldReader:
    """Takes the fields of a config one by one: those that can be meant into `values`, the others into `problems`."""

    flat: Mapping[str, Any]
    file: str
    problems: list[Problem]
    values: dict[str, Any] = field(default_factory=dict)
    #: Fields that the file calls by an alias.
    called: Mapping[str, str] = field(default_factory=dict)
    #: Every field that was looked for.
    read: list[str] = field(default_factory=list)

    def take(self, name: str, fits: Callable[[Any], bool], expected: str) -> None:
        value = self.flat.get(name)
        self.read.append(name)
        if value is None:
            return
        if fits(value):
            self.values[name] = value
        else:
            shown = self.called.get(name, name)
            self.problems.append(Problem("E014", f"{self.file}: {shown} is {value!r:.80}, expected {expected}"))

    def read_sizes(self) -> None:
        for name in (*SIZES, "num_choices"):
            most = MOST_LAYERS if name == "num_hidden_layers" else _LARGEST_SIZE
            self.take(name, _is_whole(1, most), f"a whole number from 1 to {most}")

    def read_numbers(self) -> None:
        for name in ("hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout"):
            self.take(name, _is_probability, "a probability")
        self.take("initializer_range", _is_number, "a number of 0 or more")
        for name in ("hidden_dropout_prob", "attention_probs_dropout_prob", "classifier_dropout", "initializer_range"):
            if name in self.values:
                self.values[name] = float(self.values[name])
        ids = self.values.get("vocab_size", _LARGEST_SIZE)
        self.take("pad_token_id", _is_whole(0, ids - 1), "an id of the vocabulary")

    def read_choices(self) -> None:
        for name, choices in (("hidden_act", ACTIVATIONS), ("problem_type", PROBLEM_TYPES)):
            self.take(name, choices.__contains__, f"one of {', '.join(choices)}")
        said = self.flat.get("architecture")
        if isinstance(said, str) and said in ARCHITECTURES:
            self.values["architecture"] = ARCHITECTURES[said]
        elif said is not None:
            self.problems.append(unknown_architecture(said, self.file))

    def read_port_fields(self) -> None:
        """What only transformers' class has; and what it could do that no output of ours does."""
        self.take("layer_norm_eps", _is_number, "a number of 0 or more")
        self.take("act_dropout", _is_probability, "a probability")
        self.read.append("intermediate_size")  # It is read off the tensors.
        if "act_dropout" in self.flat and self.flat["act_dropout"] is None:  # the port then takes the other one
            self.values["act_dropout"] = self.values.get("hidden_dropout_prob", CLASS_DEFAULTS["hidden_dropout_prob"])
        for name, usual in (("position_embedding_type", "absolute"), ("pruned_heads", {})):
            self.read.append(name)
            if self.flat.get(name) not in (None, usual):
                said = f"{self.file}: {name} is {self.flat[name]!r:.80}, which is not supported; expected {usual!r}"
                self.problems.append(Problem("E014", said))


def _is_whole(low: int, high: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and low <= value <= high


def _is_probability(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value <= 1


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value < float("inf")


def _check_heads(values: Mapping[str, Any], file: str, problems: list[Problem]) -> None:
    hidden, heads = values.get("hidden_size"), values.get("num_attention_heads")
    if hidden and heads and hidden % heads:
        problems.append(
            Problem("E015", f"{file}: hidden_size {hidden} does not divide into num_attention_heads {heads}")
        )


def with_options(
    config: SourceConfig, architecture: str | None, num_attention_heads: int | None
) -> tuple[SourceConfig, list[Problem]]:
    """The config with what the user said on the command line, which wins; a difference is warned of."""
    problems: list[Problem] = []
    changed: dict[str, Any] = {}
    if architecture is not None:
        if architecture not in ARCHITECTURES:
            problems.append(unknown_architecture(architecture, "--architecture"))
        else:
            changed["architecture"] = ARCHITECTURES[architecture]
            config = replace(config, class_from="option")
    if num_attention_heads is not None:
        changed["num_attention_heads"] = num_attention_heads
    warnings = list(config.warnings)
    for name, value in changed.items():
        said = getattr(config, name)
        if said is not None and said != value:
            warnings.append(f"{config.file} says {name} {said}; the option says {value}, which is taken")
    return replace(config, warnings=tuple(warnings), **changed), problems
