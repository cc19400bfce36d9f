"""Sites and tensors by kind, in the order of a family's network: a report on a large model stays short."""

from __future__ import annotations

import re

from mappings import Family, all_families, find_class, load_family
from mappings.folders import family_names
from mappings.network import LINEAR, NORM, Network
from verify.results.numbers import ZERO_ROW, SiteResult
from verify.results.report import Report

_ALONE = {NORM: "norms alone", LINEAR: "linear layers alone"}
_BEGIN, _INSIDE, _LAST, _OTHERS = "embeddings", "inside the layers", "rows with every key masked", "others"
_PROBABILITIES = "probabilities"
#: Columns of the plot that are no layer.
_COLUMNS = {"rows": -2.0, "embeddings": -1.0, "pooler": 1e6, "head": 1e6 + 1, "loss": 1e6 + 2}
_IN_LAYER = re.compile(r"\blayers\.\d+\.(?:\w+\.)*(\w+)")


def family_of(report: Report) -> Family:
    """The family of the model that a report is about. A report of an earlier version does not give it: then the family
    that knows most of the compared sites, and of several that which has the fewest tables besides."""
    if report.family in family_names():
        return load_family(report.family)

    def fit(family: Family) -> tuple[int, int]:
        network = family.network
        return sum(_is_known(network, site.site) for site in report.sites), -len(network.tables)

    return max(all_families(), key=fit)


def _is_known(network: Network, site: str) -> bool:
    return site in network.table_names or network.outside(site) is not None or network.place_in_layer(site) is not None


def group_sites(report: Report) -> list[tuple[str, list[SiteResult]]]:
    """Kind -> its sites, in the order of the network. Fully masked rows are a group of their own: their limits are
    wider."""
    network = family_of(report).network
    groups: dict[str, list[SiteResult]] = {name: [] for name in _group_names(network)}
    masked: list[SiteResult] = []
    for site in report.sites:
        found = masked if site.case.startswith(ZERO_ROW) else groups.setdefault(_group_of(network, site.site), [])
        found.append(site)
    groups[_LAST] = masked
    return [(name, found) for name, found in groups.items() if found]


def group_from_text(report: Report) -> str:
    """The group of what comes last from a text, and is compared for it: logits, or a model's last states."""
    network = family_of(report).network
    groups = {_group_of(network, site.site) for site in report.sites}
    return "logits" if "logits" in groups else _group_of(network, network.state_after(1))


def common_groups(family: Family) -> list[str]:
    """Groups that every model of a family has sites of."""
    network = family.network
    return [_rows(network), _BEGIN, *_ALONE.values(), _INSIDE, *_outputs_by_layer(network).values()]


def expected_groups(report: Report, architecture: object, pooled: bool) -> list[str]:
    """The groups of a full report on this class, by the target's name; of an unknown class those that every model of
    the report's family has. `pooled`: whether the weights have a pooling layer."""
    found = find_class(architecture)
    family = found[0] if found is not None else family_of(report)
    has_head = bool(found[1].outputs) if found is not None else "For" in str(architecture)
    return [*common_groups(family), *(["logits"] if has_head else []), *(["pooler"] if pooled else [])]


def _rows(network: Network) -> str:
    """The group of the tables that are compared row by row."""
    *others, last = (name.partition("_")[0] for name in network.table_names)
    return f"{', '.join(others)}{' and ' if others else ''}{last} rows"


def _outputs_by_layer(network: Network) -> dict[str, str]:
    """Outputs that the model gives for each layer, and their groups."""
    probabilities = network.attention.probabilities
    names = [part.name for part in network.layer if not part.module]
    return {name: "attention probabilities" if name == probabilities else name.replace("_", " ") for name in names}


def _group_names(network: Network) -> list[str]:
    ends = [_group_of(network, end.name) for end in network.ends]
    by_layer = _outputs_by_layer(network).values()
    return list(dict.fromkeys([_rows(network), _BEGIN, *_ALONE.values(), _INSIDE, *by_layer, *ends]))


def _group_of(network: Network, site: str) -> str:
    outside = network.outside(site)
    if site in network.table_names:
        return _rows(network)
    if outside is not None:
        logits = _PROBABILITIES if outside.sigmoid_of else "logits"
        return logits if outside.group == "head" else outside.group
    alone = next((group for start, group in _ALONE.items() if site.startswith(start)), None)
    if alone or site.startswith("layers."):
        return alone or _INSIDE
    return _outputs_by_layer(network).get(site.rpartition(".")[0], _OTHERS)


def runs_alone(site: str) -> bool:
    """Whether a site is the output of a module that was run alone, which has other limits than the network."""
    return site.startswith(tuple(_ALONE))


def column_of(network: Network, site: str) -> tuple[str, bool]:
    """The column of the plot in which a site is drawn, and whether it is the result of that place, not inside of it."""
    if site in network.table_names:
        return "rows", True
    place = network.place_in_layer(site)
    if place is not None:
        return str(place[0] + 1), place[1] is network.layer[-1]
    alone = runs_alone(site)
    number = network.layer_of_parameter(f"{site.partition(':')[2]}.weight") if alone else None
    if number is not None:
        return str(number + 1), False
    outside, group = network.outside(site), network.group_of(site)
    inside = alone or (outside is not None and outside.input)
    return (group if group in _COLUMNS else "head"), not inside


def column_order(column: str) -> float:
    """Where a column stands, to sort by."""
    return _COLUMNS[column] if column in _COLUMNS else float(column)


def shows_in_no_output(family: Family, tensor: str) -> bool:
    """Whether a tensor is a bias of the keys: softmax is the same for every constant added to a row."""
    return family.paddle_name(tensor).endswith(f".{family.network.attention.key}.bias")


def without_layer(text: str) -> str:
    """Names in a text without the number of their layer."""
    return _IN_LAYER.sub(r"\1", text)
