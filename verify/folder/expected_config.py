"""What OUTPUT's config.json must say: from SOURCE's config, or where there is none from Paddle's, in a trace's head."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mappings import load_table
from verify.results.trace import Trace

if TYPE_CHECKING:
    from converter.plan.make_plan import Plan

#: Fields that must say what the source's config says (or PaddleNLP's defaults, which the source's config then holds).
_FROM_SOURCE = (
    "hidden_act",
    "hidden_dropout_prob",
    "attention_probs_dropout_prob",
    "classifier_dropout",
    "initializer_range",
    "pad_token_id",
    "problem_type",
)
_SIZES = (
    "vocab_size",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "max_position_embeddings",
)
#: Paddle's habits (MODEL.md, quirks 1, 2, 4, 5), by the behavior that the manifest states.
HABITS: dict[str, dict[str, Any]] = {
    "paddlenlp": {
        "implicit_mask_token_ids": [0],
        "implicit_mask_queries": False,
        "position_offset": 2,
        "attention_mask_value": -10000.0,
        "layer_norm_eps": 9.999999747378752e-06,
    },
}
HABITS["release"] = {**HABITS["paddlenlp"], "implicit_mask_token_ids": [1]}
HABITS["paddlenlp-unpadded"] = {**HABITS["paddlenlp"], "implicit_mask_token_ids": [0, 1]}
#: The port's, for folders of transformers' own ErnieM; there the ids are those of its config's pad_token_id.
HABITS["transformers"] = {**HABITS["paddlenlp"], "implicit_mask_token_ids": [1], "attention_mask_value": None}
#: Behaviors that hide the id of the config's pad_token_id, and what else they hide.
_HIDE_PADDING: dict[str, tuple[int, ...]] = {"transformers": (), "paddlenlp-unpadded": (0,)}
HABITS["erniekit"] = {
    **HABITS["paddlenlp"],
    "implicit_mask_queries": True,
    "position_offset": 0,
}
_HEADS = {
    "AutoModelForSequenceClassification": "ErnieMForSequenceClassification",
    "AutoModelForMultipleChoice": "ErnieMForMultipleChoice",
    "AutoModelForTokenClassification": "ErnieMForTokenClassification",
    "AutoModelForQuestionAnswering": "ErnieMForQuestionAnswering",
    "AutoModelForMaskedLM": "ErnieMHasNoMaskedLM",
}
_EXTRACTION = "ErnieMForInformationExtraction"
#: What PaddleNLP loads in where the config names no dtype, whatever the file holds (tried with 2.8.1).
USUAL_DTYPE = "float32"


@dataclass(frozen=True)
class Expected:
    """Fields and their values, the names of the labels (none: the class has none), and the longest text.

    `dtype` among the fields is None where nothing gives it.
    """

    fields: Mapping[str, Any]
    labels: tuple[str, ...]
    longest: int


def expected_of_plan(plan: Plan, behavior: str) -> Expected:
    """From SOURCE itself."""
    fields: dict[str, Any] = {name: getattr(plan.config, name) for name in _FROM_SOURCE}
    fields.update({name: getattr(plan.sizes, name) for name in (*_SIZES, "intermediate_size")})
    fields.update(_habits(behavior))
    fields.update(_hidden_padding(behavior, plan.config.pad_token_id))
    if plan.config.layer_norm_eps is not None:
        fields["layer_norm_eps"] = plan.config.layer_norm_eps
    fields["act_dropout"] = plan.config.act_dropout or 0.0
    fields.update(_identity(plan.table.target_class), dtype=plan.config.dtype or USUAL_DTYPE)
    longest = plan.sizes.max_position_embeddings - int(fields["position_offset"])
    return Expected(fields, plan.sizes.labels, longest)


def expected_of_trace(trace: Trace, behavior: str) -> Expected:
    """From the config of the model that Paddle built: the same fields, SOURCE not being there."""
    config, table = trace.head["config"], load_table(str(trace.head["architecture"]))
    fields = {name: config.get(name) for name in (*_FROM_SOURCE, *_SIZES)}
    # PaddleNLP builds it so and writes 3072 for every model (`ernie_m/modeling.py:167`, `configuration.py:156`).
    fields["intermediate_size"] = 4 * int(config["hidden_size"])
    fields.update(_habits(behavior), act_dropout=0.0)
    # Of transformers' port the recorder tells what PaddleNLP's config has no field for.
    fields.update(trace.head.get("port") or {})
    fields.update(_hidden_padding(behavior, config.get("pad_token_id")))
    # What from_pretrained of PaddleNLP, asked for nothing, loads in; traces from before it was recorded lack it.
    fields.update(_identity(table.target_class), dtype=trace.head.get("default_dtype"))
    labels: tuple[str, ...] = ()
    if "num_labels" in table.dims.values():
        # PaddleNLP writes no names for exactly two labels.
        named = config.get("id2label") or {"0": "LABEL_0", "1": "LABEL_1"}
        labels = tuple(str(named[key]) for key in sorted(named, key=int))
    return Expected(fields, labels, int(config["max_position_embeddings"]) - int(fields["position_offset"]))


def _habits(behavior: str) -> dict[str, Any]:
    return dict(HABITS.get(behavior, HABITS["paddlenlp"]))


def _hidden_padding(behavior: str, pad_token_id: Any) -> dict[str, Any]:
    if behavior not in _HIDE_PADDING:
        return {}
    return {"implicit_mask_token_ids": sorted({*_HIDE_PADDING[behavior], pad_token_id})}


def _identity(target_class: str) -> dict[str, Any]:
    """What decides which code is loaded. Information extraction has no Auto class of its own: AutoModel gives it."""
    base = target_class if target_class == _EXTRACTION else "ErnieMModel"
    classes = {"AutoModel": base, **_HEADS}
    places = {auto: f"modeling_ernie_m.{name}" for auto, name in classes.items()}
    return {
        "architectures": [target_class],
        "model_type": "ernie_m",
        "auto_map": {"AutoConfig": "configuration_ernie_m.ErnieMConfig", **places},
    }
