"""Open SOURCE with the converter's reader, which refuses what must not reach Paddle's unpickler."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from converter.common.errors import Paddle2TorchError
from converter.open.options import SourceOptions
from converter.open.places import naming_paths
from mappings import find_class
from verify.folder.check_fields import class_and_heads_of

if TYPE_CHECKING:
    from converter.open.source import Source
    from converter.plan.plan import Plan

_NOTHING_SPECIFIED = SourceOptions()


def open_for(
    output: Path, path: Path, options: SourceOptions = _NOTHING_SPECIFIED, origin: str | None = None
) -> tuple[Source, Plan, list[str]]:
    """Open SOURCE and plan its conversion; returns warnings too. `origin`: what `path` was fetched from.

    What neither SOURCE nor the user specifies is taken from OUTPUT's config. Unknown tensors inside modules are
    allowed: verify.folder.left_inside checks what OUTPUT left out.
    """
    with naming_paths(path, origin, options.config, options.tokenizer):
        return _open(output, path, options)


def _open(output: Path, path: Path, options: SourceOptions) -> tuple[Source, Plan, list[str]]:
    from converter.open.source import open_source
    from converter.plan.make_plan import make_plan

    asked = _asked_class(output, path, options)
    options = replace(options, architecture=asked) if asked else options
    try:
        opened = open_source(path, options)
        return opened, make_plan(opened, allow_unknown_tensors=True), [_taken(architecture=asked)] if asked else []
    except Paddle2TorchError:
        # Only what the user left open is taken from OUTPUT.
        taken = {name: value for name, value in class_and_heads_of(output).items() if getattr(options, name) is None}
        if not taken or options.config is not None:
            raise
        opened = open_source(path, replace(options, **taken))
        if opened.config_file is not None:
            if not opened.config.is_classless or "architecture" not in taken:
                raise
            # The release's config names no class: that alone is taken.
            taken = {"architecture": taken["architecture"]}
            opened = open_source(path, replace(options, **taken))
        plan = make_plan(opened, allow_unknown_tensors=True)
        return opened, plan, [_taken(**taken)]


def _taken(**fields: object) -> str:
    listed = ", ".join(f"{name}={value}" for name, value in fields.items())
    return f"SOURCE does not specify {listed}: taken from OUTPUT's config.json"


def _asked_class(output: Path, path: Path, options: SourceOptions) -> str | None:
    """OUTPUT's class, where it has a head of pre-training that SOURCE is opened with only if the user asks for it."""
    from converter.open.source import open_source

    found = find_class(class_and_heads_of(output).get("architecture"))
    if options.architecture is not None or found is None or not found[0].head_names(found[1].source):
        return None
    try:
        shown = open_source(path, options).config.architecture
    except Paddle2TorchError:  # With the class it may open; what else is wrong is found then.
        shown = None
    return None if shown == found[1].source else found[1].source
