"""Unknown tensors inside modules that a conversion left out: only on request, and then the manifest records it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from converter.common.errors import Problem, fold_names
from converter.common.layout import MANIFEST
from converter.plan.inner_tensors import INSIDE, OPTION, UNKNOWN, count_left_inside, find_inner, read_left_inside
from mappings import find_class

if TYPE_CHECKING:
    from converter.plan.plan import Plan

CODE = "E111"


def check_left_inside(manifest: Mapping[str, Any] | None, plan: Plan | None) -> tuple[dict[str, str], list[Problem]]:
    """Name -> kind of what OUTPUT leaves out, and what is wrong with that: it is not recorded, or not in SOURCE.

    `plan` speaks for SOURCE; without one what the manifest lists as dropped does.
    """
    recorded = read_left_inside(manifest)
    found = _dropped_inside(manifest) if plan is None else {each.name: each.kind for each in plan.left_inside}
    silent = {name: kind for name, kind in found.items() if name not in recorded}
    problems = []
    if silent:
        kinds = ", ".join(dict.fromkeys(silent.values()))
        text = (
            f"{fold_names(silent)}: inside modules of SOURCE ({kinds}) and not in OUTPUT, and {MANIFEST} does not "
            f"record that they were left out on request ({OPTION}). Nothing shows that OUTPUT is the same model"
        )
        problems.append(Problem(CODE, f"{text}. Convert again: the error there names the way"))
    invented = [name for name in recorded if name not in found]
    if invented and plan is not None:
        text = f"{MANIFEST} records {fold_names(invented)} as left out, and SOURCE has no such tensor inside a module"
        problems.append(Problem(CODE, f"{text}. Convert again"))
    return {**recorded, **found}, problems


def warn_left_inside(left: Mapping[str, str]) -> str:
    """What a pass does not speak of."""
    names = fold_names(left)
    return f"left out of OUTPUT: {count_left_inside(left)}: {names}. The verdict is about the model without them"


def _dropped_inside(manifest: Mapping[str, Any] | None) -> dict[str, str]:
    """Of what a manifest lists as dropped, what no table knows and lies inside a module; one of another form lists
    nothing."""
    mapping, source, dropped = ((manifest or {}).get(name) for name in ("mapping", "source", "dropped"))
    if not isinstance(mapping, dict) or not isinstance(source, dict) or not isinstance(dropped, list):
        return {}
    found = find_class(mapping.get("table"))
    if found is None:
        return {}
    family, entry = found
    table = family.tables[entry.source]
    scheme = next((scheme for scheme in table.schemes if scheme.name == mapping.get("scheme")), table.schemes[0])
    rows = [row for row in dropped if isinstance(row, dict) and isinstance(row.get("source"), str)]
    unknown = [row["source"] for row in rows if str(row.get("reason")).startswith((UNKNOWN, INSIDE))]
    variables = () if source.get("naming") in ("structured", "transformers") else unknown
    return {each.name: each.kind for each in find_inner(unknown, family, table, scheme, variables)}
