"""From many differences to one place: the first site that differs, whether its inputs agreed, and what to look at."""

from __future__ import annotations

import re
from collections.abc import Sequence

from verify.results.numbers import NOT_FINITE, FirstDifference, GradientResult, SiteResult
from verify.results.trace import Trace

_LAYER = re.compile(r"(?:layers|hidden_states|attentions)\.(\d+)(?:\.(.+))?")


def first_difference(sites: Sequence[SiteResult], trace: Trace) -> FirstDifference | None:
    """The failing site that comes first in the network, in the first case that has it; None when all agree."""
    failed = [site for site in sites if not site.passed]
    if not failed:
        return None
    first = min(failed, key=lambda site: _depth(site.site))
    before = [site for site in sites if site.case == first.case]
    before = before[: next(n for n, site in enumerate(before) if site is first)]
    agreed = all(site.passed for site in before)
    cases = list(dict.fromkeys(site.case for site in failed))
    return FirstDifference(
        case=first.case,
        site=first.site,
        max_rel=first.max_rel,
        tolerance=first.tolerance,
        problem=first.problem,
        before=before[-1].site if before else None,
        inputs_agree=agreed,
        failed_cases=cases,
        look_at=hint(first, failed, sites, trace),
    )


def first_gradient(results: Sequence[GradientResult]) -> FirstDifference:
    """The gradient that differs first on the way back, where every output agrees."""
    failed = [result for result in results if not result.passed]
    first = max(failed, key=lambda result: (_depth_of_tensor(result.tensor), result.max_rel is None))
    return FirstDifference(
        case=first.case,
        site=f"gradient of {first.tensor}",
        max_rel=first.max_rel,
        tolerance=first.tolerance,
        problem=first.problem,
        before=None,
        inputs_agree=True,
        failed_cases=list(dict.fromkeys(result.case for result in failed)),
        failed_tensors=list(dict.fromkeys(result.tensor for result in failed)),
        look_at=f"the way back through {first.tensor.rpartition('.')[0]}: what the model computes from it agrees",
    )


def _depth_of_tensor(name: str) -> tuple[int, int]:
    match = _LAYER.search(name)
    if not match:
        return (-1, 0) if "embeddings." in name else (1 << 30, 0)
    part = next((part for part in _PARTS if part in name), "")
    return int(match[1]), _PARTS.index(part) if part else len(_PARTS)


_PARTS = (
    "q_proj",
    "k_proj",
    "v_proj",
    "attentions",
    "context",
    "out_proj",
    "norm1",
    "linear1",
    "linear2",
    "hidden_states",
)
_ENDS = ("pooler_output", "logits", "start_logits", "end_logits", "start_prob", "end_prob", "loss")


def _depth(site: str) -> tuple[int, int]:
    """Where a site lies in the network: tables, embeddings, layer by layer, pooler, head, loss."""
    if site in _ENDS:
        return 1 << 30, _ENDS.index(site)
    if site.startswith("linear:"):  # It is told where nothing in the network shows the fault.
        return 1 << 31, 0
    match = _LAYER.match(site)
    if not match:
        return -1, 0
    layer = int(match[1]) - (1 if site.startswith("hidden_states") else 0)
    part = (match[2] or site.split(".")[0]).split(".")[-1]
    return layer + 1, _PARTS.index(part) if part in _PARTS else len(_PARTS)


