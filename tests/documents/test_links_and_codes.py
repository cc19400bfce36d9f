"""Error codes and links in the documents exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CODE = re.compile(r"\"(E\d{3})\"")


def test_every_error_code_is_explained_and_every_explained_one_exists() -> None:
    raised: set[str] = set()
    for folder in ("converter", "verify", "evaluation"):
        for path in (ROOT / folder).rglob("*.py"):
            raised |= set(CODE.findall(path.read_text(encoding="utf-8")))
    raised.add("E009")  # Printed by the entry point itself, before anything is imported.
    rows = re.findall(r"^\| (E\d{3}) \|", (ROOT / "docs" / "errors.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert rows == sorted(set(rows))
    assert set(rows) == raised


def test_links_between_the_documents_lead_somewhere() -> None:
    for path in [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")]:
        for target in re.findall(r"\]\(([^)#:]+)\)", path.read_text(encoding="utf-8")):
            assert (path.parent / target).exists(), f"{path.name} links to {target}"
