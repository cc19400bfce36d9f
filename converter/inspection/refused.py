"""What is known of a checkpoint whose weights can be read, and whose config is refused."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from converter.common.errors import Paddle2TorchError, Problem
from converter.files.json_files import read_json
from converter.files.tensors import element_count
from converter.inspection.results import Inspection
from converter.locate.located import Located
from converter.open.config.find_config import find_config_file
from converter.open.dispatch import open_whatever_names
from converter.open.options import SourceOptions
from converter.open.places import warnings_with_paths
from converter.open.tokenizer.find_tokenizer import find_tokenizer
from mappings import all_families

#: Problems of configs, with which the weights may be readable all the same.
_OF_CONFIGS = ("E01", "E307")


def inspect_refused(located: Located, options: SourceOptions, problems: tuple[Problem, ...]) -> Inspection | None:
    """The facts that config and weight files show by themselves, and the problems; None where the weights cannot be
    read, or where the problem is another one."""
    if not all(problem.code.startswith(_OF_CONFIGS) for problem in problems):
        return None
    try:
        found = open_whatever_names(located.path)
    except Paddle2TorchError:
        return None
    folder = located.path if located.path.is_dir() else located.path.parent
    config, tensors = _read_config(folder, options), found.tensors.values()
    fields = dict.fromkeys(size.field for family in all_families() for size in family.sizes)
    return Inspection(
        source=located.path,
        origin=located.origin,
        format=found.format,
        writer=found.writer,
        files=tuple(file.name for file in found.files),
        source_class=_class_in(config),
        target_class=None,
        sizes={name: config[name] for name in fields if type(config.get(name)) is int},
        labels=(),
        dtypes=dict(Counter(tensor.dtype for tensor in tensors)),
        tensors=len(tensors),
        parameters=sum(element_count(tensor.shape) for tensor in tensors),
        bytes=sum(tensor.size for tensor in tensors),
        tokenizer=_has_tokenizer(folder),
        behavior="",
        behavior_means="",
        extras=(),
        dropped=(),
        warnings=(*located.warnings, *warnings_with_paths(found.warnings, located.path, located.origin)),
        problems=tuple(map(str, problems)),
    )


def _read_config(folder: Path, options: SourceOptions) -> Mapping[str, Any]:
    try:
        found = find_config_file(folder, options.config)
        return read_json(found)[0] if found is not None else {}
    except Paddle2TorchError:
        return {}


def _class_in(config: Mapping[str, Any]) -> str | None:
    names = config.get("architectures")
    name = names[0] if isinstance(names, list) and names else config.get("init_class")
    return name if isinstance(name, str) else None


def _has_tokenizer(folder: Path) -> bool:
    """Whether one of the families would find its tokenizer's files."""
    for family in all_families():
        try:
            if find_tokenizer(folder, family) is not None:
                return True
        except Paddle2TorchError:
            continue
    return False
