"""All or nothing: a staging folder beside OUTPUT, renamed into place when it is complete."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from converter.errors import OutputError, Problem
from converter.leftovers import LOCK, clear_folders, try_lock

MANIFEST = "paddle2torch.json"


@contextmanager
def staged(output: Path, *, force: bool, needed_bytes: int) -> Iterator[Path]:
    """A new folder to write into, which becomes `output` when the block ends without an error.

    Raises OutputError when OUTPUT is there (unless `force` and this tool made it), or cannot be made.
    """
    check_output(output, force=force)
    parent = output.absolute().parent
    made = _make_parents(parent)
    try:
        clear_leftovers(output)
        _check_space(parent, needed_bytes)
        staging, lock = _new_staging(output)
    except OSError as error:
        _remove_parents(made)
        raise OutputError(Problem("E502", f"{output}: cannot write in {parent} ({error.strerror})")) from error
    except BaseException:
        _remove_parents(made)
        raise
    try:
        yield staging
        _publish(staging, lock, output, force)
    except OSError as error:
        _abandon(staging, lock, made)
        raise OutputError(Problem("E502", f"{output}: {error.strerror or error}. Nothing was written")) from error
    except BaseException:
        _abandon(staging, lock, made)
        raise


def check_output(output: Path, *, force: bool) -> None:
    """Raises OutputError when something that may not be replaced is at `output`."""
    if not os.path.lexists(output):
        return
    if not force:
        raise OutputError(
            Problem("E501", f"{output} exists. Choose another OUTPUT, or --force to replace one that this tool made")
        )
    if output.is_symlink() or not output.is_dir() or not made_by_this_tool(output):
        raise OutputError(
            Problem(
                "E501",
                f"{output} exists and was not made by this tool (no {MANIFEST} of ours): --force does not replace it",
            )
        )


def made_by_this_tool(folder: Path) -> bool:
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(manifest, dict) and manifest.get("tool") == "paddle2torch"


def _prefix(output: Path) -> str:
    # A name may have 255 bytes, and what is added here has 23.
    shown = output.name.encode("utf-8", "surrogateescape")[:200].decode("utf-8", "ignore")
    return f".{shown}.paddle2torch-"


def clear_leftovers(output: Path) -> None:
    """Remove what killed runs left beside OUTPUT, whatever theirs was called. What cannot be removed stays."""
    clear_folders(output.absolute().parent, ".*.paddle2torch-????????")


def _new_staging(output: Path) -> tuple[Path, IO[bytes]]:
    """A new staging folder and its lock. Between the two another run may take the folder for a leftover: try again."""
    for _ in range(20):
        staging = Path(tempfile.mkdtemp(prefix=_prefix(output), dir=output.absolute().parent))
        try:
            lock = try_lock(staging / LOCK)
        except FileNotFoundError:
            continue
        if lock is not None and (staging / LOCK).exists():
            return staging, lock
    raise OutputError(Problem("E502", f"{output}: other runs keep removing its staging folder"))


def _publish(staging: Path, lock: IO[bytes], output: Path, force: bool) -> None:
    check_output(output, force=force)
    os.chmod(staging, 0o777 & ~_umask())
    replaced = None
    if os.path.lexists(output):
        replaced, replaced_lock = _new_staging(output)
        os.rename(output, replaced / "replaced")
    try:
        os.unlink(staging / LOCK)
        os.rename(staging, output)
    except OSError:
        if replaced is not None:
            os.rename(replaced / "replaced", output)
            shutil.rmtree(replaced, ignore_errors=True)
        raise
    lock.close()
    if replaced is not None:
        shutil.rmtree(replaced, ignore_errors=True)
        replaced_lock.close()


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def _abandon(staging: Path, lock: IO[bytes], made: list[Path]) -> None:
    shutil.rmtree(staging, ignore_errors=True)
    lock.close()
    _remove_parents(made)


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
    free = shutil.disk_usage(parent).free
    if free < needed:
        raise OutputError(
            Problem("E503", f"{parent}: {free / 1e9:.2f} GB free, {needed / 1e9:.2f} GB needed. Nothing was written")
        )
