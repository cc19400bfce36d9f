"""The fields of a config, each checked by its kind: sizes, probabilities, choices."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Callable

from converter.common.errors import Problem
from mappings.config_fields import TRANSFORMERS, ConfigFields
from mappings.family import Family
from mappings.model_fields import ConfigField

#: Activations that compute the same in Paddle and PyTorch under this name.
ACTIVATIONS = ("gelu", "relu", "tanh", "silu", "swish", "mish", "leaky_relu", "relu6", "sigmoid")
PROBLEM_TYPES = ("regression", "single_label_classification", "multi_label_classification")
_LARGEST_SIZE = 1 << 31
MOST_LAYERS = 1000


@dataclass
class FieldReader:
    """Takes the fields of a config one by one: those that can be meant into `values`, the others into `problems`."""

    flat: Mapping[str, Any]
    file: str
    problems: list[Problem]
    #: Who wrote the config.
    writer: str
    values: dict[str, Any] = field(default_factory=dict)
    #: Fields that the file calls by an alias.
    called: Mapping[str, str] = field(default_factory=dict)
    #: Every field that was looked for.
    read: list[str] = field(default_factory=list)

    def take(self, name: str, fits: Callable[[Any], bool], expected: str) -> None:
        value = self.flat.get(name)
        self.read.append(name)
        if value is None:
            return
        if fits(value):
            self.values[name] = value
        else:
            shown = self.called.get(name, name)
            self.problems.append(Problem("E014", f"{self.file}: {shown} is {value!r:.80}, expected {expected}"))

    def read_sizes(self, family: Family) -> None:
        """The sizes that the family's classes are built with. One that PaddleNLP computes from others is read off the
        tensors wherever it may differ."""
        for size in family.sizes:
            if not size.times:
                most = MOST_LAYERS if size.layer else _LARGEST_SIZE
                self.take(size.field, _is_whole(1, most), f"a whole number from 1 to {most}")
            elif self.writer == TRANSFORMERS:
                self.read.append(size.field)

    def read_field(self, row: ConfigField) -> None:
        kind, name = row.kind, row.name
        if kind in ("activation", "problem type"):
            choices = ACTIVATIONS if kind == "activation" else PROBLEM_TYPES
            self.take(name, choices.__contains__, f"one of {', '.join(choices)}")
        elif kind in ("probability", "number"):
            is_probability = kind == "probability"
            fits, expected = (_is_probability, "a probability") if is_probability else (_is_number, _NUMBER)
            self.take(name, fits, expected)
            if name in self.values:
                value = float(self.values[name])
                self.values[name] = _nearest_float32(value) if row.float32 and self.writer != TRANSFORMERS else value
        elif kind == "id":
            ids = self.values.get("vocab_size", _LARGEST_SIZE)
            self.take(name, _is_whole(0, ids - 1), "an id of the vocabulary")
        elif kind == "size":
            self.take(name, _is_whole(1, _LARGEST_SIZE), f"a whole number from 1 to {_LARGEST_SIZE}")
        else:
            self.take(name, lambda value: isinstance(value, bool), "true or false")

    def read_fields(self, family: Family) -> None:
        """Every other field that configs of this writer have."""
        rows = [row for row in family.fields if not row.writers or self.writer in row.writers]
        defaults = {row.name: row.default for row in rows}
        for row in rows:
            self.read_field(row)
            if row.null_is and row.name in self.flat and self.flat[row.name] is None:
                self.values[row.name] = self.values.get(row.null_is, defaults.get(row.null_is))

    def check_fixed(self, rules: ConfigFields) -> None:
        """Fields of which the output's class knows one value only."""
        for row in rules.fixed:
            self.read.append(row.field)
            found, expected = self.flat.get(row.field), row.value
            if row.equals:
                expected = self.values.get(row.equals)
            if found is not None and found != expected and not (row.equals and expected is None):
                what = f"{row.equals}, {expected!r}" if row.equals else f"{expected!r}"
                text = f"{self.file}: {row.field} is {found!r:.80}, which is not supported; expected {what}"
                self.problems.append(Problem("E014", text))


_NUMBER = "a number of 0 or more"


def _nearest_float32(value: float) -> float:
    try:
        nearest: float = struct.unpack("f", struct.pack("f", value))[0]
    except OverflowError:
        return value
    return nearest


def _is_whole(low: int, high: int) -> Callable[[Any], bool]:
    return lambda value: type(value) is int and low <= value <= high


def _is_probability(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value <= 1


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value < float("inf")
