"""The rules of a family that PyTorch code usually does otherwise, and the presets of their values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: What a quirk may be that the engine has to know: the row of the position table where positions begin; the tokens that
#: are masked when no mask is given.
FIRST_POSITION, MASKED_IDS = "first position", "masked ids"
ROLES = ("", FIRST_POSITION, MASKED_IDS)
#: In a preset: the value that the source's config has.
OF_CONFIG = "config"
#: The config files of the output.
MODEL_CONFIG, TOKENIZER_CONFIG = "config.json", "tokenizer_config.json"


@dataclass(frozen=True)
class Quirk:
    """A rule of the family's that PyTorch code usually does otherwise: a field of one of the output's config files.

    `absent`: what the output's config without the field means. `attribute`: where the encoder keeps the value, if not
    in its config. `faults`: values that the self-test puts in its place. `role`: one of ROLES.
    """

    field: str
    meaning: str
    file: str = MODEL_CONFIG
    absent: Any = None
    from_config: bool = False
    attribute: str = ""
    faults: tuple[Any, ...] = ()
    role: str = ""


@dataclass(frozen=True)
class Notice:
    """Warnings about a checkpoint with this preset: of its model, and of its tokenizer where it has one. They may
    quote the preset's summary and values. `always`: also where the user chose another preset."""

    model: str = ""
    tokenizer: str = ""
    always: bool = False


@dataclass(frozen=True)
class Preset:
    """Values of the quirks that belong together, and where they are taken when nobody asks for others."""

    name: str
    summary: str
    values: Mapping[str, Any]
    advice: str
    when: Mapping[str, tuple[str, ...]]
    usual: bool = False
    choice: bool = True
    hides_padding_of: str = ""
    notice: Notice = Notice()

    def resolve(self, pad_token_id: int) -> dict[str, Any]:
        """The values for a model with this padding id, which "pad_token_id" in a list stands for; without those that
        are the config's own."""
        given = {name: value for name, value in self.values.items() if value != OF_CONFIG}
        return {name: _with_padding(value, pad_token_id) for name, value in given.items()}


def _with_padding(value: Any, pad_token_id: int) -> Any:
    if not isinstance(value, (list, tuple)):
        return value
    return sorted({pad_token_id if entry == "pad_token_id" else entry for entry in value})
