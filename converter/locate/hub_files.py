"""Which files of a Hub repository a conversion needs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

from converter.common.errors import FetchError, Problem, SourceError
from converter.common.layout import SENTENCEPIECE, TOKENIZER_SETTINGS, VOCABULARY
from converter.files.json_files import read_json
from converter.files.regular_files import quoted, unsafe_name
from converter.files.stale_folders import scratch_folder
from converter.open.config.find_config import config_names
from converter.open.folder import choose_weights
from mappings import all_families

#: Taken if a repository has no other weights.
_PYTORCH = ("pytorch_model.bin.index.json", "pytorch_model.bin")
_MOST_NAMES = 5000


def needed_files(names: Iterable[str], repo_id: str) -> tuple[list[str], str]:
    """The small files that the repository has, and its weight file or the index of its shards. Raises SourceError."""
    there = list(names)
    plain = sorted(name for name in there if unsafe_name(name) is None)[:_MOST_NAMES]
    try:
        weights = _first_weights(plain)
    except SourceError as error:
        more = _describe_folders(there, repo_id)
        raise type(error)(
            *(Problem(each.code, f"Hub id {repo_id}: {each.text}{more}") for each in error.problems)
        ) from None
    if not weights:
        text = "a file for each variable, which are not fetched one by one."
        raise SourceError(Problem("E002", f"Hub id {repo_id}: {text}{_fetch_whole(repo_id, '')}"))
    stem = weights.rsplit(".", 1)[0]
    program = [f"{stem}{end}" for end in (".pdmodel", ".json", ".pdiparams.info")] if "diparams" in weights else []
    return [name for name in (*_small_files(), *program) if name in plain], weights


def _small_files() -> tuple[str, ...]:
    """Names of configs and tokenizers' files, of any family."""
    tokenizers = [family.tokenizer for family in all_families()]
    others = [name for one in tokenizers for name in (*one.vocabularies, *one.models, *one.refused)]
    return (*config_names(), VOCABULARY, SENTENCEPIECE, *dict.fromkeys(others), *TOKENIZER_SETTINGS)


def _first_weights(names: list[str]) -> str:
    """The weight file that a folder with files of these names is opened at; "" for a file per variable. The choice is
    made in a folder of empty files, by the code that opens folders. Raises SourceError."""
    pytorch = next((name for name in _PYTORCH if name in names), None)
    with scratch_folder("paddle2torch-names-") as scratch:
        folder = scratch / "repository"
        folder.mkdir()
        for name in names:
            (folder / name).touch()
        try:
            chosen = choose_weights(folder).path
            return chosen.name if chosen != folder else ""
        except SourceError as error:
            if pytorch is not None:
                return pytorch
            raise type(error)(
                *(Problem(each.code, _of_repository(each.text, folder)) for each in error.problems)
            ) from None


def _of_repository(text: str, folder: Path) -> str:
    """What is said of the folder of empty files, for the repository that it stands for."""
    text = text.replace(f"{folder}: the folder is empty", "no usable file is at the top of the repository")
    return text.replace(str(folder), "repository")


def _describe_folders(names: list[str], repo_id: str) -> str:
    """What to do about weights in folders of the repository; empty if there are none."""
    inside: dict[str, list[str]] = {}
    for name in names:
        folder, _, base = name.rpartition("/")
        if folder and folder.isprintable() and not unsafe_name(base):
            inside.setdefault(folder, []).append(base)
    found = sorted(folder for folder, bases in inside.items() if _holds_weights(bases))
    if not found:
        return ""
    shown = ", ".join(quoted(folder, 120)[1:-1] for folder in found[:8])
    more = f" and {len(found) - 8} more" if len(found) > 8 else ""
    text = f". There are weights in {shown}{more}, and only what lies at the top is fetched."
    return text + _fetch_whole(repo_id, found[0])


def _holds_weights(names: list[str]) -> bool:
    try:
        _first_weights(sorted(names)[:_MOST_NAMES])
    except SourceError as error:
        return any(problem.code == "E003" for problem in error.problems)
    return True


def _fetch_whole(repo_id: str, folder: str) -> str:
    plain = re.fullmatch(r"[\w./-]*", folder)
    include = f" --include '{folder}/*'" if folder and plain else ""
    there = f"DIR/{folder}" if folder and plain else "the folder in DIR" if folder else "DIR"
    return f" Fetch it with `hf download {repo_id}{include} --local-dir DIR` and convert {there}"


def index_of(name: str) -> bool:
    """Whether a weight file is an index of shards."""
    return name.endswith(".json") and ".index." in name


def shards_of(path: Path) -> list[str]:
    """The files that an index names. Raises FileError, or FetchError (E710) for a name that is no file name."""
    places = read_json(path)[0].get("weight_map")
    shards = sorted({str(place) for place in places.values()}) if isinstance(places, dict) else []
    wrong = next((name for name in shards if unsafe_name(name)), None)
    if wrong is not None or not shards:
        what = f"names {ascii(wrong)[:80]}, which is no plain file name" if shards else "names no files"
        raise FetchError(Problem("E710", f"{path.name} {what}"))
    return shards
