"""Compare the scorers with the official ones on random examples, and record some of them for `test_official.py`.

    pip install seqeval==1.2.2    # in an environment of its own: the tests need only what is recorded
    python -m tests.evaluation.scorers.record_official MLQA/mlqa_evaluation_v1.py --cases 20000

MLQA's script is that of facebookresearch/MLQA, 24bf470. Every case is compared; the first ones of each kind are kept.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import random
from pathlib import Path
from typing import Any

from evaluation.scorers.answers import LANGUAGES, score_answers
from evaluation.scorers.spans import score_spans, spans_of

RECORDED = Path(__file__).with_name("official.json")
KEPT = {"spans": 60, "answers": 24}
MARKS = ["O", "O", "O", "B-PER", "I-PER", "B-LOC", "I-LOC", "I-A-B"]
#: Articles of every language, words that hold one, marks of punctuation of several scripts, symbols that are none.
WORDS = [
    *[
        "the",
        "a",
        "an",
        "The",
        "anthem",
        "der",
        "Die",
        "das",
        "einem",
        "Reis",
        "el",
        "la",
        "Los",
        "un",
        "unas",
        "sol",
        "là",
        "của",
        "Cái",
        "những",
        "nhà",
    ],
    *[
        "ال",
        "الكتاب",
        "والبيت",
        "مقالات",
        "كتاب",
        "राम",
        "है",
        "।",
        "中国",
        "北京市",
        "在",
        "。",
        "Ωmega",
        "İ",
        "ſ",
        "ﬁ",
        "naïve",
        "U.S.",
        "don't",
        "1,5",
        "$5",
        "5%",
    ],
    *("«x»", "„y“", "x_y", "—", "¿qué?", "a-b", "e\u0301", "\u200b", "\u00a0", "\u3000"),
]


def draw_tags(draw: random.Random) -> tuple[list[str], list[str]]:
    """A sentence's tags, valid or not, and predictions of which some are other ones."""
    gold = [draw.choice(MARKS) for _ in range(draw.randrange(1, 12))]
    return gold, [tag if draw.random() < 0.8 else draw.choice(MARKS) for tag in gold]


def draw_text(draw: random.Random) -> str:
    return draw.choice(["", " ", "\n", "-"]).join(draw.choices(WORDS, k=draw.randrange(1, 6)))


def draw_answers(draw: random.Random) -> tuple[str, list[str]]:
    """A prediction and up to three answers that count as right, some of which are near it."""
    answers = [draw_text(draw) for _ in range(draw.randrange(1, 4))]
    near = draw.choice(answers) + draw.choice(["", ".", " the", " là", "中"])
    return (near if draw.random() < 0.6 else draw_text(draw)), answers


def official_spans(gold: list[list[str]], found: list[list[str]]) -> list[float]:
    from seqeval.metrics import f1_score, precision_score, recall_score

    return [float(metric(gold, found, zero_division=0)) for metric in (f1_score, precision_score, recall_score)]


def record_spans(count: int) -> list[dict[str, Any]]:
    """Cases of four sentences each: seqeval's spans of the first, and its metrics of all."""
    from seqeval.metrics.sequence_labeling import get_entities

    draw, kept = random.Random(1), []
    for number in range(count):
        gold, found = map(list, zip(*(draw_tags(draw) for _ in range(4))))
        spans = [[kind, start, end + 1] for kind, start, end in get_entities(gold[0])]
        case = {"gold": gold, "found": found, "spans": spans, "metrics": official_spans(gold, found)}
        assert [list(span) for span in spans_of(gold[0])] == spans, case
        own = list(score_spans(gold, found).metrics().values())
        assert all(abs(a - b) < 1e-12 for a, b in zip(own, case["metrics"])), (case, own)
        kept += [case] if number < KEPT["spans"] else []
    return kept


def record_answers(script: Path, count: int) -> list[dict[str, Any]]:
    """Questions of each language in turn, with F1 and exact match in percent as the script gives them."""
    specification = importlib.util.spec_from_file_location("official", script)
    assert specification is not None and specification.loader is not None
    official = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(official)
    draw, kept = random.Random(2), []
    for number in range(count):
        language = LANGUAGES[number % len(LANGUAGES)]
        predicted, answers = draw_answers(draw)
        question = {"id": "q", "answers": [{"text": text} for text in answers]}
        given = official.evaluate([{"paragraphs": [{"qas": [question]}]}], {"q": predicted}, language)
        case = {"language": language, "predicted": predicted, "answers": answers, **given}
        own = score_answers([("q", answers)], {"q": predicted}, language).metrics()
        assert abs(100 * own["f1"] - given["f1"]) < 1e-9, (case, own)
        assert 100 * own["exact_match"] == given["exact_match"], (case, own)
        kept += [case] if number < KEPT["answers"] * len(LANGUAGES) else []
    return kept


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("script", type=Path, help="mlqa_evaluation_v1.py")
    parser.add_argument("--cases", type=int, default=20000, help="cases of each kind")
    given = parser.parse_args()
    found = {"spans": record_spans(given.cases), "answers": record_answers(given.script, given.cases)}
    text = ",\n".join(
        f'"{name}": [\n' + ",\n".join(json.dumps(case) for case in cases) + "\n]" for name, cases in found.items()
    )
    RECORDED.write_text(f"{{\n{text}\n}}\n", encoding="utf-8")
    print(f"{given.cases} cases of each kind are scored alike; {RECORDED.name} has {KEPT}")


if __name__ == "__main__":
    main()
