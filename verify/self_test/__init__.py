"""The negative control: faults injected in memory, and whether each is found, by which check."""

from __future__ import annotations

from verify.self_test.run import run_self_test

__all__ = ["run_self_test"]
