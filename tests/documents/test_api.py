"""docs/api.md is up to date with the docstrings."""

from __future__ import annotations

import pytest


def test_the_document_is_up_to_date() -> None:
    pytest.importorskip("transformers")
    from benchmarks.api_reference import DOCUMENT, make_document

    text = make_document()
    assert "### paddle2torch.verify" in text and "(no text)" not in text
    assert DOCUMENT.read_text(encoding="utf-8") == text, "run `make api`"
