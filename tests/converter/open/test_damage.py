"""Whatever happens to a file on its way: it opens with the same tensors, or it is refused with our typed error.

Flipped bits of the numbers themselves, and the one bit that says in which order a matrix lies, leave a sound file of
other numbers; no reader could notice.
"""

from __future__ import annotations

import pickle
import pickletools
import random
import struct
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import save

from converter.common.errors import Paddle2TorchError
from converter.files.tensors import TensorSet
from converter.open.dispatch import open_weights
from converter.open.pickle.latin1_bytes import count_latin1
from tests.support.pickles import PROTOCOLS, mapped, numbered, state_dict


def try_open(path: Path, data: bytes) -> TensorSet | None:
    """The tensors, or None for a refusal; any other exception fails the test."""
    path.unlink(missing_ok=True)  # a map of the old bytes may still be open
    path.write_bytes(data)
    try:
        return open_weights(path)
    except Paddle2TorchError as error:
        assert error.problems and all(problem.code[:2] in ("E0", "E3") for problem in error.problems)
        assert "\n" not in "".join(problem.text for problem in error.problems)
        return None


def assert_equal_where_named(opened: TensorSet, expected: dict[str, np.ndarray]) -> None:
    """A changed name is the plan's to refuse; what has its old name must have its old numbers."""
    for name, tensor in opened.tensors.items():
        if name in expected:
            found = tensor.read()
            assert found.shape == expected[name].shape and found.dtype == expected[name].dtype, name
            assert found.tobytes() == expected[name].tobytes(), name


def number_bytes(data: bytes, protocol: int) -> set[int]:
    """Where the numbers lie, and the flags of the order."""
    free: set[int] = set()
    steps = list(pickletools.genops(data))
    ends = [at for _, _, at in steps[1:]] + [len(data)]
    for index, ((opcode, argument, at), end) in enumerate(zip(steps, ends)):
        value = argument.encode("latin1", "replace") if isinstance(argument, str) else argument
        if isinstance(value, (bytes, bytearray)) and any(value == array.tobytes() for array in arrays().values()):
            free |= set(range(at + len(pickle_head(opcode.name)), end))
            free |= {steps[index - 1][2]} if opcode.name != "BYTEARRAY8" else set()
            free |= {steps[index - 2][2]}
        if opcode.name in ("SHORT_BINUNICODE", "BINUNICODE") and argument in ("C", "F"):
            free.add(end - 1)
    return free


def pickle_head(name: str) -> bytes:
    return b"." * {"BYTEARRAY8": 9, "BINBYTES8": 9, "SHORT_BINBYTES": 2, "SHORT_BINSTRING": 2}.get(name, 5)


def arrays() -> dict[str, np.ndarray]:
    return {name: value for name, value in state_dict().items() if isinstance(value, np.ndarray)}


def variants(data: bytes, spare: Iterable[int] = ()) -> Iterable[bytes]:
    kept = set(spare)
    for at in range(len(data)):
        for bit in range(8) if at not in kept else ():
            yield data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_a_pickle_cut_anywhere_is_refused(protocol: int, tmp_path: Path) -> None:
    data = pickle.dumps(state_dict(), protocol)
    for size in range(len(data)):
        assert try_open(tmp_path / "model_state.pdparams", data[:size]) is None, size


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_any_bit_of_a_pickle(protocol: int, tmp_path: Path) -> None:
    data = pickle.dumps(state_dict(), protocol)
    refused = 0
    for damaged in variants(data, number_bytes(data, protocol)):
        opened = try_open(tmp_path / "model_state.pdparams", damaged)
        refused += opened is None
        if opened is not None:
            assert_equal_where_named(opened, arrays())
    assert refused > 1000


def test_any_bit_and_any_cut_of_safetensors(tmp_path: Path) -> None:
    data = save(arrays(), {"format": "np"})
    header = 8 + struct.unpack("<Q", data[:8])[0]
    for size in range(len(data)):
        assert try_open(tmp_path / "model.safetensors", data[:size]) is None, size
    for damaged in variants(data, range(header, len(data))):
        opened = try_open(tmp_path / "model.safetensors", damaged)
        if opened is not None:
            assert_equal_where_named(opened, arrays())


SOURCES = [pickle.dumps(state_dict(), protocol) for protocol in PROTOCOLS]
SOURCES.append(pickle.dumps({"model": dict(arrays()), "epoch": 3, "history": [1.5, (2, None)]}, 4))
PIECES = [
    source[at:end]
    for source in SOURCES
    for at, end in zip([s[2] for s in pickletools.genops(source)], [s[2] for s in pickletools.genops(source)][1:])
]


@settings(max_examples=1500)
@given(data=st.data())
def test_opcodes_spliced_in_left_out_and_repeated(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    source = data.draw(st.sampled_from(SOURCES))
    places = [at for _, _, at in pickletools.genops(source)]
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.sampled_from(places))
        stop = start if data.draw(st.booleans()) else data.draw(st.sampled_from([at for at in places if at >= start]))
        source = source[:start] + b"".join(data.draw(st.lists(st.sampled_from(PIECES), max_size=3))) + source[stop:]
        places = [at for at in places if at < start] or [0]
    opened = try_open(tmp_path_factory.getbasetemp() / "spliced.pdparams", source)
    for tensor in opened.tensors.values() if opened is not None else ():
        assert tensor.read().nbytes == tensor.size


@settings(max_examples=400)
@given(body=st.binary(max_size=60), protocol=st.sampled_from(PROTOCOLS))
def test_any_bytes_at_all(body: bytes, protocol: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.getbasetemp()
    for start in (bytes([0x80, protocol]), b"", bytes([0x80, protocol]) + b"}("):
        try_open(folder / "bytes.pdparams", start + body)
    try_open(folder / "bytes.safetensors", body)
    try_open(folder / "model.safetensors.index.json", body)


def test_bits_of_real_files(shared_data: Path, tmp_path: Path) -> None:
    """Any bit of the real files, at random places: never another exception."""
    chance = random.Random(0)
    for path in sorted((shared_data / "checkpoints").glob("*/model*.*ams"))[:30]:
        data = path.read_bytes()
        for _ in range(12):
            at = chance.randrange(len(data)) if chance.random() < 0.5 else chance.randrange(min(len(data), 3000))
            try_open(
                tmp_path / "model.pdparams", data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]
            )


@settings(max_examples=300)
@given(body=st.binary(min_size=1, max_size=40) | st.text(min_size=1, max_size=20).map(str.encode))
def test_text_counts_as_bytes_exactly_when_python_can_decode_it(body: bytes) -> None:
    try:
        expected: int | None = len(body.decode("utf-8").encode("latin1"))
    except UnicodeError:
        expected = None
    assert count_latin1(mapped(body), 0, len(body)) == expected


def test_numbered_has_no_two_equal_numbers() -> None:
    assert len(set(numbered(3, 5).ravel().tolist())) == 15
