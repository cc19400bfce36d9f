"""A Python interpreter that has its slow imports done: each command runs in a fork of it.

Importing PaddleNLP costs 8 seconds of a core, importing torch and transformers 4, and the tests run an interpreter
hundreds of times. `forked_python` starts the interpreter once, and puts a small program in its place that takes the
same arguments, passes them on with its working folder, environment and standard streams, and ends with the status of
the fork. Whoever starts it (a test, `verify`, a shell) cannot tell it from the interpreter, except that what the
environment says to the imported libraries at import is not read again.

    python COMMAND...   ->   client (standard library only)   ->   server: fork, then run COMMAND as __main__

The server runs this very file with the interpreter that it stands for; it must work on Python 3.8.
"""

from __future__ import annotations

import array
import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import select
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import types
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

#: The client: connect, pass everything on, wait for the status. Where no server listens it fails.
_CLIENT = """\
import array, json, os, signal, socket, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
server.connect({socket!r})
asked = json.dumps([sys.argv[2:], os.getcwd(), dict(os.environ), sys.argv[1]]).encode()
server.sendmsg([b"%20d" % len(asked)], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))])
server.sendall(asked)
status = int(server.makefile().readline() or 1)
if status < 0:
    if -status != signal.SIGKILL:
        signal.signal(-status, signal.SIG_DFL)
    os.kill(os.getpid(), -status)
os._exit(status)
"""
#: Options of the interpreter that a fork cannot change and no command here depends on.
_PASSED_OVER = ("-E", "-I", "-S", "-s", "-u")


@contextlib.contextmanager
def forked_python(python: Path, modules: Sequence[str]) -> Iterator[Path]:
    """Start `python` with `modules` imported; the path of the program that stands for it. "MODULE:FUNCTION:WORD..."
    is also called, with the words.

    The server ends with this context, and with this process however it ends. It imports while nobody waits: a
    command that comes early waits for it.
    """
    folder = Path(tempfile.mkdtemp(prefix="forked-"))  # Not below pytest's folder: a socket's path is short.
    address, client, program = folder / "socket", folder / "client.py", folder / "python"
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(address))
    listener.listen(64)
    client.write_text(_CLIENT.format(socket=str(address)), encoding="utf-8")
    write_program(program)
    home = {"HF_HOME": str(folder / "home"), "PPNLP_HOME": str(folder / "home"), "HF_HUB_OFFLINE": "1"}
    with open(folder / "log", "wb") as log:
        server = subprocess.Popen(
            [str(python), "-B", __file__, str(listener.fileno()), *modules],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env={**os.environ, **home, "PYTHONPATH": "", "OMP_WAIT_POLICY": "PASSIVE"},
            pass_fds=[listener.fileno()],
        )
    listener.close()
    try:
        yield program
    finally:
        assert server.stdin is not None
        server.stdin.close()
        server.wait(timeout=60)
        shutil.rmtree(folder, ignore_errors=True)


def write_program(program: Path, *front: object) -> Path:
    """Write the program that stands for the interpreter whose client lies beside it; with `front`, that command, which
    gets the client's command as further words. What runs takes the program for its interpreter."""
    words = [*front, sys.executable, "-IS", program.parent / "client.py", program]
    program.write_text(f'#!/bin/sh\nexec {" ".join(shlex.quote(str(word)) for word in words)} "$@"\n', encoding="utf-8")
    program.chmod(0o755)
    return program


def with_cached_answers(program: Path, kind: str, folder: Path) -> Path:
    """The same interpreter, with tests/support/cached_answers.py in front of it."""
    script = Path(__file__).with_name("cached_answers.py")
    return write_program(program.with_name(f"python-{kind}"), sys.executable, "-E", "-B", script, kind, folder)


def serve(listener: socket.socket, modules: Sequence[str]) -> None:
    """Import, then fork for each connection until standard input ends."""
    del sys.path[0]
    for name in modules:
        module, *call = name.split(":")
        importlib.import_module(module)
        if call:
            getattr(sys.modules[module], call[0])(*call[1:])
    gc.collect()
    gc.freeze()  # What is imported is garbage in no fork, and is not copied there to be looked at.
    signal.signal(signal.SIGCHLD, _reap)
    while True:
        ready, _, _ = select.select([listener, sys.stdin], [], [])
        if sys.stdin in ready:
            return
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _attend(connection)
        connection.close()


