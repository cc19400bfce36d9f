"""What the columns of labelled text are, by the names in a header or the keys of JSON lines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from evaluation.readers.lines import wrong_form

#: Names of the first and the second text that belong together, and the data set that has them.
_TEXTS = (
    ("premise", "hypothesis", "premise and hypothesis (the Hub's)"),
    ("premise", "hypo", "XNLI-MT"),
    ("sentence1", "sentence2", "sentence1 and sentence2 (XNLI, PAWS-X)"),
    ("text_a", "text_b", "text_a and text_b (Baidu's)"),
    ("text_a", None, "text_a (Baidu's)"),
    ("text", "text_pair", "text and text_pair"),
    ("text", None, "text"),
    ("sentence", None, "sentence"),
)
_LABELS = ("label", "gold_label")
_LANGUAGES = ("language", "lang")


@dataclass(frozen=True)
class Columns:
    """Names of the columns that are read, and the name of the form."""

    first: str
    second: str | None
    label: str
    language: str | None
    form: str


def known_columns(names: Iterable[str], file: str) -> Columns | None:
    """The columns that these names are; None when no name is one of a text. Raises DataError when two could be the
    text, the label or the language, or there is no label."""
    present = set(names)
    pairs = [(a, b, form) for a, b, form in _TEXTS if a in present and (b is None or b in present)]
    # text_a alone is a form too: the pair with text_b goes before it.
    fitting = [one for one in pairs if one[1] is not None or not any(a == one[0] and b for a, b, _ in pairs)]
    if not fitting:
        return None
    if len(fitting) > 1:
        listed = " and ".join(f"{a} with {b}" if b else a for a, b, _ in fitting)
        raise wrong_form(file, f"has {listed}. Which of them is the text? Leave out the other columns")
    first, second, form = fitting[0]
    label = _one(present, _LABELS, "label", file)
    if label is None:
        raise wrong_form(file, f"has {form} but no column `label`: there is nothing to compare the answers with")
    return Columns(first, second, label, _one(present, _LANGUAGES, "language", file), form)


def _one(present: set[str], names: tuple[str, ...], what: str, file: str) -> str | None:
    found = [name for name in names if name in present]
    if len(found) > 1:
        raise wrong_form(file, f"has columns {' and '.join(found)}. Which is the {what}? Leave out the other")
    return found[0] if found else None
