"""Small inputs, small costs: work grows no faster than the input, and the largest of each kind takes seconds and little
memory, whether it is converted or refused. What is said of it stays short."""

from __future__ import annotations

import json
import subprocess
import sys
import warnings
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from converter import convert
from converter.common.errors import FileError, Paddle2TorchError
from converter.files.tensors import SourceTensor
from converter.open.bounds import MOST_NAMES, MOST_TENSORS, NameCount
from converter.open.dispatch import open_weights
from converter.plan.sharing import check_sharing
from tests.support.checkpoints import make_state, write_folder
from tests.support.costly_inputs import KINDS

#: CPU seconds and bytes that the largest input of a kind may take; the first versions took minutes or gigabytes.
SECONDS, MEGABYTES = 60, 300
SAID = 12_000

RUN = f"""
import json, resource, sys
from converter import convert
from converter.common.errors import Paddle2TorchError
import safetensors, numpy, huggingface_hub
resource.setrlimit(resource.RLIMIT_CPU, ({SECONDS}, {SECONDS}))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
try:
    said = convert(sys.argv[1], sys.argv[1] + ".out").warnings
except Paddle2TorchError as error:
    said = [problem.text for problem in error.problems]
taken = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
print(json.dumps([taken >> 10, sum(map(len, said))]))
"""


@pytest.mark.parametrize("kind", KINDS)
def test_the_largest_of_each_kind_takes_seconds_and_little_memory(kind: str, tmp_path: Path) -> None:
    make, count = KINDS[kind]
    source = make(tmp_path / "in", count)
    command = [sys.executable, "-c", RUN, str(source)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stderr[-1000:]
    megabytes, characters = json.loads(done.stdout)
    assert megabytes < MEGABYTES and characters < SAID


def count_calls(source: Path) -> int:
    """Calls of functions, in Python and in C, that a conversion makes."""
    calls = 0

    def count(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        convert(source, source.parent / "out", dry_run=True)
    except Paddle2TorchError:
        pass
    finally:
        sys.setprofile(before)
    return calls


@pytest.mark.parametrize("kind", KINDS)
def test_the_work_grows_no_faster_than_the_input(kind: str, tmp_path: Path) -> None:
    make, most = KINDS[kind]
    count = min(150, most // 50) or 1  # over a hundred layers names are counted, and no longer listed
    calls = []
    for number, size in enumerate((count, count, 2 * count, 4 * count)):  # The first time fills what is kept.
        calls.append(count_calls(make(tmp_path / str(number) / "in", size)))
    _, one, two, four = calls
    assert four - two <= 2.3 * (two - one) + 2000


def test_more_tensors_or_longer_names_than_any_checkpoint_has_are_refused() -> None:
    count = NameCount("x.json")
    count.add("n" * 10 for _ in range(MOST_TENSORS))
    with pytest.raises(FileError, match="E312.*more than 40,000 tensors"):
        count.add(["one more"])
    with pytest.raises(FileError, match="E312.*longer than 8 MiB"):
        NameCount("x.json").add(["n" * MOST_NAMES, "n"])


def test_names_of_a_pickle_are_bounded_together_and_each_is_kept_once(tmp_path: Path) -> None:
    from converter.open.pickle.values import Names

    names = Names()
    first = "".join(["a", "b"])
    assert names.keep(first) is first and names.keep("".join(["a", "b"])) is first and names.keep(7) == 7
    for number in range(2100):  # the same again costs nothing
        names.keep("n" * 4000 if number % 2 else "m" * 4000)
    state = make_state()
    long = {f"{number:04}{'n' * 4000}": next(iter(state.values())) for number in range(2200)}
    with pytest.raises(FileError, match="E312"):
        open_weights(write_folder(tmp_path / "in", {**state, **long}))


class Run:
    def __init__(self, owner: str, start: int, end: int) -> None:
        self.place = owner, start, end


def tensors(*places: tuple[str, int, int]) -> list[SourceTensor]:
    return [SourceTensor("t", (1,), "float32", "f", (Run(*place),)) for place in places]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("places", "refused"),
    [
        ([("a", 0, 100 << 20)] * 4, False),
        ([("a", 0, 100 << 20)] * 5, True),
        ([("a", 0, 1 << 20)] * 60, False),
        ([("a", 0, 1 << 20)] * 80, True),
        ([("a", number, number + (100 << 20)) for number in range(8)], True),
        ([("a", number * 100 << 20, (number + 1) * 100 << 20) for number in range(50)], False),
        ([(str(number), 0, 100 << 20) for number in range(50)], False),
        ([], False),
    ],
    ids=["tied", "five times", "small", "many small", "overlapping", "apart", "other files", "none"],
)
def test_bytes_that_stand_under_many_names_are_bounded_and_tied_weights_are_not(
    places: list[tuple[str, int, int]], refused: bool
) -> None:
    problems = check_sharing(tensors(*places), "f")
    assert [problem.code for problem in problems] == ["E314"] * refused


def test_a_tied_weight_of_any_reader_has_one_place(tmp_path: Path) -> None:
    state = make_state()
    name, array = next(iter(state.items()))
    found = open_weights(write_folder(tmp_path / "in", {**state, "tied": array})).tensors
    assert found["tied"].runs[0].place == found[name].runs[0].place
    assert len({tensor.runs[0].place for tensor in found.values()}) == len(state)
    torch = pytest.importorskip("torch")
    tied = torch.arange(6.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.save({"a": tied, "b": tied, "c": torch.zeros(2)}, tmp_path / "pytorch_model.bin")
    found = open_weights(tmp_path / "pytorch_model.bin").tensors
    assert found["a"].runs[0].place == found["b"].runs[0].place != found["c"].runs[0].place
