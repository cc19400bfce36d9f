"""What is asked of Taskflow and of the extractor, and Taskflow's answers with the same weights."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.cached import cached, hash_files, hash_of, hash_sources

SCRIPT = "taskflow_answers.py"
TEXTS = [
    "2月8日上午北京冬奥会自由式滑雪女子大跳台决赛中中国选手谷爱凌以188.25分获得金牌！",
    "In 1997, Steve was excited to become the CEO of Apple.",
    "地址不错，服务一般，设施陈旧",
    "Am 3. März 2024 wurde in Köln „Ｂｅｒｇ“ été eröffnet.",
    "昨日、東京で大きな会議が開かれた。",
    "В 1961 году Юрий Гагарин полетел в космос.",
    "",
    "  a  [MASK] b ½ ㎏ ",
    "价格€30（原价￥1,000），气温22°C，湿度45%～50%，a<c>b+d=e",
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


@dataclass
class Asked:
    """Taskflow's answers to calls, and the converted model."""

    calls: list[dict[str, Any]]
    answers: list[Any]
    output: Path
    extractor_class: Any
    model: Any
    tokenizer: Any

    def extractor(self, schema: Any, dtype: Any = None, **options: Any) -> Any:
        model = self.model.float() if dtype is None else self.model.to(dtype)
        return self.extractor_class(model, self.tokenizer, schema, **options)


def ask_taskflow(run_paddle: Callable[..., None], folder: Path, kind: str, calls: list[Any], seed: int) -> list[Any]:
    """Taskflow's answers with a tiny model of a class (UIE, UIEM), which lies in `folder` afterwards. The same question
    about the same tokenizer is asked once."""
    request = {
        "class": kind,
        "vocab_size": (folder / "vocab.txt").read_bytes().decode().removesuffix("\n").count("\n") + 1,
        "seed": seed,
        "calls": [taskflow_call(kind, call) for call in calls],
    }
    key = hash_of(hash_sources((f"tests/reference/{SCRIPT}", "requirements/paddle.txt")), hash_files(folder), request)

    def ask(place: Path) -> None:
        shutil.copytree(folder, place / "model")
        (place / "request.json").write_text(json.dumps({"folder": str(place / "model"), **request}), "utf-8")
        run_paddle(SCRIPT, place / "request.json", place / "answers.json")

    asked = cached("taskflow", key, ask)
    shutil.copytree(asked / "model", folder, dirs_exist_ok=True)
    found: list[Any] = json.loads((asked / "answers.json").read_text("utf-8"))
    return found


def taskflow_call(kind: str, call: dict[str, Any]) -> dict[str, Any]:
    """Taskflow asks in English for one model's name, or for `schema_lang`: UIE is asked by the first."""
    if kind == "UIEM":
        return {**call, "model": "uie-m-base"}
    options = dict(call["options"])
    return {
        **call,
        "model": "uie-base-en" if options.pop("schema_lang", "ch") == "en" else "uie-base",
        "options": options,
    }


def flatten(answers: Any, path: str = "") -> list[tuple[Any, ...]]:
    """Every answer with the way to it, its place, its text and its probability, in an order of its own."""
    return sorted(walk(answers, path))


def walk(answers: Any, path: str) -> Iterator[tuple[Any, ...]]:
    for name, found in answers.items():
        for one in found:
            yield f"{path}/{name}", one.get("start", -1), one.get("end", -1), one["text"], one["probability"]
            yield from walk(one.get("relations", {}), f"{path}/{name}[{one['text']}]")
