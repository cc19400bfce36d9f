"""The sizes of a model and the other fields of its config: where each is read and what it is when nothing gives it."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: Kinds of config fields: how a value is checked.
FIELD_KINDS = ("activation", "probability", "number", "id", "size", "flag", "problem type")


@dataclass(frozen=True)
class Size:
    """A size of the model and where it is read: an axis of a tensor, or the number of layers that have `layer`.

    `times`: other sizes that it is a multiple of where its tensor is not read (`read_tensor` "identity": the tensor is
    read only where the file has the target's names). `surplus`: of the layers, why further ones in the file are
    dropped, as PaddleNLP does; without it they are an error. `constructor`: PaddleNLP's value where a constructor call
    before 2.5 leaves it out. `prefer`: which is taken where config and tensor differ. `default`: the value where
    neither shows it, because the model has no such tensor.
    """

    field: str
    tensor: str = ""
    axis: int = 0
    layer: str = ""
    constructor: int | None = None
    times: Mapping[str, int] | None = None
    read_tensor: str = "always"
    prefer: str = "config"
    default: int | None = None
    surplus: str = ""


@dataclass(frozen=True)
class ConfigField:
    """Another field of a source's config.

    `default`: the class's where the config is silent. `writers`: the writers whose configs are read for it (none: all).
    `value`: what the output gets where no config gives it. `optional`: left out of the output where nothing gives it.
    `null_is`: null stands for the value of this field. `absent`: what the output's config without the field means.
    `float32`: Paddle computes with the float32 that is nearest to its config's value, which is what the output gets.
    """

    name: str
    kind: str
    default: Any = None
    writers: tuple[str, ...] = ()
    value: Any = None
    optional: bool = False
    null_is: str = ""
    absent: Any = None
    float32: bool = False

    def computed(self, value: Any) -> Any:
        """What Paddle computes with where its config has this value."""
        is_rounded = self.float32 and isinstance(value, float)
        return struct.unpack("<f", struct.pack("<f", value))[0] if is_rounded else value
