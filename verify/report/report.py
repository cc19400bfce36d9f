"""What verify found, for programs (report.json) and for people (a table)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from converter.common.errors import Problem
from converter.common.printable import printable_message
from converter.plan.inner_tensors import LEFT_INSIDE, count_left_inside
from verify.numbers.compare import ZERO_ROW, GradientResult, SiteResult, share_of_limit
from verify.numbers.detection_margin import SmallestFault, tell_margin
from verify.tokens.compare_tokens import TokenResult
from verify.weights.check_weights import StaticResult

if TYPE_CHECKING:
    from verify.self_test import SelfTest

FOLDER = "verification"
#: What a full report has looked at; `push` wants all of these.
WEIGHTS, NUMBERS, TOKENS = "weights", "numbers", "tokens"
#: Among the uses, the one that is no call but from_pretrained as users write it. It has a row of its own.
DEFAULT_LOAD = "default load"
#: The code of a fault that the verifier planted and missed: nothing is known to be wrong with OUTPUT.
MISSED = "E409"
_GROUPS = (
    ("word and position rows", ("word_embeddings", "position_embeddings")),
    ("embeddings", ("embeddings.sum", "hidden_states.0")),
    ("norms alone", ("norm:",)),
    ("linear layers alone", ("linear:",)),
    ("inside the layers", ("layers.",)),
    ("attention probabilities", ("attentions.",)),
    ("hidden states", ("hidden_states.",)),
    ("pooler", ("pooler_output",)),
    ("logits", ("logits", "start_logits", "end_logits")),
    ("probabilities", ("start_prob", "end_prob")),
    ("loss", ("loss",)),
)
_SHOWN = 12
_NAMED = 5


@dataclass
class Report:
    """The verdict on one OUTPUT, and everything that it rests on."""

    precision: str
    #: Which of the three were looked at: "weights", "numbers", "tokens".
    checked: list[str] = field(default_factory=list)
    static: StaticResult | None = None
    sites: list[SiteResult] = field(default_factory=list)
    gradients: list[GradientResult] = field(default_factory=list)
    #: Per tensor: elements, how many of them the numbers see, and which check covers the rest.
    coverage: list[dict[str, Any]] = field(default_factory=list)
    #: Where the numbers agree, what the smallest fault of a weight would have done to them.
    smallest_fault: SmallestFault | None = None
    tokenizer: TokenResult | None = None
    #: Other ways to use the model (plain calls, training, float32, ...): way -> sites compared, how many differ, the
    #: first; for a way that was not gone `skipped` has the reason.
    uses: dict[str, dict[str, Any]] = field(default_factory=dict)
    #: The negative control, where it was asked for.
    self_test: SelfTest | None = None
    #: Name -> kind of the tensors inside modules that OUTPUT leaves out on request: a pass does not speak of them.
    left_inside: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    first_difference: dict[str, Any] | None = None
    #: sha256 of every file of OUTPUT that decides numbers or tokens.
    files: dict[str, str] = field(default_factory=dict)
    #: Who computed the reference: "live", "trace" or "none", how the weights reached it, its versions.
    reference: dict[str, Any] = field(default_factory=dict)
    #: Whose rules OUTPUT follows where Paddle's releases differ: one of converter.open.config.quirks.BEHAVIORS.
    behavior: str = "paddlenlp"
    #: The behavior of the release that wrote SOURCE; None where it is not known.
    source_behavior: str | None = None
    #: Name and sha256 of each code file in OUTPUT that is not this tool's own: running it proves nothing of it.
    foreign_code: dict[str, str] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)
    #: Seconds by stage. Not in report.json, so that two runs give the same report.
    seconds: dict[str, float] = field(default_factory=dict)
    #: Where the report was written, if it was.
    folder: Path | None = None

    @property
    def passed(self) -> bool:
        return not self.problems

    @property
    def unjudged(self) -> bool:
        """Nothing is wrong with OUTPUT, but the verifier missed a fault that it planted itself."""
        return bool(self.problems) and all(problem.code == MISSED for problem in self.problems)

    def to_json(self) -> dict[str, Any]:
        """The report as report.json holds it."""
        static, tokens = self.static, self.tokenizer
        return {
            "passed": self.passed,
            "precision": self.precision,
            "behavior": self.behavior,
            "source_behavior": self.source_behavior,
            "foreign_code": self.foreign_code,
            "checked": self.checked,
            "problems": [{"code": problem.code, "text": problem.text} for problem in self.problems],
            "first_difference": self.first_difference,
            "static": None if static is None else {**asdict(static), "mismatched": list(static.mismatched)},
            "sites": [site.as_json() for site in self.sites],
            "gradients": [result.as_json() for result in self.gradients],
            "coverage": self.coverage,
            "uses": self.uses,
            "noise": noise_of(self),
            "margin": margin_of(self),
            "tokenizer": None if tokens is None else asdict(tokens),
            "self_test": None if self.self_test is None else self.self_test.as_json(),
            LEFT_INSIDE: [{"source": name, "kind": kind} for name, kind in self.left_inside.items()],
            "warnings": self.warnings,
            "files": self.files,
            "reference": self.reference,
            "environment": self.environment,
        }


def render_table(report: Report) -> str:
    """The report for a terminal: the verdict, the worst of each kind of site, what is wrong and where to look."""
    lines = [_verdict(report), "", *_table(_rows(report)), "", f"behavior: {report.behavior}"]
    if report.reference.get("kind") not in (None, "none"):
        versions = report.reference.get("environment", {})
        lines.append(
            f"reference: PaddleNLP {versions.get('paddlenlp', '?')} on Paddle {versions.get('paddle', '?')}"
            f" ({report.reference['kind']}); {'; '.join(report.reference.get('how', []))}"
        )
    margin = margin_of(report)
    if margin is not None:
        lines.append(f"margin: {tell_margin(margin)}")
    if report.self_test is not None:
        lines.append(f"self-test: {report.self_test.tell()}")
    lines += [f"not run: {way}" for way in uses_not_run(report.uses)]
    lines += [f"warning: {warning}" for warning in report.warnings]
    lines += [str(problem) for problem in report.problems[:_SHOWN]]
    if len(report.problems) > _SHOWN:
        lines.append(f"and {len(report.problems) - _SHOWN} more problems")
    if report.folder is not None:
        lines.append(f"report: {report.folder / 'report.json'}")
    return "\n".join(map(printable_message, lines))


def uses_not_run(uses: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Each use that was left out, with the reason."""
    return [f"{way} ({use['skipped']})" for way, use in uses.items() if use.get("skipped")]


