"""The sections of report.html on tokens, on where all ran, and on whatever else a report holds."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from converter.plan.inner_tensors import read_left_inside
from verify.report.html.tables import Row, render_rows, render_table
from verify.report.plain_text import to_html

_IDS_BEFORE, _IDS_AFTER = 3, 12


def render_tokens(tokens: Mapping[str, Any] | None) -> str:
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
    return "".join(parts) + _ways(tokens["ways"])


def _ways(ways: Mapping[str, Sequence[int]]) -> str:
    """How many results of each way through the tokenizer were compared; those that differ as a table."""
    wrong = [Row((way, compared, differ), True) for way, (compared, differ) in ways.items() if differ]
    table = render_table(("way", "compared", "differ"), wrong, numbers=(1, 2)) if wrong else ""
    alike = ", ".join(f"{to_html(way)} {compared}" for way, (compared, differ) in ways.items() if not differ)
    return table + (f'<p class="quiet">Results that are Paddle\'s, by way: {alike}.</p>' if alike else "")


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


def render_left_inside(report: Mapping[str, Any]) -> str:
    """The tensors inside modules that OUTPUT leaves out."""
    left = read_left_inside(report)
    table = render_table(("tensor of SOURCE", "by its name"), [Row(pair) for pair in left.items()]) if left else ""
    return f"<h2>Left out of the modules</h2>{table}" if left else ""


def render_reference(report: Mapping[str, Any]) -> str:
    """Who computed what it was compared with, and where all ran."""
    reference = report["reference"]
    rows = [Row(("behavior", report["behavior"]))]
    if report.get("source_behavior") not in (None, report["behavior"]):
        rows.append(Row(("SOURCE's own behavior", report["source_behavior"]), True))
    rows += [
        Row((f"not paddle2torch's code: {name}", digest)) for name, digest in report.get("foreign_code", {}).items()
    ]
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


def render_others(more: Mapping[str, Any]) -> str:
    """Parts that the page does not know: lists of like entries as tables, the rest as it is."""
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


def render_files(files: Mapping[str, str]) -> str:
    if not files:
        return ""
    table = render_table(("file", "sha256"), [Row(pair) for pair in files.items()], mono=True)
    return f"<h2>The bytes that this speaks of</h2>{table}"
