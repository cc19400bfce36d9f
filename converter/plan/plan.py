"""What will be written, from what, and what will not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from converter.files.tensors import SourceTensor
from converter.open.config.config import SourceConfig
from converter.open.config.config_fields import DEFAULT_DTYPE
from converter.plan.inner_tensors import (
    InnerTensor,
)
from converter.plan.sizes import Sizes
from mappings import Family, Mapped, Scheme, Table


@dataclass(frozen=True)
class PlannedTensor:
    """One tensor's way: `op` takes the source array to one of `shape`, written as `target` in `dtype`."""

    source: SourceTensor
    target: str
    op: str
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True)
class Dropped:
    name: str
    reason: str
    #: A drop that a table's row names is ordinary; an unknown tensor is warned of.
    known: bool
    #: The name in the file where it is not `name`.
    stored_as: str = ""


@dataclass(frozen=True)
class Plan:
    """What will be written, from what, and what will not."""

    table: Table
    scheme: Scheme
    config: SourceConfig
    sizes: Sizes
    tensors: tuple[PlannedTensor, ...]
    dropped: tuple[Dropped, ...]
    #: Parts of the table that the checkpoint lacks and the class can do without, and the fields of config.json then.
    absent: Mapping[str, Mapping[str, Any]]
    warnings: tuple[str, ...]
    #: Weights that no PyTorch class has a place for: written as they are into a file of their own.
    extras: tuple[PlannedTensor, ...] = ()
    #: Unknown tensors inside modules of the class, which are left out because the user asked for it.
    left_inside: tuple[InnerTensor, ...] = ()
    #: What the user asked every tensor to be converted to, or "keep".
    asked_dtype: str = "keep"
    #: Tensors of the source and further copies of them, which must be equal.
    copies: tuple[tuple[SourceTensor, SourceTensor], ...] = ()
    #: Name of a further copy -> the warning where it is not equal, which is then no error.
    may_differ: Mapping[str, str] = field(default_factory=dict)
    #: Optional tensors of the class that the checkpoint lacks, without those of a part that a config field turns off.
    lacking: tuple[Mapped, ...] = ()

    @property
    def family(self) -> Family:
        return self.config.family

    @property
    def switches(self) -> dict[str, bool]:
        """The fields of the config that turn a part of the class on or off, as the output has them."""
        return {part.switch: part.name not in self.absent for part in self.table.parts.values() if part.switch}

    @property
    def has_pooler(self) -> bool:
        return "pooler" not in self.absent

    @property
    def loaded_dtype(self) -> str:
        """What config.json names as `dtype`: from_pretrained of transformers 5 loads and computes in it. It is what the
        source's own from_pretrained loads in, whatever the file holds, unless the user asked for another."""
        return (self.config.dtype or DEFAULT_DTYPE) if self.asked_dtype == "keep" else self.asked_dtype
