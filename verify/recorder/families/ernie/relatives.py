"""Families whose layers are ERNIE's, under other names and with another epsilon: ERNIE's adapter, with their facts."""

from __future__ import annotations

import json
import pkgutil
from dataclasses import replace
from functools import partial
from typing import Any

from verify.recorder.families import constructor_call
from verify.recorder.families.ernie import classes, names, quirks
from verify.recorder.families.ernie.adapter import ERNIE, INPUTS, SANITY
from verify.recorder.families.ernie.classes import Package
from verify.recorder.families.family import Family, ModelClass, SanityModel
from verify.recorder.families.paddle_encoder import layer_hook_points

#: Of a model without task types. Its ids have no [PAD], of which families differ in what they look up.
SANITY_FIELDS = dict((name, value) for name, value in SANITY.fields.items() if "task" not in name)
SANITY_IDS = [[1, 4, 5, 6, 2], [1, 7, 2, 3, 3]]


def sanity_model(architecture: str, fields: dict[str, Any], *without: str) -> SanityModel:
    """The model of known numbers: with the epsilon 1e-5, and without the outputs that the class has not."""

    def expected() -> dict[str, Any]:
        # Written by tests/support/plain_ernie.py, in plain numpy and float64.
        found = json.loads(pkgutil.get_data(__package__, "sanity_numbers_of_relatives.json") or b"{}")
        return dict((name, numbers) for name, numbers in found.items() if name not in without)

    types = {"token_type_ids": SANITY.types["token_type_ids"]}
    return SanityModel(architecture, fields, SANITY_IDS, SANITY.mask, expected, types)


def make_relative(
    package: Package,
    model_classes: dict[str, ModelClass],
    sanity: SanityModel,
    tokenizer: str,
    positional: dict[str, list[str]],
    epsilons: quirks.Epsilons,
    takes_vectors: bool = True,
) -> Family:
    """ERNIE's adapter for the classes of `package`. `positional`: see constructor_call. `epsilons`: quirk -> epsilon of
    every norm. `takes_vectors`: whether the encoder takes vectors in place of ids."""
    not_cases = INPUTS.not_cases
    if not takes_vectors:
        not_cases += "; vectors in place of ids, which this class of PaddleNLP does not take"
    return replace(
        ERNIE,
        name=package.name,
        classes=model_classes,
        class_aliases={},
        sanity=sanity,
        inputs=replace(INPUTS, types=INPUTS.types[:1], of_backbone=(), vectors=takes_vectors, not_cases=not_cases),
        config_reader=lambda name: f"read by PaddleNLP's {package.prefix}Config",
        flatten_call=lambda call: constructor_call.flatten_call(call, positional, package.name),
        config_class=partial(classes.config_class, package),
        name_weights=partial(names.name_weights, package),
        make_class=partial(classes.make_class, package),
        backbone_of=partial(classes.backbone_of, package),
        hook_points=lambda model: layer_hook_points(classes.backbone_of(package, model)),
        quirks=(*epsilons, quirks.PORT),
        own_quirk=partial(quirks.own_quirk, epsilons),
        follow_quirk=partial(quirks.follow_quirk, epsilons),
        tokenizer_class=partial(tokenizer_class, tokenizer),
    )


def tokenizer_class(name: str) -> Any:
    """PaddleNLP's tokenizer of this name."""
    import paddlenlp.transformers

    return getattr(paddlenlp.transformers, name)
