"""The interface between the recorder and a model family: facts, and functions that run under Paddle."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Callable


@dataclass(frozen=True)
class ModelClass:
    """One of PaddleNLP's classes of a family."""

    #: What it returns without labels, in order; nothing for a model without a head.
    outputs: tuple[str, ...] = ()
    #: Which losses it has: "sequence", "tokens", "span", "choices", "masked", "masked rows" (where the label -100 is
    #: left out), "pretraining", or "" for none.
    losses: str = ""
    #: Whether its forward takes vectors in place of ids, and whatever else the backbone takes.
    takes_every_input: bool = True
    #: Whether weights without a pooler are complete.
    may_lack_pooler: bool = True
    #: Whether the PyTorch class has a pooler too, so that gradients go through it.
    target_has_pooler: bool = True
    #: Whether the table of words is its decoder too, so that every row has a gradient.
    decodes_with_words: bool = False


@dataclass(frozen=True)
class Inputs:
    """What the classes of a family take in the same way as those that they are converted to. What they take otherwise
    is no case; `not_cases` names it in the trace."""

    #: Masks of every rank and dtype, fractions and rows that hide every key; else only 2-D masks of 0 and 1.
    every_mask: bool = True
    #: Vectors in place of ids.
    vectors: bool = True
    #: Masks of floating point, which some classes add to the scores as they are.
    float_mask: bool = True
    #: Gradients of texts with [PAD], whose row some classes leave untrained.
    padding_gradient: bool = True
    #: [PAD] in a text without a mask, which some classes hide by its id.
    unmasked_padding: bool = True
    #: Arguments with a type for each token -> the config's field with their number, and the field that switches them.
    types: tuple[tuple[str, str, str], ...] = ()
    #: Of these, the arguments that only the encoder takes.
    of_backbone: tuple[str, ...] = ()
    not_cases: str = ""
    #: How small inputs are that show the epsilon of a norm: it reaches Paddle's kernel as a float32.
    small: float = 1e-3


@dataclass(frozen=True)
class SanityModel:
    """A tiny model with known outputs, to find out whether this Paddle computes correctly."""

    architecture: str
    fields: dict[str, Any]
    ids: list[list[int]]
    #: Given explicitly, because releases of PaddleNLP differ in what they do without a mask. 1 is attend.
    mask: list[list[int]]
    #: Output -> its numbers, in C order.
    expected: Callable[[], dict[str, list[float]]]
    #: Further arguments of the embeddings and the model, of the shape of the ids.
    types: dict[str, list[list[int]]] = field(default_factory=dict)


@dataclass(frozen=True)
class HookPoint:
    """Where one activation is taken: the first input or the output of a module, under the name of the site."""

    site: str
    module: Any
    takes_input: bool = False
    #: Recorded only for cases that look inside the layers.
    inside: bool = True


