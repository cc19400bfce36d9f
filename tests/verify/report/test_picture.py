"""The picture of README.md is taken out of report.html."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest

from benchmarks.readme import picture
from verify.report.html.page import render_page
from verify.results.report import read_report


def test_the_picture_of_a_page_is_its_plot_with_its_verdict(passing: dict[str, Any]) -> None:
    drawn = picture(render_page(read_report(passing)))
    assert "PASSED: " in "".join(ElementTree.fromstring(drawn).itertext())
    assert ".plot .limit {" in drawn and "--good: " in drawn and "body {" not in drawn


def test_a_page_without_a_plot_has_no_picture() -> None:
    with pytest.raises(ValueError, match="no drawing"):
        picture("<html></html>")
