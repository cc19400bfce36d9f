"""verify's PyTorch process in an interpreter that is started already: verify starts a new one each time, which the many
tests of faults cannot wait for."""

from __future__ import annotations

import sys
from pathlib import Path
from unittest.mock import patch

from converter.common.progress import OnProgress
from verify.numbers.pytorch_process import Start, start_process
from verify.reference.subprocess_runner import Ended


def start_in(python: Path) -> Start:
    """What to give to `verify` as `start`: its own function, with another interpreter (a forked_python)."""

    def start(request: Path, folder: Path, on_progress: OnProgress) -> Ended:
        with patch.object(sys, "executable", str(python)):
            return start_process(request, folder, on_progress)

    return start
