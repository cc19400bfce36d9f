"""Information extraction for a converted UIE-M, as PaddleNLP's Taskflow("information_extraction") does it.

extract = InformationExtractor.from_pretrained("out", schema=["时间", {"选手": ["国籍", "赛事名称"]}])
extract("2月8日上午北京冬奥会自由式滑雪女子大跳台决赛中中国选手谷爱凌以188.25分获得金牌！")
"""

from __future__ import annotations

from typing import Any

from extraction.from_folder import FolderExtractor, load_whole


class InformationExtractor(FolderExtractor):
    """Asks a UIE-M for what a schema names; `extraction.InformationExtractor` with a folder to load from."""

    @staticmethod
    def load(folder: Any) -> tuple[Any, Any]:
        from . import ErnieMForInformationExtraction, ErnieMTokenizer

        return load_whole(ErnieMForInformationExtraction, folder), ErnieMTokenizer.from_pretrained(folder)
