"""SOURCE through the converter's reader, which refuses what must not reach Paddle's pickle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from converter.errors import Paddle2TorchError
from verify.fields import output_says

if TYPE_CHECKING:
    from converter.open.source import Source
    from converter.plan import Plan


def open_for(output: Path, path: Path) -> tuple[Source, Plan, list[str]]:
    """The source, what its conversion makes, and warnings. What SOURCE does not say is taken from OUTPUT's config."""
    from converter.config import RELEASE
    from converter.open.source import open_source
    from converter.plan import make_plan

    try:
        opened = open_source(path)
        return opened, make_plan(opened), []
    except Paddle2TorchError:
        said = output_says(output)
        if not said:
            raise
        opened = open_source(path, **said)
        if opened.config_file is not None:
            if opened.config.kind != RELEASE:
                raise
            # The release's config names no class: that alone is taken.
            said = {"architecture": said["architecture"]}
            opened = open_source(path, **said)
        plan = make_plan(opened)
        return opened, plan, [f"SOURCE does not say it: taken from OUTPUT's config.json ({said})"]
