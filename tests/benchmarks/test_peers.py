"""The subjects: what each compares in a quick run and in a full one."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import pytest

from benchmarks import bench
from benchmarks.contest import PADDLE, PRODUCT, PROGRAMS, TRANSFORMERS4, Contest
from benchmarks.peers import convert, model, tokenizer, verify


@pytest.fixture(autouse=True)
def inputs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Inputs that cost nothing."""
    source = tmp_path / "source"
    source.mkdir()
    (source / "model_state.pdparams").write_bytes(b"x" * 1000)
    monkeypatch.setattr(convert, "make_source", lambda *_: source)
    monkeypatch.setattr(convert, "make_relative", lambda *_: source)
    monkeypatch.setattr(tokenizer, "make_inputs", lambda *_: ("folder", "texts"))
    monkeypatch.setattr(verify, "make_inputs", lambda *_: (source, tmp_path / "converted"))


def listed(name: str, full: bool) -> list[Contest]:
    return list(bench.load(name).contests(Path("place"), full))


@pytest.mark.parametrize("name", bench.SUBJECTS)
def test_a_subject_is_whole(name: str) -> None:
    subject: ModuleType = bench.load(name)
    assert subject.TITLE and subject.NOTE and subject.ACROSS and set(subject.PLOTTED) <= bench.PLOTS.keys()
    quick, full = listed(name, False), listed(name, True)
    assert {contest.key for contest in quick} <= {contest.key for contest in full}
    assert len({contest.key for contest in full}) == len(full) > 1
    for contest in full:
        names = [each.name for each in contest.contenders]
        assert len(set(names)) == len(names) and contest.contenders[0].environment == PRODUCT
        for each in contest.contenders:
            assert each.environment in ("", PRODUCT, PADDLE, TRANSFORMERS4)
            assert all(Path(word).is_file() for word in each.words if word.startswith(str(PROGRAMS)))
            assert each.task is None or isinstance(json.loads(each.task), dict)
    places = [contest.across for contest in full if contest.across is not None]
    assert name in ("convert", "verify") or len(set(places)) == len(places) > 1


def test_the_model_does_both_steps_on_every_shape_with_one_and_two_threads() -> None:
    found = {contest.key: contest for contest in listed("model", True)}
    for work in ("forward", "training"):
        for threads in ("1 thread", "2 threads"):
            for batch in (1, 8, 32):
                for length in (32, 128, 512):
                    contest = found.pop(f"{work}, {threads}: {batch} x {length}")
                    assert [each.name for each in contest.contenders] == [model.NAMES[name] for name in model.WHOLE]
    padded = [contest for key, contest in found.items() if "padded" in key]
    assert len(padded) == 2 * len(model.PADDED_SHAPES) and len(found) == len(padded) + 1
    assert all('"padded": true' in str(each.task) for contest in padded for each in contest.contenders)


def test_processes_of_other_threads_end_before_the_next_ones_start() -> None:
    threads = [each.words[-1] for contest in listed("model", True) for each in contest.contenders]
    assert threads == sorted(threads)


def test_what_takes_minutes_has_few_rounds() -> None:
    rounds = {contest.key: (contest.rounds, contest.warm) for contest in listed("model", True)}
    assert rounds["training, 1 thread: 32 x 512"] == (1, False)
    assert rounds["training, 1 thread: 8 x 512"] == (1, False)
    assert rounds["training, 1 thread: 8 x 128"] == (None, True)


def test_a_trace_is_recorded_before_it_is_read() -> None:
    for contest in listed("verify", True):
        live, traced, static, public = contest.contenders
        assert live.words[live.words.index("--record") + 1] == traced.words[traced.words.index("--trace") + 1]
        assert "--static-only" in static.words and public.words[0].endswith("public_check.py")


def test_calls_of_the_tokenizer_are_those_of_the_table() -> None:
    tasks = {contest.key: json.loads(str(contest.contenders[0].task)) for contest in listed("tokenizer", True)[:-1]}
    assert tasks["plain calls: one text a call"] == {"batch": 1, "options": {}}
    assert tasks["options: one pair a call, with types"]["batch"] == 0
    assert tasks["offsets: batches of 256"]["options"] == {"return_offsets_mapping": True}
    assert [contest.across for contest in listed("tokenizer", True)][: len(tokenizer.BATCHES)] == [*tokenizer.BATCHES]
