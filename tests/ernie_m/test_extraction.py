"""Information extraction gives the answers of PaddleNLP's Taskflow, and reads on where Taskflow cuts off."""

from __future__ import annotations

import json
from collections.abc import Callable
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.ernie_m.tokenization_reference import official_folder, small_folder

torch = pytest.importorskip("torch")

TEXTS = [
    "2月8日上午北京冬奥会自由式滑雪女子大跳台决赛中中国选手谷爱凌以188.25分获得金牌！",
    "In 1997, Steve was excited to become the CEO of Apple.",
    "地址不错，服务一般，设施陈旧",
    "Am 3. März 2024 wurde in Köln „Ｂｅｒｇ“ été eröffnet.",
    "昨日、東京で大きな会議が開かれた。",
    "В 1961 году Юрий Гагарин полетел в космос.",
    "",
    "  a  [MASK] b ½ ㎏ ",
]
LONG = [
    "In 1997, Steve was excited to become the CEO of Apple. " * 30,  # windows of some 500 characters, few tokens
    "北京冬奥会。" * 5,
]
CHINESE = "".join(f"第{number}位选手在北京获得金牌，" for number in range(120))  # nearly as many tokens as characters
NESTED = [
    "时间",
    {"选手": ["国籍", {"赛事名称": "时间（当地）"}]},
    {"评价维度": ["观点词", "情感倾向[正向，负向]"]},
    "情感倾向[正向，负向]",
]
ENGLISH = [{"Person": ["Company", "Sentiment classification [negative, positive]"]}, "Ｔｉｍｅ ", "Tone [good, bad]"]
CALLS: list[dict[str, Any]] = [
    {"schema": NESTED, "texts": TEXTS, "options": {}},
    {"schema": ENGLISH, "texts": TEXTS, "options": {"schema_lang": "en"}},
    {"schema": "时间", "texts": TEXTS[0], "options": {"position_prob": 0.3}},
    {"schema": {"选手": "国籍"}, "texts": TEXTS, "options": {"max_seq_len": 64, "batch_size": 3}},
    {"schema": ["Time", "Person"], "texts": LONG, "options": {"schema_lang": "en"}},
    {"schema": ["情感倾向[正向，负向]", "时间"], "texts": LONG, "options": {"max_seq_len": 100}},
]


class Asked:
    """Taskflow's answers to CALLS, and the converted model."""

    def __init__(self, folder: Path, output: Path, answers: list[Any], seed: int) -> None:
        import ernie_m
        from converter import convert

        convert(folder, output)
        self.answers, self.output, self.seed = answers, output, seed
        self.model = ernie_m.ErnieMForInformationExtraction.from_pretrained(output)
        self.tokenizer = ernie_m.ErnieMTokenizer.from_pretrained(output)

    def extractor(self, schema: Any, dtype: torch.dtype = torch.float32, **options: Any) -> Any:
        from ernie_m.extraction import InformationExtractor

        return InformationExtractor(self.model.to(dtype), self.tokenizer, schema, **options)


def ask(run_paddle: Callable[..., None], folder: Path, place: Path, seed: int) -> Asked:
    words = (folder / "vocab.txt").read_bytes().decode().removesuffix("\n").count("\n") + 1
    request = {"folder": str(folder), "vocab_size": words, "seed": seed, "calls": CALLS}
    (place / "request.json").write_text(json.dumps(request), "utf-8")
    run_paddle("taskflow_answers.py", place / "request.json", place / "answer.json")
    return Asked(folder, place / "out", json.loads((place / "answer.json").read_text("utf-8")), seed)


@pytest.fixture(scope="module", params=[("small", 4), ("small", 5), ("official", 1)], ids=str)
def asked(run_paddle: Callable[..., None], tmp_path_factory: pytest.TempPathFactory, request: Any) -> Asked:
    """Two models with a small vocabulary, one with the official one where that is at hand."""
    which, seed = request.param
    source = tmp_path_factory.mktemp("uie") / "source"
    if which == "official":
        return ask(run_paddle, official_folder(request.getfixturevalue("shared_data"), source), source.parent, seed)
    return ask(run_paddle, small_folder(source), source.parent, seed)


