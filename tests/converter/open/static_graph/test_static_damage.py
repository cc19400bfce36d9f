"""Whatever happens to a static graph's files on their way: the same tensors, or a refusal. Never a wrong tensor.

The danger of a combined file is its names: they are in another file and decide which numbers belong to which tensor.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from converter.common.errors import Paddle2TorchError
from converter.files.tensors import TensorSet
from converter.open.dispatch import open_weights
from tests.support.pickles import numbered
from tests.support.streams import (
    HIDDEN,
    automatic,
    combined,
    fill,
    info,
    official,
    official_shapes,
    pir,
    program_desc,
    stream,
    under_keys,
    write_variables,
)

Files = dict[str, bytes]
State = dict[str, np.ndarray]


def official_case(write: Callable[[State], bytes] | None, program: str) -> tuple[Files, State]:
    state = official(2)
    return {"x.pdiparams": combined(state), **({program: write(state)} if write else {})}, under_keys(state)


def automatic_case(write: Callable[[State], bytes] | None, program: str, table: bool) -> tuple[Files, State]:
    state, expected = automatic(2, starts=(0, 1, 3))
    files = {"x.pdiparams": combined(state), **({program: write(state)} if write else {})}
    return {**files, **({"x.pdiparams.info": info(dict(zip(state, expected)))} if table else {})}, expected


def extras_case() -> tuple[Files, State]:
    """Weights, extras and a name that nobody knows, many of one shape."""
    extras: dict[str, tuple[int, ...]] = {f"mask_lm_trans_layer_norm_{part}": (HIDDEN,) for part in ("scale", "bias")}
    extras |= {"mask_lm_trans_fc.b_0": (HIDDEN,), "mask_lm_trans_fc.w_0": (HIDDEN, HIDDEN), "crf": (5, 5)}
    state = fill({**official_shapes(1), **extras})
    return {"x.pdiparams": combined(state), "x.json": pir(state)}, under_keys(state)


def masters_case() -> tuple[Files, State]:
    weights = official(1)
    halves = {n: (a.astype("f2") if "layer_norm" not in n else a) for n, a in weights.items()}
    masters = {f"{n}.master": a for n, a in weights.items() if "layer_norm" not in n}
    state = {**halves, **masters}
    return {"x.pdiparams": combined(state), "x.json": pir(state)}, under_keys(weights)


CASES: dict[str, Callable[[], tuple[Files, State]]] = {
    "official, PIR": lambda: official_case(pir, "x.json"),
    "official, ProgramDesc": lambda: official_case(program_desc, "x.pdmodel"),
    "official, bare": lambda: official_case(None, ""),
    "automatic, PIR": lambda: automatic_case(pir, "x.json", False),
    "automatic, ProgramDesc": lambda: automatic_case(program_desc, "x.pdmodel", False),
    "automatic, ProgramDesc and table": lambda: automatic_case(program_desc, "x.pdmodel", True),
    "automatic, table": lambda: automatic_case(None, "", True),
    "extras": extras_case,
    "masters": masters_case,
}


def try_open(folder: Path, files: Files) -> TensorSet | None:
    """The tensors, or None for a refusal; any other exception fails the test."""
    for name, data in files.items():
        (folder / name).unlink(missing_ok=True)  # a map of the old bytes may still be open
        (folder / name).write_bytes(data)
    try:
        return open_weights(folder / "x.pdiparams")
    except Paddle2TorchError as error:
        assert error.problems and all(problem.code[:2] in ("E0", "E1", "E3") for problem in error.problems)
        assert "\n" not in "".join(problem.text for problem in error.problems)
        return None


def assert_equal_where_named(opened: TensorSet, expected: State) -> None:
    """A changed key is the plan's to refuse; what has its old key must have its old numbers."""
    for name, array in expected.items():
        if name in opened.tensors:
            found = opened.tensors[name].read()
            assert (found.shape, found.dtype, found.tobytes()) == (array.shape, array.dtype, array.tobytes()), name
    for name, tensor in opened.extras.items():
        if name in expected:
            assert tensor.read().tobytes() == expected[name].tobytes(), name


def data_bytes(data: bytes, arrays: Iterable[np.ndarray]) -> set[int]:
    """Where the numbers themselves lie."""
    free: set[int] = set()
    for array in arrays:
        at = data.find(stream(array)) + len(stream(array)) - array.nbytes
        free |= set(range(at, at + array.nbytes))
    return free


