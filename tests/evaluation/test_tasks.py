"""Each task: examples to a job, and made-up answers of a model to predictions and metrics."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converter.common.errors import DataError
from evaluation.answered import Answered
from evaluation.encoding import Encoder
from evaluation.options import Options
from evaluation.readers.data import open_qa, open_retrieval, open_sentences, open_texts
from evaluation.tasks.questions import judge_questions, name_answer, prepare_questions
from evaluation.tasks.retrieval import choose_layers, judge_retrieval, prepare_retrieval
from evaluation.tasks.sentences import judge_sentences, prepare_sentences
from evaluation.tasks.texts import judge_texts, prepare_texts
from tests.evaluation.words import WordTokenizer
from verify.protocol.evaluation_job import Job

NAMES = ["contradiction", "neutral", "entailment"]


def texts_of(job: Job) -> list[list[int]]:
    return [job.ids[a:b].tolist() for a, b in zip(job.offsets[:-1], job.offsets[1:])]


def write(path: Path, content: str) -> Path:
    path.write_text(content, encoding="utf-8")
    return path


def prepare(path: Path, content: str, encoder: Encoder | None = None, names: Any = NAMES, **options: Any) -> Any:
    data = open_texts(write(path, content))
    encoder = encoder or Encoder(WordTokenizer(types=True), 20)
    return prepare_texts(data, encoder, Options("xnli", **options), names, mask=False)


ROWS = "lang\tpremise\thypo\tlabel\nde\ta b\tc\tneutral\nfr\ta\tb\tcontradictory\nde\tb\tc\tentailment\n"


def test_pairs_are_encoded_as_the_tokenizers_call_does(tmp_path: Path) -> None:
    job, prepared = prepare(tmp_path / "x.tsv", ROWS)
    assert texts_of(job) == [[0, 3, 4, 2, 2, 5, 2], [0, 3, 2, 2, 4, 2], [0, 4, 2, 2, 5, 2]]
    assert job.types[:7].tolist() == [0, 0, 0, 0, 1, 1, 1]
    assert (prepared.languages, prepared.gold) == (["de", "fr", "de"], [1, 0, 2])
    assert prepared.places == ["x.tsv:2", "x.tsv:3", "x.tsv:4"]


def test_predictions_of_texts(tmp_path: Path) -> None:
    _, prepared = prepare(tmp_path / "x.tsv", ROWS)
    logits = np.array([[0, 3, 1], [5, 5, 0], [2, 0, 1.5]], np.float32)
    german, french = judge_texts(prepared, {"logits": logits})
    assert (german.language, german.rows.tolist(), german.chosen.tolist()) == ("de", [0, 2], [1, 0])
    assert (german.margin.tolist(), german.scale, german.metrics) == ([2, 0.5], 3, {"accuracy": 0.5})
    assert (french.chosen.tolist(), french.margin.tolist()) == ([0], [0])  # A tie: the first.


def test_the_users_labels_are_the_models_classes_in_order(tmp_path: Path) -> None:
    labels = ("entailment", "neutral", "contradiction")
    _, prepared = prepare(tmp_path / "x.tsv", ROWS, names=["LABEL_0", "LABEL_1", "LABEL_2"], labels=labels)
    assert (prepared.gold, prepared.labels) == ([1, 2, 0], list(labels))


@pytest.mark.parametrize(
    ("names", "options", "expected"),
    [
        (["LABEL_0", "LABEL_1", "LABEL_2"], {}, "E904]: labels of the data are unknown: 'neutral', 'contradictory', "),
        (NAMES, {"labels": ("a", "b")}, "E904]: --labels has 2 names, the model has 3 classes"),
        (NAMES, {"labels": ("a", "b", "b")}, "E904]: two classes have one name"),
    ],
)
def test_labels_are_never_guessed(names: list[str], options: Any, expected: str, tmp_path: Path) -> None:
    with pytest.raises(DataError) as caught:
        prepare(tmp_path / "x.tsv", ROWS, names=names, **options)
    assert expected in str(caught.value)


def test_xnli_has_pairs(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="x.tsv:2: one text, and xnli has pairs"):
        prepare(tmp_path / "x.tsv", "text\tlabel\na\tneutral\n")


def test_long_texts_are_cut_and_counted(tmp_path: Path) -> None:
    encoder = Encoder(WordTokenizer(), 6)
    job, prepared = prepare(tmp_path / "x.tsv", ROWS, encoder)
    assert texts_of(job)[0] == [0, 3, 2, 2, 5, 2]
    assert prepared.warnings == ["1 of 3 texts have more than 6 tokens and were cut (de 1)"]


def test_what_was_cut_is_counted_for_each_language(tmp_path: Path) -> None:
    rows = "".join(f"{language}\ta b c d\te f g\tneutral\n" for language in ("de", "fr", "fr"))
    _, prepared = prepare(tmp_path / "x.tsv", ROWS + rows, Encoder(WordTokenizer(), 7))
    assert prepared.warnings == ["3 of 6 texts have more than 7 tokens and were cut (fr 2, de 1)"]
    write(tmp_path / "tatoeba.deu-eng.deu", "a b c\nd\n")
    write(tmp_path / "tatoeba.deu-eng.eng", "e\nf g h\n")
    write(tmp_path / "tatoeba.fra-eng.fra", "a\nb\n")
    write(tmp_path / "tatoeba.fra-eng.eng", "c\nd e f\n")
    data = open_retrieval(tmp_path)
    _, prepared = prepare_retrieval(data, Encoder(WordTokenizer(), 4), Options("retrieval"), 2, mask=False)
    assert prepared.warnings == ["3 of 8 texts have more than 4 tokens and were cut (de 2, fr 1)"]


TAGGED = "Die O\nRhein_land_bahn B-ORG\n~ I-ORG\nAG I-ORG\nin O\nx_y B-LOC\n\nBonn I-LOC\n"
TAGS = ["O", "B-ORG", "I-ORG", "B-LOC", "I-LOC"]


def tagged(path: Path, longest: int = 20, **options: Any) -> Any:
    encoder = Encoder(WordTokenizer(), longest)
    return prepare_sentences(open_sentences(write(path, TAGGED)), encoder, Options("ner", **options), TAGS, mask=False)


def answer_with(job: Job, tags: list[list[str]]) -> dict[str, np.ndarray]:
    """Logits that give each token of the job this tag."""
    logits = np.zeros((len(job.ids), len(TAGS)), np.float32)
    for place, tag in enumerate(tag for one in tags for tag in ["O", *one, "O"]):
        logits[place, TAGS.index(tag)] = 1 + place / 100
    return {"logits": logits}


def test_a_word_has_the_tag_of_its_first_sub_token(tmp_path: Path) -> None:
    job, prepared = tagged(tmp_path / "x")
    assert list(map(len, texts_of(job))) == [10, 3]
    tags = [["O", "B-ORG", "O", "O", "I-ORG", "O", "B-LOC", "B-ORG"], ["B-LOC"]]
    (found,) = judge_sentences(prepared, answer_with(job, tags))
    # `~` has no sub-token and counts as O: the organisation is cut in two.
    assert found.metrics == {"f1": pytest.approx(2 * 2 / (4 + 3)), "precision": 0.5, "recall": pytest.approx(2 / 3)}
    assert found.rows.tolist() == [0, 0, 0, 0, 0, 1]
    assert [TAGS[number] for number in found.chosen] == ["O", "B-ORG", "I-ORG", "O", "B-LOC", "B-LOC"]


def test_by_sub_token_every_one_counts(tmp_path: Path) -> None:
    job, prepared = tagged(tmp_path / "x", ner_scoring="subtoken")
    tags = [["O", "B-ORG", "I-ORG", "I-ORG", "I-ORG", "O", "B-LOC", "O"], ["B-LOC"]]
    (found,) = judge_sentences(prepared, answer_with(job, tags))
    assert found.rows.tolist() == [0] * 8 + [1]
    assert found.metrics == {
        "f1": pytest.approx(2 / 3),
        "precision": pytest.approx(2 / 3),
        "recall": pytest.approx(2 / 3),
    }


def test_words_behind_the_cut_are_o(tmp_path: Path) -> None:
    job, prepared = tagged(tmp_path / "x", longest=5)
    assert list(map(len, texts_of(job))) == [5, 3]
    assert prepared.gold[0]["counts"] == [1, 2, 0, 0, 0, 0]
    (found,) = judge_sentences(prepared, answer_with(job, [["O", "B-ORG", "I-ORG"], ["B-LOC"]]))
    assert found.metrics["recall"] == pytest.approx(1 / 3)  # Of ORG only the first word is found, and LOC is behind.
    assert prepared.warnings == ["1 of 2 texts have more than 5 tokens and were cut (und 1)"]


def test_tags_that_the_model_does_not_have(tmp_path: Path) -> None:
    data = open_sentences(write(tmp_path / "x", "Bonn B-LOC\n"))
    with pytest.raises(DataError, match="E904]: labels of the data are unknown: 'B-LOC'"):
        prepare_sentences(data, Encoder(WordTokenizer(), 9), Options("ner"), ["O", "B-PER"], mask=False)


def squad(context: str, answer: str) -> str:
    entry = {"id": "q", "question": "wer war da", "answers": [{"text": answer, "answer_start": context.index(answer)}]}
    return json.dumps({"data": [{"paragraphs": [{"context": context, "qas": [entry]}]}]})


def test_windows_and_the_best_answer(tmp_path: Path) -> None:
    words = [f"w{number}" for number in range(300)]
    context = "  ".join(words)
    data = open_qa(write(tmp_path / "x.de.json", squad(context, "w5")))
    job, prepared = prepare_questions(data, Encoder(WordTokenizer(types=True), 157), Options("qa"), mask=False)
    (gold,) = prepared.gold
    # 157 - 4 special - 3 of the question = 150 tokens of the context.
    assert [(first, count) for _, first, count in gold["windows"]] == [(0, 150), (128, 150), (256, 44)]
    assert job.types[:9].tolist() == [0, 0, 0, 0, 0, 1, 1, 1, 1]
    rows = texts_of(job)
    assert rows[1][:6] == rows[0][:6] and rows[1][6] == rows[0][6 + 128]

    def score(*places: tuple[int, int, float, float]) -> tuple[Answered, str]:
        start, end = np.zeros(len(job.ids), np.float32), np.zeros(len(job.ids), np.float32)
        for window, token, of_start, of_end in places:
            begin, first, _ = gold["windows"][window]
            start[begin + token - first] += of_start
            end[begin + token - first] += of_end
        (found,) = judge_questions(prepared, {"start_logits": start, "end_logits": end})
        return found, name_answer(prepared, 0, int(found.chosen[0]))

    found, text = score((0, 5, 4, 0), (0, 6, 0, 3))
    assert text == "w5  w6"
    assert found.metrics == {"f1": pytest.approx(2 / 3), "exact_match": 0}
    assert (found.margin.tolist(), found.scale) == ([3], 8)  # The same start with any other end.
    # An end in front of its start, and one more than 100 tokens behind it, are no answers.
    assert score((0, 20, 4, 0), (0, 10, 0, 9), (0, 7, 1, 0))[1] == "w7  w8  w9  w10"
    assert score((0, 2, 4, 0), (0, 102, 0, 9), (0, 3, 1, 0))[1].endswith("w102")
    # Token 130 has more context in the first window (19) than in the second (2): only there it may begin an answer.
    assert score((1, 130, 9, 0), (0, 7, 1, 0))[1] == "w7"
    assert score((0, 130, 9, 1))[1] == "w130"


def test_questions_that_were_cut(tmp_path: Path) -> None:
    entries = [
        {"id": str(n), "question": "w " * length, "answers": [{"text": "da", "answer_start": 0}]}
        for n, length in enumerate((64, 65, 70))
    ]
    content = json.dumps({"data": [{"paragraphs": [{"context": "da", "qas": entries}]}]})
    data = open_qa(write(tmp_path / "x.de.json", content))
    _, prepared = prepare_questions(data, Encoder(WordTokenizer(), 384), Options("qa"), mask=False)
    assert prepared.warnings == ["2 of 3 questions have more than 64 tokens and were cut (de 2)"]


def test_a_language_without_rules_is_named(tmp_path: Path) -> None:
    data = open_qa(write(tmp_path / "x.ru.json", squad("da", "da")))
    _, prepared = prepare_questions(data, Encoder(WordTokenizer(), 30), Options("qa"), mask=False)
    assert prepared.warnings == ["MLQA has no rules for ru: no article is removed from answers there"]


def test_retrieval(tmp_path: Path) -> None:
    write(tmp_path / "tatoeba.deu-eng.deu", "a\nb c\nd\n")
    write(tmp_path / "tatoeba.deu-eng.eng", "e\nf\ng h\n")
    options = Options("retrieval", layer="all", direction="both")
    job, prepared = prepare_retrieval(open_retrieval(tmp_path), Encoder(WordTokenizer(), 9), options, 2, mask=False)
    assert job.layers == (1, 0, 2) and len(job) == 6
    foreign = np.array([[1, 0.0], [0, 1], [1, 1]])
    english = np.array([[1, 0.1], [2, 2.1], [0, 1]])
    vectors = np.stack([foreign, english], axis=1).reshape(6, 2)
    views = list(judge_retrieval(prepared, {"layer.1": vectors, "layer.0": np.ones((6, 2))}))
    assert [view.view for view in views] == [f"layer.{n}, {d}" for n in (1, 0) for d in ("en2xx", "xx2en")]
    assert views[0].chosen.tolist() == [0, 2, 1] and views[0].metrics == {"accuracy": pytest.approx(1 / 3)}
    assert views[1].chosen.tolist() == [0, 2, 1] and views[2].chosen.tolist() == [0, 0, 0]


@pytest.mark.parametrize(("depth", "layer"), [(12, 8), (24, 14), (6, 4), (3, 2)])
def test_the_layer_is_xtremes(depth: int, layer: int) -> None:
    assert choose_layers(None, depth) == (layer,)


def test_a_layer_that_there_is_not() -> None:
    with pytest.raises(DataError, match="E906]: --layer is 4, the model has 3"):
        choose_layers("4", 3)