def hint(first: SiteResult, failed: Sequence[SiteResult], sites: Sequence[SiteResult], trace: Trace) -> str:
    """The tensor, field or rule whose fault would look like this."""
    if first.site == "loss":
        return "the loss of the class: its logits agree"
    rule = _hint_from_cases(failed, sites, trace)
    if rule:
        return rule
    if first.problem and not first.problem.endswith(NOT_FINITE):
        sizes = "num_attention_heads" if first.site.startswith("attentions") else "the sizes in config.json"
        return f"{sizes}: {first.problem}"
    if first.site in ("word_embeddings", "position_embeddings"):
        row = f", row {first.worst[0]}" if first.worst else ""
        return f"embeddings.{first.site}.weight{row}"
    if first.site.startswith("norm:"):
        return f"{first.site[len('norm:') :]}.weight and .bias, layer_norm_eps"
    if first.site.startswith("linear:"):
        return f"{first.site[len('linear:') :]}.weight and .bias: no input of the network shows it"
    if first.site == "embeddings.sum":
        return "position_offset and the order of the positions: both tables agree"
    if first.site == "hidden_states.0":
        return "embeddings.layer_norm.weight and .bias, position_offset, layer_norm_eps: both tables agree"
    if first.site == "pooler_output":
        return "pooler.dense.weight and .bias: the hidden states agree"
    if first.site in ("logits", "start_logits", "end_logits", "start_prob", "end_prob"):
        return f"the head's weight and bias ({_head(first.site)}): what goes into it agrees"
    return _hint_in_layer(first, sites)


def _hint_from_cases(failed: Sequence[SiteResult], sites: Sequence[SiteResult], trace: Trace) -> str:
    """A rule, told by which cases fail and which do not."""
    known = {case.name: case for case in trace.cases}
    names = {site.case.removesuffix(" (sdpa)") for site in failed}
    ran = {site.case.removesuffix(" (sdpa)") for site in sites}
    if all(site.case.endswith("(sdpa)") for site in failed):
        return "the sdpa path of the attention: the eager one agrees"
    inputs = {name: set(known[name].inputs) for name in ran if name in known}
    if all("position_ids" in inputs.get(name, ()) for name in names):
        return "position_ids, position_offset: only calls with positions differ"
    encoded = {name for name in inputs if known[name].through in ("model", "backbone")}
    implicit = {name for name in encoded if "input_ids" in inputs[name] and "attention_mask" not in inputs[name]}
    if names <= implicit and len(implicit) < len(encoded):
        return "implicit_mask_token_ids: only calls without an attention_mask differ"
    embeddings = {site.case for site in failed if site.site == "hidden_states.0"}
    if embeddings and all(case.startswith("small_inputs") for case in embeddings):
        return "layer_norm_eps: of the embeddings only those as small as the epsilon differ"
    if all("attention_mask" in inputs.get(name, ()) for name in names) and any(
        "attention_mask" in inputs[name] for name in encoded - names
    ):
        return f"the rule for attention masks: of the forms of mask only {', '.join(sorted(names))} differ"
    return ""


def _hint_in_layer(first: SiteResult, sites: Sequence[SiteResult]) -> str:
    match = _LAYER.match(first.site)
    if not match:
        return first.site
    number, part = int(match[1]), match[2]
    passed = {site.site for site in sites if site.case == first.case and site.passed}
    if part == "self_attn.context":
        return f"the values that the attention of layer {number} gathers, the order of its heads: what goes in agrees"
    if part:
        name = re.sub(r"^self_attn\.([qkv]_proj)$", r"self_attn.self_attn.\1", part)
        return f"encoder.layers.{number}.{name}.weight and .bias"
    if first.site.startswith("attentions"):
        if f"layers.{number}.self_attn.q_proj" in passed:
            return f"attention mask, scale or number of heads in layer {number}: q, k and v agree"
        return f"encoder.layers.{number}.self_attn.self_attn.q_proj and k_proj, and the attention mask"
    layer = number - 1
    if f"layers.{layer}.linear2" in passed:
        return f"encoder.layers.{layer}.norm2.weight and .bias, layer_norm_eps"
    return f"encoder.layers.{layer}: the weights of this layer; the state before it agrees"


def _head(site: str) -> str:
    return {"start_logits": "linear_start or qa_outputs", "end_logits": "linear_end or qa_outputs"}.get(
        site, "classifier"
    )
