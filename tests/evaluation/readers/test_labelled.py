"""Labelled texts: each form is read right or refused with the file and the line."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converter.common.errors import DataError
from evaluation.readers.data import open_texts
from evaluation.readers.labelled import open_labelled
from evaluation.readers.separated import split_quoted

XNLI = (
    "language\tgold_label\tsentence1_binary_parse\tsentence2_binary_parse\tsentence1_parse\tsentence2_parse\tsentence1"
    "\tsentence2\tpromptID\n"
    'de\tneutral\t\t\t\t\tEr sagte: "Ja\tSie ging.\t1\n'
    "sw\tcontradiction\t\t\t\t\tHabari\u2028ya leo\tNzuri\t2\n"
    "de\t-\t\t\t\t\tA\tB\t3\n"
)
#: Name of the file, its content, and the examples: language, texts, label.
READ = {
    "XNLI-1.0, which has all languages": (
        "xnli.dev.tsv",
        XNLI,
        [
            ("de", 'Er sagte: "Ja', "Sie ging.", "neutral"),
            ("sw", "Habari\u2028ya leo", "Nzuri", "contradiction"),
        ],
    ),
    "XNLI-1.0's JSON lines": (
        "xnli.dev.jsonl",
        '{"language": "zh", "gold_label": "entailment", "sentence1": "一", "sentence2": "二", "pairID": 1}\n\n',
        [("zh", "一", "二", "entailment")],
    ),
    "XNLI-MT": (
        "multinli.train.fr.tsv",
        "premise\thypo\tlabel\nUn chat\tUn chien\tcontradictory\r\n",
        [("fr", "Un chat", "Un chien", "contradictory")],
    ),
    "XTREME's, with quotes": (
        "dev-es.tsv",
        '"Dijo ""sí"""\tNo.\tneutral\n"dos\nlíneas"\tb\tentailment\n',
        [("es", 'Dijo "sí"', "No.", "neutral"), ("es", "dos\nlíneas", "b", "entailment")],
    ),
    "XTREME's, with a comma between quotes in its first text": (
        "dev-es.tsv",
        '"Dijo, ""sí"""\tNo.\tneutral\n',
        [("es", 'Dijo, "sí"', "No.", "neutral")],
    ),
    "XTREME's, with a first text of two lines": (
        "dev-es.tsv",
        '"dos,\nlíneas"\tb\tentailment\nc\td\tneutral\n',
        [("es", "dos,\nlíneas", "b", "entailment"), ("es", "c", "d", "neutral")],
    ),
    "Baidu's": (
        "dev.ru.tsv",
        "qid\ttext_a\ttext_b\tlabel\n7\tда\tнет\tneutral\n",
        [("ru", "да", "нет", "neutral")],
    ),
    "Baidu's with one text, behind a byte-order mark": (
        "x.tsv",
        "\ufefftext_a\tlabel\ngut\tpositive\n",
        [("und", "gut", None, "positive")],
    ),
    "PAWS-X": (
        "test_2k.tsv",
        "id\tsentence1\tsentence2\tlabel\n1\ta b\tb a\t0\n2\tNS\tc\t1\n",
        [("und", "a b", "b a", "0"), ("und", "NS", "c", "1")],
    ),
    "the Hub's as CSV": (
        "validation.csv",
        'premise,hypothesis,label\n"a, b","c ""d""",2\n',
        [("und", "a, b", 'c "d"', "2")],
    ),
    "JSON lines with whole numbers": (
        "my_data.jsonl",
        '{"text": "good", "label": 1}\n',
        [("und", "good", None, "1")],
    ),
}


@pytest.mark.parametrize("case", READ)
def test_each_form_is_read(case: str, tmp_path: Path) -> None:
    name, content, expected = READ[case]
    (tmp_path / name).write_text(content, encoding="utf-8", newline="")
    found = list(open_labelled(tmp_path / name).examples())
    assert [(one.language, one.first, one.second, one.label) for one in found] == expected
    assert all(one.place.startswith(f"{name}:") for one in found)


