"""Calls of huggingface_hub for one repository, with the retries, waits and errors of this tool."""

from __future__ import annotations

import logging
import os
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Callable

from converter.common.errors import Paddle2TorchError
from converter.fetch import retry
from converter.hub.errors import Activity, ConflictError, UnusableAnswerError, make_error, translate_error
from converter.hub.retry import LONGEST_WAIT, HubTransientError, refuse_long_waits
from converter.hub.token import find_token_flaw


class HubClient:
    """The part that downloads and pushes have in common. `report` is called with a line when a call is repeated.

    `tries`: how often a call is made that fails in a way that may pass.
    """

    def __init__(self, activity: Activity, report: Callable[[str], None], tries: int) -> None:
        try:
            import huggingface_hub
            from huggingface_hub import constants
        except ImportError:
            raise make_error("no library", activity) from None
        self.library: Any = huggingface_hub
        self.constants: Any = constants
        self.activity, self.report, self._tries = activity, report, tries
        # Read here because huggingface_hub reads it once, when it is imported.
        self.endpoint = str(os.environ.get("HF_ENDPOINT") or constants.ENDPOINT).rstrip("/")

    @property
    def is_offline(self) -> bool:
        return bool(self.constants.HF_HUB_OFFLINE)

    def read_token(self) -> str | None:
        """The user's token: HF_TOKEN, or what `hf auth login` keeps. Raises an error for one that cannot be sent."""
        token: str | None = self.library.get_token()
        flaw = find_token_flaw(token)
        if flaw is not None:
            raise make_error("unusable token", self.activity, reason=flaw)
        self.activity = replace(self.activity, token=token)
        return token

    def call(
        self,
        request: Callable[[], Any],
        what: str,
        *,
        find_result: Callable[[Exception], Any] | None = None,
        bars: bool = False,
    ) -> Any:
        """The result of `request`, which calls huggingface_hub; called again after a failure that may pass.

        `find_result` checks whether a request took effect that got no answer; `bars` lets huggingface_hub's
        progress bars appear. Raises HubTransientError when the last try fails in a way that may pass.
        """
        for wait in (*retry.WAITS[: self._tries - 1], None):
            try:
                return self.call_once(request, what, bars=bars)
            except (HubTransientError, ConflictError, UnusableAnswerError) as error:
                found = find_result(error) if find_result is not None else None
                if found is not None:
                    return found
                if not isinstance(error, HubTransientError):
                    raise
                if wait is None or error.retried or error.wait > LONGEST_WAIT:
                    raise
                pause = max(wait, error.wait)
                self.report(f"{error}: trying again in {pause:.0f} s")
                time.sleep(pause)
        raise AssertionError("unreachable")

    def call_once(self, request: Callable[[], Any], what: str, *, bars: bool = False) -> Any:
        """The result of `request`, called once. Raises HubTransientError, or an error of this tool."""
        outer = sys.exc_info()[1]
        try:
            with silence_library(bars=bars and sys.stderr is not None and sys.stderr.isatty()), refuse_long_waits(what):
                return request()
        except (Paddle2TorchError, MemoryError):
            raise
        except Exception as error:
            if "xet-write-token" in str(error) and "404" in str(error) and not self.constants.HF_HUB_DISABLE_XET:
                self.constants.HF_HUB_DISABLE_XET = True
                self.report("this server has no xet storage: large files go to its LFS")
                return self.call_once(request, what, bars=bars)
            meaning = translate_error(error, self.activity, what, outer)
            if meaning is None:
                raise
            raise meaning from None


@contextmanager
def silence_library(*, bars: bool = False) -> Iterator[None]:
    """Turn huggingface_hub's log lines and warnings off for the block, and its progress bars unless `bars`."""
    from huggingface_hub.utils.tqdm import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars

    logger = logging.getLogger("huggingface_hub")
    level, had_bars = logger.level, not bars and not are_progress_bars_disabled()
    logger.setLevel(logging.CRITICAL)
    if had_bars:
        disable_progress_bars()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
        if had_bars:
            enable_progress_bars()
