"""PaddleNLP's classes of ERNIE and of families with its layers, made and looked into."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

from verify.recorder.errors import Refused

#: A parameter that PaddleNLP has under two names: the other one -> the one that is kept.
TIED = {"cls.predictions.decoder_bias": "cls.predictions.decoder.bias"}
#: The decoder of the language model, which is the table of words.
DECODER = "cls.predictions.decoder.weight"


@dataclass(frozen=True)
class Package:
    """Where PaddleNLP has the classes of a family: in paddlenlp.transformers.`name`, under names that begin with
    `prefix`. `name` is the attribute of a model with a head that is the encoder, too."""

    name: str
    prefix: str


ERNIE_PACKAGE = Package("ernie", "Ernie")


def config_class(package: Package) -> Any:
    """PaddleNLP's config class; None before 2.5."""
    try:
        module = importlib.import_module(f"paddlenlp.transformers.{package.name}.configuration")
    except ImportError:
        return None
    return getattr(module, package.prefix + "Config")


def backbone_of(package: Package, model: Any) -> Any:
    """The encoder of a model with a head, or the model itself."""
    return getattr(model, package.name, model)


def make_class(package: Package, name: str, fields: Any) -> tuple[Any, list[str]]:
    """PaddleNLP's class without initialised weights, and notes on how it was made. Its norms have the epsilon that
    PaddleNLP's own initialisation gives them, whatever the config has. Raises Refused."""
    of_config = config_class(package)
    if of_config is None:
        raise Refused("this family is recorded with PaddleNLP 2.5 or later: before, its classes took no config")
    modeling = importlib.import_module(f"paddlenlp.transformers.{package.name}.modeling")
    base = getattr(modeling, package.prefix + "PretrainedModel")
    initialise = base._init_weights
    base._init_weights = lambda self, layer: None
    try:
        config = of_config.from_dict(fields)
        if name.endswith("ForMultipleChoice") and not getattr(config, "num_choices", None):
            config.num_choices = 2  # PaddleNLP cannot run this class without; the weights do not depend on it
        if not hasattr(config, "problem_type"):
            config.problem_type = None
        model = getattr(modeling, name)(config)
    finally:
        base._init_weights = initialise
    backbone = backbone_of(package, model)
    of_backbone = set(map(id, norms_of(backbone)))
    for norm in norms_of(model):  # By the model that made it, as PaddleNLP does.
        initialise(backbone if id(norm) in of_backbone else model, norm)
    epsilon = " and ".join(sorted({repr(norm._epsilon) for norm in norms_of(model)}))
    return model, [f"the epsilon of every LayerNorm is {epsilon}, by PaddleNLP's own initialisation"]


def norms_of(model: Any) -> list[Any]:
    return [part for part in model.sublayers() if type(part).__name__ == "LayerNorm"]


def parameters_of(model: Any) -> dict[str, Any]:
    """Name -> parameter; one that has two names under one of them."""
    parameters = dict(model.state_dict())
    return dict((name, value) for name, value in parameters.items() if name not in TIED and name != DECODER)


def tables_of(backbone: Any) -> dict[str, Any]:
    """Name -> embedding; a model need not have both kinds of types."""
    names = ("word_embeddings", "position_embeddings", "token_type_embeddings", "task_type_embeddings")
    return dict((name, getattr(backbone.embeddings, name)) for name in names if hasattr(backbone.embeddings, name))
