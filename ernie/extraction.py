"""Information extraction for a converted UIE, as PaddleNLP's Taskflow("information_extraction") does it.

extract = InformationExtractor.from_pretrained("out", schema=["时间", {"选手": ["国籍", "赛事名称"]}])
extract("2月8日上午北京冬奥会自由式滑雪女子大跳台决赛中中国选手谷爱凌以188.25分获得金牌！")
"""

from __future__ import annotations

from typing import Any

from extraction.from_folder import FolderExtractor, load_whole


class InformationExtractor(FolderExtractor):
    """Asks a UIE for what a schema names; `extraction.InformationExtractor` with a folder to load from."""

    @staticmethod
    def load(folder: Any) -> tuple[Any, Any]:
        from transformers import PreTrainedTokenizerFast

        from . import ErnieForInformationExtraction

        # Not AutoTokenizer: whatever class a folder names, the tokens are those of its tokenizer.json.
        tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
        return load_whole(ErnieForInformationExtraction, folder), tokenizer
