"""Convert and verify many checkpoints on Ray, on one machine or a cluster.

    pip install ray
    python fleet_ray.py checkpoints.txt converted --cpus 2 --memory 7
    python fleet_ray.py checkpoints.txt /shared/converted --address auto      a cluster that is running

checkpoints.txt has a SOURCE in each line (a folder, a name, a Hub id) and, where it should not be the last part of
SOURCE, a tab and the name of its folder. On a cluster all folders must be on a disk that every machine has, and every
machine needs the command `paddle2torch` and, without --static-only, Paddle (`paddle2torch reference install`).

Each checkpoint is one task. Its folder appears only when it is complete, so the same command goes on after an
interruption: what is converted is not converted again, and what has passed (summary.json) is not verified again.

Exit code 0: every folder is the same model as its checkpoint. 1: at least one is not. 2: at least one could not be
converted or verified, or the list cannot be used.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

PASSED, DIFFERENT, STOPPED = "passed", "not the same", "stopped"
#: Of a server or a network that may answer later (docs/errors.md).
_WORTH_ANOTHER_TRY = {"E703", "E710"}


@dataclass(frozen=True)
class Job:
    """One checkpoint: what is converted, and into which folder."""

    source: str
    output: str


@dataclass(frozen=True)
class Settings:
    """How each checkpoint is converted and verified."""

    command: tuple[str, ...]
    convert_options: tuple[str, ...]
    verify_options: tuple[str, ...]
    cpus: int
    attempts: int


@dataclass(frozen=True)
class Outcome:
    """What became of one checkpoint: PASSED, DIFFERENT or STOPPED, and why."""

    source: str
    output: str
    verdict: str
    seconds: float
    attempts: int
    reason: str = ""


class Failure(Exception):
    """A command ended with an error; `temporary` where another attempt may succeed."""

    def __init__(self, reason: str, temporary: bool) -> None:
        super().__init__(reason)
        self.temporary = temporary


def read_jobs(path: Path, folder: Path) -> list[Job]:
    """The checkpoints of a list. Raises ValueError for two that would share a folder and for names that lead out."""
    jobs: dict[str, Job] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        source, _, name = (part.strip() for part in line.partition("\t"))
        name = name or Path(source).name
        if name in ("", ".", "..") or "/" in name:
            raise ValueError(f"{path}, line {number}: {name!r} is not the name of a folder; add one after a tab")
        if name in jobs:
            raise ValueError(
                f"{path}, line {number}: {jobs[name].source} has the folder {name} too; add a name after a tab"
            )
        here = Path(source).expanduser()
        jobs[name] = Job(str(here.resolve()) if here.exists() else source, str(folder.resolve() / name))
    return list(jobs.values())


def process(job: Job, settings: Settings) -> Outcome:
    """Convert and verify one checkpoint, in processes of their own; tried again where that may help."""
    start, attempt = time.monotonic(), 0
    while True:
        attempt += 1
        try:
            verdict, reason = convert_and_verify(job, settings)
        except Failure as error:
            if error.temporary and attempt < settings.attempts:
                time.sleep(min(2.0**attempt, 60))
                continue
            verdict, reason = STOPPED, str(error)
        return Outcome(job.source, job.output, verdict, round(time.monotonic() - start, 1), attempt, reason)


def convert_and_verify(job: Job, settings: Settings) -> tuple[str, str]:
    """The verdict about a folder, which is made unless it is there. Raises Failure."""
    if not (Path(job.output) / "paddle2torch.json").exists():
        run(["convert", job.source, job.output, *settings.convert_options], settings)
    code, answer = run(["verify", job.source, job.output, *settings.verify_options], settings)
    if code == 0:
        return PASSED, ""
    return DIFFERENT, "; ".join(f"{problem['code']}: {problem['text']}" for problem in answer["problems"][:1])


def run(words: list[str], settings: Settings) -> tuple[int, dict]:
    """The exit code (0 or 1) and the JSON of a command. Raises Failure for any other code, and for a signal."""
    environment = {**os.environ, "OMP_NUM_THREADS": str(settings.cpus), "TOKENIZERS_PARALLELISM": "false"}
    command = [*settings.command, *words, "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode < 0:  # Killed, for its memory perhaps.
        raise Failure(f"{words[0]} was ended by signal {-done.returncode}", temporary=True)
    try:
        answer = json.loads(done.stdout)
    except ValueError:
        raise Failure(f"{words[0]} printed no JSON: {done.stderr[-300:]}", temporary=False) from None
    if "error" in answer:
        problem = answer["error"][0]
        raise Failure(f"{problem['code']}: {problem['message']}", problem["code"] in _WORTH_ANOTHER_TRY)
    return done.returncode, answer


def run_on_ray(jobs: list[Job], settings: Settings, needs: dict[str, float], address: str | None) -> Iterator[Outcome]:
    """The outcomes, as they come. `needs` are the CPUs and the bytes of memory of one task. A task whose machine or
    process is lost is started again by Ray. Raises ValueError where no machine is large enough."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # Nothing is reported to anybody.
    import ray

    ray.init(address=address, **({} if address else {"include_dashboard": False}))
    try:
        machines = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        if not any(node.get("CPU", 0) >= needs["num_cpus"] and node["memory"] >= needs["memory"] for node in machines):
            raise ValueError(
                f"no machine has {needs['num_cpus']} CPUs and {needs['memory'] / 1e9:.1f} GB: --cpus, --memory"
            )
        task = ray.remote(process).options(**needs, max_retries=settings.attempts - 1)
        waiting = {task.remote(job, settings): job for job in jobs}
        while waiting:
            (done,), _ = ray.wait(list(waiting))
            job = waiting.pop(done)
            try:
                yield ray.get(done)
            except ray.exceptions.RayError as error:
                yield Outcome(job.source, job.output, STOPPED, 0.0, settings.attempts, str(error).splitlines()[0])
    finally:
        ray.shutdown()


