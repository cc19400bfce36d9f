"""The course of an evaluation: prepare the examples once, ask both models, compare the answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from converter.common.progress import OnProgress, Progress
from converter.files.json_files import read_json
from converter.open.options import SourceOptions
from evaluation.answers_file import Answers, check_answers, read_answers
from evaluation.class_of_output import check_head, class_of
from evaluation.compare import compare_answers, describe_other_numbers, largest_difference, result_alone
from evaluation.noise import largest_tie
from evaluation.options import Options
from evaluation.other_mask import warn_of_mask
from evaluation.prepared import Prepared
from evaluation.processes.paddle import record_answers
from evaluation.processes.resources import describe_memory
from evaluation.product.start import Product
from evaluation.published import describe_published
from evaluation.results import Evaluation
from evaluation.tasks.judges import TASKS
from evaluation.tokens import compare_texts
from verify.folder.check_manifest import deciding_files, find_changed
from verify.numbers.pytorch_process import Start, check_installed
from verify.open_source import open_for
from verify.protocol.checked_file import read_checked
from verify.protocol.evaluation_job import JOB, Job, job_of
from verify.reference.find import find_interpreter, make_request, tokenizer_place
from verify.results.manifest import behavior_of, read_manifest
from verify.results.trace import copy_trace
from verify.weights.check_weights import converted_to
from verify.weights.output_weights import read_written

if TYPE_CHECKING:
    import numpy as np

    from converter.open.source import Source
    from converter.plan.plan import Plan


@dataclass(frozen=True)
class Places:
    """Where everything lies, and how Paddle and OUTPUT are started."""

    output: Path
    data: Path
    record: Path | None = None
    trace: Path | None = None
    torch_only: bool = False
    paddle_python: Path | None = None
    start: Start | None = None


@dataclass
class BothSides:
    """One evaluation: `result` has what was found, `folder` is for temporary files."""

    options: Options
    places: Places
    folder: Path
    on_progress: OnProgress
    result: Evaluation

    def run(self, source: Path | None, specified: SourceOptions) -> None:
        """Fill `self.result`. What can stop the work comes before what takes long."""
        check_installed()
        self.result.files = deciding_files(self.places.output)
        opened, plan = self._open(source, specified) if source is not None else (None, None)
        family, entry = class_of(self.places.output, plan)
        check_head(entry, self.options.task)
        trace, interpreter = self.places.trace, None
        if trace is not None:
            read_answers(trace)
        elif not self.places.torch_only:
            interpreter = find_interpreter(self.places.paddle_python)
        product = Product(self.places.output, family.name, self.folder, self.on_progress, self.places.start)
        job_path, prepared = product.prepare(self.places.data, self.options, not self.places.torch_only)
        head, arrays = read_checked(str(job_path), JOB)
        job = job_of(head, arrays)
        self._describe(prepared)
        if self.options.processes > 1:
            memory = describe_memory(self.places.output, self.options.precision)
            self.on_progress(Progress("memory of each process", memory))
        if interpreter is not None and opened is not None and plan is not None:
            trace = self._record(interpreter, opened, plan, job_path)
        if trace is not None and not self._has_paddles_tokens(read_answers(trace), arrays, job):
            return
        kept = read_answers(trace, job) if trace is not None else None
        if kept is not None:
            check_answers(kept, job, self.options, opened)
            self.result.reference = {name: kept.head[name] for name in ("how", "files", "environment")}
        self._answer(product, job, prepared, kept)
        config, _ = read_json(self.places.output / "config.json")
        if self.options.as_published:
            self.result.published = describe_published(self.result, family, config)
        after = deciding_files(self.places.output)
        self.result.problems += find_changed(self.result.files, after, self.places.record)

    def _open(self, source: Path, specified: SourceOptions) -> tuple[Source, Plan]:
        self.on_progress(Progress("opening SOURCE"))
        opened, plan, warnings = open_for(self.places.output, source, specified)
        self.result.warnings += warnings
        return opened, plan

    def _has_paddles_tokens(self, kept: Answers, arrays: Mapping[str, np.ndarray], job: Job) -> bool:
        """Compare the tokens. False when they are others and Paddle's answers are to those: nothing else to compare."""
        problems, warnings = compare_texts(kept, arrays)
        self.result.problems += problems
        self.result.warnings += warnings
        return not problems or kept.head["job"] == job.digest()

    def _answer(self, product: Product, job: Job, prepared: Prepared, kept: Answers | None) -> None:
        """Ask OUTPUT and compare. Where the user left the mask to the tokenizer, ask it with the other rule too."""
        jobs, other = {"PyTorch": job}, None
        if self.options.mask == "tokenizer":
            jobs["PyTorch, the other mask"] = other = replace(job, mask=not job.mask)
        (answers, *more), self.result.environment = product.answer(jobs, self.options)
        self._compare(prepared, job, kept, read_answers(answers, job).arrays)
        if other is not None:
            changed = TASKS[self.options.task].judge(prepared, read_answers(more[0], other).arrays)
            rule = "ones" if other.mask else "none"
            self.result.warnings += warn_of_mask(self.result.results, list(changed), rule)

    def _describe(self, prepared: Prepared) -> None:
        self.result.form = prepared.form
        self.result.protocol = {"read from": self.places.data.absolute().name, **prepared.protocol}
        self.result.warnings += prepared.warnings
        if self.options.limit is not None:
            self.result.protocol["limit"] = f"the first {self.options.limit:,} of each language, not the whole set"
            self.result.warnings.append(f"--limit {self.options.limit}: not the whole set")

    def _record(self, interpreter: Path, opened: Source, plan: Plan, job: Path) -> Path:
        """Paddle's answers to the job."""
        output = self.places.output
        round_to = converted_to(plan, read_written(output))
        behavior = behavior_of(read_manifest(output)[0])
        request = make_request(opened, plan, self.options.precision, round_to, behavior=behavior)
        tokenizer = tokenizer_place(opened, self.folder)
        asked = replace(request, tokenizer=tokenizer, job=str(job), batch_size=self.options.batch_size)
        folder = self.folder / "paddle"
        folder.mkdir()
        path = record_answers(interpreter, asked, self.options.processes, folder, self.on_progress)
        if self.places.record is not None:
            copy_trace(path, self.places.record)
        return path

    def _compare(self, prepared: Prepared, job: Job, kept: Answers | None, torch: Mapping[str, np.ndarray]) -> None:
        task = TASKS[self.options.task]
        found = list(task.judge(prepared, torch))
        if kept is None:
            self.result.results += map(result_alone, found)
            return
        limit = largest_tie(kept.head, job, self.options)
        for paddle, other in zip(task.judge(prepared, kept.arrays), found):
            max_abs, largest = largest_difference(kept.arrays, torch, other)
            name = partial(task.name, prepared)
            result = compare_answers(paddle, other, limit, max_abs, prepared.places, name)
            self.result.results.append(result)
            if result.passed and max_abs > limit * largest:
                self.result.warnings.append(describe_other_numbers(result, limit * largest))
