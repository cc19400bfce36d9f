"""What came from a server, looked at before it is taken for the file: no error page, nothing that ends too early."""

from __future__ import annotations

from pathlib import Path

from converter.common.errors import FetchError, Paddle2TorchError, Problem, SourceError
from converter.files.regular_files import HEAD_BYTES, looks_like_text, quoted, recognise

_PAGES = ("a web page", "a JSON document", "a git-LFS pointer")


def check_kind(path: Path, shown: str) -> None:
    """Raises FetchError for the pages that servers send in place of a file, with status 200 too."""
    with open(path, "rb") as file:
        head = file.read(HEAD_BYTES)
    kind = recognise(head, path.stat().st_size) or ""
    json_expected = path.suffix == ".json"
    if kind.startswith(_PAGES) and not (json_expected and "JSON" in kind):
        raise _page(shown, kind)
    if not json_expected and path.suffix not in (".txt", ".model") and looks_like_text(head):
        raise _page(shown, f"text, not weights: {quoted(head.decode('ascii'))}")


def _page(shown: str, kind: str) -> FetchError:
    hint = ". On the Hub, files are under /resolve/ and pages under /blob/" if "/blob/" in shown else ""
    return FetchError(Problem("E706", f"{shown} is {kind}{hint}. Not kept"))


def check_content(path: Path) -> None:
    """Raises what the reader raises for a file that is cut or damaged: that one must not be found in the cache.

    A file that is whole and of a kind that is not read passes: who opens it says so.
    """
    from converter.files.json_files import read_json
    from converter.files.protobuf import WireError, walk_fields
    from converter.open.dispatch import open_weights

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
            told = Problem(last.code, f"{last.text}. What was fetched is not kept")
            raise type(error)(*error.problems[:-1], told) from None