@pytest.mark.parametrize("case", CASES)
def test_a_flipped_bit_outside_the_numbers_moves_no_tensor(case: str, tmp_path: Path) -> None:
    files, expected = CASES[case]()
    opened = try_open(tmp_path, files)
    assert opened is not None
    assert_equal_where_named(opened, expected)
    assert {*expected} == {*opened.tensors, *opened.extras}
    stored = [tensor.read() for tensor in (*opened.tensors.values(), *opened.extras.values())]
    refused = 0
    for name, data in files.items():
        free = data_bytes(data, stored) if name == "x.pdiparams" else set()
        places = [(at, bit) for at in range(len(data)) if at not in free for bit in range(8)]
        for at, bit in random.Random(5).sample(places, min(len(places), FLIPS)):
            flipped = data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]
            opened = try_open(tmp_path, {name: flipped})
            if opened is not None:
                assert_equal_where_named(opened, expected)
            refused += opened is None
        try_open(tmp_path, {name: data})
    assert refused > FLIPS / 4


#: Of each file; every flip of every case was tried once, 364,480 of them, and `make fuzz` goes on with others.
FLIPS = 120
#: Places of each kind that get another letter.
PLACES = 30


@pytest.mark.parametrize("case", CASES)
def test_a_letter_of_a_name_moves_no_tensor(case: str, tmp_path: Path) -> None:
    """Names are what decides: every one gets other letters and digits in a place, in the file that names it."""
    files, expected = CASES[case]()
    program = next((name for name in files if name != "x.pdiparams"), None)
    if program is None:
        return
    try_open(tmp_path, files)
    random_ = random.Random(11)
    data = files[program]
    for marker in (b"_", b"."):
        places = [at for at in range(1, len(data) - 1) if data[at : at + 1] == marker]
        for at in random_.sample(places, min(PLACES, len(places))):
            for letter in (b"0", b"9", b"a", b"z"):
                changed = data[: at + 1] + letter + data[at + 2 :]
                opened = try_open(tmp_path, {program: changed})
                if opened is not None:
                    assert_equal_where_named(opened, expected)


@settings(max_examples=150)
@given(data=st.data())
def test_a_cut_file_is_refused(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    case = data.draw(st.sampled_from(sorted(CASES)))
    files, expected = CASES[case]()
    name = data.draw(st.sampled_from(sorted(files)))
    folder = tmp_path_factory.mktemp("cut")
    cut = files[name][: data.draw(st.integers(0, len(files[name]) - 1))]
    opened = try_open(folder, {**files, name: cut})
    assert opened is None or name != "x.pdiparams"
    if opened is not None:
        assert_equal_where_named(opened, expected)


@settings(max_examples=150)
@given(data=st.data())
def test_a_spliced_file_loads_equal_or_is_refused(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Bytes in, bytes out, at any place of any file but among the numbers."""
    case = data.draw(st.sampled_from([name for name in sorted(CASES) if "bare" not in name]))
    files, expected = CASES[case]()
    name = data.draw(st.sampled_from(sorted(set(files) - {"x.pdiparams"})))
    at, length = data.draw(st.integers(0, len(files[name]))), data.draw(st.integers(0, 12))
    changed = files[name][:at] + data.draw(st.binary(max_size=12)) + files[name][at + length :]
    opened = try_open(tmp_path_factory.mktemp("splice"), {**files, name: changed})
    if opened is not None:
        assert_equal_where_named(opened, expected)


@settings(max_examples=100)
@given(data=st.data())
def test_a_damaged_variable_is_refused_or_reads_the_same(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("variables")
    state = official(1)
    write_variables(folder, state)
    name = data.draw(st.sampled_from(sorted(state)))
    whole = (folder / name).read_bytes()
    head = len(whole) - state[name].nbytes
    if data.draw(st.booleans()):
        at, bit = data.draw(st.integers(0, head - 1)), data.draw(st.integers(0, 7))
        changed = whole[:at] + bytes([whole[at] ^ 1 << bit]) + whole[at + 1 :]
    else:
        changed = whole[: data.draw(st.integers(0, len(whole) - 1))]
    (folder / name).unlink()
    (folder / name).write_bytes(changed)
    with pytest.raises(Paddle2TorchError, match=name.replace(".", "[.]")):
        open_weights(folder)


def test_a_program_that_names_a_tensor_twice_cannot_shift_the_rest(tmp_path: Path) -> None:
    state: dict[str, Any] = {"a": numbered(2), "b": numbered(2)}
    files = {"x.pdiparams": combined(state), "x.json": pir(state).replace(b'"b"', b'"a"')}
    assert try_open(tmp_path, files) is None
