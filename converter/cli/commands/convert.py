"""paddle2torch convert."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Optional

import typer

from converter.cli import options
from converter.cli.output import Reporter, print_conversion


class DtypeChoice(str, Enum):
    keep = "keep"
    float32 = "float32"
    float16 = "float16"
    bfloat16 = "bfloat16"


def convert(
    source: str = options.SOURCE,
    output: Path = options.OUTPUT,
    dtype: DtypeChoice = typer.Option(DtypeChoice.keep, help="Store the weights in this dtype."),
    max_shard_size: str = typer.Option("5GB", metavar="SIZE", help="The largest weight file."),
    architecture: Optional[str] = options.ARCHITECTURE,
    config: Optional[Path] = options.CONFIG,
    num_attention_heads: Optional[int] = options.HEADS,
    prefix: Optional[str] = options.PREFIX,
    family: Optional[str] = options.FAMILY,
    tokenizer: Optional[Path] = options.TOKENIZER,
    revision: Optional[str] = options.REVISION,
    cache: Optional[Path] = options.CACHE,
    offline: bool = options.OFFLINE,
    behavior: Optional[str] = options.BEHAVIOR,
    allow_nonfinite: bool = typer.Option(False, "--allow-nonfinite", help="Convert NaN and infinity too."),
    allow_unknown_tensors: bool = typer.Option(
        False, "--allow-unknown-tensors", help="Leave out unknown tensors inside modules (adapters, scales)."
    ),
    dry_run: bool = typer.Option(False, "--dry-run", help="Check everything, write nothing."),
    force: bool = typer.Option(False, "--force", help="Replace an OUTPUT that this tool made."),
    as_json: bool = options.AS_JSON,
    debug: bool = options.DEBUG,
) -> None:
    """Convert a Paddle checkpoint into a Hugging Face folder."""
    given = options.arguments(locals())
    from converter.conversion import convert as convert_checkpoint

    with Reporter() as reporter:
        result = convert_checkpoint(**given, progress=reporter.show)
    print_conversion(result, as_json)
