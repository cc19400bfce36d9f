"""ERNIE-M's adapter: its facts, and which of the functions in this folder does what."""

from __future__ import annotations

import json
import pkgutil
from typing import Any

from verify.recorder.families.ernie_m import classes, config, masked_lm, names, quirks, release_names, transformers4
from verify.recorder.families.family import Family, HookPoint, Inputs, ModelClass, SanityModel
from verify.recorder.families.paddle_encoder import encoder_site_order, layer_hook_points

#: verify/numbers has the same names for the PyTorch side; they are repeated here, for the recorder reads none of it.
_ENDS = (
    *("pooler_output", *masked_lm.HEAD_SITES.values(), "logits", "start_logits", "end_logits"),
    *("start_prob", "end_prob", "loss"),
)
#: Linear layers whose output UIEM does not return, and the names of what they give.
_UIEM_LOGITS = (("linear_start", "start_logits"), ("linear_end", "end_logits"))

SANITY = SanityModel(
    architecture="ErnieMModel",
    fields={
        "vocab_size": 11,
        "hidden_size": 8,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
        "max_position_embeddings": 12,
        "hidden_act": "gelu",
    },
    ids=[[0, 4, 5, 6, 2], [0, 7, 2, 1, 1]],
    mask=[[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]],
    # Written by tests/support/plain_ernie_m.py, in plain numpy and float64.
    expected=lambda: json.loads(pkgutil.get_data(__package__, "sanity_numbers.json") or b"{}"),
)


def tables_of(backbone: Any) -> dict[str, Any]:
    return {part: getattr(backbone.embeddings, part) for part in ("word_embeddings", "position_embeddings")}


def hook_points(model: Any) -> list[HookPoint]:
    ends = [HookPoint(site, getattr(model, part), inside=False) for part, site in _UIEM_LOGITS if hasattr(model, part)]
    if hasattr(model, "lm_head"):
        ends += [HookPoint(site, getattr(model.lm_head, part)) for part, site in masked_lm.HEAD_SITES.items()]
    return layer_hook_points(classes.backbone_of(model)) + ends


def disturbed(model: Any) -> list[HookPoint]:
    """What goes into the norm of a head, which may make much of it."""
    return [HookPoint("lm_head.dense", model.lm_head.dense)] if hasattr(model, "lm_head") else []


def tokenizer_class() -> Any:
    from paddlenlp.transformers import ErnieMTokenizer

    return ErnieMTokenizer


ERNIE_M = Family(
    name="ernie_m",
    classes={
        "ErnieMModel": ModelClass(),
        "ErnieMForSequenceClassification": ModelClass(("logits",), "sequence", may_lack_pooler=False),
        "ErnieMForTokenClassification": ModelClass(("logits",), "tokens", target_has_pooler=False),
        "ErnieMForQuestionAnswering": ModelClass(("start_logits", "end_logits"), "span", target_has_pooler=False),
        "ErnieMForMultipleChoice": ModelClass(("logits",), "choices", takes_every_input=False, may_lack_pooler=False),
        "ErnieMForMaskedLM": ModelClass(("logits",), "masked rows", target_has_pooler=False, decodes_with_words=True),
        "UIEM": ModelClass(("start_prob", "end_prob"), takes_every_input=False),
    },
    cls_id=0,
    pad_id=1,
    sep_id=2,
    sanity=SANITY,
    inputs=Inputs(),
    config_names=config.config_names,
    config_reader=config.config_reader,
    flatten_call=config.flatten_call,
    converted_field="implicit_mask_token_ids",
    class_aliases={"ErnieMForInformationExtraction": "UIEM"},
    config_class=classes.config_class,
    word_table="word_embeddings.weight",
    release_name=release_names.release_to_paddlenlp,
    combined_names=release_names.release_lists,
    fits_combined=release_names.fits_release,
    fields_from_weights=release_names.fields_from_weights,
    sizes_from_weights=lambda weights: {},
    name_weights=names.name_weights,
    is_port=transformers4.is_port,
    make_class=classes.make_class,
    parameters_of=classes.parameters_of,
    backbone_of=classes.backbone_of,
    adapt_model=transformers4.adapt_model,
    tables_of=tables_of,
    position_table="position_embeddings",
    embedding_norm_of=lambda backbone: backbone.embeddings.layer_norm,
    hook_points=hook_points,
    site_order=lambda layers: encoder_site_order(layers, _ENDS),
    quirks=quirks.QUIRKS,
    choose_quirk=quirks.choose_quirk,
    quirk_of_source=quirks.quirk_of_source,
    own_quirk=quirks.own_quirk,
    follow_quirk=quirks.follow_quirk,
    first_position_row=quirks.first_position_row,
    mark_masked_rows=quirks.mark_masked_rows,
    program_follows=quirks.program_follows,
    tokenizer_class=tokenizer_class,
    tokenizer_kind="sentencepiece with vocabulary",
    tokenizer_files=("vocab.txt", "sentencepiece.bpe.model", "piece.model"),
    token_rule=quirks.token_rule,
    disturbed=disturbed,
)
