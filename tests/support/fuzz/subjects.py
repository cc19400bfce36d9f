"""What is damaged: one tiny model, 24 tensors of which no two share a number, in every format that is read."""

from __future__ import annotations

import collections
import io
import json
import pickle
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import safetensors.numpy

from tests.support import streams

Files = dict[str, bytes]
State = dict[str, np.ndarray]

OFFICIAL = streams.official(1)
KEYS = streams.under_keys(OFFICIAL)
SIZES = {
    "hidden_size": 4,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "vocab_size": 11,
    "max_position_embeddings": 7,
}
LABELS = {"id2label": {str(index): f"L{index}" for index in range(streams.LABELS)}}
CONFIG = json.dumps({"architectures": ["ErnieMForSequenceClassification"], "model_type": "ernie_m", **SIZES, **LABELS})
FULL = {"hidden_act": "gelu", "attention_probs_dropout_prob": 0.1, "hidden_dropout_prob": 0.1, "type_vocab_size": 16}
RELEASE_CONFIG = json.dumps({**SIZES, **FULL, "initializer_range": 0.02})


@dataclass(frozen=True)
class Subject:
    """A sound checkpoint: its files, the one among them that is damaged, and the tensors that it holds.

    `kind` says by which rules the file can be taken apart. `open` is the file or folder to open; "" is the folder.
    `names_are_elsewhere` holds of static graphs, whose every tensor must be right whatever happens to the names.
    """

    name: str
    kind: str
    target: str
    files: Files
    expected: State
    open: str = ""
    names_are_elsewhere: bool = False


#: Of a large tensor in a file of protocol 2.
SLICES = 5


def make_subjects() -> dict[str, Subject]:
    """Every subject by name. Those of torch are left out where torch is not installed."""
    made = [*_pickles(), *_safetensors(), *_static(), *_torch(), *_folders()]
    return {subject.name: subject for subject in made}


def _pickles() -> list[Subject]:
    table = {"StructuredToParameterName@@": {key: f"linear_{index}.w_0" for index, key in enumerate(KEYS)}}
    flat = {**KEYS, **table}
    made = {f"pdparams, protocol {protocol}": pickle.dumps(flat, protocol) for protocol in (2, 3, 4, 5)}
    made["pdparams, Python 2"] = _as_python_2_writes(KEYS)
    made["pdparams, OrderedDict, column order"] = pickle.dumps(
        collections.OrderedDict({key: np.asfortranarray(array) for key, array in KEYS.items()}), 4
    )
    made["pdparams, nested"] = pickle.dumps({"model": dict(KEYS), "epoch": 3, "rates": [1.5, (2, None)]}, 4)
    made["pdparams, slices"] = pickle.dumps(_sliced(), 2)
    config = {"config.json": CONFIG.encode()}
    name = "model_state.pdparams"
    return [Subject(title, "pickle", name, {**config, name: data}, KEYS) for title, data in made.items()]


def _sliced() -> dict[str, Any]:
    """The word embedding in five slices, as Paddle cuts what is large."""
    state: dict[str, Any] = dict(KEYS)
    key = "ernie_m.embeddings.word_embeddings.weight"
    whole = state.pop(key)
    parts = {f"{key}@@.{index}": part for index, part in enumerate(np.array_split(whole.ravel(), SLICES))}
    return {**state, **parts, "UnpackBigParamInfor@@": {key: {"OriginShape": whole.shape, "slices": list(parts)}}}


def _as_python_2_writes(state: State) -> bytes:
    """Strings where Python 3 has bytes and text, 0 and 1 for the flags of a dtype."""
    from tests.support import pickles

    order = b"(" + pickles.number(3) + pickles.string(b"<") + b"NNN" + pickles.number(-1) * 2 + pickles.number(0) + b"t"
    dtype = pickles.glob("numpy", "dtype") + pickles.string(b"f4") + b"K\x00K\x01\x87R" + order + b"b"
    empty = pickles.glob("numpy.core.multiarray", "_reconstruct") + pickles.glob("numpy", "ndarray")
    empty += b"K\x00\x85" + pickles.string(b"b") + b"\x87R"
    body = b"}"
    for key, array in state.items():
        shape = b"(" + b"".join(pickles.number(size) for size in array.shape) + b"t"
        data = pickles.string(array.tobytes())
        body += pickles.string(key.encode()) + empty + b"(K\x01" + shape + dtype + b"\x89" + data + b"tbs"
    return pickles.file_of(body, 2)


def _safetensors() -> list[Subject]:
    config = {"config.json": CONFIG.encode()}
    whole = safetensors.numpy.save(KEYS, {"format": "np"})
    names = list(KEYS)
    shards = {f"model-0000{number}-of-00002.safetensors": names[number - 1 :: 2] for number in (1, 2)}
    places = {key: shard for shard, keys in shards.items() for key in keys}
    index = {"metadata": {"total_size": sum(array.nbytes for array in KEYS.values())}, "weight_map": places}
    files = {
        shard: safetensors.numpy.save({k: KEYS[k] for k in keys}, {"format": "np"}) for shard, keys in shards.items()
    }
    name = "model.safetensors.index.json"
    sharded = {**config, **files, name: json.dumps(index).encode()}
    return [
        Subject("safetensors", "safetensors", "model.safetensors", {**config, "model.safetensors": whole}, KEYS),
        Subject("safetensors, the index", "json", name, sharded, KEYS),
    ]


