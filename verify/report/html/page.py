"""report.html: one page without a script, without anything from elsewhere, the verdict first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from converter.common.version import __version__
from converter.plan.inner_tensors import LEFT_INSIDE
from verify.report.html.section_self_test import render_self_test
from verify.report.html.sections_environment import (
    render_files,
    render_left_inside,
    render_others,
    render_reference,
    render_tokens,
)
from verify.report.html.sections_numbers import (
    render_coverage,
    render_failed_sites,
    render_gradients,
    render_groups,
    render_plot,
    render_uses,
)
from verify.report.html.style import STYLE
from verify.report.messages import tell_margin
from verify.report.plain_text import to_html, to_number
from verify.report.tensor_groups import read_gradients
from verify.report.verdict import Verdict, read_sites, verdict_of
from verify.results.numbers import SiteResult, share_of_limit
from verify.results.report import Margin, read_report

_SHOWN = 40
#: Parts of a report that have a section of their own; what else it holds is shown as it is.
_KNOWN = (
    *(
        "passed",
        "precision",
        "behavior",
        "source_behavior",
        "foreign_code",
        "checked",
        "problems",
        "first_difference",
        "static",
        "sites",
        "gradients",
    ),
    *("coverage", "uses", "noise", "margin", "tokenizer", "self_test", "warnings", "files", "reference", "environment"),
    LEFT_INSIDE,
)
# Even if something got through: nothing is loaded and nothing runs.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def render_page(report: Mapping[str, Any]) -> str:
    """The page of what report.json holds. The same report gives the same bytes."""
    sites = read_sites(report)
    verdict = verdict_of(report)
    sections = [
        _verdict(verdict),
        _cards(report, sites),
        _margin(read_report(report).margin),
        _first_difference(report["first_difference"]),
        _problems(report["problems"]),
        _warnings(report["warnings"]),
        render_left_inside(report),
        render_plot(sites, report["first_difference"]),
        render_groups(sites),
        render_failed_sites(sites),
        render_gradients(read_gradients(report)),
        render_uses(report["uses"]),
        render_coverage(report["coverage"]),
        render_tokens(report["tokenizer"]),
        render_self_test(report["self_test"]),
        render_reference(report),
        render_others({key: value for key, value in report.items() if key not in _KNOWN and value}),
        render_files(report["files"]),
        f"<footer>paddle2torch {__version__}. The same in numbers: report.json, for CI: junit.xml.</footer>",
    ]
    return "\n".join(
        [
            '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{to_html(verdict.word)}: verification of an ERNIE-M conversion</title>",
            f"<style>{STYLE}</style>\n</head>\n<body>\n<h1>Verification of an ERNIE-M conversion</h1>",
            *(section for section in sections if section),
            "</body>\n</html>\n",
        ]
    )


def _verdict(verdict: Verdict) -> str:
    return (
        f'<div class="verdict {verdict.kind}"><strong>{to_html(verdict.headline)}</strong>'
        f"<p>{to_html(verdict.scope)}</p></div>"
    )


def _cards(report: Mapping[str, Any], sites: Sequence[SiteResult]) -> str:
    """The three things that a full report looks at, each with its own verdict."""
    static, tokens = report["static"], report["tokenizer"]
    cards: list[tuple[str, str, str, bool | None]] = []
    if static is not None and "weights" in report["checked"]:
        rounded = f", {static['rounded']} rounded" if static.get("rounded") else ""
        said = f"compared with the {static['against']}{rounded}; {len(static['mismatched'])} differ"
        cards.append(("weights", f"{static['tensors']} tensors", said, not static["mismatched"]))
    if "numbers" in report["checked"]:
        worst = max((share_of_limit(site) for site in sites if site.max_rel is not None), default=None)
        cases = len({site.case for site in sites})
        share = "nothing could be compared"
        if worst is not None:
            share = f"at worst {worst:.1%} of its limit" if worst <= 1 else f"at worst {worst:.1e} times its limit"
        beyond = sum(site.max_rel is None for site in sites)
        share += f", {beyond} cannot be compared" if beyond and worst is not None else ""
        passed = bool(sites) and all(site.passed for site in sites)
        said = f"{cases} inputs, {report['precision']}; {share}"
        cards.append(("numbers", f"{len(sites)} sites", said, passed))
    if tokens is not None:
        passed = not tokens["mismatched"] and not tokens["problem"]
        cards.append(("tokens", f"{tokens['texts']} texts", f"{tokens['mismatched']} results differ", passed))
    missing = [name for name in ("weights", "numbers", "tokens") if name not in [card[0] for card in cards]]
    cards += [(name, "–", "not looked at", None) for name in missing]
    parts = []
    for name, what, said, good in cards:
        word, kind = {True: ("ok", "ok"), False: ("FAILED", "failed-word"), None: ("not seen", "unseen")}[good]
        parts.append(
            f'<div class="card"><span class="word {kind}">{word}</span><span class="name">{name}</span>'
            f'<b>{to_html(what)}</b><span class="quiet">{to_html(said)}</span></div>'
        )
    return f'<div class="cards">{"".join(parts)}</div>'


def _margin(margin: Margin | None) -> str:
    """How far noise lies below its limit, and a fault above."""
    if margin is None:
        return ""
    hidden = margin.fault.ratio is not None and margin.fault.ratio <= 1
    kind = "margin hidden" if hidden else "margin"
    return f'<p class="{kind}"><b>Margin:</b> {to_html(tell_margin(margin))}</p>'


def _first_difference(first: Mapping[str, Any] | None) -> str:
    if first is None:
        return ""
    if first["problem"]:
        measured = first["problem"]
    else:
        measured = f"{to_number(first['max_rel'])} of the largest value, limit {first['tolerance']:.0e}"
    before = ""
    if first.get("before"):
        agreed = "agrees" if first.get("inputs_agree") else "does not all agree"
        before = f"<p>What comes before it ({to_html(first['before'])} and earlier) {agreed}.</p>"
    cases = first.get("failed_cases", [])
    more = f" and {len(cases) - 1} more inputs" if len(cases) > 1 else ""
    return (
        '<div class="first-difference"><span class="quiet">First difference in the network</span>'
        f"<p><code>{to_html(first['site'])}</code> in input <code>{to_html(first['case'])}</code>{more}: "
        f"{to_html(measured)}</p>{before}"
        f'<p class="look">Look at {to_html(first["look_at"])}</p></div>'
    )


def _problems(problems: Sequence[Mapping[str, Any]]) -> str:
    if not problems:
        return ""
    items = [
        f'<li><span class="code">{to_html(problem["code"])}</span> {to_html(problem["text"])}</li>'
        for problem in problems
    ]
    more = f"<p>and {len(items) - _SHOWN} more, in report.json</p>" if len(items) > _SHOWN else ""
    return f'<h2>What is wrong</h2><ul class="problems">{"".join(items[:_SHOWN])}</ul>{more}'


def _warnings(warnings: Iterable[object]) -> str:
    items = "".join(f"<li>{to_html(warning)}</li>" for warning in warnings)
    return f"<h2>Warnings</h2><ul>{items}</ul>" if items else ""
