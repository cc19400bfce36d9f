"""Recognise the pages that servers send in place of a file, even with status 200."""

from __future__ import annotations

from pathlib import Path

from converter.common.errors import FetchError, Problem
from converter.files.regular_files import HEAD_BYTES, looks_like_text, quoted, recognise

_PAGES = ("a web page", "a JSON document", "a git-LFS pointer")


def refuse_error_page(path: Path, shown: str) -> None:
    """Raise FetchError (E706) for a page that a server sent in place of a file. `shown`: its address in the message."""
    with open(path, "rb") as file:
        head = file.read(HEAD_BYTES)
    kind = recognise(head, path.stat().st_size) or ""
    json_expected = path.suffix == ".json"
    if kind.startswith(_PAGES) and not (json_expected and "JSON" in kind):
        raise _page_error(shown, kind)
    if not json_expected and path.suffix not in (".txt", ".model") and looks_like_text(head):
        raise _page_error(shown, f"text, not weights: {quoted(head.decode('ascii'))}")


def _page_error(shown: str, kind: str) -> FetchError:
    hint = ". On the Hub, files are under /resolve/ and pages under /blob/" if "/blob/" in shown else ""
    return FetchError(Problem("E706", f"{shown} is {kind}{hint}. Not kept"))
