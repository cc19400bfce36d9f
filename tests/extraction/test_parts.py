"""The parts of the extractor that need no model."""

from __future__ import annotations

import pytest

pytest.importorskip("torch")


def test_a_schema_is_read_at_any_depth_and_a_name_twice_is_one() -> None:
    from extraction.schema import read_schema

    assert read_schema("a") == {"a": {}}
    assert read_schema(["a", {"b": "c"}, {"b": ["d", {"e": ["f"]}]}, "a"]) == {
        "a": {},
        "b": {"c": {}, "d": {}, "e": {"f": {}}},
    }
    for wrong in ([1], {"a": 1}, {1: "a"}, [["a"]]):
        with pytest.raises(ValueError, match="schema"):
            read_schema(wrong)  # type: ignore[arg-type]


def test_each_end_takes_the_last_start_before_it() -> None:
    from extraction.answers import pair_up

    starts, ends = ([(place, 0.6) for place in places] for places in ([1, 2, 5, 9], [0, 3, 4, 5, 8]))
    assert [(start[0], end[0]) for start, end in pair_up(starts, ends)] == [(2, 3), (5, 5)]


def test_the_class_of_most_windows_wins_with_its_mean() -> None:
    from extraction.answers import join_classes

    windows = [[("a", 0.9)], [("b", 0.6), ("a", 0.5)], [], [("b", 0.8)]]
    found = [[{"text": text, "probability": probability} for text, probability in one] for one in windows]
    assert join_classes(found) == [{"text": "b", "probability": pytest.approx(0.7)}]
    assert join_classes([]) == []


def test_prompts_are_made_as_taskflow_makes_them() -> None:
    from extraction.schema import make_prompt

    assert make_prompt("时间（当地）　Ａ", None, "ch") == "时间(当地)　A"
    assert make_prompt("国籍", "谷爱凌", "ch") == "谷爱凌的国籍"
    assert make_prompt("Company", "Steve", "en") == "Company of Steve"
    assert make_prompt("Tone [good, bad]", "it", "en") == "Tone of it [good, bad]"
