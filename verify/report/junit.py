"""junit.xml: a test case for every check, for every kind of site in every input, for every tensor's gradients and every
other use."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from verify.report.groups import group_sites
from verify.report.messages import describe_margin, describe_subject
from verify.report.plain_text import clean
from verify.report.rows import describe_foreign, result_rows, verdict_of
from verify.report.tensor_groups import by_tensor
from verify.results.numbers import GradientResult
from verify.results.report import NUMBERS, TOKENS, WEIGHTS, Report

_SUITE = "paddle2torch verify"
#: What is checked, the codes of its problems, and without which part of the work it was not looked at.
_CHECKS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("weights are the source's", ("E401", "E404"), WEIGHTS),
    ("weight files are whole", ("E405",), WEIGHTS),
    ("manifest", ("E406",), WEIGHTS),
    ("config", ("E408", "E410", "E412", "E419"), WEIGHTS),
    ("no code from elsewhere", ("E411", "E414"), WEIGHTS),
    ("OUTPUT stayed as it was", ("E413",), WEIGHTS),
    ("OUTPUT loads and runs", ("E407",), NUMBERS),
    ("first difference", ("E402",), NUMBERS),
    ("tokens", ("E403",), TOKENS),
)


def render_junit(report: Report) -> str:
    """The XML of a report. Attributes and elements are those of Jenkins' schema; the time is that
    of the whole run, where it is known."""
    cases = [*_checks(report), *_numbers(report), *_gradients(report.gradients)]
    cases += [
        _case("uses", name, [mode.first] if mode.differ else (), mode.skipped) for name, mode in report.uses.items()
    ]
    counts = {
        "tests": str(len(cases)),
        "failures": str(sum(case.find("failure") is not None for case in cases)),
        "errors": "0",
        **({"time": f"{sum(report.seconds.values()):.3f}"} if report.seconds else {}),
        "skipped": str(sum(case.find("skipped") is not None for case in cases)),
    }
    root = ElementTree.Element("testsuites", {"name": _SUITE, **{k: v for k, v in counts.items() if k != "skipped"}})
    name = clean(f"{_SUITE}: {report.title}") if report.title else _SUITE
    suite = ElementTree.SubElement(root, "testsuite", {"name": name, **counts})
    suite.append(_properties(report))
    suite.extend(cases)
    verdict = verdict_of(report)
    lines = [f"{verdict.headline}. {verdict.scope}"]
    lines += [f"warning: {warning}" for warning in report.warnings]
    ElementTree.SubElement(suite, "system-out").text = clean("\n".join(lines))
    ElementTree.indent(root, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _case(group: str, name: str, failures: Sequence[str] = (), skipped: str = "") -> ElementTree.Element:
    case = ElementTree.Element("testcase", {"classname": clean(f"paddle2torch.{group}"), "name": clean(name)})
    if failures:
        failure = ElementTree.SubElement(case, "failure", {"message": clean(failures[0]), "type": "difference"})
        failure.text = clean("\n".join(failures))
    elif skipped:
        ElementTree.SubElement(case, "skipped", {"message": clean(skipped)})
    return case


def _checks(report: Report) -> list[ElementTree.Element]:
    """Every problem is a failure of some check, those of codes that this table does not know too."""
    by_code: dict[str, list[str]] = {}
    for problem in report.problems:
        by_code.setdefault(problem.code, []).append(f"{problem.code}: {problem.text}")
    cases = []
    for name, codes, part in _CHECKS:
        failures = [text for code in codes for text in by_code.pop(code, [])]
        unseen = "" if part in report.checked else f"{part} were not looked at"
        cases.append(_case("checks", name, failures, unseen))
    foreign = report.foreign_code
    cases.append(_case("checks", "the code is paddle2torch's own", (), describe_foreign(foreign) if foreign else ""))
    cases += [_case("checks", code, failures) for code, failures in by_code.items()]
    return cases


def _numbers(report: Report) -> list[ElementTree.Element]:
    cases = []
    for group, found in group_sites(report):
        inputs: dict[str, list[str]] = {}
        for site in found:
            failures = inputs.setdefault(site.case, [])
            if not site.passed:
                measured = site.problem or f"measured {site.max_rel:.1e}, limit {site.tolerance:.1e}"
                failures.append(f"{site.site}: {measured}")
        cases += [_case(f"numbers.{group}", name, failures) for name, failures in inputs.items()]
    return cases


def _gradients(gradients: Sequence[GradientResult]) -> list[ElementTree.Element]:
    """A case for each tensor; of a failure all inputs in which its gradient differs."""
    cases = []
    for tensor, results in by_tensor(gradients).items():
        failures = []
        for result in results:
            if not result.passed:
                measured = result.problem or f"measured {result.max_rel:.1e}, limit {result.tolerance:.1e}"
                failures.append(f"{result.case}: {measured}")
        cases.append(_case("gradients", tensor, failures))
    return cases


def _properties(report: Report) -> ElementTree.Element:
    """Which model it is, the rows of the table that the other forms show, and what the numbers rest on."""
    facts = {**dict(describe_subject(report)), "precision": report.precision, "behavior": report.behavior}
    facts.update({f"compared.{row.what}": " | ".join(row.cells[1:]) for row in result_rows(report)})
    margin = report.margin
    if margin is not None:
        facts["margin.noise"] = f"{margin.noise:.3g}"
        facts["margin"] = describe_margin(margin)
        if margin.fault.ratio is not None:
            facts["margin.smallest_fault"] = f"{margin.fault.ratio:.3g}"
            facts["margin.tensor"], facts["margin.site"] = margin.fault.tensor, margin.fault.site
    properties = ElementTree.Element("properties")
    for name, value in facts.items():
        ElementTree.SubElement(properties, "property", {"name": name, "value": clean(value)})
    return properties