def _reap(*_: Any) -> None:
    """Wait for the forks that have ended, so that what they took is counted as the server's."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _attend(connection: socket.socket) -> None:
    """Run one command in a child, answer with its status; a caller that is gone ends the child and its children."""
    words, folder, environment, program, streams = _receive(connection)
    child = os.fork()
    if child == 0:
        connection.close()
        os.setpgid(0, 0)
        status = 1
        try:
            status = _run(words, folder, environment, program, streams)
        finally:
            os._exit(status)
    for stream in streams:
        os.close(stream)
    watcher = os.fork()
    if watcher == 0:
        connection.recv(1)  # The caller sends nothing more: this returns when it is gone.
        with contextlib.suppress(OSError):
            os.killpg(child, signal.SIGKILL)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    os.kill(watcher, signal.SIGKILL)
    code = os.WEXITSTATUS(status) if os.WIFEXITED(status) else -os.WTERMSIG(status)
    with contextlib.suppress(OSError):
        connection.sendall(b"%d\n" % code)
    os._exit(0)


def _receive(connection: socket.socket) -> Any:
    descriptors = array.array("i")
    head, control, _, _ = connection.recvmsg(20, socket.CMSG_LEN(3 * descriptors.itemsize))
    for _, _, data in control:
        descriptors.frombytes(data)
    while len(head) < 20:
        head += connection.recv(20 - len(head))
    left, parts = int(head), []
    while left:
        parts.append(connection.recv(left))
        left -= len(parts[-1])
    return (*json.loads(b"".join(parts)), list(descriptors))


def _run(words: Any, folder: str, environment: Any, program: str, streams: Any) -> int:
    """In the fork: become the command. The exit status."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        if stream > 2:
            os.close(stream)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    _follow(environment)
    sys.stdin = open(0, encoding="utf-8")  # noqa: SIM115
    sys.stdout = open(1, "w", encoding="utf-8", buffering=1 if os.isatty(1) else -1)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", errors="backslashreplace", buffering=1)  # noqa: SIM115
    sys.executable = program
    sys.path[:0] = [path for path in environment.get("PYTHONPATH", "").split(os.pathsep) if path]
    while words and words[0] in (*_PASSED_OVER, "-B"):
        sys.dont_write_bytecode = words[0] == "-B" or sys.dont_write_bytecode
        words = words[1:]
    try:
        _execute(words)
        status = 0
    except SystemExit as error:
        status = _status_of(error)
    except BaseException:
        sys.excepthook(*sys.exc_info())
        status = 1
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    return status


def _follow(environment: Any) -> None:
    """Where transformers keeps copies of a folder's code, which it reads from the environment as it is imported."""
    home = environment.get("HF_HOME")
    place = environment.get("HF_MODULES_CACHE") or (os.path.join(home, "modules") if home else None)
    for name in ("transformers.utils.hub", "transformers.dynamic_module_utils"):
        if place and name in sys.modules:
            sys.modules[name].HF_MODULES_CACHE = place  # type: ignore[attr-defined]


def _execute(words: Any) -> None:
    if words[0] == "-c":
        sys.argv, sys.path[:0] = ["-c", *words[2:]], [""]
        module = types.ModuleType("__main__")
        sys.modules["__main__"] = module
        exec(compile(words[1], "<string>", "exec"), module.__dict__)
    elif words[0] == "-m":
        sys.argv, sys.path[:0] = words[1:], [os.getcwd()]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        if words[0].startswith("-"):
            raise SystemExit(f"forked_python: option {words[0]} is not known here")
        sys.argv = words
        sys.path.insert(0, os.path.dirname(os.path.abspath(words[0])))
        runpy.run_path(words[0], run_name="__main__")


def _status_of(error: SystemExit) -> int:
    if error.code is None:
        return 0
    if isinstance(error.code, int):
        return error.code & 0xFF
    print(error.code, file=sys.stderr)
    return 1


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])), sys.argv[2:])
