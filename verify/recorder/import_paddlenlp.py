"""Import of PaddleNLP's models and tokenizers alone, without its servers, data sets, metrics and task flows.

`paddlenlp/__init__.py` imports all of them, and scikit-learn, pandas and FastAPI with them: most of what starting
takes, and nothing that has a part in the numbers. They can still be imported by their own names.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import sys
import types
from typing import Any

#: In the order in which the package imports them: the first needs the second in the middle of its own import.
_NEEDED = ("paddlenlp.data", "paddlenlp.transformers")
#: With this variable the package gives itself another version.
_OTHER_VERSION = "PADDLENLP_STABLE_VERSION"


def import_paddlenlp() -> Any:
    """The package `paddlenlp`. The whole of it is imported where this release does not work without."""
    if "paddlenlp" not in sys.modules and _OTHER_VERSION not in os.environ:
        try:
            _import_needed()
        except Exception:  # another release: whatever is wrong, the whole import shows it
            for name in [name for name in sys.modules if name == "paddlenlp" or name.startswith("paddlenlp.")]:
                del sys.modules[name]
    return importlib.import_module("paddlenlp")


def _import_needed() -> None:
    """Raises whatever is wrong, and LookupError where the package does not give its version as a text."""
    import paddle

    spec = importlib.util.find_spec("paddlenlp")
    if spec is None or spec.origin is None:
        raise LookupError("no package with a file")
    with open(spec.origin, encoding="utf-8") as file:
        version = re.search(r"""^__version__ = ["']([^"']+)["']$""", file.read(), re.MULTILINE)
    if version is None:
        raise LookupError("no version")
    package = types.ModuleType("paddlenlp")
    package.__path__ = list(spec.submodule_search_locations or ())
    package.__file__, package.__spec__ = spec.origin, spec
    package.__dict__["__version__"] = version.group(1)
    sys.modules["paddlenlp"] = package
    for name in _NEEDED:
        importlib.import_module(name)
    paddle.disable_signal_handler()
