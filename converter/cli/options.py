"""Arguments and options that several commands share, and their way to the library."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import typer

from converter.common.arguments import expand_home
from mappings.folders import family_names, preset_choices

_FAMILIES, _PRESETS = family_names(), preset_choices()


def one_of(choices: Sequence[str], **meant: str) -> Callable[[Any], Any]:
    """A callback of an option: the choice that a value is, whatever its case. `meant`: other words for a choice. Raises
    BadParameter for a value that is none."""
    words = {**meant, **{choice.lower(): choice for choice in choices}}

    def check(value: Any) -> Any:
        if value is None or value in choices:
            return value
        found = words.get(str(value).lower())
        if found is not None:
            return found
        raise typer.BadParameter(
            f"{value!r} is not one of {', '.join(map(repr, choices))}.{did_you_mean(value, words)}"
        )

    return check


def did_you_mean(text: str, words: Mapping[str, str]) -> str:
    """A proposal for a mistyped word, or ''."""
    close = difflib.get_close_matches(text.lower(), words, n=1)
    return f" Did you mean {words[close[0]]!r}?" if close else ""


def choice(choices: Sequence[str], default: Any, help: str, **meant: str) -> Any:
    """An option with one of a few values, which the shell completes."""
    return typer.Option(
        default,
        metavar=f"[{'|'.join(choices)}]",
        callback=one_of(choices, **meant),
        autocompletion=lambda incomplete: [one for one in choices if one.startswith(incomplete)],
        help=help,
    )


def whole_number(text: str | int) -> int:
    """The value of an option that counts something. Raises BadParameter."""
    digits = str(text)
    if not (digits.isascii() and digits.isdecimal() and int(digits[:9]) >= 1):
        raise typer.BadParameter(f"{text!r} is not a whole number from 1 on.")
    return int(digits[:18])


def arguments(parameters: dict[str, Any], *without: str) -> dict[str, Any]:
    """The parameters of a command (its `locals()`) as keyword arguments of the library's function of the same name."""
    left_out = ("as_json", "debug", "quiet", "verbose", *without)
    return {name: _expand(name, value) for name, value in parameters.items() if name not in left_out}


def _expand(name: str, value: Any) -> Any:
    if isinstance(value, Path):
        return Path(expand_home(str(value)))
    return expand_home(value) if name == "source" else value


def command(name: str, *words: object, **given: Any) -> str:
    """A command of this tool that can be copied. `given`: options by parameter; those that are not set are left out."""
    parts = ["paddle2torch", name, *map(str, words)]
    for option, value in given.items():
        if value is None or value is False:
            continue
        parts.append(f"--{option.replace('_', '-')}")
        parts += [] if value is True else [str(value)]
    return " ".join(map(shlex.quote, parts))


#: What `verify` must be given again, where `convert` was given it.
OF_SOURCE = (
    "architecture",
    "config",
    "num_attention_heads",
    "prefix",
    "family",
    "tokenizer",
    "revision",
    "cache",
    "offline",
)


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
HEADS = typer.Option(None, metavar="N", parser=whole_number, help="Number of attention heads, if no config has it.")
TOKENIZER = typer.Option(
    None, metavar="FOLDER", help="Where vocab.txt and sentencepiece.bpe.model are, if not next to the weights."
)
REVISION = typer.Option(None, metavar="REV", help="Branch, tag or commit of a Hub id.")
CACHE = typer.Option(None, metavar="DIR", help="Keep downloads here (else PADDLE2TORCH_CACHE, else your cache folder).")
OFFLINE = typer.Option(False, "--offline", help="Contact no server: use what is in the cache.")
FAMILY = choice(_FAMILIES, None, "The family of models, where neither the config nor the names show it.")
BEHAVIOR = choice(
    _PRESETS, None, "Which release's quirks for missing masks and tokens; default: the release that wrote SOURCE."
)
PREFIX = typer.Option(None, metavar="TEXT", help="A prefix to remove from the tensor names (model., network.).")
AS_JSON = typer.Option(False, "--json", help="Print one JSON object on stdout; everything else goes to stderr.")
DEBUG = typer.Option(False, "--debug", help="Show the tracebacks of errors.")
