"""A trace: what Paddle computed for one checkpoint, in one safetensors file, and whether it can be relied on."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from converter.common.errors import Problem, ReferenceFailure
from converter.files.tensors import FLOATING
from mappings.family import Family
from mappings.model_class import ModelClass
from mappings.registry import find_class
from verify.protocol.trace_format import FORMAT, HEAD
from verify.results.manifest import FIRST_BEHAVIOR
from verify.results.precision import PRECISIONS

if TYPE_CHECKING:
    import numpy as np

#: Where a case goes in, besides a table of embeddings.
_THROUGH = {"model", "backbone", "norms", "linears"}
_FIELDS = {
    "architecture": str,
    "precision": str,
    "config": dict,
    "how": list,
    "files": list,
    "tensors": dict,
    "environment": dict,
    "cases": list,
    "gradients": list,
    "growth": dict,
    "arrays": dict,
}


@dataclass(frozen=True)
class Case:
    """One input, where it goes in ("model", "backbone" or the name of an embedding) and what was recorded of it."""

    name: str
    why: str
    through: str
    inputs: tuple[str, ...]
    sites: tuple[str, ...]
    zero_row: bool = False
    problem_type: str | None = None
    #: Sites that are kept as products with seeded columns.
    projected: tuple[str, ...] = ()
    #: The token, or the row of a table, whose numbers are left out: Paddle's lookup gives zeros for it.
    left_out: int | None = None

    @property
    def is_of_network(self) -> bool:
        """Whether the case goes through the network, and not through one of its modules alone."""
        return self.through in ("model", "backbone")

    def as_of_backbone(self) -> Case:
        """The same case through the encoder alone: what of its activations that has."""
        return replace(self, through="backbone")

    def input_key(self, name: str) -> str:
        return f"case/{self.name}/input/{name}"

    def site_key(self, name: str) -> str:
        return f"case/{self.name}/site/{name}"


@dataclass(frozen=True)
class Trace:
    """The head of a trace, checked; arrays are read one at a time with `arrays()`."""

    path: Path
    head: Mapping[str, Any]
    cases: tuple[Case, ...]

    @property
    def precision(self) -> str:
        return str(self.head["precision"])

    @property
    def family(self) -> Family:
        return self._class[0]

    @property
    def model_class(self) -> ModelClass:
        return self._class[1]

    @property
    def _class(self) -> tuple[Family, ModelClass]:
        found = find_class(self.head["architecture"])
        assert found is not None  # `read_trace` refuses any other.
        return found

    @property
    def layers(self) -> int:
        return int(self.head["config"]["num_hidden_layers"])

    @property
    def epsilons(self) -> set[float]:
        """The epsilons of the LayerNorms of Paddle's model; none in an earlier trace."""
        return set(self.head.get("layer_norm_eps", []))

    @property
    def behavior(self) -> str:
        """The preset of quirks that the reference followed."""
        return str(self.head.get("behavior", FIRST_BEHAVIOR))

    @property
    def source_behavior(self) -> str | None:
        """The behavior of the release that wrote the checkpoint; None in a trace of before this was recorded."""
        found = self.head.get("source_behavior")
        return None if found is None else str(found)

    @property
    def left_out_row(self) -> tuple[str, int] | None:
        """The table and its row for which Paddle's lookup gives zeros, whatever the row holds; None where there is
        none."""
        rows = ((case.through, case.left_out) for case in self.cases if not case.is_of_network)
        return next(((table, row) for table, row in rows if row is not None), None)

    @property
    def left_out_token(self) -> int | None:
        """The token of that row."""
        return self.left_out_row[1] if self.left_out_row is not None else None

    @property
    def has_tokens(self) -> bool:
        return self.head.get("tokenizer") is not None

    @property
    def has_ways(self) -> bool:
        """Whether more of the tokenizer was recorded than the ids of texts."""
        return self.has_tokens and bool(self.head["tokenizer"]["ways"])

    def sums(self) -> list[str]:
        """sha256 of each weight file that Paddle read."""
        return sorted(file["sha256"] for file in self.head["files"])

    @contextmanager
    def arrays(self) -> Iterator[Arrays]:
        from safetensors import safe_open

        with safe_open(self.path, framework="numpy") as file:
            yield Arrays(file)

    def texts(self) -> tuple[list[str], list[list[int]]]:
        """The texts and the ids that PaddleNLP's tokenizer gave them."""
        with self.arrays() as arrays:
            texts = json.loads(arrays["tokens/texts"].tobytes())
            ids, offsets = arrays["tokens/ids"], arrays["tokens/offsets"]
        return texts, [ids[start:end].tolist() for start, end in zip(offsets[:-1], offsets[1:])]

    def ways(self) -> dict[str, np.ndarray]:
        """A digest of each result of each way through PaddleNLP's tokenizer, by the name of the way."""
        with self.arrays() as arrays:
            return {way: arrays[f"tokens/way/{way}"] for way in self.head["tokenizer"]["ways"]}


