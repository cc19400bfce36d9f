"""How contenders are run: in turn, with rounds that count, in processes that stay or not."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import contest, watching
from benchmarks.contest import OUTPUT, Contender, Contest, hold
from benchmarks.staying import Staying

#: A program that stays: it notes its number and the task, and says that both took 2 s.
STAYS = """
import os, sys
for line in sys.stdin:
    with open(sys.argv[1], "a") as file:
        print(os.getpid(), line.strip(), file=file)
    if line.strip() == "fail":
        raise SystemExit("a reason")
    print('{"seconds": 2, "cpu_seconds": 3}', flush=True)
"""


@pytest.fixture
def staying() -> Iterator[Staying]:
    with Staying() as found:
        yield found


def shell(name: str, script: str, *words: object) -> Contender:
    return Contender(name, "", ("sh", "-c", script, *map(str, words)))


def stays(name: str, log: Path, task: str) -> Contender:
    return Contender(name, "", (sys.executable, "-c", STAYS, str(log)), task)


def test_the_round_that_warms_up_does_not_count(tmp_path: Path, staying: Staying) -> None:
    number = shell("one", """echo x >> "$0"; echo "{\\"seconds\\": $(wc -l < "$0")}\"""", tmp_path / "log")
    found = hold(Contest("some", None, (number,)), tmp_path, 2, staying)
    assert found["contenders"]["one"]["seconds"] == [2.5, 2, 3]


def test_contenders_take_turns_back_and_forth_behind_a_round_that_warms_up(tmp_path: Path, staying: Staying) -> None:
    log = tmp_path / "log"
    one, two = (shell(name, 'echo "$0" >> "$1"', name, log) for name in ("one", "two"))
    found = hold(Contest("some", 3.0, (one, two)), tmp_path, 2, staying)
    assert log.read_text().split() == ["one", "two", "two", "one", "one", "two"]
    assert found.keys() == {"across", "contenders"} and found["across"] == 3.0
    assert found["contenders"]["one"]["ratio"] == [1, 1, 1]
    assert 0 < found["contenders"]["one"]["seconds"][1] <= found["contenders"]["one"]["seconds"][2]


def test_a_contest_has_fewer_rounds_and_a_table_where_it_says_so(tmp_path: Path, staying: Staying) -> None:
    log = tmp_path / "log"
    long = Contest("long", None, (shell("one", 'echo x >> "$0"', log),), table="some", rounds=2, warm=False)
    found = hold(long, tmp_path, 5, staying)
    assert log.read_text().split() == ["x"] * 2
    assert (long.key, found["table"], found["rounds"]) == ("some: long", "some", 2)
    assert "rounds" not in hold(long, tmp_path, 1, staying)


def test_what_a_program_measured_of_itself_counts(tmp_path: Path, staying: Staying) -> None:
    ours = shell("ours", """echo words; echo '{"seconds": 2, "cpu_seconds": 4, "own_megabytes": 7}'""")
    peer = shell("peer", """echo '{"seconds": 5}'""")
    found = hold(Contest("some", None, (ours, peer)), tmp_path, 1, staying)["contenders"]
    assert [found["ours"][name][0] for name in ("seconds", "cpu_seconds", "own_megabytes")] == [2, 4, 7]
    assert (found["peer"]["ratio"], found["peer"]["cpu_ratio"]) == ([2.5] * 3, [1.25] * 3)


def test_a_folder_for_what_is_written_is_new_for_each_run(tmp_path: Path, staying: Staying) -> None:
    hold(Contest("some", None, (shell("one", 'mkdir "$0"', OUTPUT),)), tmp_path, 2, staying)
    assert not (tmp_path / "output").exists()


def test_a_contender_that_fails_ends_everything(tmp_path: Path, staying: Staying) -> None:
    with pytest.raises(SystemExit, match=r"broken ended with 3:\nwhy"):
        hold(Contest("some", None, (shell("broken", "echo why; exit 3"),)), tmp_path, 1, staying)


def test_a_process_stays_while_contests_have_it(tmp_path: Path) -> None:
    logs = [tmp_path / "one", tmp_path / "two"]
    both = tuple(stays(log.name, log, "first") for log in logs)
    with Staying() as staying:
        found = hold(Contest("some", None, both), tmp_path, 1, staying)["contenders"]["two"]
        hold(Contest("other", None, (stays("two", logs[1], "second"),)), tmp_path, 1, staying)
        numbers = [line.split()[0] for line in logs[1].read_text().splitlines()]
        assert [line.split()[1] for line in logs[1].read_text().splitlines()] == ["first"] * 2 + ["second"] * 2
        ended = logs[0].read_text().split()[0]
        assert len(set(numbers)) == 1 and is_there(numbers[0]) and not is_there(ended)
    assert not is_there(numbers[0])
    assert (found["seconds"], found["cpu_seconds"]) == ([2] * 3, [3] * 3)
    assert found["own_megabytes"][0] > 1


def test_a_process_that_should_stay_and_ends_is_an_error(tmp_path: Path, staying: Staying) -> None:
    with pytest.raises(SystemExit, match=r"broken ended with 1:\na reason"):
        hold(Contest("some", None, (stays("broken", tmp_path / "log", "fail"),)), tmp_path, 1, staying)


def test_memory_that_a_copy_of_a_process_shares_is_counted_once_and_that_of_another_is_added() -> None:
    copied = """
import os, time
held = os.urandom(1 << 20) * 64
if os.fork() == 0:
    time.sleep(0.4)
    os._exit(0)
os.wait()
"""
    started = f"""
import os, subprocess, sys
held = os.urandom(1 << 20) * 64
subprocess.run([sys.executable, "-c", {copied!r}])
"""
    once, twice = (watching.run_watched([sys.executable, "-c", text]).own_megabytes for text in (copied, started))
    assert 60 < once < 90 and 125 < twice < 180


def test_a_process_without_copies_is_not_asked_for_its_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(watching, "_shares_of_memory")
    command = [sys.executable, "-c", "print(flush=True); input()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline()  # Before that it may be a copy of this one.
        found = watching.memory_of_all(process.pid)
        process.communicate(b"\n")
    assert 0 < found[0] < found[1]


def test_sampling_that_takes_long_is_done_less_often() -> None:
    asked = []

    def measure() -> list[int]:
        time.sleep(0.02)
        asked.append(len(asked))
        return [len(asked) % 3]

    with watching.sampled(measure, 0.001) as peaks:
        time.sleep(0.5)
    assert peaks == [2] and len(asked) < 6


def test_a_process_that_has_ended_has_no_children_and_no_memory() -> None:
    process = subprocess.Popen(["true"])
    process.wait()
    assert watching._family_of(process.pid) == [process.pid]
    assert watching.memory_of_all(process.pid) == [0, 0] and watching.resident_bytes_of_all(process.pid) == 0


def test_programs_find_this_project_and_no_network() -> None:
    found = contest._environment()
    assert (found["PYTHONPATH"], found["HF_HUB_OFFLINE"]) == (str(contest.ROOT), "1")


def is_there(number: str) -> bool:
    return os.path.exists(f"/proc/{number}")
