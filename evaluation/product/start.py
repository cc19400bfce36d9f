"""Start the process that runs OUTPUT, or several, so that its code cannot affect the caller, and take what it
answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from converter.common.progress import OnProgress, Progress
from evaluation.options import Options
from evaluation.prepared import Prepared
from evaluation.processes.counted import OneLine
from evaluation.processes.parts import Part, merge_answers, split_job
from evaluation.processes.resources import THREADS, describe_processes, torch_threads
from evaluation.product.requests import Asked
from verify.numbers.pytorch_process import Start, pytorch_command, start_process
from verify.protocol.checked_file import read_checked, write_checked
from verify.protocol.evaluation_job import ANSWERS, JOB, Job
from verify.reference.subprocess_runner import Ended, run_together
from verify.results.as_json import from_json

ENTRY = "evaluation.product.entry"


@dataclass(frozen=True)
class Product:
    """OUTPUT and how its process is started; `folder` is for what goes between the processes."""

    output: Path
    family: str
    folder: Path
    on_progress: OnProgress
    start: Start | None = None

    def prepare(self, data: Path, options: Options, with_texts: bool) -> tuple[Path, Prepared]:
        """The job's file and what the scorer needs. `with_texts`: the file has the texts too, with OUTPUT's tokens.
        Raises DataError, FileError's problems among them."""
        job = self.folder / "job.safetensors"
        found = self._ask(
            "prepare", data=str(data.absolute()), options=asdict(options), job=str(job), with_texts=with_texts
        )
        return job, from_json(Prepared, found["prepared"])

    def answer(self, jobs: Mapping[str, Job], options: Options) -> tuple[list[Path], dict[str, Any]]:
        """The files of OUTPUT's answers to jobs about the same texts, and versions. The keys are what a job is called
        while it runs. Raises DataError when OUTPUT does not load, ReferenceFailure when its process fails."""
        parts = [split_job(job, options.batch_size, options.processes) for job in jobs.values()]
        if len(parts[0]) > 1:
            return self._answer_parts(jobs, parts, options)
        asked = _write_jobs(self.folder, jobs)
        found = self._ask("answer", jobs=asked, options=asdict(options), number=0)
        return [Path(each["answers"]) for each in asked], found["environment"]

    def _answer_parts(
        self, jobs: Mapping[str, Job], parts: Sequence[Sequence[Part]], options: Options
    ) -> tuple[list[Path], dict[str, Any]]:
        """The same from a process for each part. `parts`: of each job."""
        count, threads = len(parts[0]), torch_threads(len(parts[0]))
        asked = [Asked("answer", self.output, self.family, self.folder / f"torch_{n}") for n in range(count)]
        commands = []
        for number, (one, of_process) in enumerate(zip(asked, zip(*parts))):
            one.folder.mkdir()
            written = _write_jobs(one.folder, {who: part.job for who, part in zip(jobs, of_process)})
            request = one.write(jobs=written, options=asdict(options), number=number)
            commands.append(pytorch_command(request, one.folder, ENTRY, **{THREADS: str(threads)}))
        found: dict[int, dict[str, Any]] = {}

        def check(number: int, ended: Ended) -> None:
            found[number] = asked[number].answer(ended)

        self.on_progress(Progress("starting PyTorch", describe_processes(count, threads)))
        line = OneLine(parts[0], options.batch_size, list(jobs), self.on_progress)
        run_together(commands, line.hear, check)
        merged = [
            self._merge(job, of_job, [_answers(one.folder, number) for one in asked])
            for number, (job, of_job) in enumerate(zip(jobs.values(), parts))
        ]
        return merged, found[0]["environment"]

    def _merge(self, job: Job, parts: Sequence[Part], paths: Sequence[Path]) -> Path:
        """One file of the answers to a job's parts."""
        merged = merge_answers(job, parts, (read_checked(str(path), ANSWERS)[1] for path in paths))
        path = self.folder / paths[0].name
        write_checked(str(path), ANSWERS, merged, {"job": job.digest()})
        return path

    def _ask(self, action: str, **more: Any) -> dict[str, Any]:
        asked = Asked(action, self.output, self.family, self.folder)
        start = self.start or partial(start_process, entry=ENTRY)
        return asked.answer(start(asked.write(**more), self.folder, self.on_progress))


def _write_jobs(folder: Path, jobs: Mapping[str, Job]) -> list[dict[str, str]]:
    """Jobs as files, and where their answers are to be."""
    asked = []
    for number, (who, job) in enumerate(jobs.items()):
        path = str(folder / f"job_{number}.safetensors")
        write_checked(path, JOB, job.arrays(), job.head())
        asked.append({"job": path, "answers": str(_answers(folder, number)), "who": who})
    return asked


def _answers(folder: Path, number: int) -> Path:
    return folder / f"torch_answers_{number}.safetensors"
