"""report.html: one page without a script, without anything from elsewhere, the verdict first."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from converter.version import __version__
from verify.compare import SiteResult, share_of_limit
from verify.rendering.plain_text import to_html, to_number
from verify.rendering.plot import draw_plot
from verify.rendering.style import STYLE
from verify.rendering.tables import Row, render_rows, render_table, worst_by_tensor
from verify.rendering.verdict import Verdict, group_rows, read_sites, verdict_of

_SHOWN = 40
_IDS_BEFORE, _IDS_AFTER = 3, 12
#: Parts of a report that have a section of their own; what else it holds is shown as it is.
_KNOWN = (
    *("passed", "precision", "behavior", "checked", "problems", "first_difference", "static", "sites", "gradients"),
    *("tokenizer", "warnings", "files", "reference", "environment"),
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
        _first_difference(report["first_difference"]),
        _problems(report["problems"]),
        _plot(sites, report["first_difference"]),
        _groups(sites),
        _failed_sites(sites),
        _gradients(report["gradients"]),
        _tokens(report["tokenizer"]),
        _warnings(report["warnings"]),
        _reference(report),
        _others(report),
        _files(report["files"]),
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
        f'<div class="verdict {verdict.kind}"><strong>{to_html(verdict.word)}: {to_html(verdict.sentence)}</strong>'
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


def _plot(sites: Sequence[SiteResult], first: Mapping[str, Any] | None) -> str:
    drawing = draw_plot(sites, first)
    if not drawing:
        return ""
    return (
        "<h2>Error by layer</h2><figure style='margin:0'>" + drawing + '<figcaption class="quiet">Largest difference '
        "from Paddle at each place, as a share of the largest value there, over all inputs; the axis is logarithmic."
        "</figcaption></figure>"
    )


def _groups(sites: Sequence[SiteResult]) -> str:
    rows = []
    for group in group_rows(sites):
        word = f"{group.failed} FAILED" if group.failed else "ok"
        cells = (group.name, group.sites, to_number(group.measured), f"{group.limit:.1e}", group.where, word)
        rows.append(Row(cells, bool(group.failed)))
    if not rows:
        return ""
    names = ("kind of site", "sites", "worst measured", "its limit", "at", "")
    return "<h2>Measured against the limit</h2>" + render_table(names, rows, numbers=(1, 2, 3))


def _failed_sites(sites: Sequence[SiteResult]) -> str:
    failed = [site for site in sites if not site.passed]
    if not failed:
        return ""
    rows = [
        Row((site.site, site.case, to_number(site.max_rel), f"{site.tolerance:.1e}", site.problem))
        for site in failed[:_SHOWN]
    ]
    more = f"<p>and {len(failed) - _SHOWN} more, in report.json</p>" if len(failed) > _SHOWN else ""
    table = render_table(("site", "input", "measured", "limit", "why"), rows, numbers=(2, 3))
    return f"<details><summary>The {len(failed)} sites that differ</summary>{table}{more}</details>"


def _gradients(gradients: Sequence[Mapping[str, Any]]) -> str:
    if not gradients:
        return ""
    worst = worst_by_tensor(gradients)
    wrong = sum(entry.get("passed") is False for entry in worst)
    said = f"{len(worst)} tensors, {wrong} differ" if wrong else f"{len(worst)} tensors, all agree"
    table = render_rows(worst)
    return (
        f"<h2>Gradients</h2><p>{said}</p><details open><summary>by tensor, the worst input</summary>{table}</details>"
    )


def _tokens(tokens: Mapping[str, Any] | None) -> str:
    if tokens is None:
        return ""
    parts = [f"<h2>Tokens</h2><p>{tokens['texts']} texts, {tokens['mismatched']} results other than Paddle's.</p>"]
    if tokens["problem"]:
        parts.append(f"<p class='failed-word'>{to_html(tokens['problem'])}</p>")
    rows = [
        Row((example["text"], *_around_difference(example["expected"], example["found"])))
        for example in tokens["examples"]
        if "expected" in example
    ]
    # Of other ways a trace holds a digest: only what OUTPUT gives can be shown.
    others = [
        Row((example["text"], f"by the way {example['way']}", example["found"]))
        for example in tokens["examples"]
        if "expected" not in example
    ]
    rows += others
    if rows:
        parts.append(render_table(("text", "Paddle's ids", "OUTPUT's ids"), rows))
    more = {key: tokens[key] for key in tokens if key not in ("texts", "mismatched", "problem", "examples")}
    return "".join(parts) + _as_it_is(more)


def _around_difference(expected: Sequence[object], found: Sequence[object]) -> tuple[str, str]:
    """Both lists from shortly before they part; report.json has them whole."""
    shorter = min(len(expected), len(found))
    place = next((n for n, (one, other) in enumerate(zip(expected, found)) if one != other), shorter)
    start = max(0, place - _IDS_BEFORE)
    shown = []
    for ids in (expected, found):
        before = f"({start} alike) " if start else ""
        after = " …" if len(ids) > place + _IDS_AFTER else ""
        shown.append(before + " ".join(map(str, ids[start : place + _IDS_AFTER])) + after)
    return shown[0], shown[1]


def _warnings(warnings: Iterable[object]) -> str:
    items = "".join(f"<li>{to_html(warning)}</li>" for warning in warnings)
    return f"<h2>Warnings</h2><ul>{items}</ul>" if items else ""


def _reference(report: Mapping[str, Any]) -> str:
    """Who computed what it was compared with, and where all ran."""
    reference = report["reference"]
    rows = [Row(("behavior", report["behavior"]))]
    if reference:
        rows += [
            Row(("reference", reference.get("kind", ""))),
            Row(("how the weights were read", "; ".join(reference.get("how", [])))),
        ]
        rows += [Row((f"read by Paddle: {file['name']}", file["sha256"])) for file in reference.get("files", [])]
    for side, versions in report["environment"].items():
        said = versions
        if isinstance(versions, dict):
            said = ", ".join(f"{name} {version}" for name, version in versions.items())
        rows.append(Row(({"reference": "Paddle's side", "output": "OUTPUT's side"}.get(side, side), said)))
    return "<h2>Environment</h2>" + render_table((), rows)


def _others(report: Mapping[str, Any]) -> str:
    """Parts that this page does not know: lists of like entries as tables, the rest as it is."""
    more = {key: report[key] for key in report if key not in _KNOWN and report[key]}
    tables = {key: value for key, value in more.items() if isinstance(value, list) and isinstance(value[0], Mapping)}
    parts = [
        f"<h2>{to_html(key.capitalize())}</h2><details open><summary>{len(value)} entries</summary>"
        f"{render_rows(value)}</details>"
        for key, value in tables.items()
    ]
    rest = _as_it_is({key: more[key] for key in more if key not in tables})
    return "".join(parts) + (f"<h2>More</h2>{rest}" if rest else "")


def _as_it_is(more: Mapping[str, Any]) -> str:
    if not more:
        return ""
    rows = [
        Row((name.replace("_", " "), value if isinstance(value, (str, int)) else json.dumps(value)))
        for name, value in more.items()
    ]
    return render_table((), rows)


def _files(files: Mapping[str, str]) -> str:
    if not files:
        return ""
    table = render_table(("file", "sha256"), [Row(pair) for pair in files.items()], mono=True)
    return f"<h2>The bytes that this speaks of</h2>{table}"
