"""ERNIE-Health: PaddleNLP's classes of Electra (paddlenlp/transformers/electra), whose layers are ERNIE's.

Every norm has the epsilon of the config but that of a language model's head, which has 1e-12: the class around it has
no such attribute (`_init_weights` of electra/modeling.py). transformers' class has one for all.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from verify.recorder.families.ernie import classes, names
from verify.recorder.families.ernie.classes import Package
from verify.recorder.families.ernie.quirks import PORT
from verify.recorder.families.ernie.relatives import SANITY_FIELDS, make_relative, sanity_model
from verify.recorder.families.family import HookPoint, ModelClass
from verify.recorder.families.paddle_encoder import layer_hook_points

PACKAGE = Package("electra", "Electra")
#: The epsilon of the sanity model.
EPSILON = 1e-5
OWN, ONE_EPSILON = "paddlenlp", "one-epsilon"
#: Heads of the discriminator that transformers' class has no place for.
WITHOUT = ("discriminator_mts", "bias_mts", "discriminator_csp")
NOT_CASES = (
    "no cases, for transformers' classes of this name cannot do the same: [PAD] in a text without a mask, its "
    "gradient, masks of 3 and 4 dimensions and of floating point, rows that hide every key; nor vectors in place of "
    "ids, which this class of PaddleNLP does not take"
)
#: What constructors took by position before PaddleNLP 2.5 (2.4.2, electra/modeling.py), the encoder's first.
POSITIONAL = {
    "ElectraModel": [
        *("vocab_size", "embedding_size", "hidden_size", "num_hidden_layers", "num_attention_heads"),
        *("intermediate_size", "hidden_act", "hidden_dropout_prob", "attention_probs_dropout_prob"),
        *("max_position_embeddings", "type_vocab_size", "initializer_range", "pad_token_id", "layer_norm_eps"),
    ],
    "ElectraForSequenceClassification": ["electra", "num_classes", "dropout"],
    "ElectraForTokenClassification": ["electra", "num_classes", "dropout"],
    "ElectraForQuestionAnswering": ["electra"],
    "ElectraForMultipleChoice": ["electra", "num_choices", "dropout"],
    "ElectraGenerator": ["electra"],
    "ErnieHealthDiscriminator": ["electra"],
}


def make_class(name: str, fields: Any) -> tuple[Any, list[str]]:
    """PaddleNLP's class, and notes; of the discriminator the head that finds replaced tokens alone. Raises Refused."""
    model, notes = classes.make_class(PACKAGE, name, fields)
    if hasattr(model, "discriminator_rtd"):
        for part in WITHOUT:
            delattr(model, part)

        def find_replaced(**inputs: Any) -> Any:
            return model.discriminator_rtd(model.electra(**inputs))

        object.__setattr__(model, "forward", find_replaced)
        notes.append("of the discriminator's heads the one that finds replaced tokens alone")
    return model, notes


def name_weights(weights: Any, parameters: Any, model: Any) -> tuple[dict[str, Any], dict[str, str], list[str]]:
    """ERNIE's, without the heads that are left out."""
    for name in [name for name in weights if name.startswith(WITHOUT)]:
        del weights[name]
    return names.name_weights(PACKAGE, weights, parameters, model)


def hook_points(model: Any) -> list[HookPoint]:
    """Those of the layers; the logits of the discriminator here, for Paddle squeezes every dimension of 1."""
    points = layer_hook_points(classes.backbone_of(PACKAGE, model))
    if hasattr(model, "discriminator_rtd"):
        points.append(HookPoint("logits", model.discriminator_rtd.dense_prediction, inside=False))
    return points


def own_quirk(backbone: Any) -> str | None:
    """The quirk of this release of PaddleNLP, by the norms of the sanity model; None for an unknown one."""
    return OWN if {float(norm._epsilon) for norm in classes.norms_of(backbone)} == {EPSILON} else None


def follow_quirk(model: Any, quirk: str, own: str | None) -> list[str]:
    """Give the norm of a language model's head the epsilon of the others where the quirk is one epsilon for all."""
    if quirk != ONE_EPSILON or not hasattr(model, "generator_predictions"):
        return []
    epsilon = model.electra.embeddings.layer_norm._epsilon
    model.generator_predictions.layer_norm._epsilon = epsilon
    return [f"the norm of the head was given the epsilon {epsilon!r} of the others in place of PaddleNLP's own"]


_RELATIVE = make_relative(
    PACKAGE,
    {
        "ElectraModel": ModelClass(),
        "ElectraForSequenceClassification": ModelClass(("logits",), "sequence"),
        "ElectraForTokenClassification": ModelClass(("logits",), "tokens"),
        "ElectraForQuestionAnswering": ModelClass(("start_logits", "end_logits"), "span"),
        "ElectraForMultipleChoice": ModelClass(("logits",), "choices"),
        "ElectraGenerator": ModelClass(("logits",), "masked", decodes_with_words=True),
        "ErnieHealthDiscriminator": ModelClass(),
    },
    sanity_model(
        "ElectraModel",
        dict(SANITY_FIELDS, embedding_size=SANITY_FIELDS["hidden_size"], layer_norm_eps=EPSILON),
        "pooler_output",
    ),
    tokenizer="ElectraTokenizer",
    positional=POSITIONAL,
    epsilons={},
    # Its embeddings make positions of the ids.
    takes_vectors=False,
)
ERNIE_HEALTH = replace(
    _RELATIVE,
    # A mask of floating point is added as it is (electra/modeling.py; of 2 dimensions, too). The table of words has no
    # padding_idx, with which transformers' class gives the row of [PAD] no gradient.
    inputs=replace(_RELATIVE.inputs, float_mask=False, padding_gradient=False, not_cases=NOT_CASES),
    class_aliases={"ElectraForMaskedLM": "ElectraGenerator", "ElectraForPreTraining": "ErnieHealthDiscriminator"},
    name_weights=name_weights,
    make_class=make_class,
    hook_points=hook_points,
    quirks=(OWN, ONE_EPSILON, PORT),
    own_quirk=own_quirk,
    follow_quirk=follow_quirk,
)
