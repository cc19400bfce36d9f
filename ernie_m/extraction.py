"""Information extraction for a converted UIE-M, as PaddleNLP's Taskflow("information_extraction") does it.

extract = InformationExtractor.from_pretrained("out", schema=["时间", {"选手": ["国籍", "赛事名称"]}])
extract("2月8日上午北京冬奥会自由式滑雪女子大跳台决赛中中国选手谷爱凌以188.25分获得金牌！")
"""

from __future__ import annotations

from typing import Any

import extraction


class InformationExtractor(extraction.InformationExtractor):
    """Asks a UIE-M for what a schema names; `extraction.InformationExtractor` with a folder to load from."""

    @classmethod
    def from_pretrained(cls, folder: Any, schema: extraction.Schema, **options: Any) -> InformationExtractor:
        """Load model and tokenizer from a converted folder or a Hub id; options are those of the constructor."""
        from . import ErnieMForInformationExtraction, ErnieMTokenizer

        model = ErnieMForInformationExtraction.from_pretrained(folder)
        return cls(model, ErnieMTokenizer.from_pretrained(folder), schema, **options)
