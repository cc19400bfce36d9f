"""Which two files of a folder are the tokenizer's: by their usual names, then by those that others have given them."""

from __future__ import annotations

from pathlib import Path

from converter.common.errors import Problem, SourceError
from converter.common.layout import SENTENCEPIECE, SENTENCEPIECE_KIND, VOCABULARY
from converter.files.regular_files import is_file
from mappings import Family


def choose_files(folder: Path, family: Family, warnings: list[str]) -> tuple[str, str] | None:
    """The names of the vocabulary and of the sentencepiece model, or None when neither is there, and when there is only
    a vocabulary of another name: its writer may keep the model elsewhere. Raises SourceError for half of them."""
    vocabularies = [name for name in (VOCABULARY, *family.tokenizer.vocabularies) if is_file(folder / name)]
    models = [name for name in (SENTENCEPIECE, *family.tokenizer.models) if is_file(folder / name)]
    if not vocabularies:
        if not models:
            return None
        raise _half(models[0], VOCABULARY)
    if not models:
        if vocabularies[0] != VOCABULARY:
            return None
        raise _half(VOCABULARY, SENTENCEPIECE)
    for first, *others in (vocabularies, models):
        if others:
            warnings.append(f"ignored: {', '.join(others)}; {first} comes first")
    if vocabularies[0] != VOCABULARY:
        warnings.append(f"{vocabularies[0]} is taken as {VOCABULARY}, the name that it has in OUTPUT")
    return vocabularies[0], models[0]


def lone_vocabulary(folder: Path, family: Family) -> str | None:
    """A vocabulary of another name, where that alone is no tokenizer."""
    if family.tokenizer.kind != SENTENCEPIECE_KIND:
        return None
    return next((name for name in family.tokenizer.vocabularies if is_file(folder / name)), None)


def describe_lack(folder: Path, family: Family) -> str:
    """What a folder without a tokenizer lacks."""
    if family.tokenizer.kind != SENTENCEPIECE_KIND:
        return f"{VOCABULARY} is not there"
    lone = lone_vocabulary(folder, family)
    return (
        f"{lone} is there without a {SENTENCEPIECE}" if lone else f"neither {VOCABULARY} nor {SENTENCEPIECE} is there"
    )


def _half(here: str, lost: str) -> SourceError:
    text = f"{here} is there without {lost}: the tokenizer needs both. Name a folder with --tokenizer"
    return SourceError(Problem("E020", text))
