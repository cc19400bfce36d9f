"""report.html: whole, harmless, without a network, the verdict first."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from tests.verify.report.conftest import make_gradients
from verify.report.html.page import render_page
from verify.results.as_json import to_json
from verify.results.report import read_report

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


def page_of(data: dict[str, Any]) -> str:
    return render_page(read_report(data))


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
def test_a_page_has_only_harmless_elements(kind: str, request: pytest.FixtureRequest, tested: dict[str, Any]) -> None:
    """Whatever stands in OUTPUT's files: no element and no attribute of its own gets into the page."""
    page = page_of({**request.getfixturevalue(kind), "self_test": tested})
    reader = read(page)
    assert reader.elements <= set(ALLOWED)
    assert reader.attributes <= set(ATTRIBUTES)
    assert "url(" not in page and "@import" not in page and "src=" not in page and "href" not in page


def test_hostile_text_is_shown_and_does_nothing(failing: dict[str, Any]) -> None:
    page = page_of(failing)
    page.encode("utf-8")
    assert "\x00" not in page and "\x1b" not in page and "\u202e" not in page
    assert "<script>alert(1)</script>" in "".join(read(page).text)
    assert "\\u0000\\u001b\\u202e\\ud800\\uffff" in page


def test_the_verdict_comes_first(passing: dict[str, Any], failing: dict[str, Any]) -> None:
    def first(report: dict[str, Any]) -> str:
        texts = [text.strip() for text in read(page_of(report)).text if text.strip()]
        return texts[2]

    assert first(passing) == "PASSED: OUTPUT is the same model"
    assert first(failing) == "FAILED: OUTPUT is not the same model"
    passing["checked"] = ["weights"]
    assert first(passing) == "PASSED: nothing wrong in what was looked at"
    assert "Not looked at: numbers, tokens." in page_of(passing)


def test_the_first_difference_says_how_far_or_why_not(failing: dict[str, Any]) -> None:
    failing["first_difference"]["problem"] = "shape [1], expected [2]"
    assert "more inputs" not in page_of(failing)
    assert "</code>: shape [1], expected [2]</p>" in page_of(failing)
    failing["first_difference"].update(problem="", failed_cases=["a", "b", "c"])
    assert "</code> and 2 more inputs: 1.0e-03 of the largest value, limit 1e-12</p>" in render_page(
        read_report(failing)
    )


def test_the_same_report_gives_the_same_page(failing: dict[str, Any]) -> None:
    assert page_of(failing) == page_of(failing)


def test_what_is_empty_has_no_section(passing: dict[str, Any], failing: dict[str, Any]) -> None:
    assert "Gradients" not in page_of(passing) and "What is wrong" not in render_page(read_report(passing))
    assert "Warnings" not in page_of(passing)
    full = page_of(failing)
    assert "Gradients" in full and "What is wrong" in full and "Warnings" in full and "<h2>More</h2>" in full


def test_a_part_that_the_page_does_not_know_is_shown(passing: dict[str, Any]) -> None:
    passing["else"] = [{"name": "a<b", "share": 0.5}, {"name": "c", "share": 1.0}]
    passing["other"] = {"site": "x<y"}
    page = page_of(passing)
    assert "<h2>Else</h2>" in page and "a&lt;b" in page and "50 %" in page and "100 %" in page
    assert "<h2>More</h2>" in page and "x&lt;y" in page


def test_what_is_not_quite_covered_does_not_look_so(failing: dict[str, Any]) -> None:
    assert "99.9 %" in page_of(failing) and "100 %" not in page_of(failing)


def cells_of(page: str, section: str) -> list[list[str]]:
    """The rows of the first table behind the heading `section`, without that of the names."""
    table = page.split(f"<h2>{section}</h2>")[1].partition("<tbody>")[2].partition("</tbody>")[0]
    rows = [row.split("</td>")[:-1] for row in table.split("</tr>")[:-1]]
    return [[re.sub("<[^>]*>", "", cell) for cell in row] for row in rows]


def test_gradients_are_told_by_kind_of_tensor(passing: dict[str, Any]) -> None:
    """A page of 12 layers has as many rows as one of 2; each has the worst of its kind."""
    passing["gradients"] = to_json(make_gradients())
    page = page_of(passing)
    kinds = [(row[0], row[1], row[-1]) for row in cells_of(page, "Gradients")]
    assert kinds == [("out_proj", "24", "ok"), ("linear1", "24", "ok"), ("pooler.dense", "2", "ok")]
    assert "50 tensors in 2 inputs, all agree" in page and "tensors that differ" not in page
    failed = "ernie_m.encoder.layers.7.linear1.bias"
    passing["gradients"] = to_json(make_gradients(failed))
    page = page_of(passing)
    assert cells_of(page, "Gradients")[1][1:] == ["24", "1.0e-03", "1.0e-12", f"{failed}, sentence.0", "1 FAILED"]
    assert "50 tensors in 2 inputs, 1 differ" in page and "The 1 tensors that differ" in page


