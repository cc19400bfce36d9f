"""Run a script under PaddleNLP 2.4 or 2.5 with Paddle 2.6, the oldest Paddle for Python 3 that the package index has.

    old/bin/python tests/support/old_paddlenlp.py record_paddle.pyz SOURCE TRACE

Those releases of PaddleNLP import paddle.fluid, which Paddle 2.6 calls paddle.base; this gives the old name to the new
place, and to nothing else. On a machine with the Paddle of their time the recorder runs by itself.
"""

from __future__ import annotations

import runpy
import sys
from types import ModuleType
from typing import Any


def add_module(name: str, **contents: Any) -> ModuleType:
    """A module under `name`, and an attribute of its parent."""
    module = ModuleType(name)
    module.__dict__.update(contents)
    sys.modules[name] = module
    parent, _, last = name.rpartition(".")
    setattr(sys.modules[parent], last, module)
    return module


def add_fluid() -> None:
    """paddle.fluid, as far as PaddleNLP's models import it."""
    __import__("requests")  # On Python 3.8 it crashes when it is imported after Paddle.
    import paddle

    base = paddle.base
    add_module("paddle.fluid", core=base.core, framework=base.framework, __path__=[])
    sys.modules["paddle.fluid.core"] = base.core
    sys.modules["paddle.fluid.framework"] = base.framework
    add_module("paddle.fluid.layers", __path__=[])
    add_module("paddle.fluid.layers.utils", map_structure=paddle.utils.map_structure)
    for name in ("dygraph", "dygraph.amp", "contrib", "contrib.slim"):
        add_module("paddle.fluid." + name, __path__=[])
    add_module("paddle.fluid.dygraph.amp.auto_cast", amp_state=lambda: None)
    from paddle.io import dataloader, reader
    from paddle.io.dataloader.dataloader_iter import _DatasetKind

    add_module("paddle.fluid.reader", **{**vars(reader), "_DatasetKind": _DatasetKind})
    sys.modules["paddle.fluid.dataloader"] = dataloader
    sys.modules["paddle.fluid.dataloader.batch_sampler"] = dataloader.batch_sampler
    add_module("paddle.fluid.contrib.slim.quantization", PostTrainingQuantization=None)


if __name__ == "__main__":
    add_fluid()
    sys.argv = sys.argv[1:]
    runpy.run_path(sys.argv[0], run_name="__main__")
