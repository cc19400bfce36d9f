"""Reduce many differences to one place: the first activation that differs, whether its inputs agree, and its likely
cause."""

from __future__ import annotations

from collections.abc import Sequence

from mappings.network import LINEAR, NORM, Network
from verify.results.numbers import NOT_FINITE, FirstDifference, GradientResult, SiteResult
from verify.results.trace import Trace


def first_difference(sites: Sequence[SiteResult], trace: Trace) -> FirstDifference | None:
    """The failing site that comes first in the network, in the first case that has it; None when all agree."""
    failed = [site for site in sites if not site.passed]
    if not failed:
        return None
    first = min(failed, key=lambda site: trace.family.network.depth(site.site))
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


def first_gradient(results: Sequence[GradientResult], trace: Trace) -> FirstDifference:
    """The gradient that differs first on the way back, where every output agrees."""
    failed = [result for result in results if not result.passed]
    depth = trace.family.network.depth_of_parameter
    first = max(failed, key=lambda result: (depth(result.tensor), result.max_rel is None))
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


def hint(first: SiteResult, failed: Sequence[SiteResult], sites: Sequence[SiteResult], trace: Trace) -> str:
    """The tensor, field or rule where a fault would look like this."""
    network, site = trace.family.network, first.site
    place, outside = network.place_in_layer(site), network.outside(site)
    if outside is not None and outside.group == "loss":
        return outside.hint
    rule = _hint_from_cases(failed, sites, trace)
    if rule:
        return rule
    if first.problem and not first.problem.endswith(NOT_FINITE):
        is_probabilities = place is not None and site.startswith(f"{network.attention.probabilities}.")
        return f"{'num_attention_heads' if is_probabilities else 'the sizes in config.json'}: {first.problem}"
    table = next((table for table in network.tables if table.name == site), None)
    if table is not None:
        return f"{table.module}.weight" + (f", row {first.worst[0]}" if first.worst else "")
    if site.startswith(NORM):
        return network.hints.norm.format(module=site[len(NORM) :])
    if site.startswith(LINEAR):
        return f"{site[len(LINEAR) :]}.weight and .bias: no input of the network shows it"
    if outside is not None:
        outputs = trace.model_class.outputs or {}
        module = outputs.get(outside.sigmoid_of or site, "the last linear layer")
        return outside.hint or f"the head's weight and bias ({module}): what goes into it agrees"
    return _hint_in_layer(first, sites, network) if place is not None else site


def _hint_from_cases(failed: Sequence[SiteResult], sites: Sequence[SiteResult], trace: Trace) -> str:
    """The rule that all cases that fail have in common, and no others."""
    known, hints = {case.name: case for case in trace.cases}, trace.family.network.hints
    names = {site.case.removesuffix(" (sdpa)") for site in failed}
    ran = {site.case.removesuffix(" (sdpa)") for site in sites}
    if all(site.case.endswith("(sdpa)") for site in failed):
        return "the sdpa path of the attention: the eager one agrees"
    inputs = {name: set(known[name].inputs) for name in ran if name in known}
    if all("position_ids" in inputs.get(name, ()) for name in names):
        return hints.positions
    encoded = {name for name in inputs if known[name].is_of_network}
    implicit = {name for name in encoded if "input_ids" in inputs[name] and "attention_mask" not in inputs[name]}
    if names <= implicit and len(implicit) < len(encoded):
        return hints.no_mask
    embeddings = {site.case for site in failed if site.site == trace.family.network.state_after(0)}
    if embeddings and all(case.startswith("small_inputs") for case in embeddings):
        return hints.small_inputs
    if all("attention_mask" in inputs.get(name, ()) for name in names) and any(
        "attention_mask" in inputs[name] for name in encoded - names
    ):
        return f"the rule for attention masks: of the forms of mask only {', '.join(sorted(names))} differ"
    return ""


def _hint_in_layer(first: SiteResult, sites: Sequence[SiteResult], network: Network) -> str:
    place = network.place_in_layer(first.site)
    assert place is not None
    number, part = place
    if part is None or not (part.hint or part.hint_alone):
        return f"{network.module_of(first.site)[0]}.weight and .bias"
    passed = {site.site for site in sites if site.case == first.case and site.passed}
    agrees = part.agrees and f"layers.{number}.{part.agrees}" in passed
    return (part.hint if agrees else part.hint_alone).format(layer=number)
