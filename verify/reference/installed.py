"""What an interpreter has of Paddle, without importing it, which takes seconds."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from converter.common.errors import Problem, ReferenceFailure
from verify.reference.subprocess_runner import clean_environment

_PACKAGES = ("paddlepaddle", "paddlenlp")
#: Builds of Paddle under other names have the module `paddle` too.
_CODE = """
import importlib.util, json, sys
try:
    from importlib.metadata import version
except ImportError:
    version = None
def found(package, module):
    if importlib.util.find_spec(module) is None:
        return None
    try:
        return version(package)
    except Exception:
        return "unknown version"
print(json.dumps({"paddlepaddle": found("paddlepaddle", "paddle"), "paddlenlp": found("paddlenlp", "paddlenlp")}))
"""
_SECONDS = 60.0


def read_versions(python: Path) -> dict[str, str | None]:
    """The versions of Paddle and PaddleNLP; None for what is not there. Raises ReferenceFailure for a program that is
    no Python."""
    command = [str(python), "-c", _CODE]
    try:
        ended = subprocess.run(
            command, capture_output=True, text=True, timeout=_SECONDS, env=clean_environment(), check=True
        )
        found = json.loads(ended.stdout.splitlines()[-1])
        return {name: found[name] for name in _PACKAGES}
    except (OSError, ValueError, LookupError, TypeError, subprocess.SubprocessError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        raise ReferenceFailure(Problem("E601", f"{python} does not run as a Python ({reason})")) from None


def check_has_paddle(python: Path) -> None:
    """Raise ReferenceFailure for an interpreter without Paddle or PaddleNLP."""
    missing = [name for name, version in read_versions(python).items() if version is None]
    if missing:
        text = f"{python} has no {' and no '.join(missing)}. `paddle2torch reference install` makes one that has"
        raise ReferenceFailure(Problem("E601", text))
