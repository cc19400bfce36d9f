"""The entry point: sets the signal handlers first, so that Ctrl-C ends with one line even during imports."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import NoReturn


class Stopped(BaseException):
    """Ctrl-C or SIGTERM. A BaseException, so that no `except Exception` catches it."""


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    # A second signal must not interrupt the cleanup.
    for name in _SIGNALS:
        signal.signal(name, signal.SIG_IGN)
    interrupts = sys.modules.get("converter.common.interrupts")
    if interrupts is not None and interrupts.at_once:
        os.write(1, _AS_JSON.encode() if "--json" in sys.argv else b"")
        os.write(2, f"\n{_LINE}\n".encode())
        os._exit(2)
    raise Stopped(signal.Signals(number).name)


_MESSAGE = "stopped by the user. Nothing was left half-written."
_LINE = f"error[E009]: {_MESSAGE}"
_AS_JSON = f'{{"error": [{{"code": "E009", "message": "{_MESSAGE}"}}]}}\n'
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def main() -> None:
    """Run the command line and exit with its code."""
    for name in _SIGNALS:
        signal.signal(name, _stop)
    try:
        from converter.cli import app

        app(prog_name="paddle2torch")
    except (Stopped, KeyboardInterrupt):
        if "--json" in sys.argv:
            print(_AS_JSON, end="", flush=True)
        print(_LINE, file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
