"""report.html: whole, harmless, without a network, the verdict first."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest

from verify.rendering.page import render_page

VOID = {"meta", "br", "hr", "img", "link"}
#: Every element that a page may have; none of them loads or runs anything.
ALLOWED = """
    html head meta title style body h1 h2 h3 div span p b strong code ul li table thead tbody tr th td details summary
    figure figcaption footer svg g line polyline circle path text
""".split()  # noqa: SIM905
ATTRIBUTES = """
    lang charset http-equiv content name class style open viewbox role aria-label x y x1 x2 y1 y2 cx cy r d points
    text-anchor transform
""".split()  # noqa: SIM905


class Reader(HTMLParser):
    """Collects elements, attributes and text, and minds that every element is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.attributes: set[str] = set()
        self.text: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes |= {name for name, _ in attrs}
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text.append(data)


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(page)
    reader.close()
    assert reader.open == []
    return reader


@pytest.mark.parametrize("kind", ["passing", "failing"])
def test_a_page_has_only_harmless_elements(kind: str, request: pytest.FixtureRequest) -> None:
    """Whatever stands in OUTPUT's files: no element and no attribute of its own gets into the page."""
    page = render_page(request.getfixturevalue(kind))
    reader = read(page)
    assert reader.elements <= set(ALLOWED)
    assert reader.attributes <= set(ATTRIBUTES)
    assert "url(" not in page and "@import" not in page and "src=" not in page and "href" not in page


def test_hostile_text_is_shown_and_does_nothing(failing: dict[str, Any]) -> None:
    page = render_page(failing)
    page.encode("utf-8")
    assert "\x00" not in page and "\x1b" not in page and "\u202e" not in page
    assert "<script>alert(1)</script>" in "".join(read(page).text)
    assert "\\u0000\\u001b\\u202e\\ud800\\uffff" in page


def test_the_verdict_comes_first(passing: dict[str, Any], failing: dict[str, Any]) -> None:
    def first(report: dict[str, Any]) -> str:
        texts = [text.strip() for text in read(render_page(report)).text if text.strip()]
        return texts[2]

    assert first(passing) == "PASSED: OUTPUT is the same model"
    assert first(failing) == "FAILED: OUTPUT is not the same model"
    passing["checked"] = ["weights"]
    assert first(passing) == "PASSED: nothing wrong in what was looked at"
    assert "Not looked at: numbers, tokens." in render_page(passing)


def test_the_first_difference_says_how_far_or_why_not(failing: dict[str, Any]) -> None:
    failing["first_difference"]["problem"] = "shape [1], expected [2]"
    assert "more inputs" not in render_page(failing)
    assert "</code>: shape [1], expected [2]</p>" in render_page(failing)
    failing["first_difference"].update(problem="", failed_cases=["a", "b", "c"])
    assert "</code> and 2 more inputs: 1.0e-03 of the largest value, limit 1e-12</p>" in render_page(failing)


def test_the_same_report_gives_the_same_page(failing: dict[str, Any]) -> None:
    assert render_page(failing) == render_page(failing)


def test_what_is_empty_has_no_section(passing: dict[str, Any], failing: dict[str, Any]) -> None:
    assert "Gradients" not in render_page(passing) and "What is wrong" not in render_page(passing)
    assert "Warnings" not in render_page(passing)
    full = render_page(failing)
    assert "Gradients" in full and "What is wrong" in full and "Warnings" in full and "<h2>More</h2>" in full


def test_a_part_that_the_page_does_not_know_is_shown(passing: dict[str, Any]) -> None:
    passing["coverage"] = [{"tensor": "a<b", "coverage": 0.5}, {"tensor": "c", "coverage": 1.0}]
    passing["noise"] = {"site": "x<y"}
    page = render_page(passing)
    assert "<h2>Coverage</h2>" in page and "a&lt;b" in page and "50 %" in page and "100 %" in page
    assert "<h2>More</h2>" in page and "x&lt;y" in page


def test_what_is_not_quite_covered_does_not_look_so(failing: dict[str, Any]) -> None:
    assert "99.9 %" in render_page(failing) and "100 %" not in render_page(failing)


def test_many_problems_are_counted(failing: dict[str, Any]) -> None:
    failing["problems"] = [{"code": "E401", "text": f"tensor {number}."} for number in range(100)]
    page = render_page(failing)
    assert "tensor 39." in page and "tensor 40." not in page and "and 60 more" in page
