"""The section of report.html on the faults that the verifier planted itself: what was missed, first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from verify.report.html.tables import Row, render_table
from verify.report.plain_text import to_html

_SHOWN = 40
_KINDS = {
    "last place": "one element by one unit in its last place",
    "transposed": "a square matrix transposed",
    "exchanged": "two tensors of one shape exchanged",
    "rows exchanged": "two rows of an embedding exchanged",
    "field": "a field of a JSON file",
    "line": "a line of vocab.txt",
    "piece": "a piece of the sentencepiece model",
    "code": "an edit of the code",
}


def render_self_test(tested: Mapping[str, Any] | None) -> str:
    if tested is None:
        return ""
    alone = tested["without_static"]
    parts = [
        f"<h2>Self-test</h2><p>{tested['found']} of {tested['faults']} faults that the verifier planted itself were "
        f"found; by numbers and tokens alone {alone['found']}.</p>",
        _list("Missed by every check", tested["missed"], "failed-word"),
        _list("Not found by numbers and tokens, for no reason that is known", alone["unexplained"], "unseen"),
        _by_kind(tested["by_kind"]),
        _by_check(tested["by_check"]),
        _explained(alone["explained"]),
    ]
    return "".join(parts)


def _list(title: str, faults: Sequence[str], kind: str) -> str:
    if not faults:
        return ""
    items = "".join(f"<li>{to_html(fault)}</li>" for fault in faults[:_SHOWN])
    more = f"<p>and {len(faults) - _SHOWN} more, in report.json</p>" if len(faults) > _SHOWN else ""
    return f'<h3 class="{kind}">{title}: {len(faults)}</h3><ul>{items}</ul>{more}'


def _by_kind(kinds: Mapping[str, Mapping[str, int]]) -> str:
    rows = [
        Row(
            (_KINDS.get(name, name), count["planted"], count["found"], count["without_static"]),
            count["found"] < count["planted"],
        )
        for name, count in sorted(kinds.items(), key=lambda entry: (*_KINDS, entry[0]).index(entry[0]))
    ]
    total = [sum(count[key] for count in kinds.values()) for key in ("planted", "found", "without_static")]
    rows.append(Row(("all", *total), total[1] < total[0]))
    return render_table(("fault", "planted", "found", "by numbers and tokens alone"), rows, numbers=(1, 2, 3))


def _by_check(checks: Mapping[str, int]) -> str:
    said = ", ".join(f"{to_html(name)} {count}" for name, count in checks.items())
    return f'<p class="quiet">Found by each check: {said}.</p>'


def _explained(explained: Sequence[Mapping[str, Any]]) -> str:
    if not explained:
        return ""
    by_reason: dict[str, list[str]] = {}
    for entry in explained:
        by_reason.setdefault(entry["why"], []).append(entry["fault"])
    rows = [Row((why, len(faults), "; ".join(faults))) for why, faults in by_reason.items()]
    table = render_table(("why", "faults", "which"), rows, numbers=(1,))
    title = f"The {len(explained)} that numbers and tokens cannot show, and why (bytes and fields find them)"
    return f"<details open><summary>{title}</summary>{table}</details>"
