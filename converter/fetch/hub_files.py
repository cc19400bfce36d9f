"""Which files of a repository a conversion needs: the weights that a folder of these files would be opened at."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from converter.errors import FetchError, Problem, SourceError
from converter.leftovers import scratch_folder
from converter.open.files import unsafe_name
from converter.open.folder import choose_weights
from converter.open.json_files import read_json
from converter.open.source import CONFIG_NAMES

_SMALL = (
    *CONFIG_NAMES,
    "ernie_config.json",
    "vocab.txt",
    "sentencepiece.bpe.model",
    "piece.model",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
)
#: Of PyTorch repositories that have nothing else.
_PYTORCH = ("pytorch_model.bin.index.json", "pytorch_model.bin")
_MOST_NAMES = 5000


def needed_files(names: Iterable[str], repo_id: str) -> tuple[list[str], str]:
    """The small files that are there, and the file at which the weights begin. Raises SourceError."""
    plain = sorted(name for name in names if unsafe_name(name) is None)[:_MOST_NAMES]
    weights = _first_weights(plain, repo_id)
    stem = weights.rsplit(".", 1)[0]
    program = [f"{stem}{end}" for end in (".pdmodel", ".json", ".pdiparams.info")] if "diparams" in weights else []
    return [name for name in (*_SMALL, *program) if name in plain], weights


def _first_weights(names: list[str], repo_id: str) -> str:
    """Chosen by the code that chooses in a folder, which sees names only: here they are, empty."""
    pytorch = next((name for name in _PYTORCH if name in names), None)
    with scratch_folder("paddle2torch-names-") as scratch:
        folder = Path(scratch, "of", repo_id.rsplit("/", 1)[-1])
        folder.mkdir(parents=True)
        for name in names:
            (folder / name).touch()
        try:
            return choose_weights(folder).path.name
        except SourceError as error:
            if pytorch is not None:
                return pytorch
            raise type(error)(
                *(Problem(each.code, f"Hub id {repo_id}: {each.text}") for each in error.problems)
            ) from None


def index_of(name: str) -> bool:
    """Whether a weight file is an index of others."""
    return name.endswith(".json") and ".index." in name


def shards_of(path: Path) -> list[str]:
    """The files that an index names. Raises FileError, or FetchError for a name that is none."""
    places = read_json(path)[0].get("weight_map")
    shards = sorted({str(place) for place in places.values()}) if isinstance(places, dict) else []
    wrong = next((name for name in shards if unsafe_name(name)), None)
    if wrong is not None or not shards:
        what = f"names {ascii(wrong)[:80]}, which is no plain file name" if shards else "names no files"
        raise FetchError(Problem("E710", f"{path.name} {what}"))
    return shards
