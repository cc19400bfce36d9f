"""paddle2torch convert."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

import typer

from converter.cli import options
from converter.cli.output import print_conversion
from converter.cli.pages import Page
from converter.cli.reporter import Reporter
from converter.cli.verbosity import QUIET, VERBOSE

PAGE = Page(
    ("[OPTIONS] SOURCE OUTPUT",),
    ("paddle2torch convert my-model out", "paddle2torch convert my-model out --dtype float16"),
    "docs/sources.md",
)
SUMMARY = "Convert a Paddle checkpoint to a Hugging Face folder."
DTYPES = ("keep", "float32", "float16", "bfloat16")
#: What PyTorch and others call them.
_SHORT = {"fp32": "float32", "float": "float32", "fp16": "float16", "half": "float16", "bf16": "bfloat16"}


def convert(
    source: str = options.SOURCE,
    output: Path = options.OUTPUT,
    dtype: str = options.choice(DTYPES, "keep", "Store the weights in this dtype.", **_SHORT),
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
    license: Optional[str] = typer.Option(None, metavar="ID", help="For the card: the license of the weights."),
    base_model: Optional[str] = typer.Option(
        None, metavar="HUB_ID", help="For the card: the model that the weights were trained from."
    ),
    allow_nonfinite: bool = typer.Option(False, "--allow-nonfinite", help="Convert NaN and infinity too."),
    allow_unknown_tensors: bool = typer.Option(
        False, "--allow-unknown-tensors", help="Leave out unknown tensors inside modules (adapters, scales)."
    ),
    dry_run: bool = typer.Option(False, "--dry-run", help="Check everything, write nothing."),
    force: bool = typer.Option(False, "--force", help="Replace an OUTPUT that this tool made."),
    as_json: bool = options.AS_JSON,
    quiet: bool = QUIET,
    verbose: bool = VERBOSE,
    debug: bool = options.DEBUG,
) -> None:
    """Convert a Paddle checkpoint into a Hugging Face folder."""
    given = options.arguments(locals())
    from converter.conversion import convert as convert_checkpoint

    with Reporter() as reporter:
        result = convert_checkpoint(**given, progress=reporter.show)
    again = {name: given[name] for name in options.OF_SOURCE}
    print_conversion(result, as_json, options.command("verify", given["source"], given["output"], **again))
