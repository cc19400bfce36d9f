"""What stands in front of all names of a checkpoint: wrappers of a whole model, or a prefix that the user gave."""

from __future__ import annotations

import re
from typing import Any

from verify.recorder.errors import Refused

#: What wraps a whole model: Paddle's and torch's DataParallel, torch.compile, Lightning, PaddleHub.
WRAPPER = re.compile(r"_layers\.|module\.|_orig_mod\.|_forward_module\.|@HUB_[^@]+@")


def remove_prefix(weights: Any, prefix: str | None) -> tuple[dict[str, Any], list[str]]:
    """The weights without `prefix` in front of their names, and notes. None removes the wrappers that every name has.
    Raises Refused when two names become one."""
    names = list(weights)
    if prefix is None:
        prefix = ""
        while names:
            found = WRAPPER.match(names[0][len(prefix) :])
            longer = prefix + found.group() if found else ""
            if not found or not all(name.startswith(longer) for name in names):
                break
            prefix = longer
    if not prefix:
        return weights, []
    named = {}
    for name in names:
        target = name[len(prefix) :] if name.startswith(prefix) else name
        if target in named:
            raise Refused(f"{target} is there with {prefix} in front of it and without")
        named[target] = weights.pop(name)
    return named, [f"`{prefix}` was taken off the names"]
