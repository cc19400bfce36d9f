"""Small inputs that a careless reader turns into large work, each of a size that grows with `count`.

What they have in common: one thing of the file that is used again by reference, or many names, keys, records or files.
"""

from __future__ import annotations

import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from tests.support.checkpoints import make_config, make_state, write_folder
from tests.support.pickles import file_of, text
from tests.support.streams import program_desc, stream, varint

LONG = 4000


def _again(index: int) -> bytes:
    """A value out of the memo."""
    return b"j" + struct.pack("<I", index)


def _pickle_folder(folder: Path, body: bytes, protocol: int = 3) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(make_config()))
    (folder / "model_state.pdparams").write_bytes(file_of(body, protocol))
    return folder


def one_slice_name_many_times(folder: Path, count: int) -> Path:
    """A slice table that lists one name of 4 kB again and again."""
    name = text("n" * LONG)
    listed = b"]r" + struct.pack("<I", 1) + b"(" + name + b"r" + struct.pack("<I", 2) + _again(2) * count + b"e"
    entry = b"}(" + text("OriginShape") + b"K\x01\x85" + text("slices") + listed + b"u"
    return _pickle_folder(folder, b"}(" + text("UnpackBigParamInfor@@") + b"}" + text("w") + entry + b"su")


def one_key_of_many_dicts(folder: Path, count: int) -> Path:
    """Many dicts with one item each; its key is one text of 4 kB."""
    name = text("n" * LONG) + b"r" + struct.pack("<I", 1)
    return _pickle_folder(folder, b"](" + name + (b"}" + _again(1) + b"Ns") * count + b"e")


def one_text_in_many_places_of_the_memo(folder: Path, count: int) -> Path:
    """A refused pickle: what it wants to run is looked for with the memo at hand."""
    places = b"".join(b"r" + struct.pack("<I", index) for index in range(count))
    return _pickle_folder(folder, text("n" * LONG) + places + b"\x8f")


def _with_names(folder: Path, names: list[str]) -> Path:
    shared = np.zeros(1, "<f4")
    return write_folder(folder, {**make_state(), **dict.fromkeys(names, shared)})


def many_unknown_names(folder: Path, count: int) -> Path:
    """They share one array, so that the file is small."""
    return _with_names(folder, [f"unknown.{number}" for number in range(count)])


def many_long_names(folder: Path, count: int) -> Path:
    return _with_names(folder, [f"{number}{'n' * LONG}" for number in range(count)])


def many_names_of_layers_with_gaps(folder: Path, count: int) -> Path:
    """Layer numbers that cannot be folded into ranges."""
    return _with_names(folder, [f"x.layers.{2 * number}.y" for number in range(count)])


def many_layers_of_one_array(folder: Path, count: int) -> Path:
    """A deep model, each layer of which is one and the same set of arrays."""
    from mappings import expand, load_table

    table = load_table("ErnieMModel")
    sizes = {"vocab_size": 30, "max_position_embeddings": 10, "hidden_size": 128, "intermediate_size": 512}
    mapped = expand(table, table.schemes[0], {**sizes, "num_hidden_layers": count, "num_attention_heads": 2})
    one: dict[tuple[int, ...], np.ndarray] = {}
    state = {e.source: one.setdefault(e.source_shape, np.zeros(e.source_shape, "<f4")) for e in mapped}
    config = make_config(hidden_size=128, num_hidden_layers=count)
    return write_folder(folder, state, config)


def _safetensors(path: Path, arrays: dict[str, np.ndarray]) -> None:
    entries: dict[str, Any] = {"__metadata__": {"format": "np"}}
    at = 0
    for name, array in arrays.items():
        entries[name] = {"dtype": "F32", "shape": list(array.shape), "data_offsets": [at, at + array.nbytes]}
        at += array.nbytes
    head = json.dumps(entries).encode()
    path.write_bytes(struct.pack("<Q", len(head)) + head + b"".join(array.tobytes() for array in arrays.values()))


def many_empty_tensors(folder: Path, count: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(make_config()))
    empty = np.zeros(0, "<f4")
    _safetensors(folder / "model.safetensors", {**make_state(), **{f"empty.{n}": empty for n in range(count)}})
    return folder


def one_name_of_zeros(folder: Path, count: int) -> Path:
    """A layer number of thousands of zeros that no number follows."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(make_config()))
    _safetensors(folder / "model.safetensors", {**make_state(), f"a.{'0' * count}": np.zeros(1, "<f4")})
    return folder


def an_index_of_many_names(folder: Path, count: int) -> Path:
    """All in one file, which holds none of them."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(make_config()))
    _safetensors(folder / "a.safetensors", make_state())
    places = dict.fromkeys([*make_state(), *(f"unknown.{n}" for n in range(count))], "a.safetensors")
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    return folder


