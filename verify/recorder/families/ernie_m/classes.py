"""PaddleNLP's classes, made and called in the same way in every release of it.

From 2.5 on there are config classes. Before, constructors took every number by itself, and UIEM belonged to taskflow,
had `encoder` in its names and took no mask.
"""

from __future__ import annotations

from typing import Any

from verify.recorder.errors import Refused
from verify.recorder.families.ernie_m import masked_lm

MASKED_LM_NOTE = (
    "PaddleNLP has no masked LM of ERNIE-M: its encoder, and the head of Baidu's pre-training of Paddle's own layers"
)

#: What an encoder's constructor took before 2.5, and what ErnieMConfig has for a field that is not given.
ENCODER_FIELDS = {
    "vocab_size": 250002,
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "num_attention_heads": 12,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "attention_probs_dropout_prob": 0.1,
    "max_position_embeddings": 514,
    "initializer_range": 0.02,
    "pad_token_id": 1,
}


class Fields(dict):  # type: ignore[type-arg]  # Python 3.7 knows no dict[str, Any]
    """The fields of a config with the look of 2.5's config classes, for the classes of before."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self.get(name)

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def to_dict(self) -> Any:
        return dict(self)


def config_class() -> Any:
    """PaddleNLP's config class; None before 2.5."""
    try:
        from paddlenlp.transformers.ernie_m.configuration import ErnieMConfig
    except ImportError:
        return None
    return ErnieMConfig


def backbone_of(model: Any) -> Any:
    """The encoder of a model with a head, or the model itself."""
    return getattr(model, "ernie_m", model)


def make_class(name: str, fields: Any) -> tuple[Any, list[str]]:
    """PaddleNLP's class without initialised weights, and notes on how it was made."""
    from paddlenlp.transformers.ernie_m import modeling

    modeling.ErnieMPretrainedModel._init_weights = lambda self, layer: None
    modeling.ErnieMPretrainedModel.init_weights = lambda self, layer: None
    of_config = config_class()
    if of_config is None:
        return make_by_call(name, fields, modeling)
    config = of_config.from_dict(fields)
    if name == "ErnieMForMultipleChoice" and not getattr(config, "num_choices", None):
        config.num_choices = 2  # PaddleNLP cannot run this class without; the weights do not depend on it
    if not hasattr(config, "problem_type"):
        config.problem_type = None
    if name == masked_lm.NAME:
        return masked_lm.make_masked_lm(modeling.ErnieMModel(config)), [MASKED_LM_NOTE]
    return find_class(name, modeling)(config), []


def find_class(name: str, modeling: Any) -> Any:
    if hasattr(modeling, name):
        return getattr(modeling, name)
    if name == "UIEM":
        from paddlenlp.taskflow.models.information_extraction_model import UIEM

        return UIEM
    raise Refused("this PaddleNLP has no " + name)


def make_by_call(name: str, fields: Any, modeling: Any) -> tuple[Any, list[str]]:
    """The class of PaddleNLP before 2.5: an encoder, then the head around it."""
    config = Fields(ENCODER_FIELDS, num_labels=labels_of(fields), problem_type=None)
    config.update((key, value) for key, value in fields.items() if value is not None)
    backbone = modeling.ErnieMModel(**dict((key, config[key]) for key in ENCODER_FIELDS))
    if name in ("ErnieMModel", masked_lm.NAME):
        model = backbone
    elif name in ("ErnieMForSequenceClassification", "ErnieMForTokenClassification"):
        model = find_class(name, modeling)(backbone, num_classes=config.num_labels)
    elif name == "ErnieMForMultipleChoice":
        config.num_choices = config.num_choices or 2
        model = find_class(name, modeling)(backbone, num_choices=config.num_choices)
    else:
        model = find_class(name, modeling)(backbone)
    backbone.config = config
    if name == masked_lm.NAME:
        model = masked_lm.make_masked_lm(backbone)
    model.config = config
    if name == "UIEM" and not hasattr(model, "ernie_m"):
        pass_mask(model)
    return model, ["this PaddleNLP has no config class yet: its constructors were called with the config's numbers"]


def labels_of(fields: Any) -> int:
    return fields.get("num_labels") or len(fields.get("id2label") or fields.get("label2id") or [0, 0])


def pass_mask(model: Any) -> None:
    """UIEM before 2.5 calls its encoder without a mask: the mask that a case gives is handed to the encoder itself."""
    backbone, head = model.encoder, model.forward
    inner = backbone.forward
    held: dict[str, Any] = {}

    def run_encoder(*inputs: Any, **options: Any) -> Any:
        if held and options.get("attention_mask") is None:
            options["attention_mask"] = held.pop("mask")
        return inner(*inputs, **options)

    def run_head(input_ids: Any, position_ids: Any = None, attention_mask: Any = None) -> Any:
        if attention_mask is not None:
            held["mask"] = attention_mask
        return head(input_ids, position_ids)

    # Not as a part of the model, which would double its weights.
    object.__setattr__(model, "ernie_m", backbone)
    object.__setattr__(backbone, "forward", run_encoder)
    object.__setattr__(model, "forward", run_head)


def parameters_of(model: Any) -> dict[str, Any]:
    """Name -> parameter, under the names of PaddleNLP 2.5 and later."""
    parameters = dict(model.state_dict())
    if not any(name.startswith("encoder.embeddings.") for name in parameters):
        return parameters
    start = len("encoder.")
    return dict(
        ("ernie_m." + name[start:] if name.startswith("encoder.") else name, value)
        for name, value in parameters.items()
    )
