"""The packages' metadata, each in one place."""

from __future__ import annotations

import re
from pathlib import Path

from converter.common.version import __version__

ROOT = Path(__file__).resolve().parents[2]


def test_the_version_is_written_in_one_place() -> None:
    """pyproject.toml takes it from converter/common/version.py; what must repeat it is compared."""
    said = re.search(r"^version: (.+)$", (ROOT / "CITATION.cff").read_text(encoding="utf-8"), re.MULTILINE)
    assert said is not None and said[1] == __version__
    assert f" {__version__}" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert 'dynamic = ["version"]' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
