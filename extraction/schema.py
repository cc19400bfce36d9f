"""What is asked: the names of a schema, and the prompts that are made of them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Union

Schema = Union[str, Mapping[str, Any], Sequence[Any]]

OPTIONS = re.compile(r"\[.*?\]$")
# Full-width ASCII in a prompt becomes ASCII; the ideographic space stays.
HALF_WIDTH = {code + 0xFEE0: code for code in range(0x21, 0x7F)}


def read_schema(schema: Schema) -> dict[str, Any]:
    """A dict from each name to the dict of what is asked about it. A name that stands twice is one.

    Raises a ValueError for what is no name, list or dict.
    """
    names: dict[str, Any] = {}
    for part in [schema] if isinstance(schema, (str, Mapping)) else schema:
        if not isinstance(part, (str, Mapping)):
            raise ValueError(f"A schema holds names, lists and dicts; found {type(part).__name__}: {part!r}.")
        for name, below in {part: []}.items() if isinstance(part, str) else part.items():
            if not isinstance(name, str) or not isinstance(below, (str, Mapping, list, tuple)):
                raise ValueError(
                    f"A schema's dict leads from a name to names, lists or dicts; found {name!r}: {below!r}."
                )
            merge_schema(names.setdefault(name, {}), read_schema(below))
    return names


def merge_schema(names: dict[str, Any], more: dict[str, Any]) -> None:
    """Add names to names, at every depth."""
    for name, below in more.items():
        merge_schema(names.setdefault(name, {}), below)


def make_prompt(name: str, about: str | None, language: str) -> str:
    """The prompt for a name, alone or about an answer: "谷爱凌的国籍", in English "Company of Steve"."""
    if about is not None and language == "ch":
        name = f"{about}的{name}"
    elif about is not None:
        options = OPTIONS.search(name)
        name = f"{name[: name.find('[', 1)].strip()} of {about} {options[0]}" if options else f"{name} of {about}"
    return name.translate(HALF_WIDTH)
