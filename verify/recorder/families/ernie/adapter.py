"""ERNIE's adapter: its facts, and which of the functions in this folder does what."""

from __future__ import annotations

import json
import pkgutil
from functools import partial
from typing import Any

from verify.recorder.families.ernie import classes, config, names, port, quirks
from verify.recorder.families.ernie.classes import ERNIE_PACKAGE
from verify.recorder.families.ernie.quirks import EPSILONS, PORT
from verify.recorder.families.family import Family, HookPoint, Inputs, ModelClass, SanityModel
from verify.recorder.families.paddle_encoder import encoder_site_order, layer_hook_points

#: verify/numbers has the same names for the PyTorch side; they are repeated here, for the recorder reads none of it.
_ENDS = (
    *("pooler_output", "logits", "prediction_logits", "seq_relationship_logits", "start_logits", "end_logits"),
    *("start_prob", "end_prob", "loss"),
)
#: Linear layers whose output UIE does not return, and the names of what they give.
_UIE_LOGITS = (("linear_start", "start_logits"), ("linear_end", "end_logits"))

SANITY = SanityModel(
    architecture="ErnieModel",
    fields={
        "vocab_size": 11,
        "hidden_size": 8,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "intermediate_size": 20,
        "max_position_embeddings": 12,
        "type_vocab_size": 3,
        "task_type_vocab_size": 3,
        "use_task_id": True,
        "hidden_act": "gelu",
    },
    ids=[[1, 4, 5, 6, 2], [1, 7, 2, 0, 0]],
    mask=[[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]],
    # Written by tests/support/plain_ernie.py, in plain numpy and float64.
    expected=lambda: json.loads(pkgutil.get_data(__package__, "sanity_numbers.json") or b"{}"),
    types={
        "token_type_ids": [[0, 1, 2, 1, 0], [2, 0, 1, 0, 0]],
        "task_type_ids": [[1, 0, 2, 0, 1], [0, 2, 1, 0, 0]],
    },
)

INPUTS = Inputs(
    every_mask=False,
    unmasked_padding=False,
    types=(
        ("token_type_ids", "type_vocab_size", ""),
        ("task_type_ids", "task_type_vocab_size", "use_task_id"),
    ),
    of_backbone=("task_type_ids",),
    not_cases="no cases, for transformers' classes of this name cannot do the same: [PAD] in a text without a mask, "
    "masks of 3 and 4 dimensions, fractions, rows that hide every key, vectors without a mask, masked_positions",
    # 1e-12 as a float32 is 4e-20 less: of a variance of 1e-4 that is below the last place.
    small=1e-2,
)


def hook_points(model: Any) -> list[HookPoint]:
    ends = [HookPoint(site, getattr(model, part), inside=False) for part, site in _UIE_LOGITS if hasattr(model, part)]
    return layer_hook_points(classes.backbone_of(ERNIE_PACKAGE, model)) + ends


def tokenizer_class() -> Any:
    from paddlenlp.transformers import ErnieTokenizer

    return ErnieTokenizer


def none_of_release(name: str) -> str | None:
    """Names of other toolkits' releases are not read here."""
    return None


ERNIE = Family(
    name="ernie",
    classes={
        "ErnieModel": ModelClass(),
        "ErnieForSequenceClassification": ModelClass(("logits",), "sequence", may_lack_pooler=False),
        "ErnieForTokenClassification": ModelClass(("logits",), "tokens", target_has_pooler=False),
        "ErnieForQuestionAnswering": ModelClass(("start_logits", "end_logits"), "span", target_has_pooler=False),
        "ErnieForMultipleChoice": ModelClass(("logits",), "choices", may_lack_pooler=False),
        "ErnieForMaskedLM": ModelClass(("logits",), "masked", target_has_pooler=False, decodes_with_words=True),
        "ErnieForPretraining": ModelClass(
            ("prediction_logits", "seq_relationship_logits"),
            "pretraining",
            may_lack_pooler=False,
            decodes_with_words=True,
        ),
        "UIE": ModelClass(("start_prob", "end_prob")),
    },
    cls_id=1,
    pad_id=0,
    sep_id=2,
    sanity=SANITY,
    inputs=INPUTS,
    config_names=config.config_names,
    config_reader=config.config_reader,
    flatten_call=config.flatten_call,
    converted_field="",
    class_aliases={"ErnieForPreTraining": "ErnieForPretraining", "ErnieForInformationExtraction": "UIE"},
    config_class=partial(classes.config_class, ERNIE_PACKAGE),
    word_table="word_embeddings.weight",
    release_name=none_of_release,
    combined_names=lambda layers, architecture: [],
    fits_combined=lambda weights: False,
    fields_from_weights=lambda weights: {},
    sizes_from_weights=names.sizes_from_weights,
    name_weights=partial(names.name_weights, ERNIE_PACKAGE),
    is_port=port.is_port,
    make_class=partial(classes.make_class, ERNIE_PACKAGE),
    parameters_of=classes.parameters_of,
    backbone_of=partial(classes.backbone_of, ERNIE_PACKAGE),
    adapt_model=quirks.adapt_model,
    tables_of=classes.tables_of,
    position_table="position_embeddings",
    embedding_norm_of=lambda backbone: backbone.embeddings.layer_norm,
    hook_points=hook_points,
    site_order=lambda layers: encoder_site_order(layers, _ENDS),
    quirks=(*EPSILONS, PORT),
    choose_quirk=quirks.choose_quirk,
    quirk_of_source=quirks.quirk_of_source,
    own_quirk=partial(quirks.own_quirk, EPSILONS),
    follow_quirk=partial(quirks.follow_quirk, EPSILONS),
    first_position_row=lambda quirk: 0,
    mark_masked_rows=lambda cases, quirk: cases,
    program_follows=lambda quirk: quirk == "paddlenlp",
    tokenizer_class=tokenizer_class,
    tokenizer_kind="wordpiece",
    tokenizer_files=("vocab.txt",),
    token_rule=lambda quirk: None,
)
