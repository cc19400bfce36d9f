"""paddle2torch env."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from converter.cli import options
from converter.cli.output import print_json, print_text
from converter.cli.pages import Page
from converter.cli.verbosity import QUIET, VERBOSE
from converter.common.errors import ReferenceFailure
from converter.common.printable import MESSAGE, printable
from converter.common.redaction import HIDDEN, redact
from converter.common.version import __version__

PAGE = Page(("[OPTIONS]",), ("paddle2torch env", "paddle2torch env --json"), "docs/faq.md")
SUMMARY = "Print versions and places, for a bug report."
_PACKAGES = (
    "numpy", "safetensors", "typer", "jinja2", "filelock", "huggingface_hub",
    "torch", "transformers", "tokenizers", "sentencepiece", "accelerate",
)  # fmt: skip
_VARIABLES = ("PADDLE2TORCH_", "HF_", "NO_COLOR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY")


def env(
    as_json: bool = options.AS_JSON, quiet: bool = QUIET, verbose: bool = VERBOSE, debug: bool = options.DEBUG
) -> None:
    """Print what a bug report needs: the versions of paddle2torch, Python and the packages, where the reference and
    the cache are, and the variables that are set. Tokens and passwords are not printed."""
    facts = _describe()
    if as_json:
        print_json(facts)
        return
    for title, rows in facts.items():
        if not isinstance(rows, dict):
            print_text(f"{title:<18} {printable(str(rows), MESSAGE)}")
            continue
        for name, value in rows.items():
            print_text(f"{printable(name):<18} {printable(str(value or 'not installed'), MESSAGE)}")


def _describe() -> dict[str, Any]:
    from converter.fetch.cache import cache_folder

    return {
        "paddle2torch": __version__,
        "python": f"{platform.python_version()} ({sys.executable})",
        "platform": platform.platform(),
        "packages": {name: _version(name) for name in _PACKAGES},
        "reference": _reference(),
        "cache": str(cache_folder()),
        "variables": _variables(),
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _reference() -> dict[str, str | None]:
    from verify.reference.find import find_interpreter
    from verify.reference.installed import read_versions

    try:
        found = find_interpreter()
        return {"reference": str(found), **read_versions(found)}
    except ReferenceFailure as failure:
        return {"reference": failure.problems[0].text}


def _variables() -> dict[str, str]:
    """The variables that the tool reads. Of tokens only that they are set."""
    found = {name: value for name, value in sorted(os.environ.items()) if name.upper().startswith(_VARIABLES)}
    return {name: HIDDEN if "TOKEN" in name.upper() else redact(value) for name, value in found.items()}
