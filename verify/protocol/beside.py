"""Compute in a second process while this one goes on: the calls of a tokenizer beside the numbers of the model."""

from __future__ import annotations

import multiprocessing
import os
import sys
from typing import Any, Callable


def compute_beside(compute: Callable[[], Any]) -> Callable[[], Any]:
    """Start `compute` in a copy of this process; the returned function waits for its result, which must be picklable.

    Without a second core, or where a process cannot be copied soundly (macOS, Windows), the returned function is
    `compute` itself. It raises RuntimeError where `compute` raised; what it raised is on stderr. A signal that ended
    the copy ends this process too: the caller of both explains it.
    """
    if not sys.platform.startswith("linux") or len(os.sched_getaffinity(0)) < 2:
        return compute
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_send, args=(compute, sender), daemon=True)
    process.start()
    sender.close()  # Else the end of the copy would not end the wait.

    def wait() -> Any:
        try:
            found = receiver.recv()
        except EOFError:
            process.join()
            code = process.exitcode or 0
            if code < 0:
                os.kill(os.getpid(), -code)
            raise RuntimeError("the process beside this one ended with exit status " + str(code)) from None
        process.join()
        return found

    return wait


def _send(compute: Callable[[], Any], sender: Any) -> None:
    sender.send(compute())
