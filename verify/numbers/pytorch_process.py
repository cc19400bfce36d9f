"""Start the process that runs OUTPUT's model in PyTorch, so that the caller's imports cannot affect it and a crash is
reported as a finding. What runs in it is verify/pytorch_entry.py."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Callable

from converter.common.errors import Problem, ReferenceFailure
from converter.common.progress import OnProgress, Progress
from verify.reference.subprocess_runner import Command, Ended, Running, clean_environment, run_process, started
from verify.results.as_json import from_json
from verify.results.numbers import PytorchResult
from verify.results.trace import Trace

_PROJECT = Path(__file__).resolve().parents[2]
_CODE = "import sys; sys.path.append(sys.argv.pop(1)); from {entry} import main; main(*sys.argv[1:])"
#: The module whose `main` answers a request of verify.
ENTRY = "verify.pytorch_entry"
#: The line after which a process that was started early reads its request.
GO = "go"
#: Set by tests that hold a started interpreter ready.
Start = Callable[[Path, Path, OnProgress], Ended]


@dataclass
class PytorchRun:
    """The process that runs OUTPUT, started before it is needed: importing torch and transformers takes seconds.

    `folder` is ours alone, and is where its caches go. `start` takes the place of starting it.
    """

    output: Path
    folder: Path
    start: Start | None = None
    running: Running | None = None

    @property
    def request(self) -> Path:
        return self.folder / "pytorch.json"

    @contextmanager
    def started(self) -> Iterator[None]:
        """Let it import what it needs while this process does something else. It ends with the context."""
        if self.start is not None:
            yield
            return
        command = pytorch_command(self.request, self.folder, ENTRY)
        with started(replace(command, words=[*command.words, GO], is_told=True)) as self.running:
            yield
        self.running = None

    def compare(self, trace: Trace, on_progress: OnProgress) -> PytorchResult:
        """Replay a trace through OUTPUT."""
        result = self.folder / "pytorch_result.json"
        places = {"trace": trace.path, "output": self.output, "result": result}
        asked = {name: str(path.absolute()) for name, path in places.items()}
        self.request.write_text(json.dumps(asked), encoding="utf-8")
        ended = self._run(on_progress)
        if ended.status == -signal.SIGKILL:
            reason = "the process that runs OUTPUT was killed. Was there too little memory?"
            raise ReferenceFailure(Problem("E607", reason))
        if not result.is_file():
            return PytorchResult(problems=[f"the process that runs OUTPUT failed: {ended.reason()}"])
        found = from_json(PytorchResult, json.loads(result.read_text(encoding="utf-8")))
        if not found.sites and not found.problems:
            found.problems.append("OUTPUT ran, and nothing could be compared")
        return found

    def _run(self, on_progress: OnProgress) -> Ended:
        if self.running is None:
            return (self.start or start_process)(self.request, self.folder, on_progress)
        on_progress(Progress("starting PyTorch"))
        self.running.send(GO)
        return self.running.wait(on_progress)


def check_installed() -> None:
    """Raise ReferenceFailure when OUTPUT cannot be run here, whatever it is."""
    missing = [name for name in ("torch", "transformers") if importlib.util.find_spec(name) is None]
    if missing:
        command = "pip install torch 'transformers>=4.57,<6' sentencepiece"
        text = f"{' and '.join(missing)} are needed to run OUTPUT: `{command}`, or --static-only"
        raise ReferenceFailure(Problem("E607", text))


def start_process(request: Path, folder: Path, on_progress: OnProgress, entry: str = ENTRY) -> Ended:
    """A new interpreter like this one, whose copies of OUTPUT's code stay in `folder`. `entry`: the module whose `main`
    answers the request."""
    on_progress(Progress("starting PyTorch"))
    return run_process(pytorch_command(request, folder, entry), on_progress)


def pytorch_command(request: Path, folder: Path, entry: str, **more: str) -> Command:
    """How such a process is started. `more`: variables."""
    home = folder / "huggingface"
    environment = clean_environment(
        HF_HOME=str(home), HF_MODULES_CACHE=str(home / "modules"), PYTHONDONTWRITEBYTECODE="1", **more
    )
    # On a busy machine threads that spin while they wait make everything several times slower.
    environment.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # What the caller runs from may be on PYTHONPATH.
    if os.environ.get("PYTHONPATH"):
        environment["PYTHONPATH"] = os.environ["PYTHONPATH"]
    words = [sys.executable, "-c", _CODE.format(entry=entry), str(_PROJECT), str(request)]
    return Command(words, environment, folder)
