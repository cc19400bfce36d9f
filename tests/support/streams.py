"""Static-graph files written by hand, and the models in them: nothing here is taken from what the tests test."""

from __future__ import annotations

import json
import pickle
import re
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from converter.files.tensors import TensorSet
from converter.open.dispatch import open_weights

CODES = {"float32": 5, "float16": 4, "float64": 6, "int64": 3, "int32": 2, "uint16": 22}
HIDDEN, VOCABULARY, POSITIONS, LABELS = 4, 11, 7, 3

#: The names of 2021 (FORMATS.md 3.2): each pattern and PaddleNLP's form without a prefix.
_OFFICIAL = (
    (r"word_embedding", r"embeddings.word_embeddings.weight"),
    (r"pos_embedding", r"embeddings.position_embeddings.weight"),
    (r"pre_encoder_(layer_norm)_(\w+)", r"embeddings.\1.\2"),
    (r"encoder_layer_(\d+)_multi_head_att_(\w+?)_fc.(.)_0", r"encoder.layers.\1.self_attn.\2_proj.\3"),
    (r"encoder_layer_(\d+)_post_att_layer_norm_(\w+)", r"encoder.layers.\1.norm1.\2"),
    (r"encoder_layer_(\d+)_post_ffn_layer_norm_(\w+)", r"encoder.layers.\1.norm2.\2"),
    (r"encoder_layer_(\d+)_ffn_fc_0.(.)_0", r"encoder.layers.\1.linear1.\2"),
    (r"encoder_layer_(\d+)_ffn_fc_1.(.)_0", r"encoder.layers.\1.linear2.\2"),
    (r"pooled_fc.(.)_0", r"pooler.dense.\1"),
    (r"cls_(?:mrc_|seq_label_)?out_(.)", r"classifier.\1"),
)
_PARTS = {"query_": "q_", "key_": "k_", "value_": "v_", "output_": "out_"}
_TAILS = {"w": "weight", "b": "bias", "scale": "weight"}


def key_of(name: str, prefix: str = "ernie_m.") -> str:
    """PaddleNLP's key for a name of 2021."""
    for pattern, form in _OFFICIAL:
        match = re.fullmatch(pattern, name)
        if match:
            key = match.expand(form)
            for before, after in _PARTS.items():
                key = key.replace(before + "proj", after + "proj")
            head, _, tail = key.rpartition(".")
            return f"{'' if head == 'classifier' else prefix}{head}.{_TAILS.get(tail, tail)}"
    return name


def official_shapes(layers: int = 1, head: str = "cls_out", pooler: bool = True) -> dict[str, tuple[int, ...]]:
    """The variables of a model of the 2021 release; `head` may be "", "cls_mrc_out" or "cls_seq_label_out"."""
    h, shapes = HIDDEN, {"word_embedding": (VOCABULARY, HIDDEN), "pos_embedding": (POSITIONS, HIDDEN)}
    shapes.update({f"pre_encoder_layer_norm_{part}": (h,) for part in ("scale", "bias")})
    for layer in range(layers):
        start = f"encoder_layer_{layer}_"
        for part in ("query", "key", "value", "output"):
            shapes.update(
                {f"{start}multi_head_att_{part}_fc.w_0": (h, h), f"{start}multi_head_att_{part}_fc.b_0": (h,)}
            )
        shapes.update({f"{start}post_{p}_layer_norm_{q}": (h,) for p in ("att", "ffn") for q in ("scale", "bias")})
        shapes.update({f"{start}ffn_fc_0.w_0": (h, 4 * h), f"{start}ffn_fc_0.b_0": (4 * h,)})
        shapes.update({f"{start}ffn_fc_1.w_0": (4 * h, h), f"{start}ffn_fc_1.b_0": (h,)})
    if pooler:
        shapes.update({"pooled_fc.w_0": (h, h), "pooled_fc.b_0": (h,)})
    if head:
        labels = 2 if head == "cls_mrc_out" else LABELS
        shapes.update({f"{head}_w": (h, labels), f"{head}_b": (labels,)})
    return shapes