def test_oddities_are_counted(tmp_path: Path) -> None:
    path = tmp_path / "xnli.tsv"
    path.write_text(XNLI + 'fr\tneutral\t\t\t\t\t"quoted"\tNS\t1\n', encoding="utf-8")
    opened = open_labelled(path)
    list(opened.examples())
    assert opened.notes.warnings() == [
        "gold_label is `-` (no majority), left out: 1 times, first in xnli.tsv:4",
        'a column begins and ends with `"`, which is read as a part of the text: 1 times, first in xnli.tsv:5',
        "a text is `NS`, PAWS-X's mark of a missing translation, and is read as it is: 1 times, first in xnli.tsv:5",
    ]


#: Content, and the beginning of what is said about it.
REFUSED = {
    "two texts": (
        "premise\thypothesis\tsentence1\tsentence2\tlabel\n",
        "E902]: x.tsv has premise with hypothesis and",
    ),
    "two labels": ("text\tlabel\tgold_label\n", "E902]: x.tsv has columns label and gold_label"),
    "two languages": ("text\tlabel\tlang\tlanguage\n", "E902]: x.tsv has columns language and lang"),
    "text alone and a pair": ("text\tsentence1\tsentence2\tlabel\n", "E902]: x.tsv has sentence1 with sentence2 and"),
    "no label": ("premise\thypothesis\n", "E902]: x.tsv has premise and hypothesis (the Hub's) but no column `label`"),
    "tabs and commas": (
        "a,text,label,b\ttext\tlabel\n",
        "E902]: x.tsv: its header can be read with tabs and",
    ),
    "XTREME's test": ("a\tb\n", "E902]: x.tsv: two columns and no header"),
    "one column": ("hello\n", "E902]: x.tsv: its first line has 1 columns"),
    "empty": ("", "E902]: x.tsv: the file is empty"),
    "too few columns": ("text_a\ttext_b\tlabel\na\tb\n", "E903]: x.tsv, line 2: 2 columns, expected 3"),
    "too many columns": ("text\tlabel\na\tb\tc\n", "E903]: x.tsv, line 2: 3 columns, expected 2"),
    "no text": ("text\tlabel\n \tb\n", "E903]: x.tsv, line 2: the text is empty"),
    "an empty label": ("text\tlabel\na\t\n", "E903]: x.tsv, line 2: the label is empty"),
    "a quote inside": ('a\tb\tc\na "b"\tb\tc\n', "E903]: x.tsv, line 2: column 1: a quote inside"),
    "text after a quote": ('"a" b\tb\tc\n', "E903]: x.tsv, line 1: column 1: text after the closing quote"),
    "an open quote": ('a\tb\tc\n"a\tb\tc\n', "E903]: x.tsv, line 2: a quote is opened and not closed"),
    "not JSON": ('{"text": "a", "label": "b"}\n{"text"\n', "E903]: x.tsv, line 2: not JSON"),
    "a list": ('{"text": "a", "label": "b"}\n[1]\n', "E903]: x.tsv, line 2: not a JSON object"),
    "a number for a text": ('{"text": 1, "label": "b"}\n', "E903]: x.tsv, line 1: text is 1, expected a text"),
    "a fraction for a label": ('{"text": "a", "label": 0.5}\n', "E903]: x.tsv, line 1: label is 0.5"),
    "keys of something else": ('{"a": 1}\n', "E902]: x.tsv: JSON lines without the key of a text"),
    "tagged words": ("text_a\tlabel\na\x02b\tO\x02O\n", "E902]: x.tsv holds tokens joined by"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_wrong_is_named_with_its_line(case: str, tmp_path: Path) -> None:
    content, expected = REFUSED[case]
    (tmp_path / "x.tsv").write_text(content, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        list(open_labelled(tmp_path / "x.tsv").examples())
    assert str(caught.value).startswith(f"error[{expected}")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"PAR1\x15", "E902]: x.tsv is a parquet file"),
        (b"\x1f\x8b\x08", "E902]: x.tsv is compressed with gzip"),
        ("text\tlabel\n".encode("utf-16"), "E902]: x.tsv is UTF-16"),
        (b"a\0b", "E902]: x.tsv is no text file"),
        ("text\tlabel\nMünchen\tort\n".encode("latin1"), "E903]: x.tsv, line 2: not UTF-8 at byte 1"),
        (b"text\tlabel\n" + b"a" * (5 << 20), "E903]: x.tsv, line 2: longer than 4 MiB"),
    ],
)
def test_what_is_no_text_is_refused(content: bytes, expected: str, tmp_path: Path) -> None:
    (tmp_path / "x.tsv").write_bytes(content)
    with pytest.raises(DataError) as caught:
        list(open_labelled(tmp_path / "x.tsv").examples())
    assert str(caught.value).startswith(f"error[{expected}")