class Arrays:
    """Arrays of an open trace by key."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def __getitem__(self, key: str) -> np.ndarray:
        array: np.ndarray = self._file.get_tensor(key)
        return array


def read_trace(path: Path) -> Trace:
    """Open a trace. Raises ReferenceFailure when it is not one, is damaged, or is of another version."""
    from safetensors import SafetensorError, safe_open

    if path.exists() and not path.is_file():  # opening a FIFO would wait for ever
        raise _damaged(path, "no regular file")
    try:
        with safe_open(path, framework="numpy") as file:
            text = (file.metadata() or {}).get(HEAD)
            names = file.keys()
            sums = {name: hashlib.sha256(file.get_tensor(name).tobytes()).hexdigest() for name in names}
            keys = set(sums)
    except (SafetensorError, OSError, UnicodeDecodeError) as error:
        raise _damaged(path, str(error)) from error
    if text is None:
        raise _damaged(path, "a safetensors file, but not one that `verify --record` wrote")
    digest, text = text[:64], text[64:]
    if hashlib.sha256(text.encode("utf-8")).hexdigest() != digest:
        raise _damaged(path, "its head has another sum than when it was recorded")
    try:
        head = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _damaged(path, f"its head is not JSON: {error}") from error
    if not isinstance(head, dict) or head.get("format") != FORMAT:
        found = head.get("format") if isinstance(head, dict) else None
        raise _damaged(path, f"its format is {found!r}, this version reads {FORMAT}. Record it again")
    wrong = [name for name, kind in _FIELDS.items() if not isinstance(head.get(name), kind)]
    if wrong:
        raise _damaged(path, f"its head lacks {', '.join(wrong)}")
    changed = sorted(name for name in keys if head["arrays"].get(name) != sums[name])
    if changed:
        raise _damaged(path, f"{changed[0]} has another sum than when it was recorded")
    cases = tuple(_read_case(path, entry) for entry in head["cases"])
    try:
        missing = sorted(_expected_keys(head, cases) - keys)
        odd = _odd_field(head, cases)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _damaged(path, f"its head is incomplete ({error!r})") from error
    if missing or odd or not cases:
        raise _damaged(path, odd or f"it lacks {', '.join(missing[:3]) or 'cases'}")
    return Trace(path, head, cases)


def _odd_field(head: Mapping[str, Any], cases: Sequence[Case]) -> str:
    """What in a whole head nothing could be compared by; "" for what the recorder writes. Fields that are not there
    raise KeyError."""
    known, names = {case.name for case in cases}, [entry["name"] + entry["sha256"] for entry in head["files"]]
    sizes = ("hidden_size", "num_hidden_layers", "max_position_embeddings", "vocab_size", "num_attention_heads")
    if head["precision"] not in PRECISIONS:
        return f"its precision is {head['precision']!r}"
    found = find_class(head["architecture"])
    if found is None or head["architecture"] != found[1].source:
        return f"its architecture is {head['architecture']!r}"
    presets = [preset.name for preset in found[0].presets]
    if head.get("behavior", FIRST_BEHAVIOR) not in presets:
        return f"its behavior is {head['behavior']!r}"
    if head.get("default_dtype", "float32") not in FLOATING:
        return f"its default_dtype is {head['default_dtype']!r}"
    if head.get("source_behavior", FIRST_BEHAVIOR) not in presets:
        return f"its source's behavior is {head['source_behavior']!r:.80}"
    if not names or not all(int(head["config"][size]) > 0 for size in sizes):
        return "its config or its list of files is empty"
    if not {case.through for case in cases} <= {*_THROUGH, *found[0].network.table_names}:
        return "a case in its head goes through no part of a model"
    if not {"sites", "gradients"} <= set(head["growth"]):
        return "its head has no error amplification"
    strange = [entry["case"] for entry in head["gradients"] if entry["case"] not in known or not entry["tensors"]]
    return f"its gradients are of {strange[0]!r}, which is no case" if strange else ""


def _read_case(path: Path, entry: Any) -> Case:
    try:
        return Case(
            name=entry["name"],
            why=entry["why"],
            through=entry["through"],
            inputs=tuple(entry["inputs"]),
            sites=tuple(entry["sites"]),
            zero_row=bool(entry.get("zero_row")),
            problem_type=entry.get("problem_type"),
            projected=tuple(entry.get("projected", ())),
            left_out=entry.get("left_out"),
        )
    except (KeyError, TypeError) as error:
        raise _damaged(path, f"a case in its head is incomplete ({error!r})") from error


def _expected_keys(head: Mapping[str, Any], cases: Sequence[Case]) -> set[str]:
    keys = {case.input_key(name) for case in cases for name in case.inputs}
    keys |= {case.site_key(name) for case in cases for name in case.sites}
    tokens = head.get("tokenizer")
    if tokens:
        keys |= {"tokens/texts", "tokens/ids", "tokens/offsets"} | {f"tokens/way/{way}" for way in tokens["ways"]}
    return keys


def copy_trace(path: Path, target: Path) -> None:
    """Copy a trace to where the user wants it, whole or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.partial")
    try:
        shutil.copyfile(path, partial)
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)


def check_sums(trace: Trace, sums: Sequence[str], expected: str) -> None:
    """Raise ReferenceFailure unless the trace is of the weight files with these sums."""
    if trace.sums() != sorted(sums):
        names = ", ".join(file["name"] for file in trace.head["files"])
        raise ReferenceFailure(
            Problem(
                "E605",
                f"{trace.path.name} was recorded from another checkpoint than {expected}: the sums of {names} differ",
            )
        )


def _damaged(path: Path, reason: str) -> ReferenceFailure:
    if not path.exists():
        return ReferenceFailure(Problem("E604", f"{path}: no such trace"))
    return ReferenceFailure(Problem("E604", f"{path.name} is not a usable trace: {reason}"))
