"""An extractor that loads its model and tokenizer from a converted folder."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from .extractor import InformationExtractor
from .schema import Schema

if TYPE_CHECKING:
    from typing_extensions import Self


def load_whole(model_class: Any, folder: Any) -> Any:
    """A model of which every weight is in the folder. Raises ValueError for one that lacks some."""
    model, info = model_class.from_pretrained(folder, output_loading_info=True)
    missing = sorted(map(str, info["missing_keys"]))
    if missing:
        text = f"{folder} is no {model_class.__name__}: it lacks {', '.join(missing[:6])}"
        raise ValueError(f"{text}{' and more' if len(missing) > 6 else ''}, which would be random numbers")
    return model


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
