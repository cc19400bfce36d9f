"""An evaluation as a table for the terminal."""

from __future__ import annotations

from converter.common.errors import MOST_LISTED
from converter.common.printable import printable_message
from evaluation.report.rows import describe_differing, differing_of, table_of, verdict_of
from evaluation.results import Evaluation


def render_table(result: Evaluation) -> str:
    """The verdict, the numbers of each language, the examples that differ, and the protocol."""
    lines = [verdict_of(result)]
    for view in result.views:
        lines += ["", *([view] if view else []), *_aligned(table_of(result, view))]
    lines.append("")
    differ = differing_of(result)
    lines += [describe_differing(one) for one in differ[:MOST_LISTED]]
    lines += [f"and {len(differ) - MOST_LISTED} more"] if len(differ) > MOST_LISTED else []
    lines.append(f"data: {result.form}")
    lines += [f"{name}: {value}" for name, value in result.protocol.items()]
    if result.reference:
        versions = result.reference.get("environment", {})
        lines.append(f"reference: PaddleNLP {versions.get('paddlenlp', '?')} on Paddle {versions.get('paddle', '?')}")
    lines += [f"published: {line}" for line in result.published]
    lines += [f"warning: {warning}" for warning in result.warnings]
    lines += [str(problem) for problem in result.problems[:MOST_LISTED]]
    return "\n".join(map(printable_message, lines))


def _aligned(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
