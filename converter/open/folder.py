"""Which files of a folder are the model's: PaddleNLP's names in PaddleNLP's order, by exact name."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from converter.errors import Problem, SourceError
from converter.open.files import is_file, quoted

#: As PaddleNLP looks for them, first hit wins (paddlenlp/transformers/model_utils.py:1492-1585).
ORDER = (
    "model.safetensors.index.json",
    "model.safetensors",
    "model_state.pdparams.index.json",
    "model_state.pdparams",
    # transformers' own, which PaddleNLP looks for last as well.
    "pytorch_model.bin.index.json",
    "pytorch_model.bin",
)

_VARIANT_FORMS = (
    re.compile(r"model\.safetensors\.index\.([^.]+)\.json"),
    re.compile(r"model\.([^.]+)\.safetensors"),
    re.compile(r"model_state\.pdparams\.index\.([^.]+)\.json"),
    re.compile(r"model_state\.([^.]+)\.pdparams"),
)
_SHARD = re.compile(r".*-\d{5}-of-\d{5}(\.\w+)?\.(pdparams|safetensors)")


class Choice(NamedTuple):
    """The file to begin with, and what to say about the others."""

    path: Path
    warnings: tuple[str, ...]


def choose_weights(folder: Path) -> Choice:
    """Raises SourceError when none of the known files is there, or when it is not clear which one is meant."""
    first = next((name for name in ORDER if is_file(folder / name)), None)
    variants = _find_variants(folder)
    if first is not None:
        ignored = [name for name in ORDER if name != first and os.path.lexists(folder / name)] + list(variants)
        warning = f"ignored: {', '.join(ignored)}; {first} comes first, as in PaddleNLP" if ignored else ""
        return Choice(folder / first, (warning,) if warning else ())
    if len(set(variants.values())) > 1:
        names = ", ".join(sorted(variants))
        text = f"{folder.name} holds several variants: {names}. Name the one file to convert"
        raise SourceError(Problem("E003", text))
    if variants:
        chosen = min(variants, key=_form_of)
        warning = f"{chosen} is the variant {quoted(variants[chosen])}; there is no {ORDER[3]}. Is it the whole model?"
        return Choice(folder / chosen, (warning,))
    raise SourceError(Problem("E002", _nothing_found(folder)))


def _find_variants(folder: Path) -> dict[str, str]:
    """File names of variants (model_state.VARIANT.pdparams), and the variant of each."""
    found: dict[str, str] = {}
    for name in _list(folder):
        form = _form_of(name)
        if form < len(_VARIANT_FORMS) and not _SHARD.fullmatch(name):
            match = _VARIANT_FORMS[form].fullmatch(name)
            if match and name.isprintable() and is_file(folder / name):
                found[name] = match.group(1)
    return found


def _form_of(name: str) -> int:
    return next((place for place, form in enumerate(_VARIANT_FORMS) if form.fullmatch(name)), len(_VARIANT_FORMS))


def _list(folder: Path) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError as error:
        raise SourceError(Problem("E005", f"{folder.name}: the folder cannot be read: {error.strerror}")) from None


def _nothing_found(folder: Path) -> str:
    names = _list(folder)
    shown = ", ".join(quoted(name)[1:-1] for name in names[:20]) or "nothing"
    more = f" and {len(names) - 20} more" if len(names) > 20 else ""
    text = f"{folder.name}: no weights found. Looked for {', '.join(ORDER)}; there are {shown}{more}."
    shards = [name for name in names if _SHARD.fullmatch(name)]
    if shards:
        return f"{text} Shards without their index: fetch {shards[0].split('-')[0]}.*.index.json too"
    inner = [name for name in names if any((folder / name / known).is_file() for known in ORDER)]
    if inner:
        return f"{text} Do you mean {', '.join(inner[:4])} in it?"
    return f"{text} Name the weight file itself if it has another name"
