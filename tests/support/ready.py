"""verify's PyTorch process in an interpreter that is started already: verify starts a new one each time, which the many
tests of faults cannot wait for."""

from __future__ import annotations

import contextlib
import shutil
import sys
from pathlib import Path
from unittest.mock import patch

from converter.common.progress import OnProgress
from tests.support.cached import cached
from tests.support.cached_answers import ANSWERS, RESULTS, NoAnswerError, key_of, read_request
from verify.numbers.pytorch_process import Start, start_process
from verify.reference.subprocess_runner import Ended


def start_in(python: Path, results: Path) -> Start:
    """What to give to `verify` as `start`: its own function, with another interpreter (a forked_python). A request
    whose equal was answered before gets that answer, out of the folder `results`."""

    def compare(request: Path, folder: Path, on_progress: OnProgress) -> Ended:
        with patch.object(sys, "executable", str(python)):
            return start_process(request, folder, on_progress)

    def start(request: Path, folder: Path, on_progress: OnProgress) -> Ended:
        asked, ended = read_request(str(request), RESULTS), [Ended(0, "", "")]
        if asked is None:
            return compare(request, folder, on_progress)
        answer = Path(asked.pop(ANSWERS[RESULTS]))

        def make(place: Path) -> None:
            ended[0] = compare(request, folder, on_progress)
            if ended[0].status != 0 or not answer.is_file():
                raise NoAnswerError(ended[0].status)
            shutil.copyfile(answer, place)

        with contextlib.suppress(NoAnswerError):
            shutil.copyfile(cached(RESULTS, key_of(RESULTS, asked), make, results), answer)
        return ended[0]

    return start
