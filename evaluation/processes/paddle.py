"""Paddle's answers to a job from several processes, each of which loads SOURCE."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from converter.common.errors import Problem, ReferenceFailure
from converter.common.progress import OnProgress, Progress
from evaluation.processes.counted import OneLine
from evaluation.processes.parts import Part, merge_answers, merge_texts, split_job, split_texts
from evaluation.processes.resources import THREADS, describe_processes, paddle_threads
from verify.protocol.checked_file import read_checked, write_checked
from verify.protocol.evaluation_job import ANSWERS, JOB, Job, job_of
from verify.protocol.request import Request
from verify.reference.bundle_recorder import RECORDER, bundle_recorder
from verify.reference.find import check_recorded, does_not_run, record_trace, recorder_command
from verify.reference.subprocess_runner import run_together

if TYPE_CHECKING:
    import numpy as np

#: Of the head of a file of answers: what belongs to a part alone.
_OF_PART = ("job", "arrays", "tokenizer_problem")


def record_answers(interpreter: Path, request: Request, processes: int, folder: Path, on_progress: OnProgress) -> Path:
    """The file of Paddle's answers to the request's job. `folder` is an empty one. Raises ReferenceFailure."""
    job, texts = _read_job(request)
    parts = split_job(job, request.batch_size, processes)
    if len(parts) == 1:
        return record_trace(interpreter, request, folder, on_progress)
    script, threads = folder / RECORDER, paddle_threads(len(parts))
    script.write_bytes(bundle_recorder())
    folders = [folder / str(number) for number in range(len(parts))]
    commands = []
    for each, part, share in zip(folders, parts, split_texts(texts, len(parts))):
        each.mkdir()
        write_checked(str(each / "job"), JOB, {**part.job.arrays(), **share}, part.job.head())
        asked = replace(request, job=str(each / "job"), output=str(each / "answers"))
        commands.append(recorder_command(interpreter, script, asked, each, **{THREADS: str(threads)}))
    on_progress(Progress("starting Paddle", describe_processes(len(parts), threads)))
    line = OneLine(parts, request.batch_size, ["Paddle"], on_progress)
    try:
        run_together(commands, line.hear, lambda n, ended: check_recorded(interpreter, folders[n] / "answers", ended))
    except OSError as error:
        raise does_not_run(interpreter, error) from error
    merge_files([each / "answers" for each in folders], folder / "answers.safetensors", job, parts)
    return folder / "answers.safetensors"


def _read_job(request: Request) -> tuple[Job, Mapping[str, np.ndarray]]:
    assert request.job is not None
    head, arrays = read_checked(request.job, JOB)
    return job_of(head, arrays), arrays


def merge_files(paths: Sequence[Path], path: Path, job: Job, parts: Sequence[Part]) -> None:
    """Write the files of the parts' answers as the one file of the whole job's. Raises ReferenceFailure when the
    processes loaded different checkpoints."""
    heads, arrays = zip(*(read_checked(str(each), ANSWERS) for each in paths))
    first = {name: value for name, value in heads[0].items() if name not in _OF_PART}
    if any(head.get(name) != value for head in heads for name, value in first.items()):
        raise ReferenceFailure(Problem("E603", "SOURCE changed while the processes of Paddle's side loaded it"))
    problem = next((head["tokenizer_problem"] for head in heads if head["tokenizer_problem"]), None)
    tokens = {} if problem else merge_texts(arrays)
    head = {**first, "job": job.digest(), "tokenizer_problem": problem}
    write_checked(str(path), ANSWERS, {**merge_answers(job, parts, arrays), **tokens}, head)
