"""The processes of an evaluation in interpreters that are started already."""

from __future__ import annotations

import sys
from pathlib import Path
from unittest.mock import patch

import pytest

from converter.common.progress import OnProgress
from evaluation.product.start import ENTRY
from verify.numbers.pytorch_process import Start, start_process
from verify.reference.subprocess_runner import Ended


@pytest.fixture(scope="session")
def start(product_python: Path) -> Start:
    """What `evaluate` takes as `start`: its own function, with another interpreter."""

    def start_in(request: Path, folder: Path, on_progress: OnProgress) -> Ended:
        with patch.object(sys, "executable", str(product_python)):
            return start_process(request, folder, on_progress, entry=ENTRY)

    return start_in
