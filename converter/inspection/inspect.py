"""Inspect a checkpoint, or a folder that `convert` made."""

from __future__ import annotations

from pathlib import Path

from converter.common.arguments import as_path
from converter.common.layout import MANIFEST
from converter.common.progress import OnProgress, in_bytes, listen, log_warnings
from converter.inspection.output import inspect_output
from converter.inspection.results import Inspection
from converter.inspection.source import inspect_source
from converter.locate.locate import locate
from converter.locate.located import FetchOptions
from converter.open.options import SourceOptions


def inspect(
    source: str | Path,
    *,
    architecture: str | None = None,
    config: str | Path | None = None,
    num_attention_heads: int | None = None,
    revision: str | None = None,
    cache: str | Path | None = None,
    offline: bool = False,
    progress: OnProgress | None = None,
    behavior: str | None = None,
    prefix: str | None = None,
    family: str | None = None,
) -> Inspection:
    """Find out what a checkpoint is and how it would be converted, or what a converted folder is.

    - source: what `convert` takes, or a folder that `convert` made.
    - architecture: the model's class, if no config names it: PaddleNLP's or transformers' name.
    - config: a config.json or model_config.json, if there is none next to the weights.
    - num_attention_heads: the number of attention heads, if no config has it.
    - revision: the branch, tag or commit of a Hub id.
    - cache: where downloads are kept; else PADDLE2TORCH_CACHE, else the user's cache folder.
    - offline: contact no server, use what is in the cache; so does the variable HF_HUB_OFFLINE.
    - progress: called with a `Progress` for every step; by default nothing, in a notebook a bar.
    - behavior: a preset of quirks; None is the checkpoint's own.
    - prefix: what stands in front of the tensors' names, and is taken off.
    - family: the name of a folder of mappings; None is the family that the config or the names show.

    Raises SourceError or FileError when its weights cannot be opened; problems of the config and of the plan are in the
    result.
    """
    located = locate(source, FetchOptions(revision, as_path(cache), offline), in_bytes(listen(progress)))
    options = SourceOptions(
        config=as_path(config),
        architecture=architecture,
        num_attention_heads=num_attention_heads,
        behavior=behavior,
        prefix=prefix,
        family=family,
    )
    # With options it is a SOURCE: --architecture takes the head that an earlier conversion kept apart.
    converted = options == SourceOptions() and (located.path / MANIFEST).is_file()
    result = inspect_output(located) if converted else inspect_source(located, options)
    log_warnings(result.warnings)
    return result
