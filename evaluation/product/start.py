"""Start the process that runs OUTPUT, so that its code cannot affect the caller, and take what it answers."""

from __future__ import annotations

import json
import signal
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from converter.common.errors import DataError, Problem, ReferenceFailure
from converter.common.progress import OnProgress
from evaluation.options import Options
from evaluation.prepared import Prepared
from verify.numbers.pytorch_process import Start, start_process
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

    def answer(self, jobs: Mapping[Path, str], options: Options) -> tuple[list[Path], dict[str, Any]]:
        """The files of OUTPUT's answers to jobs, each with what it is called while it runs, and versions. Raises
        DataError when OUTPUT does not load, ReferenceFailure when its process fails."""
        asked = [
            {"job": str(job), "answers": str(self.folder / f"torch_answers_{number}.safetensors"), "who": who}
            for number, (job, who) in enumerate(jobs.items())
        ]
        found = self._ask("answer", jobs=asked, options=asdict(options))
        return [Path(each["answers"]) for each in asked], found["environment"]

    def _ask(self, action: str, **more: Any) -> dict[str, Any]:
        request, result = self.folder / f"{action}.json", self.folder / f"{action}_result.json"
        asked = {"action": action, "output": str(self.output.absolute()), "family": self.family, **more}
        request.write_text(json.dumps({**asked, "result": str(result)}), encoding="utf-8")
        start = self.start or partial(start_process, entry=ENTRY)
        ended = start(request, self.folder, self.on_progress)
        if ended.status == -signal.SIGKILL:
            reason = "the process that runs OUTPUT was killed. Was there too little memory?"
            raise ReferenceFailure(Problem("E607", reason))
        if not result.is_file():
            raise ReferenceFailure(Problem("E607", f"the process that runs OUTPUT failed: {ended.reason()}"))
        found: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
        if "problems" in found:
            raise DataError(*(Problem(code, text) for code, text in found["problems"]))
        return found
