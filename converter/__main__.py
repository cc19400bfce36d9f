"""The entry point: sets the signal handlers first, so that Ctrl-C ends with one line even during imports.

After that line the process ends by the signal itself, so that the loop of a shell stops too.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from types import FrameType
from typing import NoReturn


class Stopped(BaseException):
    """Ctrl-C or SIGTERM. A BaseException, so that no `except Exception` catches it."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    # A second signal must not interrupt the cleanup.
    for name in _SIGNALS:
        signal.signal(name, signal.SIG_IGN)
    interrupts = sys.modules.get("converter.common.interrupts")
    if interrupts is not None and interrupts.at_once:
        _flush()  # What is half printed, such as a line of progress, comes before these lines and not after them.
        os.write(1, _as_json().encode() if "--json" in sys.argv else b"")
        os.write(2, f"\n{_line()}\n".encode())
        _end_by(number)
    raise Stopped(number)


_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def _message() -> str:
    interrupts = sys.modules.get("converter.common.interrupts")
    kept = interrupts.kept if interrupts is not None else ""
    return f"stopped by the user. {kept or 'Nothing was left half-written.'}"


def _line() -> str:
    return f"error[E009]: {_message()}"


def _as_json() -> str:
    import json

    return json.dumps({"error": [{"code": "E009", "message": _message()}]}) + "\n"


def _end_by(number: int) -> NoReturn:
    """End this process by the signal; what started it then knows that it did not end by itself."""
    _flush()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    os._exit(128 + number)  # Where the signal does not end a process.


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError, OSError, ValueError, RuntimeError):  # Closed, or being written to.
            stream.flush()


def main() -> None:
    """Run the command line and exit with its code."""
    for name in _SIGNALS:
        signal.signal(name, _stop)
    try:
        from converter.cli import app

        app(prog_name="paddle2torch")
    except (Stopped, KeyboardInterrupt) as stopped:
        if "--json" in sys.argv:
            print(_as_json(), end="", flush=True)
        echoed = sys.stderr is not None and sys.stderr.isatty()  # The terminal has shown ^C in this line.
        print(f"\n{_line()}" if echoed else _line(), file=sys.stderr)
        _end_by(stopped.number if isinstance(stopped, Stopped) else signal.SIGINT)


if __name__ == "__main__":
    main()
