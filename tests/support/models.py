"""PyTorch classes, looked up by name, for the tests that hold tables and files against them."""

from __future__ import annotations

import importlib
from collections.abc import Mapping


def parameters_of(module: str, class_name: str, sizes: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the parameters of a class of `module`, built with these sizes."""
    library = importlib.import_module(module)
    labels = 2 if class_name == "ErnieMForQuestionAnswering" else sizes["num_labels"]
    config = library.ErnieMConfig(**{**sizes, "num_labels": labels, "num_attention_heads": 4})
    model = getattr(library, class_name)(config)
    return {parameter: tuple(value.shape) for parameter, value in model.named_parameters()}