def _verdict(report: Report) -> str:
    """The first line. A pass speaks of the whole model only when all three were looked at."""
    seen = [f"{name} ({report.precision})" if name == NUMBERS else name for name in report.checked]
    unseen = [name for name in (WEIGHTS, NUMBERS, TOKENS) if name not in report.checked]
    if report.unjudged:
        return "NOT PROVEN: no difference was found, but the verifier missed faults that it planted itself"
    if not report.passed:
        return f"FAILED: OUTPUT is not the same model (looked at: {', '.join(seen) or 'nothing'})"
    reservations = [tell_foreign(report.foreign_code)] if report.foreign_code else []
    if report.left_inside:
        reservations.append(f"but without {count_left_inside(report.left_inside)}, left out on request")
    if reservations:
        seen_of = f"Looked at: {', '.join(seen)}" + (f". Not looked at: {', '.join(unseen)}" if unseen else "")
        return f"PASSED, {'; '.join(reservations)}. {seen_of}"
    if not unseen:
        return f"PASSED: OUTPUT is the same model ({', '.join(seen)})"
    return f"PASSED in what was looked at: {', '.join(seen)}. Not looked at: {', '.join(unseen)}"


def tell_foreign(names: Iterable[str]) -> str:
    """What a pass does not prove where OUTPUT has code of others."""
    named = sorted(names)
    more = f" and {len(named) - _NAMED} more" if len(named) > _NAMED else ""
    return f"but the code is not paddle2torch's own: {', '.join(named[:_NAMED])}{more}"


