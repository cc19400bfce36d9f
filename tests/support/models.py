"""PyTorch classes, looked up by name, for the tests that hold tables and files against them."""

from __future__ import annotations

import importlib
from collections.abc import Mapping

from mappings import Family, find_class


def parameters_of(module: str, class_name: str, sizes: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
    """Names and shapes of the parameters of a class of `module`, built with these sizes."""
    library = importlib.import_module(module)
    labels = 2 if class_name == "ErnieMForQuestionAnswering" else sizes["num_labels"]
    config = library.ErnieMConfig(**{**sizes, "num_labels": labels, "num_attention_heads": 4})
    model = getattr(library, class_name)(config)
    return {parameter: tuple(value.shape) for parameter, value in model.named_parameters()}


def stock_parameters(family: Family, class_name: str, sizes: Mapping[str, int]) -> dict[str, tuple[int, ...]]:
    """The same of a class that has transformers' own config; what is tied to another parameter is left out."""
    import transformers

    found = find_class(class_name)
    assert found is not None
    code = found[0].code_of(class_name)
    library = transformers if code is None else importlib.import_module(f"{code.package}.{code.model}")
    labels = 2 if found[1].head == "span" else sizes["num_labels"]
    known = {"embedding_size": sizes["hidden_size"], "num_attention_heads": 4}
    switches = dict.fromkeys((part.switch for part in family.base_table.parts.values() if part.switch), True)
    config = transformers.AutoConfig.for_model(
        family.target_model_type, **{**sizes, **known, **switches, "num_labels": labels}
    )
    model = getattr(library, class_name)(config)
    return {name: tuple(value.shape) for name, value in model.named_parameters() if ".decoder." not in name}