def flatten(answers: Any, path: str = "") -> list[tuple[Any, ...]]:
    """Every answer with the way to it, without its probability, in an order of its own; and the probabilities."""
    rows = []
    for name, found in answers.items():
        for one in found:
            rows.append((f"{path}/{name}", one.get("start", -1), one.get("end", -1), one["text"], one["probability"]))
            rows += flatten(one.get("relations", {}), f"{path}/{name}[{one['text']}]")
    return sorted(rows)


@pytest.mark.parametrize("dtype, tolerance", [(torch.float64, 1e-12), (torch.float32, 1e-5)])
@pytest.mark.parametrize("number", range(len(CALLS)))
def test_answers_are_those_of_taskflow(asked: Asked, number: int, dtype: torch.dtype, tolerance: float) -> None:
    call = CALLS[number]
    found = asked.extractor(call["schema"], dtype, **call["options"])(call["texts"])
    assert any(asked.answers[0]) and any(asked.answers[4]), "no answers, nothing compared"
    assert len(found) == len(asked.answers[number])
    for ours, taskflow in zip(found, asked.answers[number]):
        rows, expected = flatten(ours), flatten(taskflow)
        assert [row[:-1] for row in rows] == [row[:-1] for row in expected]
        assert [row[-1] for row in rows] == pytest.approx([row[-1] for row in expected], rel=0, abs=tolerance)


def test_what_is_compared_holds_every_kind_of_answer(asked: Asked) -> None:
    """Of the first model alone: spans, classes, relations of two depths, a second window, nothing at all."""
    rows = [row for answers in asked.answers for answer in answers for row in flatten(answer)]
    if asked.seed == 4:
        assert sum(row[1] >= 0 for row in rows) > 100 and sum(row[1] < 0 for row in rows) > 20
        assert {row[0].count("/") for row in rows} >= {1, 2, 3} and any(row[1] > 512 for row in rows)
        assert {} in chain.from_iterable(asked.answers)


@pytest.mark.parametrize("windows", ["characters", "tokens"])
def test_every_token_of_a_long_text_is_seen_once(asked: Asked, windows: str) -> None:
    """With a probability of 0 every token is an answer of its own, so that a gap or a repetition shows."""
    extract = asked.extractor("时间", position_prob=0.0, max_seq_len=128, windows=windows, overlap=20)
    found = [one for one in extract(CHINESE)[0]["时间"] if one.get("end")]
    assert len(CHINESE) > 5 * 128
    spans = [(one["start"], one["end"]) for one in found if one["text"]]
    assert all(one["text"] == CHINESE[one["start"] : one["end"]] for one in found)
    offsets = [span for span in asked.tokenizer.get_offset_mapping(CHINESE) if span[1] > span[0]]
    if windows == "tokens":
        assert spans == [tuple(span) for span in offsets]
    else:  # pieces are cut by characters, also within a token
        assert "".join(CHINESE[start:end] for start, end in spans) == CHINESE


def test_a_window_less_than_full_is_what_the_model_says_of_the_padded_row(asked: Asked) -> None:
    """One [PAD] that weighs as much as all of them: the same numbers as 512 tokens, for each hidden id."""
    extract = asked.extractor("时间", torch.float64)
    rows = [asked.tokenizer("时间", text)["input_ids"] for text in TEXTS]
    for hidden in ([0], [0, 1], []):
        extract.model.config.implicit_mask_token_ids = hidden
        ids = torch.tensor([row + [1] * (512 - len(row)) for row in rows])
        positions = torch.tensor([[*range(len(row)), *[0] * (512 - len(row))] for row in rows])
        with torch.no_grad():
            output = extract.model(input_ids=ids, position_ids=positions)
        starts, ends = map(torch.tensor, extract._probabilities(rows))
        # Where [PAD] is hidden its own numbers are those of one that nobody sees.
        kept = ids != 1 if 1 in hidden else torch.ones_like(ids, dtype=torch.bool)
        assert torch.allclose(starts[kept], output.start_logits.sigmoid()[kept].float(), rtol=0, atol=1e-6)
        assert torch.allclose(ends[kept], output.end_logits.sigmoid()[kept].float(), rtol=0, atol=1e-6)
    extract.model.config.implicit_mask_token_ids = [0]


