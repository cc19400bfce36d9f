"""All or nothing: a staging folder next to OUTPUT, renamed into place when it is complete."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import shlex
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from converter.common.errors import OutputError, Problem
from converter.common.layout import MANIFEST
from converter.files.disk import lacking_space
from converter.files.mount_points import is_mount_point
from converter.files.stale_folders import REPLACED, clear_folders, give_back, mark, remove_folder
from converter.write.new_files import NewFolder

_NEW = "new"


@contextmanager
def staged(
    output: Path, *, force: bool, needed_bytes: int, marker: str = MANIFEST, argument: str = "OUTPUT"
) -> Iterator[Path]:
    """A new folder to write into (`create_file`, `write_file`), which becomes `output` when the block ends without an
    error. It lies in a marked folder of its own next to OUTPUT that nobody else may enter. `marker`: the file by which
    a folder is known that may be replaced. `argument`: what the command calls OUTPUT.

    Raises OutputError when OUTPUT is there (unless it is empty, or `force` and this tool made it), cannot be made, or
    when something else wrote into the new folder.
    """
    check_output(output, force=force, marker=marker, argument=argument)
    parent = output.absolute().parent
    made = _make_parents(parent)
    try:
        clear_leftovers(output)
        _check_space(parent, needed_bytes)
        staging = Path(tempfile.mkdtemp(prefix=_prefix(output), dir=parent))
    except OSError as error:
        _remove_parents(made)
        raise OutputError(Problem("E502", f"{output}: cannot write in {parent} ({error.strerror})")) from error
    except BaseException:
        _remove_parents(made)
        raise
    lock: IO[bytes] | None = None
    folder: NewFolder | None = None
    try:
        lock = mark(staging, output.name)
        (staging / _NEW).mkdir(mode=0o700)
        folder = NewFolder(staging / _NEW)
        yield folder.path
        check_output(output, force=force, marker=marker, argument=argument)
        _publish(staging, folder, output, force)
        made = []
    except OSError as error:
        raise OutputError(Problem("E502", f"{output}: {error.strerror or error}. Nothing was written")) from error
    finally:
        if folder is not None:
            folder.close()
        if lock is not None:
            if give_back(staging, output.name):
                remove_folder(staging)
            lock.close()
        else:  # There is no marker yet, and so no other run takes it for a leftover.
            shutil.rmtree(staging, ignore_errors=True)
        _remove_parents(made)


def check_output(output: Path, *, force: bool, marker: str = MANIFEST, argument: str = "OUTPUT") -> None:
    """Raises OutputError when something that may not be replaced is at `output`. An empty folder may, unless something
    is mounted on it."""
    if not os.path.lexists(output):
        return
    if is_mount_point(output):
        text = f"{output} is a mount point, and {argument} appears by renaming a folder, which cannot take its place"
        raise OutputError(Problem("E502", f"{text}. Name a folder in it, such as {shlex.quote(str(output / 'out'))}"))
    if is_empty_folder(output):
        return
    if not force:
        text = f"{output} exists. Choose another {argument}, or --force to replace one that this tool made"
        raise OutputError(Problem("E501", text))
    if output.is_symlink() or not output.is_dir() or not made_by_this_tool(output, marker):
        raise OutputError(
            Problem(
                "E501",
                f"{output} exists and was not made by this tool (no such {marker}): --force does not replace it",
            )
        )


def is_empty_folder(path: Path) -> bool:
    """Whether a folder that holds nothing is at `path`: what `mktemp -d` makes, or a new volume."""
    try:
        return not path.is_symlink() and next(os.scandir(path), None) is None
    except OSError:
        return False


def made_by_this_tool(folder: Path, marker: str = MANIFEST) -> bool:
    try:
        manifest = json.loads((folder / marker).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(manifest, dict) and manifest.get("tool") == "paddle2torch"


def _prefix(output: Path) -> str:
    # A name may have 255 bytes, and what is added here has 23.
    shown = output.name.encode("utf-8", "surrogateescape")[:200].decode("utf-8", "ignore")
    return f".{shown}.paddle2torch-"


def clear_leftovers(output: Path) -> None:
    """Remove what killed runs left next to OUTPUT, whatever its name was. What cannot be removed stays."""
    clear_folders(output.absolute().parent, ".*.paddle2torch-????????")


def _publish(staging: Path, folder: NewFolder, output: Path, force: bool) -> None:
    """Put the new folder in OUTPUT's place; the folder is this run's alone until it is there."""
    folder.check()
    mode = stat.S_IMODE(os.stat(output).st_mode) if is_empty_folder(output) else 0o777 & ~_umask()
    # Without --force nothing is moved away, whatever came there since it was looked at: the rename below fails then.
    if force:
        with contextlib.suppress(FileNotFoundError):  # There is none, or another run is replacing it just now.
            os.rename(output, staging / REPLACED)
    try:
        os.rename(folder.path, output)
    except OSError as error:
        if error.errno in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
            raise OutputError(
                Problem("E501", f"{output} is there now: another run made it meanwhile. Nothing was written")
            ) from error
        raise
    with contextlib.suppress(OSError):
        os.chmod(output if folder.handle is None else folder.handle, mode)


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def _make_parents(parent: Path) -> list[Path]:
    """Make the folders above OUTPUT; those that were made, innermost first."""
    missing = []
    while not parent.exists():
        missing.append(parent)
        parent = parent.parent
    try:
        for folder in reversed(missing):
            folder.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(Problem("E502", f"{parent}: cannot make a folder there ({error.strerror})")) from error
    return missing


def _remove_parents(made: list[Path]) -> None:
    for folder in made:
        try:
            folder.rmdir()
        except OSError:
            return


def _check_space(parent: Path, needed: int) -> None:
    lack = lacking_space(parent, needed)
    if lack is not None:
        raise OutputError(Problem("E503", f"{parent}: {lack}. Nothing was written"))
