"""paddle2torch inspect."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

from converter.cli import options
from converter.cli.output import Reporter, print_inspection


def inspect(
    source: str = options.SOURCE,
    architecture: Optional[str] = options.ARCHITECTURE,
    config: Optional[Path] = options.CONFIG,
    num_attention_heads: Optional[int] = options.HEADS,
    prefix: Optional[str] = options.PREFIX,
    family: Optional[str] = options.FAMILY,
    revision: Optional[str] = options.REVISION,
    cache: Optional[Path] = options.CACHE,
    offline: bool = options.OFFLINE,
    behavior: Optional[str] = options.BEHAVIOR,
    as_json: bool = options.AS_JSON,
    debug: bool = options.DEBUG,
) -> None:
    """Print what a checkpoint is, without converting it."""
    given = options.arguments(locals())
    from converter.inspection import inspect as inspect_checkpoint

    with Reporter() as reporter:
        result = inspect_checkpoint(**given, progress=reporter.show)
    print_inspection(result, as_json)
