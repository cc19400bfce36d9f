"""paddle2torch inspect."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

from converter.cli.options import (
    ARCHITECTURE,
    AS_JSON,
    BEHAVIOR,
    CACHE,
    CONFIG,
    DEBUG,
    FAMILY,
    HEADS,
    OFFLINE,
    PREFIX,
    REVISION,
    SOURCE,
    arguments,
)
from converter.cli.output import Reporter, print_inspection


def inspect(
    source: str = SOURCE,
    architecture: Optional[str] = ARCHITECTURE,
    config: Optional[Path] = CONFIG,
    num_attention_heads: Optional[int] = HEADS,
    prefix: Optional[str] = PREFIX,
    family: Optional[str] = FAMILY,
    revision: Optional[str] = REVISION,
    cache: Optional[Path] = CACHE,
    offline: bool = OFFLINE,
    behavior: Optional[str] = BEHAVIOR,
    as_json: bool = AS_JSON,
    debug: bool = DEBUG,
) -> None:
    """Print what a checkpoint is, without converting it."""
    given = arguments(locals())
    from converter.inspection import inspect as inspect_checkpoint

    with Reporter() as reporter:
        result = inspect_checkpoint(**given, progress=reporter.progress)
    print_inspection(result, as_json)