def fill(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    """Arrays in which no two elements are equal, not even of two tensors."""
    arrays, begin = {}, 1
    for name, shape in shapes.items():
        size = int(np.prod(shape))
        arrays[name] = np.arange(begin, begin + size, dtype="f4").reshape(shape)
        begin += size
    return arrays


def official(layers: int = 1, head: str = "cls_out", pooler: bool = True) -> dict[str, np.ndarray]:
    return fill(official_shapes(layers, head, pooler))


def under_keys(state: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    prefix = "ernie_m." if any(name.startswith("cls_") for name in state) else ""
    return {key_of(name, prefix): array for name, array in state.items()}


def automatic(
    layers: int = 2,
    head: str = "classifier",
    pooler: bool = True,
    starts: tuple[int, int, int] = (0, 0, 0),
    suffix: str = "",
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Numbered variables in creation order, and the same arrays under PaddleNLP's keys. `starts`: first numbers."""
    h, prefix = HIDDEN, "ernie_m." if head else ""
    plan: list[tuple[str, str, tuple[int, ...] | None]] = [
        ("embedding", f"{prefix}embeddings.word_embeddings", (VOCABULARY, h)),
        ("embedding", f"{prefix}embeddings.position_embeddings", (POSITIONS, h)),
        ("layer_norm", f"{prefix}embeddings.layer_norm", None),
    ]
    for layer in range(layers):
        start = f"{prefix}encoder.layers.{layer}."
        plan += [("linear", f"{start}self_attn.{part}_proj", (h, h)) for part in ("q", "k", "v", "out")]
        plan += [("linear", f"{start}linear1", (h, 4 * h)), ("linear", f"{start}linear2", (4 * h, h))]
        plan += [("layer_norm", f"{start}{norm}", None) for norm in ("norm1", "norm2")]
    plan.append(("linear", f"{prefix}pooler.dense", (h, h)))
    heads = {"": [], "classifier": [("classifier", LABELS)], "uiem": [("linear_start", 1), ("linear_end", 1)]}
    plan += [("linear", name, (h, size)) for name, size in heads[head]]
    counters = dict(zip(("embedding", "layer_norm", "linear"), starts))
    shapes: dict[str, tuple[int, ...]] = {}
    keys: dict[str, str] = {}
    for kind, key, shape in plan:
        stem = f"{kind}_{counters[kind]}"
        counters[kind] += 1
        if key.endswith("pooler.dense") and not pooler:
            continue
        shapes[f"{stem}.w_0{suffix}"] = (h,) if shape is None else shape
        keys[f"{stem}.w_0{suffix}"] = f"{key}.weight"
        if kind != "embedding":
            shapes[f"{stem}.b_0{suffix}"] = (h,) if shape is None else (shape[1],)
            keys[f"{stem}.b_0{suffix}"] = f"{key}.bias"
    arrays = fill(shapes)
    return arrays, {keys[name]: array for name, array in arrays.items()}


# Bytes.


def varint(value: int) -> bytes:
    value &= (1 << 64) - 1
    out = b""
    while value > 0x7F:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def desc(code: int, dims: tuple[int, ...]) -> bytes:
    return b"\x08" + varint(code) + b"".join(b"\x10" + varint(size) for size in dims)


def stream_of(description: bytes, data: bytes, lod: tuple[bytes, ...] = ()) -> bytes:
    levels = b"".join(struct.pack("<Q", len(level)) + level for level in lod)
    head = struct.pack("<IQ", 0, len(lod)) + levels + struct.pack("<Ii", 0, len(description))
    return head + description + data


def stream(array: np.ndarray, lod: tuple[bytes, ...] = ()) -> bytes:
    return stream_of(desc(CODES[array.dtype.name], array.shape), array.tobytes(), lod)


def combined(state: Mapping[str, np.ndarray]) -> bytes:
    """Streams in text order of the names."""
    return b"".join(stream(state[name]) for name in sorted(state))


def message(number: int, body: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(body)) + body


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def variable(name: bytes, description: bytes, persistable: int = 1, kind: int = 7) -> bytes:
    """A VarDesc in its block."""
    body = message(1, name) + message(2, number(1, kind) + message(3, message(1, description) + number(2, 0)))
    return message(3, body + number(3, persistable))


def program_desc(state: Mapping[str, np.ndarray]) -> bytes:
    """A `.pdmodel`: variables in text order, between what feeds and fetches them."""
    feed = message(3, message(1, b"feed") + message(2, number(1, 9)) + number(3, 1))
    data = variable(b"src_ids", desc(3, (-1, -1)), persistable=0)
    body = b"".join(variable(name.encode(), desc(CODES[a.dtype.name], a.shape)) for name, a in sorted(state.items()))
    return message(1, number(1, 0) + number(2, 0) + feed + data + body + message(4, b"\x1a\x04feed")) + message(
        4, number(1, 0)
    )


def parameter(name: Any, dtype: str = "f32", dims: Any = ()) -> dict[str, Any]:
    kind = {"#": "0.t_dtensor", "D": [{"#": f"0.t_{dtype}"}, dims, "NCHW", [], 0]}
    return {"#": "p", "A": [0, 1, 1, name], "DA": [], "O": {"%": 1, "TT": kind}, "OA": [1, 0, 1], "QA": []}


def pir_of(ops: Any, **changes: Any) -> bytes:
    blocks = [{"#": "block_0", "args": [], "ops": ops}]
    data = {
        "base_code": {"magic": "pir", "trainable": True, "version": 4},
        "program": {"regions": [{"#": "region_0", "blocks": blocks}]},
        **changes,
    }
    return json.dumps(data, separators=(",", ":")).encode()


def pir(state: Mapping[str, np.ndarray]) -> bytes:
    """A PIR program: parameters in an order that is not the file's."""
    names = {"float32": "f32", "float16": "f16", "int64": "i64"}
    ops = [parameter(name, names[a.dtype.name], list(a.shape)) for name, a in reversed(list(state.items()))]
    return pir_of([*ops, {"#": "1.full", "A": [], "O": []}])


def info(keys: Mapping[str, str]) -> bytes:
    """A `.pdiparams.info`."""
    table = {n: {"structured_name": k, "stop_gradient": False, "trainable": True} for n, k in keys.items()}
    return pickle.dumps(table, 2)


def write_combined(
    folder: Path, state: Mapping[str, np.ndarray], program: str = "inference.json", weights: str = "inference.pdiparams"
) -> Path:
    """A combined file and the program beside it; `program=""` leaves that out."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / weights).write_bytes(combined(state))
    if program:
        (folder / program).write_bytes(pir(state) if program.endswith(".json") else program_desc(state))
    return folder / weights


def write_variables(folder: Path, state: Mapping[str, np.ndarray]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, array in state.items():
        (folder / name).write_bytes(stream(array))
    return folder


def open_stream(folder: Path, data: bytes, name: str = "word_embedding") -> TensorSet:
    (folder / name).write_bytes(data)
    return open_weights(folder / name)