@dataclass(frozen=True)
class Family:
    """One family. `weights` is name -> array, `model` PaddleNLP's, `backbone` its encoder without the head; a `quirk`
    is the name of a set of rules that differ between releases and toolkits. Functions that change how a model or its
    weights are read return notes for the trace."""

    #: As in the config's model_type.
    name: str
    classes: dict[str, ModelClass]
    #: Ids of the tokens at the beginning, of padding and at the end.
    cls_id: int
    pad_id: int
    sep_id: int
    sanity: SanityModel
    inputs: Inputs

    # -- config
    #: folder -> the file names that a config can have there, in order.
    config_names: Callable[[str], list[str]]
    #: file name -> who reads such a file, for the trace.
    config_reader: Callable[[str], str]
    #: The fields of a constructor call (model_config.json of PaddleNLP before 2.5) -> flat fields with init_class.
    flatten_call: Callable[[dict[str, Any]], dict[str, Any]]
    #: A field that only the config of a converted folder has; empty where there is none.
    converted_field: str
    #: Other names of a class -> PaddleNLP's.
    class_aliases: dict[str, str]
    #: PaddleNLP's config class; None in releases without one.
    config_class: Callable[[], Any]

    # -- names and weights
    #: What the name of the table of words ends with.
    word_table: str
    #: A variable's name in a release of another toolkit -> PaddleNLP's, or None.
    release_name: Callable[[str], str | None]
    #: (layers, class) -> the lists of names that a combined file without a program may have, in the file's order.
    combined_names: Callable[[int, str | None], list[list[str]]]
    #: Whether arrays have the shapes that names of such a list ask for.
    fits_combined: Callable[[Any], bool]
    #: Config fields that the weights' names and shapes reveal.
    fields_from_weights: Callable[[Any], dict[str, Any]]
    #: Config fields that the weights decide, whatever the config has.
    sizes_from_weights: Callable[[Any], dict[str, Any]]
    #: (weights, parameters, model) -> weights in PaddleNLP's layout, name -> parameter that it is for, and notes.
    name_weights: Callable[[Any, Any, Any], tuple[dict[str, Any], dict[str, str], list[str]]]
    #: Whether the weights are of a PyTorch port, whose from_pretrained always loads float32.
    is_port: Callable[[Any], bool]

    # -- the model
    #: (class, fields) -> the model with any weights, and notes.
    make_class: Callable[[str, dict[str, Any]], tuple[Any, list[str]]]
    #: name -> parameter, under the names of PaddleNLP 2.8.
    parameters_of: Callable[[Any], dict[str, Any]]
    backbone_of: Callable[[Any], Any]
    #: (model, fields, weights, precision) -> fields that PaddleNLP's class does not know (None: there are none) and
    #: notes; changes the model to follow them.
    adapt_model: Callable[[Any, dict[str, Any], Any, str], tuple[dict[str, Any] | None, list[str]]]

    # -- activations
    #: backbone -> name -> embedding of which every row is recorded.
    tables_of: Callable[[Any], dict[str, Any]]
    #: Which of these has a row for each position.
    position_table: str
    #: backbone -> the norm after the embeddings.
    embedding_norm_of: Callable[[Any], Any]
    #: model -> where its activations are taken, those that the model returns by itself left out.
    hook_points: Callable[[Any], list[HookPoint]]
    #: layers -> the sites in the order of the network.
    site_order: Callable[[int], list[str]]

    # -- quirks
    quirks: tuple[str, ...]
    #: (request, weights) -> the quirk to follow.
    choose_quirk: Callable[[Any, Any], str]
    #: (request, weights, how the config was found) -> that of the release which wrote the checkpoint.
    quirk_of_source: Callable[[Any, Any, str], str]
    #: backbone of the sanity model -> the quirk of this PaddleNLP itself, or None.
    own_quirk: Callable[[Any], str | None]
    #: (model, quirk, this PaddleNLP's own) -> notes; makes the model follow the quirk.
    follow_quirk: Callable[[Any, str, str | None], list[str]]
    #: quirk -> the row of the first position.
    first_position_row: Callable[[str], int]
    #: (cases, quirk) -> cases with `zero_row` where a query has every key masked by a finite number.
    mark_masked_rows: Callable[[list[dict[str, Any]], str], list[dict[str, Any]]]
    #: Whether an exported program follows the same rules, so that it can be compared with the model.
    program_follows: Callable[[str], bool]

    # -- tokens
    #: PaddleNLP's tokenizer class.
    tokenizer_class: Callable[[], Any]
    #: Its kind, which decides what calls are compared: as in the family.toml.
    tokenizer_kind: str
    #: Its vocabulary and model, and every other file that decides a token.
    tokenizer_files: tuple[str, ...]
    #: quirk -> a function (folder, texts) -> ids where another rule than PaddleNLP's tokenizer applies, else None.
    token_rule: Callable[[str], Callable[[str, Any], Any] | None]
    #: model -> outputs behind the layers whose errors are amplified more than those that come through the layers: what
    #: goes into a norm. They are hook points too.
    disturbed: Callable[[Any], list[HookPoint]] = lambda model: []
