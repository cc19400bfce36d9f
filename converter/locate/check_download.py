"""Check that a downloaded file is complete, with the reader that will open it."""

from __future__ import annotations

from pathlib import Path

from converter.common.errors import FetchError, Paddle2TorchError, Problem, SourceError
from converter.files.json_files import read_json
from converter.files.protobuf import WireError, walk_fields
from converter.open.dispatch import open_weights


def check_content(path: Path) -> None:
    """Raise what the reader raises for a file that is cut or damaged, so that it is not kept in the cache.

    A complete file of a kind that cannot be converted passes: opening it reports that.
    """
    if path.suffix == ".json":
        read_json(path)
    elif path.suffix == ".model":
        try:
            for _ in walk_fields(memoryview(path.read_bytes())):
                pass
        except WireError as error:
            raise FetchError(Problem("E704", f"{path.name} is damaged or cut short ({error}). Not kept")) from None
    elif path.suffix != ".txt":
        try:
            open_weights(path)
        except SourceError:
            return
        except Paddle2TorchError as error:
            last = error.problems[-1]
            extended = Problem(last.code, f"{last.text}. What was fetched is not kept")
            raise type(error)(*error.problems[:-1], extended) from None
