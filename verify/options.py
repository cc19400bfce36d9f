"""The options of one verification."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from converter.open.options import SourceOptions
from verify.numbers.pytorch_process import Start


@dataclass(frozen=True)
class Options:
    """What the caller of `verify` asked for besides SOURCE and OUTPUT."""

    trace: Path | None = None
    record: Path | None = None
    paddle_python: Path | None = None
    static_only: bool = False
    #: False leaves it to numbers and tokens to find every fault.
    static: bool = True
    #: After a pass, inject faults and look for each.
    self_test: bool = False
    #: Takes the place of starting the process that runs OUTPUT.
    start: Start | None = None
    source: SourceOptions = field(default_factory=SourceOptions)
