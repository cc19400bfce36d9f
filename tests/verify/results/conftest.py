"""The reports that were made by hand for the tests of verify/report."""

from __future__ import annotations

from tests.verify.report.conftest import failing, passing, tested

__all__ = ["failing", "passing", "tested"]
