"""Translations: LASER's form and XTREME's."""

from __future__ import annotations

from pathlib import Path

import pytest

from converter.common.errors import DataError
from evaluation.readers.data import open_retrieval

PAIRS = [("eins", "one"), ("zwei", "two"), ("drei", "three"), ("vier\u2028x", "four")]


def write(folder: Path, stem: str, ends: tuple[str, str], pairs: list[tuple[str, str]]) -> None:
    for side, end in enumerate(ends):
        text = "".join(f"{pair[side]}\n" for pair in pairs)
        (folder / f"{stem}.{end}").write_text(text, encoding="utf-8")


def write_xtreme(folder: Path, first: int = 0) -> None:
    write(folder, "de-en", ("de", "en"), PAIRS)
    english = sorted(pair[1] for pair in PAIRS)
    (folder / "de-en.en").write_text("".join(f"{text}\n" for text in english), encoding="utf-8")
    order = [next(place for place, pair in enumerate(PAIRS) if pair[1] == text) for text in english]
    (folder / "test-de.tsv").write_text("".join(f"{place + first}\n" for place in order), encoding="utf-8")


def test_lasers_form(tmp_path: Path) -> None:
    write(tmp_path, "tatoeba.deu-eng", ("deu", "eng"), PAIRS)
    write(tmp_path, "tatoeba.cmn-eng", ("cmn", "eng"), PAIRS[:3])
    data = open_retrieval(tmp_path)
    assert data.form == "LASER's: line i translates line i"
    assert [(one.language, one.foreign, one.english) for one in data.examples()] == [
        *(("zh", *pair) for pair in PAIRS[:3]),
        *(("de", *pair) for pair in PAIRS),
    ]
    assert [one.place for one in open_retrieval(tmp_path, ["de"], limit=1).examples()] == ["tatoeba.deu-eng.deu:1"]
    (only,) = open_retrieval(tmp_path / "tatoeba.deu-eng.deu", limit=1).examples()
    assert only.foreign == "eins"


def test_xtremes_form_gives_the_same_pairs(tmp_path: Path) -> None:
    write_xtreme(tmp_path)
    data = open_retrieval(tmp_path)
    assert data.form == "XTREME's: the English side sorted, with labels"
    assert [(one.foreign, one.english) for one in data.examples()] == PAIRS


def test_labels_that_are_counted_from_one_are_refused(tmp_path: Path) -> None:
    write_xtreme(tmp_path, first=1)
    with pytest.raises(DataError, match="E902]: test-de.tsv: expected each of 0 to 3 once"):
        list(open_retrieval(tmp_path).examples())


def test_a_sorted_side_without_labels_is_refused(tmp_path: Path) -> None:
    write_xtreme(tmp_path)
    (tmp_path / "test-de.tsv").unlink()
    with pytest.raises(DataError, match="E902]: de-en.en is sorted, as in XTREME's form, and no test-de.tsv"):
        open_retrieval(tmp_path)


def test_labels_beside_lasers_form_are_refused(tmp_path: Path) -> None:
    write(tmp_path, "tatoeba.deu-eng", ("deu", "eng"), PAIRS)
    (tmp_path / "test-de.tsv").write_text("0\n", encoding="utf-8")
    with pytest.raises(DataError, match="labels in test-de.tsv, as in XTREME's form, but the English side is not"):
        open_retrieval(tmp_path)


def test_two_forms_in_one_folder_are_refused(tmp_path: Path) -> None:
    write_xtreme(tmp_path)
    write(tmp_path, "tatoeba.fra-eng", ("fra", "eng"), PAIRS)
    with pytest.raises(DataError, match="holds files in LASER's form and in XTREME's"):
        open_retrieval(tmp_path)


@pytest.mark.parametrize("side", ["deu", "eng"])
def test_files_of_other_lengths_are_refused(side: str, tmp_path: Path) -> None:
    write(tmp_path, "tatoeba.deu-eng", ("deu", "eng"), PAIRS)
    with (tmp_path / f"tatoeba.deu-eng.{side}").open("a", encoding="utf-8") as file:
        file.write("more\n")
    with pytest.raises(DataError, match=r"deu: [45] lines, but tatoeba.deu-eng.eng has [45]"):
        list(open_retrieval(tmp_path).examples())


def test_an_empty_sentence_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "tatoeba.deu-eng", ("deu", "eng"), [*PAIRS, ("", "five")])
    with pytest.raises(DataError, match="E903]: tatoeba.deu-eng.deu, line 5: the sentence is empty"):
        list(open_retrieval(tmp_path).examples())


def test_a_missing_side_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tatoeba.deu-eng.deu").write_text("a\n", encoding="utf-8")
    with pytest.raises(DataError, match="E902]: tatoeba.deu-eng.deu: there is no tatoeba.deu-eng.eng beside it"):
        open_retrieval(tmp_path)


@pytest.mark.parametrize("name", [".", "gone"])
def test_a_folder_without_pairs_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="E901"):
        open_retrieval(tmp_path / name)


def test_lasers_names_with_a_sorted_side_are_read_and_noticed(tmp_path: Path) -> None:
    write(tmp_path, "tatoeba.deu-eng", ("deu", "eng"), sorted(PAIRS, key=lambda pair: pair[1]))
    data = open_retrieval(tmp_path)
    assert [one.english for one in data.examples()] == ["four", "one", "three", "two"]
    assert data.warnings()[0].startswith("the English side is sorted, in files with LASER's names")
