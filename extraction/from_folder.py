"""An extractor that loads its model and tokenizer from a converted folder."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from .extractor import InformationExtractor
from .schema import Schema

if TYPE_CHECKING:
    from typing_extensions import Self


class FolderExtractor(InformationExtractor, ABC):
    """`InformationExtractor` with a folder to load from; a family states how its folders are loaded."""

    @staticmethod
    @abstractmethod
    def load(folder: Any) -> tuple[Any, Any]:
        """Model and tokenizer of a converted folder or a Hub id."""

    @classmethod
    def from_pretrained(cls, folder: Any, schema: Schema, **options: Any) -> Self:
        """Load model and tokenizer from a converted folder or a Hub id; options are those of the constructor."""
        return cls(*cls.load(folder), schema, **options)
