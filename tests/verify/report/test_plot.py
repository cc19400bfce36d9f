"""The drawing: each place once, the worst of it, failures that can be seen without colour."""

from __future__ import annotations

from xml.etree import ElementTree

from tests.verify.report.conftest import make_sites
from verify.report.html.plot import draw_plot, plot_points
from verify.results.numbers import FirstDifference, SiteResult
from verify.results.report import Report


def report_of(sites: list[SiteResult], first: FirstDifference | None = None) -> Report:
    return Report("float64", sites=sites, first_difference=first)


def test_points_follow_the_network() -> None:
    names = ["loss", "logits", "pooler_output", "hidden_states.10", "hidden_states.2", "attentions.1",
             "layers.1.linear1", "hidden_states.0", "position_embeddings"]  # fmt: skip
    points = plot_points(report_of([SiteResult("a", name, 0.0, 0.0, 1e-12, True) for name in names]))
    assert [point.column for point in points] == [
        "rows", "embeddings", "2", "2", "10", "pooler", "head", "loss",
    ]  # fmt: skip
    assert [point.kind for point in points if point.column == "2"] == ["inside", "state"]


def test_a_point_is_the_worst_of_its_place_by_its_own_limit() -> None:
    sites = [
        SiteResult("a", "hidden_states.1", 1e-14, 1e-14, 1e-12, True),
        SiteResult("b", "hidden_states.1", 2e-14, 2e-14, 1e-12, True),
        SiteResult("mask.zero_row", "hidden_states.1", 5e-13, 5e-13, 1e-11, True),
    ]
    usual, hidden = sorted(plot_points(report_of(sites)), key=lambda point: point.limit)
    assert (usual.case, usual.kind, hidden.case, hidden.kind) == ("b", "state", "mask.zero_row", "hidden-row")
    beyond = [*sites, SiteResult("c", "hidden_states.1", None, None, 1e-12, False, "shape")]
    assert plot_points(report_of(beyond))[1].case == "c"


def test_nearer_to_its_limit_is_worse_than_larger() -> None:
    sites = [
        SiteResult("a", "attentions.0", 5e-12, 5e-12, 1e-10, True),
        SiteResult("a", "layers.0.linear1", 1e-12, 1e-12, 1e-12, True),
    ]
    (point,) = plot_points(report_of(sites))
    assert (point.site, point.limit) == ("layers.0.linear1", 1e-12)


def test_the_drawing_is_xml_and_marks_what_failed() -> None:
    whole = ElementTree.fromstring(draw_plot(report_of(make_sites())))
    broken = ElementTree.fromstring(
        draw_plot(report_of(make_sites(failed_from=3), FirstDifference("a", "hidden_states.3")))
    )

    def count(root: ElementTree.Element, name: str) -> int:
        return sum(element.get("class") == name for element in root.iter())

    assert count(whole, "failed") == 0 and count(whole, "first") == 0
    assert count(broken, "failed") == 4 + 1  # states 3 and 4, usual and without keys, and the legend
    assert count(broken, "first") == 2


def test_every_kind_of_line_is_in_the_legend_and_the_axis_has_a_name() -> None:
    def words(sites: list[SiteResult]) -> list[str]:
        return [element.text or "" for element in ElementTree.fromstring(draw_plot(report_of(sites))).iter("text")]

    assert {"limit", "their limit", "rows with every key masked", "relative difference"} <= set(words(make_sites()))
    assert "their limit" not in words([SiteResult("a", "hidden_states.1", 1e-14, 1e-14, 1e-12, True)])


def test_the_axis_is_logarithmic() -> None:
    """Equal factors are equal distances, and what is above its limit lies above it."""
    sites = [SiteResult("a", f"hidden_states.{n}", e, e, 1e-12, e < 1e-12) for n, e in enumerate((1e-15, 1e-13, 1e-11))]
    root = ElementTree.fromstring(draw_plot(report_of(sites)))
    (line,) = (element.get("points", "") for element in root.iter() if element.tag == "polyline")
    heights = [float(place.split(",")[1]) for place in line.split()]
    assert abs((heights[0] - heights[1]) - (heights[1] - heights[2])) < 0.2
    limit = next(float(element.get("y1", "")) for element in root.iter() if element.get("class") == "limit")
    assert heights[2] < limit < heights[1]


def test_nothing_to_draw() -> None:
    assert draw_plot(report_of([])) == ""


def test_a_limit_of_nothing() -> None:
    """Where no difference is allowed at all none is drawn above it, and any is beyond it."""
    sites = [
        SiteResult("a", "embeddings.sum", 0.0, 0.0, 0.0, True),
        SiteResult("b", "hidden_states.0", 1e-30, 1e-30, 0.0, False),
    ]
    (point,) = plot_points(report_of(sites))[1:]
    assert (point.case, point.failed) == ("b", 1)
    ElementTree.fromstring(draw_plot(report_of([SiteResult("a", "loss", 0.0, 0.0, 0.0, True)])))


def test_extreme_numbers_stay_inside() -> None:
    sites = [SiteResult("a", f"hidden_states.{n}", e, e, 1e-12, False) for n, e in enumerate((0.0, 5e-324, 1e308))]
    root = ElementTree.fromstring(draw_plot(report_of(sites)))
    (line,) = (element.get("points", "") for element in root.iter() if element.tag == "polyline")
    assert all(0 < float(place.split(",")[1]) < 380 for place in line.split())


def test_what_is_looked_at_alone_is_drawn_where_it_differs() -> None:
    names = (
        "linear:encoder.layers.1.linear1",
        "norm:embeddings.layer_norm",
        "linear:pooler.dense",
        "linear:classifier",
    )
    assert plot_points(report_of([SiteResult("linears", name, 1e-16, 1e-16, 1e-15, True) for name in names])) == []
    points = plot_points(report_of([SiteResult("linears", name, 1e-3, 1e-3, 1e-15, False) for name in names]))
    assert [(point.column, point.kind) for point in points] == [
        ("embeddings", "inside"), ("2", "inside"), ("pooler", "inside"), ("head", "inside"),
    ]  # fmt: skip
