"""Write docs/api.md from the docstrings of what the packages offer.

    python -m benchmarks.api_reference [--write]

Without --write the text goes to standard output. A test compares the file with what this makes.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DOCUMENT = Path(__file__).resolve().parent.parent / "docs" / "api.md"
MODULES = ("paddle2torch", "converter", "verify", "evaluation", "extraction", "ernie", "ernie_m", "ernie_m.objectives")


def main() -> int:
    """Print the document, or write it."""
    parser = argparse.ArgumentParser(description="Write docs/api.md from the docstrings.")
    parser.add_argument("--write", action="store_true")
    text = make_document()
    if parser.parse_args().write:
        DOCUMENT.write_text(text, encoding="utf-8")
    else:
        sys.stdout.write(text)
    return 0


def make_document() -> str:
    """The whole text of docs/api.md."""
    parts = ["# API", "Made from the docstrings by `make api`.", *_chapters()]
    return "\n\n".join(parts) + "\n"


def _chapters() -> Iterator[str]:
    for name in MODULES:
        module = importlib.import_module(name)
        yield f"## {name}"
        yield _text(module)
        for member in sorted(module.__all__, key=str.lower):
            value = getattr(module, member)
            if inspect.isclass(value) or (inspect.isfunction(value) and not _is_offered_above(name, member)):
                yield from _entry(f"{name}.{member}", value)


def _is_offered_above(module: str, member: str) -> bool:
    """Whether the first module, which people import, has the function."""
    return module != MODULES[0] and member in importlib.import_module(MODULES[0]).__all__


def _entry(name: str, value: Any) -> Iterator[str]:
    yield f"### {name}"
    if value.__name__ != name.rsplit(".", 1)[1]:
        yield f"Another name of {value.__name__}."
        return
    if inspect.isfunction(value):
        yield f"```text\n{_signature(name, value)}\n```"
    yield _text(value)
    if inspect.isclass(value):
        fields = [f"`{key}: {kind}`" for key, kind in vars(value).get("__annotations__", {}).items() if _public(key)]
        if fields and not hasattr(value, "forward"):
            yield "Fields: " + ", ".join(fields) + "."
        yield from _methods(name, value)


def _methods(name: str, value: Any) -> Iterator[str]:
    for key, method in vars(value).items():
        method = getattr(method, "__func__", method)
        if _public(key) and inspect.isfunction(method) and method.__doc__:
            yield f"```text\n{_signature(f'{name}.{key}', method)}\n```"
            yield _text(method)


def _public(name: str) -> bool:
    return not name.startswith("_")


def _signature(name: str, value: Any) -> str:
    """One line where it fits, else a parameter a line."""
    signature = inspect.signature(value)
    words = list(_parameters(signature))
    result = "" if signature.return_annotation is signature.empty else f" -> {signature.return_annotation}"
    short = f"{name}({', '.join(words)}){result}"
    if len(short) <= 100:
        return short
    return "\n".join([f"{name}(", *(f"    {word}," for word in words), f"){result}"])


def _parameters(signature: inspect.Signature) -> Iterator[str]:
    """Annotations are texts here (`from __future__ import annotations`), and are shown without quotes."""
    starred = False
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            yield "*"
        starred = starred or parameter.kind in (parameter.VAR_POSITIONAL, parameter.KEYWORD_ONLY)
        stars = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
        word = stars + parameter.name
        if parameter.annotation is not parameter.empty:
            word += f": {parameter.annotation}"
        if parameter.default is not parameter.empty:
            word += f"{' = ' if ':' in word else '='}{parameter.default!r}"
        yield word


def _text(value: Any) -> str:
    return inspect.getdoc(value) or "(no text)"


if __name__ == "__main__":
    sys.exit(main())