def test_windows_do_not_change_a_text_that_fits(asked: Asked) -> None:
    texts = [text for text in TEXTS if len(text) < 100]
    by_characters, by_tokens = (asked.extractor(NESTED, windows=windows)(texts) for windows in ("characters", "tokens"))
    assert by_characters == by_tokens


def test_the_file_alone_serves_a_folder(asked: Asked) -> None:
    """Someone with the output folder and this one file needs no package of ours."""
    import sys

    from transformers.dynamic_module_utils import get_class_from_dynamic_module

    def load(name: str) -> Any:
        return get_class_from_dynamic_module(name, str(asked.output)).from_pretrained(str(asked.output))

    # What AutoModel and AutoTokenizer load with trust_remote_code where ernie_m is not installed.
    model = load("modeling_ernie_m.ErnieMForInformationExtraction")
    tokenizer = load("tokenization_ernie_m.PaddleErnieMTokenizer")
    assert type(model).__module__.startswith("transformers_modules.")
    source = Path(sys.modules["ernie_m"].__file__ or "").with_name("extraction.py")
    alone = ModuleType("alone")
    sys.modules["alone"] = alone
    exec(compile(source.read_text("utf-8"), "alone.py", "exec"), alone.__dict__)
    found = alone.InformationExtractor(model, tokenizer, NESTED)(TEXTS[:3])
    from ernie_m.extraction import InformationExtractor

    assert found == InformationExtractor.from_pretrained(asked.output, NESTED)(TEXTS[:3])


def test_a_schema_is_read_at_any_depth_and_a_name_twice_is_one() -> None:
    from ernie_m.extraction import read_schema

    assert read_schema("a") == {"a": {}}
    assert read_schema(["a", {"b": "c"}, {"b": ["d", {"e": ["f"]}]}, "a"]) == {
        "a": {},
        "b": {"c": {}, "d": {}, "e": {"f": {}}},
    }
    for wrong in ([1], {"a": 1}, {1: "a"}, [["a"]]):
        with pytest.raises(ValueError, match="schema"):
            read_schema(wrong)  # type: ignore[arg-type]


def test_each_end_takes_the_last_start_before_it() -> None:
    from ernie_m.extraction import pair_up

    starts, ends = ([(place, 0.6) for place in places] for places in ([1, 2, 5, 9], [0, 3, 4, 5, 8]))
    assert [(start[0], end[0]) for start, end in pair_up(starts, ends)] == [(2, 3), (5, 5)]


def test_the_class_of_most_windows_wins_with_its_mean() -> None:
    from ernie_m.extraction import Window, join_classes

    found = [[("a", 0.9)], [("b", 0.6), ("a", 0.5)], [], [("b", 0.8)]]
    windows = [Window([], [], "", "", 0, found=[{"text": text, "probability": p} for text, p in one]) for one in found]
    assert join_classes(windows) == [{"text": "b", "probability": pytest.approx(0.7)}]
    assert join_classes([]) == []


def test_what_cannot_be_meant_is_refused(asked: Asked) -> None:
    for options, words in (
        ({"schema_lang": "de"}, "schema_lang is 'de'"),
        ({"windows": "words"}, "windows is 'words'"),
        ({"position_prob": 1.0}, "position_prob"),
        ({"max_seq_len": 513}, "max_seq_len is 513"),
        ({"batch_size": 0}, "batch_size"),
        ({"overlap": -1}, "overlap"),
    ):
        with pytest.raises(ValueError, match=words):
            asked.extractor("a", **options)
    with pytest.raises(TypeError, match="found int: 3"):
        asked.extractor("a")(["b", 3])
    with pytest.raises(ValueError, match="no text fits beside it in max_seq_len=20"):
        asked.extractor("时间" * 10, max_seq_len=20)("b")