def test_coverage_is_told_by_kind_of_tensor(passing: dict[str, Any]) -> None:
    def entry(tensor: str, seen: int, rest: str = "") -> dict[str, Any]:
        return {"tensor": tensor, "elements": 1000, "seen": seen, "network": seen, "share": seen / 1000, "rest": rest}

    layer = "ernie_m.encoder.layers.{}.self_attn.self_attn.k_proj.{}".format
    passing["coverage"] = [
        entry(layer(number, part), 1000 if part == "weight" else 0, f"the site layers.{number}.self_attn.k_proj")
        for number in range(3)
        for part in ("weight", "bias")
    ]
    passing["coverage"] += [entry("classifier.weight", 1000), entry("classifier.bias", 998)]
    assert cells_of(page_of(passing), "Coverage") == [
        ["k_proj", "3", "3,000", "100 %", "the site k_proj"],
        ["k_proj (bias)", "3", "3,000", "0 %", "the site k_proj"],
        ["classifier", "2", "2,000", "99.9 %", ""],
    ]


def test_other_uses_have_a_row_each(passing: dict[str, Any]) -> None:
    passing["uses"] = {
        "plain call": {"compared": 12, "differ": 0, "first": ""},
        "training": {"compared": 8, "differ": 1, "first": "dropout is applied nowhere <b>"},
    }
    assert cells_of(page_of(passing), "Other uses") == [
        ["plain call", "12", "", "ok"],
        ["training", "8", "dropout is applied nowhere &lt;b&gt;", "1 FAILED"],
    ]
    passing["uses"] = {"torch.compile": {"compared": 0, "differ": 0, "first": "", "skipped": "it takes minutes"}}
    assert cells_of(page_of(passing), "Other uses") == [["torch.compile", "0", "it takes minutes", "not run"]]


def test_the_self_test_is_a_table_with_what_was_missed_first(passing: dict[str, Any], tested: dict[str, Any]) -> None:
    page = page_of({**passing, "self_test": tested})
    rows = cells_of(page, "Self-test")
    assert [row[1:] for row in rows] == [["2", "2", "2"], ["1", "1", "0"], ["2", "1", "0"], ["5", "4", "2"]]
    assert rows[0][0] == "one element by one unit in its last place" and rows[-1][0] == "all"
    section = page.split("<h2>Self-test</h2>")[1]
    order = ["4 of 5 faults", "Missed by every check: 1", "for an unknown reason: 2", "<table>", "source 2",
             "The 1 that numbers and tokens cannot show", "eval mode leaves it out"]  # fmt: skip
    places = [section.index(text) for text in order]
    assert places == sorted(places)
    assert "<h2>More</h2>" not in page and "<h2>Self-test</h2>" not in page_of(passing)


def test_a_missed_fault_is_no_verdict_on_output(passing: dict[str, Any]) -> None:
    passing.update(passed=False, problems=[{"code": "E409", "text": "missed"}])
    page = page_of(passing)
    assert "NOT PROVEN: no difference was found" in page and "OUTPUT is not the same" not in page


def test_the_margin_stands_by_the_verdict(passing: dict[str, Any], failing: dict[str, Any]) -> None:
    page = page_of(passing)
    told = "reaches at most 0.1% of its limit; the smallest change that a weight can have shows at 206 times its limit"
    assert page.index('class="verdict') < page.index(told) < page.index("<h2>")
    assert (
        "one unit in the last place of encoder.layers.3.linear2.weight[24, 60], the least" in page
        and 'class="margin"' in page
    )
    assert "Margin:" not in page_of(failing)
    passing["margin"]["smallest_fault"] = 0.25
    assert "shows at 0.25 times its limit" in page_of(passing) and 'class="margin hidden"' in render_page(
        read_report(passing)
    )


def test_ways_of_the_tokenizer_that_differ_are_a_table(passing: dict[str, Any]) -> None:
    passing["tokenizer"].update(mismatched=3, ways={"ids": [385, 0], "decode": [385, 3], "pair": [40, 0]})
    page = page_of(passing)
    assert cells_of(page, "Tokens") == [["decode", "385", "3"]]
    equal = page[page.index("in which every result is Paddle's") :]
    assert "<td>ids</td>" in equal and "<td>pair</td>" in equal and "<td>decode</td>" not in equal


def test_a_table_scrolls_in_a_box_of_its_own(failing: dict[str, Any]) -> None:
    """On a narrow screen the page stays as wide as the screen."""
    page = page_of(failing)
    assert page.count("<table") == page.count('<div class="scroll"><table') > 5


def test_many_problems_are_counted(failing: dict[str, Any]) -> None:
    failing["problems"] = [{"code": "E401", "text": f"tensor {number}."} for number in range(100)]
    page = page_of(failing)
    assert "tensor 39." in page and "tensor 40." not in page and "and 60 more" in page
