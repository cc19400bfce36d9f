"""PaddleNLP's classes of ERNIE, made and looked into."""

from __future__ import annotations

from typing import Any

from verify.recorder.errors import Refused

BACKBONE = "ernie"
#: A parameter that PaddleNLP has under two names: the other one -> the one that is kept.
TIED = {"cls.predictions.decoder_bias": "cls.predictions.decoder.bias"}
#: The decoder of the language model, which is the table of words.
DECODER = "cls.predictions.decoder.weight"


def config_class() -> Any:
    """PaddleNLP's config class; None before 2.5."""
    try:
        from paddlenlp.transformers.ernie.configuration import ErnieConfig
    except ImportError:
        return None
    return ErnieConfig


def backbone_of(model: Any) -> Any:
    """The encoder of a model with a head, or the model itself."""
    return getattr(model, BACKBONE, model)


def make_class(name: str, fields: Any) -> tuple[Any, list[str]]:
    """PaddleNLP's class without initialised weights, and notes on how it was made. Its norms have the epsilon that
    PaddleNLP's own initialisation gives them, whatever the config has. Raises Refused."""
    from paddlenlp.transformers.ernie import modeling

    of_config = config_class()
    if of_config is None:
        raise Refused("ERNIE is recorded with PaddleNLP 2.5 or later: before, its classes took no config")
    base = modeling.ErniePretrainedModel
    initialise = base._init_weights
    base._init_weights = lambda self, layer: None
    try:
        config = of_config.from_dict(fields)
        if name == "ErnieForMultipleChoice" and not getattr(config, "num_choices", None):
            config.num_choices = 2  # PaddleNLP cannot run this class without; the weights do not depend on it
        if not hasattr(config, "problem_type"):
            config.problem_type = None
        model = getattr(modeling, name)(config)
    finally:
        base._init_weights = initialise
    for norm in norms_of(model):
        initialise(model, norm)
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