def test_languages_and_limit(tmp_path: Path) -> None:
    path = tmp_path / "all.tsv"
    rows = [f"{language}\t{n}\tl" for n in range(5) for language in ("de", "zh-CN", "eng")]
    path.write_text("lang\ttext\tlabel\n" + "\n".join(rows), encoding="utf-8")
    found = [(one.language, one.first) for one in open_texts(path, ["zh", "en"], limit=2).examples()]
    assert found == [("zh", "0"), ("en", "0"), ("zh", "1"), ("en", "1")]
    with pytest.raises(DataError, match="E901]: no examples of fr in all.tsv"):
        list(open_texts(path, ["de", "fr"]).examples())


def test_a_language_that_the_file_does_not_have_is_the_users(tmp_path: Path) -> None:
    (tmp_path / "mine.tsv").write_text("text\tlabel\na\tb\n", encoding="utf-8")
    assert [one.language for one in open_texts(tmp_path / "mine.tsv", ["de"]).examples()] == ["de"]


def test_of_a_folder_the_test_parts_are_taken(tmp_path: Path) -> None:
    for name in ("train-de.tsv", "test-de.tsv", "test-fr.tsv", "README.md", "label_map.json"):
        (tmp_path / name).write_text(f"text\tlabel\n{name}\tb\n", encoding="utf-8")
    assert [one.first for one in open_texts(tmp_path).examples()] == ["test-de.tsv", "test-fr.tsv"]
    assert [one.first for one in open_texts(tmp_path / "train-*.tsv").examples()] == ["train-de.tsv"]
    assert [one.first for one in open_texts(tmp_path, ["fr"]).examples()] == ["test-fr.tsv"]
    (tmp_path / "test.de.csv").write_text("text,label\na,b\n", encoding="utf-8")
    with pytest.raises(DataError, match="test-de.tsv and test.de.csv are both of de"):
        open_texts(tmp_path)


def test_pawsx_has_a_folder_for_each_language(tmp_path: Path) -> None:
    for language in ("de", "ja"):
        (tmp_path / language).mkdir()
        for part in ("translated_train", "dev_2k", "test_2k"):
            content = f"id\tsentence1\tsentence2\tlabel\n1\t{part}\tb\t1\n"
            (tmp_path / language / f"{part}.tsv").write_text(content, encoding="utf-8")
    found = [(one.language, one.first) for one in open_texts(tmp_path).examples()]
    assert found == [("de", "test_2k"), ("ja", "test_2k")]


TEXT = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\r\0"), max_size=12)


@settings(max_examples=150)
@given(st.lists(st.lists(TEXT, min_size=2, max_size=4), min_size=1, max_size=5), st.sampled_from("\t,"))
def test_quoted_rows_are_what_csv_writer_was_given(rows: list[list[str]], separator: str) -> None:
    file = io.StringIO()
    csv.writer(file, delimiter=separator, lineterminator="\n").writerows(rows)
    lines = enumerate(file.getvalue().split("\n")[:-1], 1)
    assert [row for _, row in split_quoted("x", lines, separator)] == rows


@settings(max_examples=60)
@given(st.lists(st.tuples(TEXT, TEXT.filter(bool)), min_size=1, max_size=5))
def test_json_lines_give_what_they_were_made_from(rows: list[tuple[str, str]]) -> None:
    import tempfile

    rows = [(text + "x", label) for text, label in rows]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.jsonl"
        lines = [json.dumps({"text": text, "label": label}, ensure_ascii=False) for text, label in rows]
        path.write_bytes("\n".join(lines).encode())
        assert [(one.first, one.label) for one in open_labelled(path).examples()] == rows