def _static() -> list[Subject]:
    config = {"ernie_config.json": RELEASE_CONFIG.encode()}
    automatic, expected = streams.automatic(1, starts=(0, 1, 3))
    programs = {"x.json": streams.pir, "x.pdmodel": streams.program_desc}
    kinds = {"x.json": "json", "x.pdmodel": "protobuf", "x.pdiparams": "stream", "x.pdiparams.info": "pickle"}
    made: list[Subject] = []

    def add(title: str, state: State, named: State, others: Files) -> None:
        files = {**config, "x.pdiparams": streams.combined(state), **others}
        for target in ("x.pdiparams", *others):
            subject = f"combined, {title}: {target[1:]}"
            made.append(Subject(subject, kinds[target], target, files, named, "x.pdiparams", True))

    for program, write in programs.items():
        add(f"official names in {program[1:]}", OFFICIAL, KEYS, {program: write(OFFICIAL)})
        add(f"automatic names in {program[1:]}", automatic, expected, {program: write(automatic)})
    table = streams.info(dict(zip(automatic, expected)))
    add("a table", automatic, expected, {"x.pdiparams.info": table})
    add("official names alone", OFFICIAL, KEYS, {})
    variables = {**config, **{name: streams.stream(array) for name, array in OFFICIAL.items()}}
    for name in ("word_embedding", "pooled_fc.w_0"):
        made.append(Subject(f"variables: {name}", "stream", name, variables, KEYS, "", True))
    named_by = {**variables, "__model__": streams.program_desc(OFFICIAL)}
    made.append(Subject("variables: __model__", "protobuf", "__model__", named_by, KEYS, "", True))
    return made


def _torch() -> list[Subject]:
    try:
        import torch
    except ImportError:
        return []
    torch.set_num_threads(1)
    expected = {re.sub(r"self_attn\.([qkv])_proj", r"self_attn.self_attn.\1_proj", k): a for k, a in KEYS.items()}
    expected = {key: _as_linear(key, array) for key, array in expected.items()}
    state = {key: torch.from_numpy(array.copy()) for key, array in expected.items()}
    config = {"config.json": json.dumps({**json.loads(CONFIG), "transformers_version": "4.40.0"}).encode()}
    made = []
    for title, kind in (("torch, zip", "zip"), ("torch before 1.6", "pickle and numbers")):
        file = io.BytesIO()
        torch.save(state, file, _use_new_zipfile_serialization=kind == "zip")
        files = {**config, "pytorch_model.bin": file.getvalue()}
        made.append(Subject(title, kind, "pytorch_model.bin", files, expected))
    return made


def _as_linear(key: str, array: np.ndarray) -> np.ndarray:
    """In PyTorch's layout, with the same numbers: another model, and a sound one."""
    return array if "embeddings" in key else array.reshape(tuple(reversed(array.shape)))


def _folders() -> list[Subject]:
    """The files beside the weights."""
    weights = {"model_state.pdparams": pickle.dumps(KEYS, 4)}
    tokens = ["[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]", *"abcdef"]
    vocabulary = {"vocab.txt": "\n".join(tokens).encode() + b"\n", "sentencepiece.bpe.model": _sentencepiece()}
    tokenizer = {
        "tokenizer_config.json": b'{"do_lower_case": true, "tokenizer_class": "ErnieMTokenizer"}',
        **vocabulary,
    }
    call = {"init_args": [{**SIZES, **FULL, "init_class": "ErnieMModel"}], "num_classes": 3}
    legacy = json.dumps({**call, "init_class": "ErnieMForSequenceClassification"}).encode()
    release = {**{name: streams.stream(array) for name, array in OFFICIAL.items()}}
    made = [
        Subject("config.json", "json", "config.json", {**weights, "config.json": CONFIG.encode()}, KEYS),
        Subject("model_config.json", "json", "model_config.json", {**weights, "model_config.json": legacy}, KEYS),
        Subject(
            "ernie_config.json",
            "json",
            "ernie_config.json",
            {**release, "ernie_config.json": RELEASE_CONFIG.encode()},
            KEYS,
        ),
    ]
    sound = {**weights, "config.json": CONFIG.encode(), **tokenizer}
    kinds = {"vocab.txt": "bytes", "tokenizer_config.json": "json", "sentencepiece.bpe.model": "protobuf"}
    return made + [Subject(name, kind, name, sound, KEYS) for name, kind in kinds.items()]


def _sentencepiece() -> bytes:
    """A ModelProto with a few pieces (field 1: text and score) and the trainer's type (field 2, 3: unigram)."""
    score = b"\x15\x00\x00\x80\xbf"
    texts = ["<unk>", "<s>", "</s>", *"abcdef"]
    kinds = [2, 3, 3, *[1] * 6]
    pieces = b"".join(
        streams.message(1, streams.message(1, text.encode()) + score + streams.number(3, kind))
        for text, kind in zip(texts, kinds)
    )
    return pieces + streams.message(2, streams.number(3, 1)) + streams.message(3, streams.message(1, b"identity"))


def rezip(data: bytes, change: Callable[[str, bytes], bytes]) -> bytes:
    """The same archive with other records, whose sums are right."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as source, zipfile.ZipFile(file, "w") as target:
        for entry in source.infolist():
            # Without a date of its own a record would have this moment's, and no case would be twice the same.
            target.writestr(zipfile.ZipInfo(entry.filename), change(entry.filename, source.read(entry)))
    return file.getvalue()
