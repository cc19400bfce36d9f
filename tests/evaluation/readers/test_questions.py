"""Questions in SQuAD's form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from converter.common.errors import DataError, FileError
from evaluation.readers.data import open_qa
from evaluation.readers.questions import open_questions


def squad(*entries: dict[str, Any], **top: Any) -> str:
    paragraph = {"context": "Der Fluss heißt Rhein.", "qas": list(entries)}
    return json.dumps({"version": "1.1", "data": [{"title": "t", "paragraphs": [paragraph]}], **top})


def entry(name: Any = "a", text: str = "Rhein", start: int = 16, **more: Any) -> dict[str, Any]:
    return {"id": name, "question": "Wie?", "answers": [{"text": text, "answer_start": start}], **more}


def test_squads_form(tmp_path: Path) -> None:
    path = tmp_path / "xquad.de.json"
    path.write_text(squad(entry("a"), entry(7, "Fluss", 4)), encoding="utf-8")
    opened = open_questions(path)
    first, second = opened.examples()
    assert (first.language, first.name, first.question) == ("de", "a", "Wie?")
    assert (first.context, first.answers) == ("Der Fluss heißt Rhein.", ("Rhein",))
    assert (second.name, second.answers, second.place) == (
        "7",
        ("Fluss",),
        "xquad.de.json, data[0].paragraphs[0].qas[1]",
    )
    assert opened.notes.warnings() == []


@pytest.mark.parametrize(
    ("name", "top", "language"),
    [
        ("test-context-de-question-de.json", {}, "de"),
        ("test-context-ar-question-de.json", {}, "ar"),
        ("test.vi.json", {"lang": "zh"}, "zh"),
        ("mine.json", {}, "und"),
    ],
)
def test_the_language_is_that_of_the_context(name: str, top: Any, language: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(squad(entry(), **top), encoding="utf-8")
    assert [one.language for one in open_questions(tmp_path / name).examples()] == [language]


def test_of_mlqas_folder_the_files_of_one_language_are_taken(tmp_path: Path) -> None:
    for context in ("de", "es"):
        for question in ("de", "es"):
            path = tmp_path / f"test-context-{context}-question-{question}.json"
            path.write_text(squad(entry(f"{context}{question}")), encoding="utf-8")
    (tmp_path / "LICENSE.txt").write_text("CC", encoding="utf-8")
    assert [one.name for one in open_qa(tmp_path).examples()] == ["dede", "eses"]
    assert [one.name for one in open_qa(tmp_path / "test-context-es-question-de.json").examples()] == ["esde"]


def test_an_offset_that_does_not_fit_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(squad(entry(start=3)), encoding="utf-8")
    opened = open_questions(tmp_path / "x.json")
    assert len(list(opened.examples())) == 1
    (warning,) = opened.notes.warnings()
    assert warning.startswith("the context does not have the answer at answer_start: 1 times")


REFUSED = {
    "another form": ('{"a": []}', "E902]: x.json has no list `data`"),
    "no context": (
        '{"data": [{"paragraphs": [{"qas": []}]}]}',
        "E903]: x.json, data[0].paragraphs[0]: context is None",
    ),
    "no paragraphs": ('{"data": [3]}', "E903]: x.json, data[0]: paragraphs is None, expected a list"),
    "an id twice": (squad(entry(), entry()), "E903]: x.json, data[0].paragraphs[0].qas[1]: the id 'a' is there twice"),
    "no id": (squad(entry(None)), "E903]: x.json, data[0].paragraphs[0].qas[0]: the id is None"),
    "no answer": (squad({**entry(), "answers": []}), "E903]: x.json, data[0].paragraphs[0].qas[0] has no answer"),
    "SQuAD 2.0": (squad(entry(is_impossible=True)), "E903]: x.json, data[0].paragraphs[0].qas[0] has no answer"),
    "an empty answer": (squad(entry(text=" ")), "E903]: x.json, data[0].paragraphs[0].qas[0].answers[0]: text is ' '"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_wrong_is_named_with_its_place(case: str, tmp_path: Path) -> None:
    content, expected = REFUSED[case]
    (tmp_path / "x.json").write_text(content, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        list(open_questions(tmp_path / "x.json").examples())
    assert str(caught.value).startswith(f"error[{expected}")


def test_what_is_not_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text('{"data": [', encoding="utf-8")
    with pytest.raises(FileError, match="E307]: x.json: not JSON: .*line 1, column 11"):
        open_questions(tmp_path / "x.json")
