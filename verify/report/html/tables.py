"""The tables of report.html as values; the template draws them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from verify.report.groups import family_of
from verify.report.plain_text import to_number
from verify.report.rows import result_rows
from verify.report.tensor_groups import by_tensor, coverage_rows, gradient_rows, worst_of
from verify.results.checks import TokenResult
from verify.results.numbers import GradientResult, ModeResult, SiteResult
from verify.results.report import Report
from verify.results.self_test import SelfTest

#: Rows of a table that lists what failed; the rest is in report.json.
MOST = 40
_IDS_BEFORE, _IDS_AFTER = 3, 12
_FAULTS = {
    "last place": "one element by one unit in its last place",
    "transposed": "a square matrix transposed",
    "exchanged": "two tensors of one shape exchanged",
    "rows exchanged": "two rows of an embedding exchanged",
    "field": "a field of a JSON file",
    "line": "a line of vocab.txt",
    "piece": "a piece of the sentencepiece model",
    "code": "an edit of the code",
}


@dataclass(frozen=True)
class Share:
    """A cell with a bar. `percent` is rounded down: what is not quite all must not look like all."""

    percent: str

    @classmethod
    def of(cls, share: float) -> Share:
        return cls(f"{int(min(max(share, 0.0), 1.0) * 1000) / 10:g}")


@dataclass(frozen=True)
class Line:
    """The cells of one line, and whether something in it is wrong."""

    cells: Sequence[object]
    wrong: bool = False


@dataclass(frozen=True)
class Table:
    """Columns in `numbers` are aligned to the right, those in `short` are not broken into lines."""

    names: Sequence[str]
    lines: Sequence[Line]
    numbers: Sequence[int] = ()
    short: Sequence[int] = ()
    mono: bool = False
    #: How many entries there are, where the table shows the first of them.
    total: int = 0

    def kind(self, column: int) -> Any:
        """The class attribute of the cells of a column."""
        from markupsafe import Markup

        name = "number" if column in self.numbers else "short" if column in self.short else ""
        return Markup(f' class="{name}"') if name else ""


def rows_table(report: Report) -> Table | None:
    lines = [Line((*row.cells[:4], row.where, row.word), bool(row.failed)) for row in result_rows(report)]
    names = ("what", "compared", "worst", "limit", "at", "")
    return Table(names, lines, numbers=(2, 3), short=(0, 1, 5)) if lines else None


def failed_sites(sites: Sequence[SiteResult]) -> Table | None:
    failed = [site for site in sites if not site.passed]
    lines = [
        Line((site.site, site.case, to_number(site.max_rel), f"{site.tolerance:.1e}", site.problem))
        for site in failed[:MOST]
    ]
    names = ("site", "input", "measured", "limit", "why")
    return Table(names, lines, numbers=(2, 3), total=len(failed)) if lines else None


def gradients_table(report: Report) -> Table | None:
    """A line for each kind of tensor, with the gradient that is nearest to its limit or above it."""
    lines = []
    for row in gradient_rows(family_of(report), report.gradients):
        worst, word = row.worst, f"{row.failed} FAILED" if row.failed else "ok"
        where = f"{worst.tensor}, {worst.case}" + (f": {worst.problem}" if worst.problem else "")
        cells = (row.name, row.tensors, to_number(worst.max_rel), f"{worst.tolerance:.1e}", where, word)
        lines.append(Line(cells, bool(row.failed)))
    names = ("kind of tensor", "tensors", "worst measured", "its limit", "at", "")
    return Table(names, lines, numbers=(1, 2, 3), short=(0, 5)) if lines else None


def failed_gradients(gradients: Sequence[GradientResult]) -> Table | None:
    """Each tensor whose gradient differs, with the worst of its inputs."""
    failed = list(by_tensor(result for result in gradients if not result.passed).values())
    lines = []
    for found in failed[:MOST]:
        worst = worst_of(found)
        cells = (
            worst.tensor,
            len(found),
            worst.case,
            to_number(worst.max_rel),
            f"{worst.tolerance:.1e}",
            worst.problem,
        )
        lines.append(Line(cells))
    names = ("tensor", "inputs", "the worst", "measured", "limit", "why")
    return Table(names, lines, numbers=(1, 3, 4), total=len(failed)) if lines else None


def modes_table(modes: Mapping[str, ModeResult]) -> Table | None:
    lines = []
    for name, mode in modes.items():
        word = f"{mode.differ} FAILED" if mode.differ else "not run" if mode.skipped else "ok"
        lines.append(Line((name, mode.compared, mode.first or mode.skipped, word), bool(mode.differ)))
    return Table(("use", "sites", "the first that differs", ""), lines, numbers=(1,), short=(3,)) if lines else None


def coverage_table(report: Report) -> Table | None:
    """How many elements of each kind of tensor move what is compared."""
    lines = []
    for row in coverage_rows(family_of(report), report.coverage):
        share = Share.of(row.seen / row.elements if row.elements else 1.0)
        lines.append(Line((row.name, row.tensors, f"{row.elements:,}", share, row.rest)))
    names = ("kind of tensor", "tensors", "elements", "share", "what else looks at it")
    return Table(names, lines, numbers=(1, 2)) if lines else None


def token_examples(tokens: TokenResult) -> Table | None:
    """Texts with other ids; of other ways a trace holds a digest, so only what OUTPUT gives can be shown."""
    whole = [example for example in tokens.examples if "expected" in example]
    others = [example for example in tokens.examples if "expected" not in example]
    lines = [Line((each["text"], *_around_difference(each["expected"], each["found"]))) for each in whole]
    lines += [Line((each["text"], f"by the way {each['way']}", each["found"])) for each in others]
    return Table(("text", "Paddle's ids", "OUTPUT's ids"), lines) if lines else None


def token_ways(tokens: TokenResult) -> Table | None:
    """The ways through the tokenizer that differ."""
    lines = [Line((way, compared, differ), True) for way, (compared, differ) in tokens.ways.items() if differ]
    return Table(("way", "compared", "differ"), lines, numbers=(1, 2)) if lines else None


def equal_ways(tokens: TokenResult) -> Table | None:
    """The other ways."""
    lines = [Line((way, compared)) for way, (compared, differ) in tokens.ways.items() if not differ]
    return Table(("way", "results"), lines, numbers=(1,)) if lines else None


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


def fault_kinds(tested: SelfTest) -> Table:
    """How many faults of each kind were injected and found."""
    kinds = sorted(tested.by_kind.items(), key=lambda entry: (*_FAULTS, entry[0]).index(entry[0]))
    lines = [
        Line((_FAULTS.get(name, name), kind.planted, kind.found, kind.without_static), kind.found < kind.planted)
        for name, kind in kinds
    ]
    total = [sum(getattr(kind, part) for _, kind in kinds) for part in ("planted", "found", "without_static")]
    lines.append(Line(("all", *total), total[1] < total[0]))
    return Table(("fault", "injected", "found", "by numbers and tokens alone"), lines, numbers=(1, 2, 3))


def explained_faults(tested: SelfTest) -> Table | None:
    """The faults that numbers and tokens cannot show, by the reason."""
    reasons: dict[str, list[str]] = {}
    for entry in tested.without_static.explained:
        reasons.setdefault(entry.why, []).append(entry.fault)
    lines = [Line((why, len(faults), "; ".join(faults))) for why, faults in reasons.items()]
    total = len(tested.without_static.explained)
    return Table(("why", "faults", "which"), lines, numbers=(1,), total=total) if lines else None


def environment_table(report: Report) -> Table:
    """Who computed what OUTPUT was compared with, and where all ran."""
    reference = report.reference
    lines = [Line(("behavior", report.behavior))]
    if report.source_behavior not in (None, report.behavior):
        lines.append(Line(("SOURCE's own behavior", report.source_behavior), True))
    lines += [Line((f"not paddle2torch's code: {name}", digest)) for name, digest in report.foreign_code.items()]
    if reference:
        lines.append(Line(("reference", reference.get("kind", ""))))
        lines.append(Line(("how the weights were read", "; ".join(reference.get("how", [])))))
        lines += [Line((f"read by Paddle: {file['name']}", file["sha256"])) for file in reference.get("files", [])]
    for side, versions in report.environment.items():
        if isinstance(versions, dict):
            versions = ", ".join(f"{name} {version}" for name, version in versions.items())
        lines.append(Line(({"reference": "Paddle's side", "output": "OUTPUT's side"}.get(side, side), versions)))
    return Table((), lines)


def pairs_table(names: Sequence[str], pairs: Mapping[str, object], mono: bool = False) -> Table | None:
    return Table(names, [Line(pair) for pair in pairs.items()], mono=mono) if pairs else None


def other_tables(others: Mapping[str, Any]) -> tuple[list[tuple[str, Table]], Table | None]:
    """Fields of a report that this version does not know: lists of objects as tables, the rest in one table."""
    lists = {name: found for name, found in others.items() if isinstance(found, list) and isinstance(found[0], Mapping)}
    rest = {name: found for name, found in others.items() if name not in lists}
    shown = {name: found if isinstance(found, (str, int)) else json.dumps(found) for name, found in rest.items()}
    lines = {name.replace("_", " "): found for name, found in shown.items()}
    return [(name.capitalize(), _entries(found)) for name, found in lists.items()], pairs_table((), lines)


def _entries(entries: Sequence[Mapping[str, Any]]) -> Table:
    """A column for each key."""
    names = list(dict.fromkeys(name for entry in entries for name in entry))
    lines = [Line([_cell(name, entry.get(name)) for name in names], entry.get("passed") is False) for entry in entries]
    return Table([name.replace("_", " ") for name in names], lines, total=len(entries))


def _cell(name: str, value: object) -> object:
    is_share = name in ("coverage", "share") and isinstance(value, (int, float)) and not isinstance(value, bool)
    return Share.of(float(value)) if is_share else to_number(value)  # type: ignore[arg-type]
