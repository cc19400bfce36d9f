"""The terminal, report.html, junit.xml, the summary and the card show the same rows about the same model."""

from __future__ import annotations

import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any
from xml.etree import ElementTree

import pytest

from converter.publish.card import describe_evidence
from tests.verify.report.conftest import HOSTILE, make_gradients
from verify.report.html.page import render_page, render_top
from verify.report.junit import render_junit
from verify.report.rows import result_rows
from verify.report.summary import render_summary
from verify.report.terminal import render_table
from verify.results.as_json import to_json
from verify.results.numbers import ModeResult, SiteResult
from verify.results.report import Report, read_report
from verify.results.subject import Subject

Rows = list[tuple[str, ...]]


def of_terminal(report: Report) -> Rows:
    lines = render_table(report).split("\n\n")[1].splitlines()[1:]
    return [tuple(re.split(r" {2,}", line.strip())) for line in lines]


def of_markdown(text: str) -> Rows:
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [tuple(cell.replace("\\", "") for cell in line.strip("| ").split(" | ")) for line in lines[2:]]


def of_page(report: Report) -> Rows:
    """Without the column of the place, which only the page has."""
    rows: Rows = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:
            if tag == "tr":
                rows.append(())

        def handle_data(self, data: str) -> None:
            if rows:
                rows[-1] = (*rows[-1], data)

    page = render_page(report)
    Reader().feed(page[page.index("Measured against the limit</h2>") :].partition("</table>")[0])
    return [tuple(cell for number, cell in enumerate(row) if len(row) < 6 or number != 4) for row in rows[1:]]


def of_junit(report: Report) -> Rows:
    root = ElementTree.fromstring(render_junit(report).encode())
    found = {str(one.get("name")): str(one.get("value")) for one in root.iter("property")}
    rows = {name.partition(".")[2]: value for name, value in found.items() if name.startswith("compared.")}
    return [(what, *value.split(" | ")) for what, value in rows.items()]


FORMS: dict[str, Callable[[Report], Rows]] = {
    "terminal": of_terminal,
    "page": of_page,
    "junit": of_junit,
    "summary": lambda report: of_markdown(render_summary(report)),
    "card": lambda report: of_markdown(describe_evidence(report, with_trace=False)),
}


@pytest.fixture
def report(passing: dict[str, Any]) -> Report:
    """Sites of one kind whose limits differ, and the largest difference is not the one nearest to its limit."""
    found = read_report({**passing, "gradients": to_json(make_gradients())})
    found.sites = [
        *found.sites,
        SiteResult("a", "attentions.1", 3.4e-15, 3.4e-15, 1e-13, True),
        SiteResult("a", "attentions.2", 1.0e-14, 1.0e-14, 4e-12, True),
    ]
    found.uses = {"plain call": ModeResult(12, 0), "float32": ModeResult(7, 0)}
    found.subject = Subject("ErnieMModel", "ErnieMModel", 8_515, 54, 300, {"model.pdparams": "cd" * 32}, "", "0.1.0")
    return found


@pytest.mark.parametrize("form", FORMS)
def test_every_form_shows_the_rows_of_a_pass(form: str, report: Report) -> None:
    expected = [row.cells for row in result_rows(report)]
    assert ("attention probabilities", "2 sites", "3.4e-15", "1e-13", "ok") in expected
    assert {row[0] for row in expected} >= {"weights", "gradients", "other uses", "tokens"}
    assert FORMS[form](report) == [cells[:4] if form == "card" else cells for cells in expected]


@pytest.mark.parametrize("form", [form for form in FORMS if form != "card"])
def test_every_form_shows_the_rows_of_a_failure(form: str, failing: dict[str, Any]) -> None:
    report = read_report(failing)
    expected = [row.cells for row in result_rows(report)]
    assert any("FAILED" in cells[-1] for cells in expected)
    assert FORMS[form](report) == expected


@pytest.mark.parametrize("form", [form for form in FORMS if form != "card"])
def test_numbers_from_a_text_belong_to_the_numbers_and_not_to_the_tokens(form: str, passing: dict[str, Any]) -> None:
    """With wrong weights every text has Paddle's tokens, and other numbers."""
    report = read_report(passing)
    assert report.tokenizer is not None
    report.tokenizer.add("text_to_logits", 3, [{"text": text, "found": "other logits"} for text in "ab"])
    rows = {row[0]: row for row in FORMS[form](report)}
    assert rows["tokens"] == ("tokens", "385 texts", "0 differ", "0", "ok")
    assert rows["hidden states"][1::3] == ("4 sites, 3 from text", "2 FAILED")
    head = [SiteResult("a", "logits", 1e-15, 1e-15, 1e-12, True)]
    report.sites += head
    rows = {row[0]: row for row in FORMS[form](report)}
    assert rows["logits"][1::3] == ("1 site, 3 from text", "2 FAILED") and rows["hidden states"][-1] == "ok"


def test_a_tokenizer_that_differs_is_told_whatever_the_numbers_do(passing: dict[str, Any]) -> None:
    report = read_report(passing)
    tokens = report.tokenizer
    assert tokens is not None
    tokens.add("text_to_logits", 3, [{"text": "a", "found": "other logits"}])
    assert tokens.differ_in_numbers_alone and tokens.mismatched == 0 and tokens.from_text == (3, 1)
    tokens.settings.append("padding_side is 'left', in SOURCE 'right'")
    assert not tokens.differ_in_numbers_alone


RENDERINGS: dict[str, Callable[[Report], str]] = {
    "terminal": render_table,
    "page": render_page,
    "notebook": render_top,
    "junit": render_junit,
    "summary": render_summary,
    "card": lambda report: describe_evidence(report, with_trace=False),
}


@pytest.mark.parametrize("form", RENDERINGS)
def test_every_form_names_the_model_its_source_and_the_tool(form: str, report: Report) -> None:
    text = RENDERINGS[form](report).replace("\\", "")
    assert "ErnieMModel, 8,515 parameters in 54 tensors, 300 tokens" in text
    assert f"ErnieMModel: model.pdparams (sha256 {'cd' * 32})" in text
    assert "paddle2torch 0.1.0, report format 1" in text


@pytest.mark.parametrize("form", RENDERINGS)
def test_every_form_has_the_title_and_none_obeys_it(form: str, report: Report) -> None:
    report.title = f"my model 7 {HOSTILE}"
    text = RENDERINGS[form](report)
    assert "my model 7" in text and ("<script>" not in text or form == "terminal")
    assert read_report(report.to_json()).title == report.title
    untitled = read_report({name: value for name, value in report.to_json().items() if name != "title"})
    assert untitled.title == "" and "my model 7" not in RENDERINGS[form](untitled)


def test_the_title_is_the_heading_of_the_page_and_the_name_of_the_suite(report: Report) -> None:
    assert "<h1>Verification of a conversion from Paddle to PyTorch</h1>" in render_page(report)
    report.title = "my model 7"
    page = render_page(report)
    assert "<h1>my model 7</h1>" in page and "<title>PASSED: my model 7</title>" in page
    (suite,) = ElementTree.fromstring(render_junit(report).encode()).iter("testsuite")
    assert suite.get("name") == "paddle2torch verify: my model 7"


def test_a_report_keeps_what_it_is_about_and_an_earlier_one_is_read_without(report: Report) -> None:
    data = report.to_json()
    assert read_report(data).subject == report.subject
    del data["subject"]
    assert read_report(data).subject is None
    assert "model:" not in render_table(read_report(data))
