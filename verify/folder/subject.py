"""What OUTPUT is, by its own files."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from converter.common.version import __version__
from verify.results.json_objects import read_object
from verify.results.subject import Subject
from verify.weights.output_weights import read_written


def describe_subject(output: Path, source_class: str, source_files: Mapping[str, str], origin: str) -> Subject:
    """Class, sizes and origin of OUTPUT. What is wrong with its files is the finding of other checks."""
    try:
        config = read_object(output / "config.json")
    except (OSError, ValueError):
        config = {}
    classes, tokens = config.get("architectures"), config.get("vocab_size")
    tensors = read_written(output).tensors
    return Subject(
        target_class=str(classes[0]) if isinstance(classes, list) and classes else "",
        source_class=source_class,
        parameters=sum(math.prod(tensor.shape) for tensor in tensors.values()),
        tensors=len(tensors),
        tokens=tokens if type(tokens) is int else 0,
        source_files=dict(source_files),
        origin=origin,
        version=__version__,
    )
