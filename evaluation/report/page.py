"""report.html: one page without a script and without anything from elsewhere. Every value is escaped."""

from __future__ import annotations

from collections.abc import Iterable
from importlib import resources

from converter.common.version import __version__
from evaluation.report.plot import draw_plot
from evaluation.report.rows import describe_differing, differing_of, table_of, verdict_of
from evaluation.results import MOST_LISTED, Evaluation
from verify.report.plain_text import to_html

#: Nothing is loaded and nothing runs, even if something got through.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def render_page(result: Evaluation) -> str:
    """The page of an evaluation. The same result gives the same bytes."""
    style = resources.files("verify.report.html").joinpath("style.css").read_text(encoding="utf-8")
    title = f"paddle2torch evaluate: {result.task}"
    kind = "partly" if result.torch_only else "good" if result.passed else "bad"
    parts = [
        f'<h1>{to_html(title)}</h1><div class="verdict {kind}"><strong>{to_html(verdict_of(result))}</strong></div>',
        *_section("By layer or language", draw_plot(result)),
        *_section("Examples that differ", _items(map(describe_differing, differing_of(result)))),
    ]
    for view in result.views:
        parts += _section(view or "Languages", _table(table_of(result, view)))
    protocol = [("data", result.form), *result.protocol.items(), ("precision", result.precision)]
    parts += _section("Protocol", _table([("", ""), *protocol]))
    parts += _section("Published", _items(result.published))
    parts += _section("Warnings", _items(result.warnings))
    versions = {"Paddle's side": result.reference.get("environment", {}), "PyTorch's side": result.environment}
    rows = [(side, ", ".join(f"{name} {value}" for name, value in found.items())) for side, found in versions.items()]
    parts += _section("Environment", _table([("", ""), *rows]))
    head = (
        f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f"<title>{to_html(title)}</title><style>{style}</style>"
    )
    foot = f'<p class="quiet">paddle2torch {__version__}</p>'
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head>\n<body>{"".join(parts)}{foot}</body></html>\n'


def _section(title: str, content: str) -> list[str]:
    return [f"<h2>{to_html(title)}</h2>{content}"] if content else []


def _table(rows: Iterable[tuple[str, ...]]) -> str:
    names, *lines = rows
    head = "".join(f"<th>{to_html(name)}</th>" for name in names)
    body = "".join(f"<tr>{''.join(f'<td>{to_html(cell)}</td>' for cell in line)}</tr>\n" for line in lines)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _items(lines: Iterable[str]) -> str:
    listed = list(lines)
    items = "".join(f"<li>{to_html(line)}</li>\n" for line in listed[:MOST_LISTED])
    more = f"<p>and {len(listed) - MOST_LISTED} more</p>" if len(listed) > MOST_LISTED else ""
    return f"<ul>{items}</ul>{more}" if listed else ""
