"""Open SOURCE with the converter's reader, which refuses what must not reach Paddle's unpickler."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from converter.common.errors import Paddle2TorchError
from converter.open.options import SourceOptions
from verify.folder.check_fields import class_and_heads_of

if TYPE_CHECKING:
    from converter.open.source import Source
    from converter.plan.make_plan import Plan

_NOTHING_SPECIFIED = SourceOptions()


def open_for(output: Path, path: Path, options: SourceOptions = _NOTHING_SPECIFIED) -> tuple[Source, Plan, list[str]]:
    """Open SOURCE and plan its conversion; returns warnings too.

    What neither SOURCE nor the user specifies is taken from OUTPUT's config. Unknown tensors inside modules are
    allowed: verify.folder.left_inside checks what OUTPUT left out.
    """
    from converter.open.source import open_source
    from converter.plan.make_plan import make_plan

    try:
        opened = open_source(path, options)
        return opened, make_plan(opened, allow_unknown_tensors=True), []
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
        listed = ", ".join(f"{name}={value}" for name, value in taken.items())
        return opened, plan, [f"SOURCE does not specify {listed}: taken from OUTPUT's config.json"]