def summary(outcomes: list[Outcome]) -> str:
    """A table of all checkpoints, those that passed last, and a line of counts."""
    order = {STOPPED: 0, DIFFERENT: 1, PASSED: 2}
    rows = [("verdict", "seconds", "tries", "folder", "reason")]
    for outcome in sorted(outcomes, key=lambda found: (order[found.verdict], found.output)):
        rows.append(
            (
                outcome.verdict,
                f"{outcome.seconds:.1f}",
                str(outcome.attempts),
                Path(outcome.output).name,
                outcome.reason,
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = ["  ".join([*(cell.ljust(width) for cell, width in zip(row, widths)), row[4]]).rstrip() for row in rows]
    counts = ", ".join(
        f"{sum(found.verdict == name for found in outcomes)} {name}" for name in (PASSED, DIFFERENT, STOPPED)
    )
    return "\n".join([*lines, "", f"{len(outcomes)} checkpoints: {counts}"])


def read_arguments(words: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("checkpoints", type=Path, help="a file with a SOURCE in each line")
    add("folder", type=Path, help="where the converted folders go, and summary.json")
    add("--address", help="of a Ray cluster (`auto`, `ray://HOST:10001`); without it Ray starts on this machine")
    add("--cpus", type=int, default=2, help="cores of one task; as many tasks run at a time as fit (2)")
    add("--memory", type=float, default=7.0, help="GB of one task: 7 for a base ERNIE-M, 13 for a large one (7)")
    add("--attempts", type=int, default=3, help="for lost machines, killed processes and networks (3)")
    add(
        "--convert",
        nargs="*",
        default=[],
        metavar="WORD",
        help="options of `convert`, without their dashes: dtype=float16",
    )
    add("--static-only", action="store_true", help="compare the bytes of the weights alone: no Paddle, no torch")
    add("--paddle-python", help="a Python that has Paddle, on every machine")
    add("--command", default="paddle2torch", help="the command on every machine (paddle2torch)")
    return parser.parse_args(words)


def main() -> int:
    """Run all checkpoints; 0, 1 or 2 as described above."""
    try:
        return run_all(read_arguments())
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def run_all(arguments: argparse.Namespace) -> int:
    """The exit code. Prints a line for each checkpoint, then the table."""
    jobs = read_jobs(arguments.checkpoints, arguments.folder)
    arguments.folder.mkdir(parents=True, exist_ok=True)
    verify_options = ["--static-only"] if arguments.static_only else []
    verify_options += ["--paddle-python", arguments.paddle_python] if arguments.paddle_python else []
    settings = Settings(
        command=tuple(arguments.command.split()),
        convert_options=tuple(f"--{word}" for word in arguments.convert),
        verify_options=tuple(verify_options),
        cpus=arguments.cpus,
        attempts=arguments.attempts,
    )
    kept = arguments.folder / "summary.json"
    outcomes = passed_earlier(kept, jobs)
    done = {outcome.output for outcome in outcomes}
    needs = {"num_cpus": arguments.cpus, "memory": arguments.memory * 1e9}
    for outcome in run_on_ray([job for job in jobs if job.output not in done], settings, needs, arguments.address):
        outcomes.append(outcome)
        write_whole(kept, json.dumps([asdict(outcome) for outcome in outcomes], indent=1))
        counted = f"{len(outcomes)} of {len(jobs)}"
        print(f"{counted}: {Path(outcome.output).name}: {outcome.verdict}", file=sys.stderr, flush=True)
    print(summary(outcomes))
    verdicts = {outcome.verdict for outcome in outcomes}
    return 2 if STOPPED in verdicts else 1 if DIFFERENT in verdicts else 0


def passed_earlier(path: Path, jobs: list[Job]) -> list[Outcome]:
    """What an earlier run has in its summary.json: the same checkpoint in the same folder, which is still there."""
    if not path.exists():
        return []
    earlier = [Outcome(**fields) for fields in json.loads(path.read_text(encoding="utf-8"))]
    same = {(job.source, job.output) for job in jobs}
    passed = [outcome for outcome in earlier if outcome.verdict == PASSED and Path(outcome.output).is_dir()]
    return [replace(found, reason="verified earlier") for found in passed if (found.source, found.output) in same]


def write_whole(path: Path, text: str) -> None:
    """Replace a file at once, so that nobody reads half of it."""
    partial = path.with_name(f".{path.name}.partial")
    partial.write_text(text + "\n", encoding="utf-8")
    partial.replace(path)


if __name__ == "__main__":
    sys.exit(main())
