"""junit.xml: what CI servers read."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from xml.etree import ElementTree

from tests.verify.report.conftest import make_gradients
from verify.report.junit import render_junit
from verify.results.as_json import to_json
from verify.results.report import read_report

#: Jenkins' schema, as far as it is used: element -> its attributes, and the elements in it.
SCHEMA: dict[str, tuple[set[str], set[str]]] = {
    "testsuites": ({"name", "tests", "failures", "errors", "time"}, {"testsuite"}),
    "testsuite": ({"name", "tests", "failures", "errors", "skipped", "time"}, {"properties", "testcase", "system-out"}),
    "properties": (set(), {"property"}),
    "property": ({"name", "value"}, set()),
    "testcase": ({"name", "classname"}, {"failure", "skipped"}),
    "failure": ({"message", "type"}, set()),
    "skipped": ({"message"}, set()),
    "system-out": (set(), set()),
}


def read(report: dict[str, Any]) -> ElementTree.Element:
    """The suite, after the whole file has been held against the schema."""
    known = replace(read_report(report), seconds={"static": 0.25, "replay": 2.0})
    root = ElementTree.fromstring(render_junit(known).encode("utf-8"))
    assert root.get("time") == root[0].get("time") == "2.250"
    for element in root.iter():
        attributes, inside = SCHEMA[element.tag]
        assert set(element.keys()) == attributes
        assert {child.tag for child in element} <= inside
    suite = root[0]
    cases = suite.findall("testcase")
    assert int(suite.get("tests", "")) == len(cases)
    assert int(suite.get("failures", "")) == len(suite.findall("testcase/failure"))
    assert int(suite.get("skipped", "")) == len(suite.findall("testcase/skipped"))
    assert [child.tag for child in suite] == ["properties"] + ["testcase"] * len(cases) + ["system-out"]
    names = [(case.get("classname"), case.get("name")) for case in cases]
    assert len(set(names)) == len(names)
    return suite


def failed(suite: ElementTree.Element) -> list[str]:
    return [str(case.get("name")) for case in suite.findall("testcase") if case.find("failure") is not None]


def test_a_pass(passing: dict[str, Any]) -> None:
    suite = read(passing)
    assert failed(suite) == []
    assert suite.get("skipped") == "0"
    cases = {(case.get("classname"), case.get("name")) for case in suite.findall("testcase")}
    assert ("paddle2torch.numbers.hidden states", "sentence.0") in cases
    assert ("paddle2torch.numbers.rows with every key masked", "mask.zero_row") in cases


def test_a_failure_names_what_and_how_far(failing: dict[str, Any]) -> None:
    suite = read(failing)
    messages = {str(element.get("message")) for element in suite.iter("failure")}
    assert "hidden_states.2: measured 1.0e-03, limit 1.0e-12" in messages
    assert {"weights are the source's", "first difference", "sentence.0", "mask.zero_row"} <= set(failed(suite))


def test_a_problem_of_any_code_is_a_failure(failing: dict[str, Any]) -> None:
    assert "E999" in failed(read(failing))


def test_what_was_not_looked_at_is_skipped(passing: dict[str, Any]) -> None:
    passing["checked"], passing["sites"], passing["tokenizer"] = ["weights"], [], None
    suite = read(passing)
    skipped = {case.get("name") for case in suite.findall("testcase") if case.find("skipped") is not None}
    assert skipped == {"OUTPUT loads and runs", "first difference", "tokens"}


def test_gradients_of_one_tensor_in_two_inputs(passing: dict[str, Any]) -> None:
    """One case for the tensor, with the inputs in which it differs."""
    wrong = "ernie_m.pooler.dense.bias"
    passing["gradients"] = to_json(make_gradients(wrong))
    of_tensor = [entry for entry in passing["gradients"] if entry["tensor"] == wrong]
    of_tensor[-1]["passed"] = True
    suite = read(passing)
    names = [case.get("name") for case in suite.findall("testcase") if "gradients" in case.get("classname", "")]
    assert len(names) == 50 and failed(suite) == [wrong]
    (failure,) = suite.iter("failure")
    assert failure.text == "sentence.0: measured 1.0e-03, limit 1.0e-12"


def test_other_uses_are_cases(passing: dict[str, Any]) -> None:
    passing["uses"] = {
        "plain call": {"compared": 12, "differ": 0, "first": ""},
        "training": {"compared": 8, "differ": 1, "first": "dropout is applied nowhere"},
    }
    assert failed(read(passing)) == ["training"]
    passing["uses"] = {"torch.compile": {"compared": 0, "differ": 0, "first": "", "skipped": "it takes minutes"}}
    (case,) = [case for case in read(passing).findall("testcase") if case.get("name") == "torch.compile"]
    skipped = case.find("skipped")
    assert skipped is not None and skipped.get("message") == "it takes minutes"


def test_the_margin_is_a_property(passing: dict[str, Any], failing: dict[str, Any]) -> None:
    def told(report: dict[str, Any]) -> dict[str, str]:
        return {str(element.get("name")): str(element.get("value")) for element in read(report).iter("property")}

    found = told(passing)
    assert found["margin.smallest_fault"] == "206" and found["margin.noise"] == "0.001"
    assert found["margin.tensor"] == "encoder.layers.3.linear2.weight" and found["precision"] == "float64"
    assert {"precision", "behavior"} == {name for name in told(failing) if not name.startswith("compared.")}


def test_warnings_are_output(failing: dict[str, Any]) -> None:
    text = read(failing).findtext("system-out") or ""
    assert "warning: </td>" in text and "\\u0000" in text
