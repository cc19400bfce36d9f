"""The sections of report.html that hold what was measured: sites, gradients, and how much of the weights they see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from verify.report.html.plot import draw_plot
from verify.report.html.tables import Row, render_rows, render_table
from verify.report.plain_text import to_number
from verify.report.tensor_groups import by_tensor, count_failed, coverage_rows, gradient_rows, worst_of
from verify.report.verdict import group_rows
from verify.results.numbers import GradientResult, SiteResult

_SHOWN = 40


def render_plot(sites: Sequence[SiteResult], first: Mapping[str, Any] | None) -> str:
    drawing = draw_plot(sites, first)
    if not drawing:
        return ""
    return (
        "<h2>Error by layer</h2><figure>" + drawing + '<figcaption class="quiet">Largest difference '
        "from Paddle at each place, as a share of the largest value there, over all inputs; the axis is logarithmic."
        "</figcaption></figure>"
    )


def render_groups(sites: Sequence[SiteResult]) -> str:
    rows = []
    for group in group_rows(sites):
        word = f"{group.failed} FAILED" if group.failed else "ok"
        cells = (group.name, group.sites, to_number(group.measured), f"{group.limit:.1e}", group.where, word)
        rows.append(Row(cells, bool(group.failed)))
    if not rows:
        return ""
    names = ("kind of site", "sites", "worst measured", "its limit", "at", "")
    return "<h2>Measured against the limit</h2>" + render_table(names, rows, numbers=(1, 2, 3), short=(0, 5))


def render_failed_sites(sites: Sequence[SiteResult]) -> str:
    failed = [site for site in sites if not site.passed]
    if not failed:
        return ""
    rows = [
        Row((site.site, site.case, to_number(site.max_rel), f"{site.tolerance:.1e}", site.problem))
        for site in failed[:_SHOWN]
    ]
    table = render_table(("site", "input", "measured", "limit", "why"), rows, numbers=(2, 3))
    return f"<details><summary>The {len(failed)} sites that differ</summary>{table}{_more(len(failed))}</details>"


def render_gradients(gradients: Sequence[GradientResult]) -> str:
    if not gradients:
        return ""
    wrong = count_failed(gradients)
    inputs = len({result.case for result in gradients})
    said = f"{len(by_tensor(gradients))} tensors in {inputs} inputs, {f'{wrong} differ' if wrong else 'all agree'}"
    rows = []
    for row in gradient_rows(gradients):
        worst = row.worst
        where = f"{worst.tensor}, {worst.case}" + (f": {worst.problem}" if worst.problem else "")
        word = f"{row.failed} FAILED" if row.failed else "ok"
        cells = (row.name, row.tensors, to_number(worst.max_rel), f"{worst.tolerance:.1e}", where, word)
        rows.append(Row(cells, bool(row.failed)))
    names = ("kind of tensor", "tensors", "worst measured", "its limit", "at", "")
    table = render_table(names, rows, numbers=(1, 2, 3), short=(0, 5))
    return f"<h2>Gradients</h2><p>{said}</p>{table}{_failed_gradients(gradients)}"


def _failed_gradients(gradients: Sequence[GradientResult]) -> str:
    """Each tensor whose gradient differs, with the worst of its inputs."""
    failed = [found for found in by_tensor(result for result in gradients if not result.passed).values()]
    if not failed:
        return ""
    rows = []
    for found in failed[:_SHOWN]:
        worst = worst_of(found)
        measured = to_number(worst.max_rel)
        rows.append(Row((worst.tensor, len(found), worst.case, measured, f"{worst.tolerance:.1e}", worst.problem)))
    table = render_table(("tensor", "inputs", "the worst", "measured", "limit", "why"), rows, numbers=(1, 3, 4))
    return f"<details><summary>The {len(failed)} tensors that differ</summary>{table}{_more(len(failed))}</details>"


def render_uses(uses: Mapping[str, Mapping[str, Any]]) -> str:
    """Calls of other kinds than those that are looked at site by site."""
    if not uses:
        return ""
    rows = []
    for way, use in uses.items():
        skipped = use.get("skipped", "")
        word = f"{use['differ']} FAILED" if use["differ"] else "not run" if skipped else "ok"
        rows.append(Row((way, use["compared"], use["first"] or skipped, word), bool(use["differ"])))
    return "<h2>Other uses</h2>" + render_table(("use", "sites", "the first that differs", ""), rows, (1,), short=(3,))


def render_coverage(coverage: Sequence[Mapping[str, Any]]) -> str:
    """How many elements of each kind of tensor move what is compared."""
    if not coverage:
        return ""
    rows = [
        {
            "kind of tensor": row.name,
            "tensors": row.tensors,
            "elements": f"{row.elements:,}",
            "share": row.seen / row.elements if row.elements else 1.0,
            "what else looks at it": row.rest,
        }
        for row in coverage_rows(coverage)
    ]
    said = "The share of elements whose fault would move what is compared; of each tensor alone in report.json."
    return f"<h2>Coverage</h2><p>{said}</p>{render_rows(rows, ('tensors', 'elements'))}"


def _more(count: int) -> str:
    return f"<p>and {count - _SHOWN} more, in report.json</p>" if count > _SHOWN else ""
