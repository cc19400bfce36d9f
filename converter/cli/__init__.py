"""The command line: the only room that prints, and the only one that turns errors into exit codes."""

from __future__ import annotations

from converter.cli.application import app

__all__ = ["app"]