def an_index_of_many_files(folder: Path, count: int) -> Path:
    """Forty files to each thousand names, each of which holds one tensor that is placed elsewhere."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(make_config()))
    files = [f"s{number}.safetensors" for number in range(max(1, count // 25))]
    for file in files:
        _safetensors(folder / file, {"stray": np.zeros(1, "<f4")})
    places = {f"unknown.{n}": files[n % len(files)] for n in range(count)}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
    return folder


def a_torch_zip_of_many_records(folder: Path, count: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(make_config()))
    with zipfile.ZipFile(folder / "pytorch_model.bin", "w") as archive:
        archive.writestr("m/data.pkl", b"\x80\x02}.")
        for number in range(count):
            archive.writestr(f"m/data/{number}", b"")
    return folder


def a_torch_pickle_of_nested_keys(folder: Path, count: int) -> Path:
    """A key of a table: a pair of one pair of one pair ...; its hash takes 2 to the power of its depth."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(make_config()))
    depth = min(count, 60)
    nested = b"K\x01" + b"".join(b"q" + bytes([n]) + b"h" + bytes([n]) + b"\x86" for n in range(depth))
    with zipfile.ZipFile(folder / "pytorch_model.bin", "w") as archive:
        archive.writestr("m/data.pkl", b"\x80\x02}" + nested + b"K\x01s.")
        archive.writestr("m/version", b"3\n")
    return folder


def a_folder_of_many_variables(folder: Path, count: int) -> Path:
    """One stream under many names (links, so that the test's disk does not fill)."""
    folder.mkdir(parents=True, exist_ok=True)
    first = folder / "word_embedding"
    first.write_bytes(stream(np.zeros((30, 8), "<f4")))
    for number in range(count):
        (folder / f"encoder_layer_{number}_ffn_fc_0.w_0").hardlink_to(first)
    return folder


def a_program_of_many_variables(folder: Path, count: int) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(make_config()))
    names = sorted(f"encoder_layer_{number}_ffn_fc_0.w_0" for number in range(count))
    (folder / "inference.pdmodel").write_bytes(program_desc(dict.fromkeys(names, np.zeros((1,), "<f4"))))
    (folder / "inference.pdiparams").write_bytes(stream(np.zeros((1,), "<f4")) * count)
    return folder


def a_variable_of_many_fields(folder: Path, count: int) -> Path:
    """A program; its first variable has fields of numbers that no schema has."""
    folder.mkdir(parents=True, exist_ok=True)
    fields = b"".join(varint((10 + number) << 3) + b"\x01" for number in range(count))
    variable = b"\x1a" + varint(len(fields)) + fields
    (folder / "inference.pdmodel").write_bytes(b"\x0a" + varint(len(variable)) + variable)
    (folder / "inference.pdiparams").write_bytes(stream(np.zeros((1,), "<f4")))
    return folder


def _with_config(folder: Path, **fields: Any) -> Path:
    return write_folder(folder, config={**make_config(), **fields})


def many_labels(folder: Path, count: int) -> Path:
    return _with_config(folder, id2label={str(n): f"l{n}" for n in range(count)})


def one_long_label(folder: Path, count: int) -> Path:
    return _with_config(folder, id2label={"0": "x" * count, "1": "y"}, label2id={"x" * count: 0, "y": 1})


def a_deep_config(folder: Path, count: int) -> Path:
    write_folder(folder)
    text = json.dumps(make_config())[:-1] + f', "model_type": {"[" * count}{"]" * count}}}'
    (folder / "config.json").write_text(text.replace('"model_type": "ernie_m", ', ""))
    return folder


#: kind -> how to make it, and the size that a first version took minutes or gigabytes for
KINDS: dict[str, tuple[Callable[[Path, int], Path], int]] = {
    made.__name__: (made, count)
    for made, count in (
        (one_slice_name_many_times, 390_000 // 3),
        (one_key_of_many_dicts, 130_000),
        (one_text_in_many_places_of_the_memo, 390_000),
        (many_unknown_names, 20_000),
        (many_long_names, 20_000),
        (many_names_of_layers_with_gaps, 20_000),
        (many_layers_of_one_array, 1000),
        (many_empty_tensors, 20_000),
        (one_name_of_zeros, 1_000_000),
        (an_index_of_many_names, 100_000),
        (an_index_of_many_files, 25_000),
        (a_torch_zip_of_many_records, 100_000),
        (a_torch_pickle_of_nested_keys, 60),
        (a_folder_of_many_variables, 19_000),
        (a_program_of_many_variables, 20_000),
        (a_variable_of_many_fields, 1_900_000),
        (many_labels, 300_000),
        (one_long_label, 3_000_000),
        (a_deep_config, 900),
    )
}
