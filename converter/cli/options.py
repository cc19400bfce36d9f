"""Arguments and options that several commands share, and their way to the library."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any

import typer

from mappings.folders import family_names, preset_choices

_FAMILIES, _PRESETS = family_names(), preset_choices()


def _one_of(choices: Sequence[str]) -> Callable[[Any], Any]:
    """A callback of an option: raises BadParameter for a value that is none of the choices."""

    def check(value: Any) -> Any:
        if value is not None and value not in choices:
            raise typer.BadParameter(f"{value!r} is not one of {', '.join(map(repr, choices))}.")
        return value

    return check


def arguments(parameters: dict[str, Any], *without: str) -> dict[str, Any]:
    """The parameters of a command (its `locals()`) as keyword arguments of the library's function of the same name."""
    left_out = ("as_json", "debug", *without)
    return {
        name: value.value if isinstance(value, Enum) else value
        for name, value in parameters.items()
        if name not in left_out
    }


SOURCE = typer.Argument(
    ..., metavar="SOURCE", help="A PaddleNLP folder, one weight file, a built-in name, an http(s) address or a Hub id."
)
OUTPUT = typer.Argument(..., metavar="OUTPUT", help="The Hugging Face folder.")
ARCHITECTURE = typer.Option(
    None, metavar="NAME", help="The model's class, if no config names it: PaddleNLP's or transformers' name."
)
CONFIG = typer.Option(
    None, metavar="FILE", help="A config.json or model_config.json, if there is none next to the weights."
)
HEADS = typer.Option(None, metavar="N", min=1, help="Number of attention heads, if no config has it.")
TOKENIZER = typer.Option(
    None, metavar="FOLDER", help="Where vocab.txt and sentencepiece.bpe.model are, if not next to the weights."
)
REVISION = typer.Option(None, metavar="REV", help="Branch, tag or commit of a Hub id.")
CACHE = typer.Option(None, metavar="DIR", help="Keep downloads here (else PADDLE2TORCH_CACHE, else your cache folder).")
OFFLINE = typer.Option(False, "--offline", help="Contact no server: use what is in the cache.")
FAMILY = typer.Option(
    None,
    metavar=f"[{'|'.join(_FAMILIES)}]",
    callback=_one_of(_FAMILIES),
    help="The family of models, where neither the config nor the names show it.",
)
BEHAVIOR = typer.Option(
    None,
    metavar=f"[{'|'.join(_PRESETS)}]",
    callback=_one_of(_PRESETS),
    help="Which release's quirks for missing masks and tokens; default: the release that wrote SOURCE.",
)
PREFIX = typer.Option(None, metavar="TEXT", help="A prefix to remove from the tensor names (model., network.).")
AS_JSON = typer.Option(False, "--json", help="Print one JSON object on stdout; everything else goes to stderr.")
DEBUG = typer.Option(False, "--debug", hidden=True)
