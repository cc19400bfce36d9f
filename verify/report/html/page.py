"""report.html: what the template report.html.j2 shows of a report."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from converter.common.version import __version__
from verify.report.html import tables
from verify.report.html.plot import draw_plot
from verify.report.messages import describe_margin, describe_subject
from verify.report.plain_text import clean, to_number
from verify.report.rows import verdict_of
from verify.report.tensor_groups import by_tensor, count_failed
from verify.results.numbers import FirstDifference, SiteResult, share_of_limit
from verify.results.report import NUMBERS, TOKENS, WEIGHTS, Report

if TYPE_CHECKING:
    from jinja2 import Environment


_HEADING = "Verification of a conversion from Paddle to PyTorch"


def render_page(report: Report) -> str:
    """The page of a report. The same report gives the same bytes."""
    from markupsafe import Markup

    return _environment().get_template("report.html.j2").render(plot=Markup(draw_plot(report)), **_values(report))


def render_top(report: Report) -> str:
    """The verdict, the model and what was compared, as a piece of HTML for a notebook."""
    return _environment().get_template("notebook.html.j2").render(**_values(report))


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    def finalize(value: object) -> object:
        return value if isinstance(value, Markup) else clean(value)

    loader = PackageLoader("verify.report", "html")
    return Environment(
        loader=loader,
        autoescape=True,
        undefined=StrictUndefined,
        finalize=finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _values(report: Report) -> dict[str, Any]:
    """The variables of the template."""
    margin, tokens, tested, first = report.margin, report.tokenizer, report.self_test, report.first_difference
    lists, others = tables.other_tables({name: value for name, value in report.others.items() if value})
    return {
        "report": report,
        "version": __version__,
        "heading": report.title or _HEADING,
        "most": tables.MOST,
        "verdict": verdict_of(report),
        "subject": describe_subject(report),
        "cards": list(_cards(report)),
        "margin": describe_margin(margin) if margin else "",
        "hidden": margin is not None and margin.fault.ratio is not None and margin.fault.ratio <= 1,
        "measured": _measured(first) if first else "",
        "left_inside": tables.pairs_table(("tensor of SOURCE", "by its name"), report.left_inside),
        "rows": tables.rows_table(report),
        "failed_sites": tables.failed_sites(report.sites),
        "gradients": tables.gradients_table(report),
        "gradients_text": _gradients_text(report),
        "failed_gradients": tables.failed_gradients(report.gradients),
        "modes": tables.modes_table(report.uses),
        "coverage": tables.coverage_table(report),
        "token_examples": tables.token_examples(tokens) if tokens else None,
        "token_ways": tables.token_ways(tokens) if tokens else None,
        "equal_ways": tables.equal_ways(tokens) if tokens else None,
        "fault_kinds": tables.fault_kinds(tested) if tested else None,
        "explained": tables.explained_faults(tested) if tested else None,
        "environment": tables.environment_table(report),
        "other_tables": lists,
        "others": others,
        "files": tables.pairs_table(("file", "sha256"), report.files, mono=True),
    }


@dataclass(frozen=True)
class Card:
    """One part of a verification with its own verdict; `passed` is None where it was not checked."""

    name: str
    what: str
    text: str
    passed: bool | None

    @property
    def word(self) -> str:
        return {True: "ok", False: "FAILED", None: "not seen"}[self.passed]

    @property
    def kind(self) -> str:
        """The class of the word in style.css."""
        return {True: "ok", False: "failed-word", None: "unseen"}[self.passed]


def _cards(report: Report) -> Iterator[Card]:
    static, sites, tokens = report.static, report.sites, report.tokenizer
    missing = []
    if static is not None and WEIGHTS in report.checked:
        rounded = f", {static.rounded} rounded" if static.rounded else ""
        text = f"compared with the {static.against}{rounded}; {len(static.mismatched)} differ"
        yield Card(WEIGHTS, f"{static.tensors} tensors", text, not static.mismatched)
    else:
        missing.append(WEIGHTS)
    if NUMBERS in report.checked:
        text = f"{len({site.case for site in sites})} inputs, {report.precision}; {_worst_share(sites)}"
        passed = bool(sites) and all(site.passed for site in sites) and not (tokens and tokens.from_text[1])
        yield Card(NUMBERS, f"{len(sites)} sites", text, passed)
    else:
        missing.append(NUMBERS)
    if tokens is not None:
        passed = not tokens.mismatched and not tokens.problem
        yield Card(TOKENS, f"{tokens.texts} texts", f"{tokens.mismatched} results differ", passed)
    else:
        missing.append(TOKENS)
    yield from (Card(name, "–", "not looked at", None) for name in missing)


def _worst_share(sites: list[SiteResult]) -> str:
    shares = [share_of_limit(site) for site in sites if site.max_rel is not None]
    if not shares:
        return "nothing could be compared"
    worst = max(shares)
    text = f"at worst {worst:.1%} of its limit" if worst <= 1 else f"at worst {worst:.1e} times its limit"
    beyond = len(sites) - len(shares)
    return text + (f", {beyond} cannot be compared" if beyond else "")


def _measured(first: FirstDifference) -> str:
    return first.problem or f"{to_number(first.max_rel)} of the largest value, limit {first.tolerance:.0e}"


def _gradients_text(report: Report) -> str:
    wrong, inputs = count_failed(report.gradients), len({result.case for result in report.gradients})
    verdict = f"{wrong} differ" if wrong else "all agree"
    return f"{len(by_tensor(report.gradients))} tensors in {inputs} inputs, {verdict}"
