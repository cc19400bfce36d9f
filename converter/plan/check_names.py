"""Names of a checkpoint held against the tables: what is missing, out of range, of another class, or unknown."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from converter.common.errors import MOST_LISTED, Problem, fold_names
from converter.files.tensors import SourceTensor
from mappings import Family, Mapped, Scheme, Table, matches_row
from mappings.tensors.expand import why_left_out

#: The digits are taken whole: looking for what follows each zero would take a name of zeros the square of its length.
NUMBER = re.compile(r"(?<=\.)[0-9]+(?=\.)")


def check_names(
    family: Family,
    table: Table,
    scheme: Scheme,
    tensors: Mapping[str, SourceTensor],
    mapped: tuple[Mapped, ...],
    config_file: str = "",
) -> tuple[list[Problem], list[str]]:
    """What is missing, out of range or of another class; and the names that no table knows, which are dropped."""
    problems: list[Problem] = []
    needed = {entry.source for entry in mapped}
    lost = [entry for entry in mapped if not entry.drop and entry.source not in tensors]
    there = {entry.missing for entry in mapped if entry.source in tensors}
    for reason in dict.fromkeys(entry.missing for entry in lost if entry.missing and entry.missing not in there):
        names = fold_names(entry.source for entry in lost if entry.missing == reason)
        problems.append(Problem("E101", f"missing: {names}: {reason}"))
    missing = [entry.source for entry in lost if not entry.missing or entry.missing in there]
    if missing:
        by = f"{config_file} specifies {table.source_class}" if config_file else f"expected for {table.source_class}"
        problems.append(Problem("E101", f"missing: {fold_names(missing)}. {by}; is the checkpoint complete?"))
    rest = [name for name in tensors if name not in needed and not why_left_out(name, table, scheme)]
    beyond = [name for name in rest if matches_row(name, table, scheme)]
    if beyond and mapped:
        problems.append(
            Problem(
                "E102",
                f"{fold_names(beyond)}: beyond what {config_file or 'the config'} gives. Which of the two is right?",
            )
        )
    of_table = set(beyond)
    foreign = {name: _other_class(name, table, family) for name in rest if name not in of_table}
    foreign = {name: other for name, other in foreign.items() if other}
    if foreign:
        others = sorted(set(foreign.values()))
        problems.append(
            Problem(
                "E104",
                f"{fold_names(foreign)}: names of {', '.join(others)}, not of {table.source_class}. "
                f"Is --architecture right?",
            )
        )
    padded = [name for name in rest if _unpadded(name) != name and matches_row(_unpadded(name), table, scheme)]
    if padded:
        text = f"{fold_names(padded)}: layer numbers have no leading zeros in any checkpoint. Was it renamed?"
        problems.append(Problem("E102", text))
    known = set(beyond) | set(foreign) | set(padded)
    return problems, [name for name in rest if name not in known]


def _unpadded(name: str) -> str:
    return NUMBER.sub(lambda found: found[0].lstrip("0") or "0", name)


def _other_class(name: str, table: Table, family: Family) -> str:
    """Which other class (or other scheme of this one) a name belongs to, or ''."""
    for source_class, other in family.tables.items():
        if any(matches_row(name, other, scheme) for scheme in other.schemes):
            return source_class if other is not table else f"another name scheme of {source_class}"
    return ""


def fold_reasons(reasons: Mapping[str, Sequence[str]]) -> str:
    """What is left out and why: with the names while they are few, else how many for each reason."""
    count = sum(map(len, reasons.values()))
    if count > 20 and len(reasons) > 1:
        counted = [f"{reason} ({len(names)})" for reason, names in reasons.items()]
        more = f" and {len(counted) - MOST_LISTED} more reasons" if len(counted) > MOST_LISTED else ""
        return f"{count} variables (inspect lists them): {', '.join(counted[:MOST_LISTED])}{more}"
    return "; ".join(f"{fold_names(names)}: {reason}" for reason, names in reasons.items())