def _rows(report: Report) -> list[tuple[str, str, str, str, str]]:
    rows = []
    if report.static is not None:
        wrong = len(report.static.mismatched)
        what = f"{report.static.tensors} tensors" + (
            f", {report.static.rounded} rounded" if report.static.rounded else ""
        )
        rows.append(("weights", what, f"{wrong} differ", "0", "ok" if not wrong else "FAILED"))
    for group, sites in group_sites(report.sites):
        failed = sum(not site.passed for site in sites)
        rows.append((group, f"{len(sites)} sites", *_worst(sites, failed)))
    if report.gradients:
        tensors = len({result.tensor for result in report.gradients})
        failed = len({result.tensor for result in report.gradients if not result.passed})
        rows.append(("gradients", f"{tensors} tensors", *_worst(report.gradients, failed)))
    rows += rows_of_uses(report.uses)
    if report.tokenizer is not None:
        wrong = report.tokenizer.mismatched
        rows.append(
            ("tokens", f"{report.tokenizer.texts} texts", f"{wrong} differ", "0", "ok" if not wrong else "FAILED")
        )
    return rows


def rows_of_uses(uses: Mapping[str, Mapping[str, Any]]) -> list[tuple[str, str, str, str, str]]:
    """All ways to call the model in one row; in another one what from_pretrained gives by default."""
    rows = []
    for title, of_default, what in (("other uses", False, "sites"), (DEFAULT_LOAD, True, "tensors and sites")):
        chosen = [use for way, use in uses.items() if (way == DEFAULT_LOAD) == of_default]
        compared, wrong = (sum(use[part] for use in chosen) for part in ("compared", "differ"))
        if chosen:
            rows.append((title, f"{compared} {what}", f"{wrong} differ", "0", "ok" if not wrong else "FAILED"))
    return rows


def _worst(results: Sequence[SiteResult | GradientResult], failed: int) -> tuple[str, str, str]:
    """What was measured where it came nearest to its limit, that limit, and the verdict."""
    worst = max(results, key=share_of_limit)
    measured = "-" if worst.max_rel is None else f"{worst.max_rel:.1e}"
    return measured, f"{worst.tolerance:.0e}", "ok" if not failed else f"FAILED ({failed})"


def noise_of(report: Report) -> dict[str, Any] | None:
    """How near sound results came to their limits; the faults that `verify --self-test` plants lie beyond."""
    if not report.sites or not report.passed:
        return None
    site = max(report.sites, key=share_of_limit)
    noise: dict[str, Any] = {"share_of_limit": share_of_limit(site), "case": site.case, "site": site.site}
    if report.gradients:
        gradient = max(report.gradients, key=share_of_limit)
        noise["gradients"] = {
            "share_of_limit": share_of_limit(gradient),
            "case": gradient.case,
            "tensor": gradient.tensor,
        }
    return noise


def margin_of(report: Report) -> dict[str, Any] | None:
    """Between what noise uses up of a limit and what the smallest fault makes of one; None unless all passed."""
    fault = report.smallest_fault
    if fault is None or not report.sites or not report.passed:
        return None
    results: list[SiteResult | GradientResult] = [*report.sites, *report.gradients]
    told = fault.as_json()
    return {"noise": max(map(share_of_limit, results)), "smallest_fault": told.pop("ratio"), **told}


def group_sites(sites: list[SiteResult]) -> list[tuple[str, list[SiteResult]]]:
    """Sites by kind, in the order of the network; rows that hide every key apart, for they have their own limit."""
    groups: dict[str, list[SiteResult]] = {name: [] for name, _ in _GROUPS}
    tail: list[SiteResult] = []
    for site in sites:
        fitting = (name for name, starts in _GROUPS if any(_is_kind(site.site, start) for start in starts))
        if site.case.startswith(ZERO_ROW):
            tail.append(site)
        else:
            groups.setdefault(next(fitting, "others"), []).append(site)
    groups["rows with every key hidden"] = tail
    return [(name, found) for name, found in groups.items() if found]


def _is_kind(site: str, start: str) -> bool:
    return site.startswith(start) if start.endswith((".", ":")) else site == start


def _table(rows: list[tuple[str, str, str, str, str]]) -> list[str]:
    table = [("", "compared", "worst", "limit", ""), *rows]
    widths = [max(len(row[column]) for row in table) for column in range(5)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in table]
