"""The model's sizes: from the tensors, which cannot lie about them, held against the config."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from converter.common.errors import Problem
from converter.files.tensors import SourceTensor
from converter.open.config.config import CLASSLESS, MOST_LAYERS, SourceConfig
from mappings import Scheme, Table


@dataclass(frozen=True)
class Sizes:
    """Every size that the tables and the output's config.json need."""

    vocab_size: int
    max_position_embeddings: int
    hidden_size: int
    intermediate_size: int
    num_hidden_layers: int
    num_attention_heads: int
    labels: tuple[str, ...]
    warnings: tuple[str, ...] = ()

    def by_field(self) -> Mapping[str, int]:
        fields = {name: value for name, value in self.__dict__.items() if isinstance(value, int)}
        return {**fields, **({"num_labels": len(self.labels)} if self.labels else {})}


#: Where the sizes stand when a tensor alone tells them: field -> (tensor, axis).
_TOLD_BY = {
    "vocab_size": ("embeddings.word_embeddings.weight", 0),
    "hidden_size": ("embeddings.word_embeddings.weight", 1),
    "max_position_embeddings": ("embeddings.position_embeddings.weight", 0),
}
_LAYER = re.compile(r"encoder\.layers\.(0|[1-9][0-9]{0,5})\.norm2\.bias")


def resolve_sizes(
    config: SourceConfig, table: Table, tensors: Mapping[str, SourceTensor], scheme: Scheme
) -> tuple[Sizes | None, list[Problem]]:
    """The sizes that the config gives, else the tensors; the plan then holds every tensor against them.

    The width of the feed-forward is four times the hidden size whatever PaddleNLP's config says: PaddleNLP builds it so
    (`ernie_m/modeling.py:167`) and writes 3072 for every model (`ernie_m/configuration.py:156`). transformers' class
    has any width: there the tensor tells.
    """
    prefix = scheme.prefix
    told = {field: _axis(tensors, prefix + name, axis) for field, (name, axis) in _TOLD_BY.items()}
    told["num_hidden_layers"] = _count_layers(tensors, prefix)
    problems: list[Problem] = []
    sizes: dict[str, int] = {}
    for field, found in told.items():
        size = getattr(config, field) or found
        if not size:
            problems.append(Problem("E105", f"neither the config nor the tensors tell {field}. Give --config FILE"))
        else:
            sizes[field] = size
    heads = config.num_attention_heads
    if heads is None:
        where = f"{config.file} lacks" if config.file else "no config tells"
        problems.append(
            Problem("E010", f"{where} num_attention_heads, and weights do not tell it. Give --num-attention-heads N")
        )
    elif "hidden_size" in sizes and (heads < 1 or sizes["hidden_size"] % heads):
        problems.append(
            Problem("E015", f"hidden_size {sizes['hidden_size']} does not divide into {heads} attention heads")
        )
    if problems or heads is None:
        return None, problems
    labels, warnings, problem = _resolve_labels(config, table, tensors)
    if problem:
        return None, [problem]
    told_width = _axis(tensors, prefix + "encoder.layers.0.linear1.bias", 0) if scheme.identity else None
    width = told_width or 4 * sizes["hidden_size"]
    return Sizes(intermediate_size=width, num_attention_heads=heads, labels=labels, warnings=warnings, **sizes), []


def _axis(tensors: Mapping[str, SourceTensor], name: str, axis: int) -> int | None:
    tensor = tensors.get(name)
    return tensor.shape[axis] if tensor is not None and len(tensor.shape) > axis else None


def _count_layers(tensors: Mapping[str, SourceTensor], prefix: str) -> int | None:
    """One more than the highest layer number: a gap below it then shows as missing tensors."""
    found = [_LAYER.fullmatch(name[len(prefix) :]) for name in tensors if name.startswith(prefix)]
    numbers = [int(match[1]) for match in found if match]
    # A number as large as that comes from a damaged name: every layer has 16 tensors.
    return max(numbers) + 1 if numbers and max(numbers) < min(len(tensors), MOST_LAYERS) else None


def _resolve_labels(
    config: SourceConfig, table: Table, tensors: Mapping[str, SourceTensor]
) -> tuple[tuple[str, ...], tuple[str, ...], Problem | None]:
    """Label names, warnings, and what stops the work."""
    named = config.labels or ()
    if table.source_class == "ErnieMForQuestionAnswering" and len(named) not in (0, 2):
        said = f"{config.file} names {len(named)} labels; question answering has start and end: the names are left out"
        return (), (said,), None
    if "num_labels" not in table.dims.values() or config.labels is not None:
        return named, (), None
    # PaddleNLP writes no id2label for exactly two labels: two is what such a config says.
    # The release's config never speaks of labels: there the tensor tells.
    silent = not config.file or config.kind in CLASSLESS
    count = _axis(tensors, "classifier.bias", 0) if silent else 2
    if not count:
        return (), (), Problem("E105", "neither the config nor classifier.bias tell the number of labels")
    labels = tuple(f"LABEL_{index}" for index in range(count))
    said = f"no config gives label names: LABEL_0 to LABEL_{count - 1} are taken"
    return labels, (said,) if silent else (), None
