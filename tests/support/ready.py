"""A started interpreter that forks for each judgement: verify starts a new one each time, which the many tests of
faults cannot wait for. What runs in the fork is `verify.numbers.pytorch_process.main`, as in the real process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from verify.numbers.pytorch_process import Start
from verify.reference.subprocess_runner import Ended, clean_environment

ROOT = Path(__file__).resolve().parents[2]
_CODE = f"import sys; sys.path.insert(0, {str(ROOT)!r}); from tests.support.ready import serve; serve()"


def start_server(home: Path) -> tuple[subprocess.Popen[str], Start]:
    """The server, whose Hugging Face folder is `home`, and what to give to verify as `start`."""
    server = subprocess.Popen(
        [sys.executable, "-c", _CODE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=clean_environment(HF_HOME=str(home), OMP_WAIT_POLICY="PASSIVE"),
        text=True,
    )

    def start(request: Path, folder: Path, on_progress: Callable[[str], None]) -> Ended:
        assert server.stdin is not None and server.stdout is not None
        errors = folder / "stderr"
        print(json.dumps([str(request), str(folder / "modules"), str(errors)]), file=server.stdin, flush=True)
        status = int(server.stdout.readline())
        return Ended(status, "", errors.read_text(encoding="utf-8", errors="replace"))

    return server, start


def serve() -> None:
    """Read one request a line, judge it in a fork, answer with the exit status."""
    import torch  # noqa: F401
    import transformers
    from transformers import AutoModel, AutoTokenizer, dynamic_module_utils  # noqa: F401

    from verify.numbers import pytorch_process as judge

    for line in sys.stdin:
        request, modules, errors = json.loads(line)
        child = os.fork()
        if child == 0:
            with open(errors, "wb") as file:
                os.dup2(file.fileno(), 2)
                os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            # Constants of these modules, read from the environment long ago.
            dynamic_module_utils.HF_MODULES_CACHE = modules
            transformers.utils.hub.HF_MODULES_CACHE = modules
            status = 1
            try:
                judge.main(request)
                status = 0
            finally:
                sys.stderr.flush()
                os._exit(status)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(status, flush=True)
