"""Convert Paddle checkpoints to Hugging Face folders, without Paddle and without running anything in a file.

A tensor goes through `open` (readers), `plan` and `write`; `publish` puts the verified result on the Hub.
docs/architecture.md shows the rooms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from converter.common.errors import Paddle2TorchError, Problem
from converter.common.version import __version__

if TYPE_CHECKING:
    from converter.back_conversion import BackConversion, to_paddle
    from converter.conversion import Conversion, convert
    from converter.inspection import Inspection, inspect
    from converter.publish.push import push
    from converter.publish.pushed import Push

__all__ = [
    "BackConversion",
    "Conversion",
    "Inspection",
    "Paddle2TorchError",
    "Problem",
    "Push",
    "__version__",
    "convert",
    "inspect",
    "push",
    "to_paddle",
]

_HOMES = {
    "BackConversion": "converter.back_conversion",
    "to_paddle": "converter.back_conversion",
    "Conversion": "converter.conversion",
    "convert": "converter.conversion",
    "Inspection": "converter.inspection",
    "inspect": "converter.inspection",
    "Push": "converter.publish.pushed",
    "push": "converter.publish.push",
}


def __getattr__(name: str) -> Any:
    """Import a name when it is first used, so that `import converter` and `--help` stay instant."""
    if name not in _HOMES:
        raise AttributeError(f"module 'converter' has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
