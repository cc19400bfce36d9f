"""Convert Paddle checkpoints to PyTorch, and prove that the result is the same model.

    from paddle2torch import convert, verify

    convert("my-ernie-m", "out")
    verify("my-ernie-m", "out").check()

Nothing is printed, except a progress bar in a notebook. What happens goes to the logger "paddle2torch" (`logging`).
Every error is a `converter.Paddle2TorchError` with a list of problems. `python -m paddle2torch` is the command.
"""

import typing as _typing

if _typing.TYPE_CHECKING:
    from converter.back_conversion import to_paddle
    from converter.conversion import convert
    from converter.inspection import inspect
    from converter.publish.push import push
    from evaluation.run import evaluate
    from verify.run import verify

__all__ = ["convert", "evaluate", "inspect", "push", "to_paddle", "verify"]

_HOMES = {
    "convert": "converter.conversion",
    "evaluate": "evaluation.run",
    "inspect": "converter.inspection",
    "push": "converter.publish.push",
    "to_paddle": "converter.back_conversion",
    "verify": "verify.run",
}


def __getattr__(name: str) -> _typing.Any:
    """Import a function when it is first used, so that `import paddle2torch` is instant."""
    if name not in _HOMES:
        raise AttributeError(f"module 'paddle2torch' has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
