"""Findings about tensors: those of one kind become one problem where they are many."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from converter.common.errors import Problem

#: Findings of one kind are told one by one up to this number.
_FEW = 3


class Finding(NamedTuple):
    """What is wrong with one tensor. `kind` follows on "12 tensors": what is wrong with all of its kind."""

    kind: str
    name: str
    problem: Problem


def fold_findings(findings: Iterable[Finding]) -> list[Problem]:
    """One problem for each finding, or for each kind of which there are many, in the order in which they came."""
    kinds: dict[tuple[str, str], list[Finding]] = {}
    for finding in findings:
        kinds.setdefault((finding.problem.code, finding.kind), []).append(finding)
    problems: list[Problem] = []
    for (code, kind), found in kinds.items():
        if len(found) <= _FEW:
            problems += [finding.problem for finding in found]
        else:
            text = f"{len(found)} tensors {kind}; report.json lists them. The first: {found[0].problem.text}"
            problems.append(Problem(code, text))
    return problems
