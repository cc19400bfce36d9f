"""junit.xml: a test case for each language and view."""

from __future__ import annotations

from xml.etree import ElementTree

from evaluation.report.rows import describe_differing, describe_metrics, verdict_of
from evaluation.results import Evaluation, LanguageResult
from verify.report.plain_text import clean

_SUITE = "paddle2torch evaluate"


def render_junit(result: Evaluation) -> str:
    """The XML of an evaluation. Attributes and elements are those of Jenkins' schema; no times."""
    cases = [_case(result, one) for one in result.results]
    counts = {
        "tests": str(len(cases)),
        "failures": str(sum(case.find("failure") is not None for case in cases)),
        "errors": "0",
    }
    root = ElementTree.Element("testsuites", {"name": _SUITE, **counts})
    suite = ElementTree.SubElement(root, "testsuite", {"name": _SUITE, **counts, "skipped": "0"})
    suite.extend(cases)
    lines = [verdict_of(result), *(f"warning: {warning}" for warning in result.warnings)]
    ElementTree.SubElement(suite, "system-out").text = clean("\n".join(lines))
    ElementTree.indent(root, " ")
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


def _case(result: Evaluation, one: LanguageResult) -> ElementTree.Element:
    name = f"{one.language}: {describe_metrics(one.torch)}" + (f" ({one.view})" if one.view else "")
    case = ElementTree.Element("testcase", {"classname": f"paddle2torch.{result.task}", "name": clean(name)})
    if not one.passed:
        wrong = one.examples - one.agree - one.ties
        failure = ElementTree.SubElement(case, "failure", {"message": f"{wrong} of {one.examples} answers differ"})
        failure.text = clean("\n".join(map(describe_differing, one.differ[:20])))
    return case
