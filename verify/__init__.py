"""Proof that a converted folder is the same model: weights bit for bit, numbers layer by layer, tokens text by text."""

from __future__ import annotations

from verify.results.report import Report
from verify.run import verify

__all__ = ["Report", "verify"]
