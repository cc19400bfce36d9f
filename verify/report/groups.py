"""Sites and tensors by kind, in the order of the network, so that a report on a large model is as short as one on a
small model. The only place of the report that knows names of the network."""

from __future__ import annotations

import re
from collections.abc import Iterable

from verify.results.numbers import ZERO_ROW, SiteResult

# FAMILY: names of sites and modules, until they come from the description of the network.
_GROUPS = (
    ("word and position rows", ("word_embeddings", "position_embeddings")),
    ("embeddings", ("embeddings.sum", "hidden_states.0")),
    ("norms alone", ("norm:",)),
    ("linear layers alone", ("linear:",)),
    ("inside the layers", ("layers.",)),
    ("attention probabilities", ("attentions.",)),
    ("hidden states", ("hidden_states.",)),
    ("pooler", ("pooler_output",)),
    ("logits", ("logits", "start_logits", "end_logits")),
    ("probabilities", ("start_prob", "end_prob")),
    ("loss", ("loss",)),
)
_LAST_GROUP = "rows with every key hidden"
#: Kinds of sites that every model has.
COMMON_GROUPS = tuple(name for name, _ in _GROUPS[:7])
_ALONE = ("norm:", "linear:")
_PLACE = re.compile(r"(?:norm:|linear:)?(?:\w+\.)*?(hidden_states|attentions|layers)\.(\d+)")
_PARAMETER = re.compile(r"\.(weight|bias)$")
_TABLE = re.compile(r"embeddings\.(\w+_embeddings)")
_IN_LAYER = re.compile(r"(?:encoder\.)?layers\.\d+\.(?:self_attn\.)*(.+)")
#: Columns of the plot that are no layer.
_COLUMNS = {"rows": -2.0, "embeddings": -1.0, "pooler": 1e6, "head": 1e6 + 1, "loss": 1e6 + 2}


def group_sites(sites: Iterable[SiteResult]) -> list[tuple[str, list[SiteResult]]]:
    """Kind -> its sites, in the order of the network. Fully masked rows are a group of their own: their limits are
    wider."""
    groups: dict[str, list[SiteResult]] = {name: [] for name, _ in _GROUPS}
    masked: list[SiteResult] = []
    for site in sites:
        fitting = (name for name, starts in _GROUPS if any(_is_kind(site.site, start) for start in starts))
        if site.case.startswith(ZERO_ROW):
            masked.append(site)
        else:
            groups.setdefault(next(fitting, "others"), []).append(site)
    groups[_LAST_GROUP] = masked
    return [(name, found) for name, found in groups.items() if found]


def _is_kind(site: str, start: str) -> bool:
    return site.startswith(start) if start.endswith((".", ":")) else site == start


def runs_alone(site: str) -> bool:
    """Whether a site is the output of a module that was run alone, which has other limits than the network."""
    return site.startswith(_ALONE)


def column_of(site: str) -> tuple[str, bool]:
    """The column of the plot in which a site is drawn, and whether it is the result of that place, not inside of it."""
    match = _PLACE.match(site)
    if site in _GROUPS[0][1]:
        return "rows", True
    if match and match[1] == "hidden_states":
        return ("embeddings" if match[2] == "0" else match[2]), True
    if match:
        return str(int(match[2]) + 1), False
    if site.startswith("embeddings"):
        return "embeddings", False
    if site == "pooler_output":
        return "pooler", True
    if runs_alone(site):
        return ("embeddings" if "embeddings" in site else "pooler" if "pooler" in site else "head"), False
    return ("loss" if site == "loss" else "head"), True


def column_order(column: str) -> float:
    return _COLUMNS[column] if column in _COLUMNS else float(column)


def kind_of_tensor(tensor: str) -> str:
    """The module that a weight or bias belongs to; the same in every layer."""
    module = _PARAMETER.sub("", tensor.replace("ernie_m.", "", 1))
    match = _IN_LAYER.fullmatch(module) or _TABLE.fullmatch(module)
    return match[1] if match else module


def shows_in_no_output(tensor: str) -> bool:
    """Whether a tensor is a bias of the keys: softmax is the same for every constant added to a row."""
    return tensor.endswith("k_proj.bias")


def without_layer(text: str) -> str:
    """Names in a text without the number of their layer."""
    return re.sub(r"\blayers\.\d+\.(self_attn\.)?", "", text)
