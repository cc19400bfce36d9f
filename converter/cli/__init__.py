"""The command line. Only this room prints, and only this room turns errors into exit codes.

May import everything.
"""

from __future__ import annotations

from converter.cli.application import app

__all__ = ["app"]
