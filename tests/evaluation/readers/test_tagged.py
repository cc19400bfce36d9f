"""Tagged sentences: CoNLL's columns, IOB1 and IOB2, and Baidu's form."""

from __future__ import annotations

from pathlib import Path

import pytest

from converter.common.errors import DataError
from evaluation.readers.data import open_sentences
from evaluation.readers.tagged import open_tagged

ENGLISH = (
    "-DOCSTART- -X- O O\n\n"
    "U.N. NNP I-NP I-ORG\nofficial NN I-NP O\nEkeus NNP I-NP I-PER\nRolf NNP I-NP B-PER\n\n\n"
    "Bagh\u00a0dad NNP I-NP I-LOC\n. . O O"
)
DUTCH = "-DOCSTART- -DOCSTART- O\nDe Art O\nBrusselse Adj B-MISC\n \nbank N I-ORG\n"


def test_conll_2003_is_iob1_and_given_in_iob2(tmp_path: Path) -> None:
    (tmp_path / "eng.testb").write_text(ENGLISH, encoding="utf-8")
    opened = open_tagged(tmp_path / "eng.testb")
    first, second = opened.examples()
    assert first.words == ("U.N.", "official", "Ekeus", "Rolf") and first.tags == ("B-ORG", "O", "B-PER", "B-PER")
    assert second.words == ("Bagh\u00a0dad", ".") and second.tags == ("B-LOC", "O")
    assert (first.place, second.place, first.language) == ("eng.testb:3", "eng.testb:9", "en")
    assert opened.form == "CoNLL's: a word a line, the tag in the last of 4 columns"


def test_conll_2002(tmp_path: Path) -> None:
    (tmp_path / "ned.testb").write_text(DUTCH, encoding="utf-8")
    opened = open_tagged(tmp_path / "ned.testb")
    assert [one.tags for one in opened.examples()] == [("O", "B-MISC"), ("B-ORG",)]
    assert [one.language for one in open_sentences(tmp_path).examples()] == ["nl", "nl"]


def test_of_conlls_folder_the_test_part_is_taken(tmp_path: Path) -> None:
    for name in ("esp.train", "esp.testa", "esp.testb"):
        (tmp_path / name).write_text(f"{name} O\n", encoding="utf-8")
    assert [one.words for one in open_sentences(tmp_path).examples()] == [("esp.testb",)]


def test_baidus_form(tmp_path: Path) -> None:
    content = "text_a\tlabel\nEl\x02Abogado General\tO\x02B-PER\n"
    (tmp_path / "test.es.tsv").write_text(content, encoding="utf-8")
    opened = open_tagged(tmp_path / "test.es.tsv")
    (only,) = opened.examples()
    assert (only.words, only.tags, only.language) == (("El", "Abogado General"), ("O", "B-PER"), "es")


REFUSED = {
    "no tags": ("hello world\n", "E902]: x: line 1 does not end with a tag"),
    "nothing": ("\n\n", "E902]: x holds no sentence"),
    "another scheme": (
        "a B-PER\nb E-PER\n",
        "E903]: x, line 2: the tag is 'E-PER', expected O, B-TYPE or I-TYPE.",
    ),
    "another scheme at once": ("a S-PER\n", "E903]: x, line 1: the tag is 'S-PER'"),
    "a lost column": ("a N O\nb O\n", "E903]: x, line 2: 2 columns, expected 3"),
    "a lost tag": ("a N O\nb N N\n", "E903]: x, line 2: the tag is 'N'"),
    "an empty word": ("a\tO\n\tO\n", "E903]: x, line 2: the word is empty"),
    "too few tags": ("text_a\tlabel\na\x02b\tO\n", "E903]: x, line 2: 2 words and 1 tags"),
    "a joined empty word": ("text_a\tlabel\na\x02\tO\x02O\n", "E903]: x, line 2: word 2 is empty"),
    "three columns": ("text_a\tlabel\na\tO\tx\n", "E903]: x, line 2: 3 columns, expected 2"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_wrong_is_named_with_its_line(case: str, tmp_path: Path) -> None:
    content, expected = REFUSED[case]
    (tmp_path / "x").write_text(content, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        list(open_tagged(tmp_path / "x").examples())
    assert str(caught.value).startswith(f"error[{expected}")


def test_latin1_is_refused_with_the_command_that_converts_it(tmp_path: Path) -> None:
    (tmp_path / "esp.testb").write_bytes("Coruña NC B-LOC\n".encode("latin1"))
    with pytest.raises(DataError, match="line 1: not UTF-8 at byte 4 .*iconv -f ISO-8859-1"):
        open_tagged(tmp_path / "esp.testb")
