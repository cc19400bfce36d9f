"""Information extraction for converted UIE and UIE-M models, as PaddleNLP's Taskflow("information_extraction") does it.

    extract = InformationExtractor(model, tokenizer, schema=["时间", {"选手": ["国籍", "赛事名称"]}])
    extract("2月8日上午北京冬奥会自由式滑雪女子大跳台决赛中中国选手谷爱凌以188.25分获得金牌！")

`ernie.extraction` and `ernie_m.extraction` load both from a folder. This package needs torch, a model and its
tokenizer; beside a converted folder it may be copied and used alone.

Facts from paddlenlp 2.8.1, `taskflow/information_extraction.py` and `taskflow/task.py`.
"""

from __future__ import annotations

from .answers import Answer, Answers
from .extractor import InformationExtractor
from .schema import Schema

__all__ = ["Answer", "Answers", "InformationExtractor", "Schema"]
