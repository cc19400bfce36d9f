"""One checkpoint of PaddleNLP's in the other formats that are read: the same numbers, tensor by tensor."""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from converter.files.tensors import SourceTensor
from converter.open.dispatch import open_weights
from tests.support import streams

_PORT_NAMES = (r"self_attn\.([qkv])_proj", r"self_attn.self_attn.\1_proj")
_NEVER_TRANSPOSED = re.compile(r"embeddings\.")


def write_as(form: str, checkpoint: Path, folder: Path) -> Path:
    """`checkpoint` (a folder of a base model without a head) in `folder`, in one of FORMATS."""
    folder.mkdir()
    WRITERS[form](open_weights(checkpoint).tensors, json.loads((checkpoint / "config.json").read_text()), folder)
    return folder


def _official(tensors: dict[str, SourceTensor], layers: int) -> Iterator[tuple[str, np.ndarray]]:
    """The 2021 release's names in text order, which is that of a combined file, and the arrays."""
    for name in sorted(streams.official_shapes(layers, head="")):
        yield name, tensors[streams.key_of(name, "")].read()


def _write_config(config: dict[str, Any], folder: Path) -> None:
    wanted = ("hidden_size", "num_hidden_layers", "num_attention_heads", "vocab_size", "max_position_embeddings")
    full = {"hidden_act": "gelu", "hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1}
    (folder / "ernie_config.json").write_text(json.dumps({**full, **{key: config[key] for key in wanted}}))


def _write_stream(array: np.ndarray, file: Any) -> None:
    file.write(streams.stream_of(streams.desc(5, array.shape), b""))
    file.write(np.ascontiguousarray(array))


def write_combined(tensors: dict[str, SourceTensor], config: dict[str, Any], folder: Path) -> None:
    """`x.pdiparams` and its PIR program."""
    ops = []
    with open(folder / "x.pdiparams", "wb") as file:
        for name, array in _official(tensors, config["num_hidden_layers"]):
            _write_stream(array, file)
            ops.append(streams.parameter(name, "f32", list(array.shape)))
    (folder / "x.json").write_bytes(streams.pir_of(ops))
    _write_config(config, folder)


def write_variables(tensors: dict[str, SourceTensor], config: dict[str, Any], folder: Path) -> None:
    """The 2021 release's folder: a file per variable in params/."""
    (folder / "params").mkdir()
    for name, array in _official(tensors, config["num_hidden_layers"]):
        with open(folder / "params" / name, "wb") as file:
            _write_stream(array, file)
    _write_config(config, folder)


def _port(tensors: dict[str, SourceTensor]) -> Iterator[tuple[str, np.ndarray]]:
    """The names and the layout of transformers 4's ErnieM."""
    for name, tensor in tensors.items():
        array = tensor.read()
        turned = array.ndim == 2 and not _NEVER_TRANSPOSED.search(name)
        yield re.sub(*_PORT_NAMES, name), np.ascontiguousarray(array.T if turned else array)


def _write_port_config(config: dict[str, Any], folder: Path) -> None:
    said = {**config, "architectures": ["ErnieMModel"], "transformers_version": "4.57.6"}
    said.pop("paddlenlp_version", None)
    (folder / "config.json").write_text(json.dumps(said))


def write_safetensors(tensors: dict[str, SourceTensor], config: dict[str, Any], folder: Path) -> None:
    """transformers 4's `model.safetensors`."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    at = 0
    for name, array in _port(tensors):
        header[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [at, at + array.nbytes]}
        at += array.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(folder / "model.safetensors", "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, array in _port(tensors):
            file.write(array)
    _write_port_config(config, folder)


def write_torch(tensors: dict[str, SourceTensor], config: dict[str, Any], folder: Path) -> None:
    """transformers 4's `pytorch_model.bin`."""
    import torch

    torch.save({name: torch.from_numpy(array.copy()) for name, array in _port(tensors)}, folder / "pytorch_model.bin")
    _write_port_config(config, folder)


Writer = Callable[[dict[str, SourceTensor], dict[str, Any], Path], None]
WRITERS: dict[str, Writer] = {
    "combined": write_combined,
    "variables": write_variables,
    "transformers-safetensors": write_safetensors,
    "pytorch-bin": write_torch,
}
FORMATS = tuple(WRITERS)
