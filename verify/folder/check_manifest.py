"""paddle2torch.json: every checksum in it must be that of what lies in OUTPUT. A lost manifest is a failure."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from converter.common.errors import Problem, ReferenceFailure
from converter.common.layout import FILES_BY_KIND, MANIFEST
from converter.files.hashing import sha256_of
from mappings.registry import all_families
from verify.results.findings import Finding
from verify.results.manifest import behavior_chosen, behavior_of, by_target, extras_by_target, source_sums
from verify.results.trace import Trace
from verify.weights.output_weights import WrittenWeights

#: Files whose bytes may differ when what they compute does not: they are run, and what they compute is compared.
_CODE = (".py",)
_TOKENIZER_FILES = tuple(name for names in FILES_BY_KIND.values() for name in names)
_ROOT = Path(__file__).resolve().parents[2]


def own_file(name: str) -> Path | None:
    """This tool's own file of code that has this name, if there is one: `convert` copies such files into OUTPUT."""
    codes = (family.code for family in all_families() if family.code is not None)
    paths = [_ROOT / code.package / name for code in codes if "/" not in name]
    return next((path for path in paths if path.is_file()), None)


def check_tensors(manifest: Mapping[str, Any], written: WrittenWeights) -> list[Finding]:
    """Every tensor's dtype, shape and checksum."""
    entries = {**by_target(manifest), **extras_by_target(manifest)}
    there = {**written.tensors, **written.extras}
    wrong: dict[str, str] = {}
    for name, tensor in there.items():
        entry = entries.get(name)
        if entry is None:
            wrong[name] = "the manifest does not know it"
        elif entry.get("dtype") != tensor.dtype or entry.get("shape") != list(tensor.shape):
            wrong[name] = f"it is {tensor.dtype} {list(tensor.shape)}, not {entry.get('dtype')} {entry.get('shape')}"
        elif entry.get("sha256") != hashlib.sha256(tensor.read_bytes().data).hexdigest():
            wrong[name] = "its bytes have another checksum"
    wrong.update({name: "it is not in the weight files" for name in entries if name not in there})
    return [
        Finding(f"are not what {MANIFEST} records", name, Problem("E406", f"{MANIFEST}: {name}: {why}"))
        for name, why in sorted(wrong.items())
    ]


def check_files(manifest: Mapping[str, Any], output: Path) -> tuple[list[Problem], list[str]]:
    """The files that decide numbers or tokens. Other code is a warning: it is run, and what it computes is
    compared."""
    problems, warnings = [], []
    for name, expected in manifest["files"].items():
        path = output / str(name)
        if Path(str(name)).name != name:
            problems.append(Problem("E406", f"{MANIFEST} names {name!r}, expected a file name"))
        elif not path.is_file():
            problems.append(Problem("E406", f"{name} is in {MANIFEST} and not in OUTPUT"))
        elif sha256_of(path) != expected:
            if path.suffix in _CODE:
                warnings.append(f"{name} is not the file that was written: its checksum differs from {MANIFEST}'s")
            else:
                problems.append(
                    Problem("E406", f"{name} is not the file that was written: its checksum differs from {MANIFEST}'s")
                )
    warnings += [
        f"{name} is not in {MANIFEST}: it has no checksum there; what it computes is compared"
        for name in _TOKENIZER_FILES
        if (output / name).is_file() and name not in manifest["files"]
    ]
    return problems, warnings


def check_regular(output: Path) -> list[Problem]:
    """What has the name of a file that is read, and would be waited for: a FIFO, a socket, a device."""
    kinds = (stat.S_ISFIFO, stat.S_ISSOCK, stat.S_ISCHR, stat.S_ISBLK)
    paths = sorted(path for path in output.iterdir() if path.exists()) if output.is_dir() else []
    odd = [path.name for path in paths if any(is_kind(path.stat().st_mode) for is_kind in kinds)]
    return [Problem("E405", f"{', '.join(odd)}: no regular file. Nothing in OUTPUT was read")] if odd else []


def check_code(output: Path) -> list[str]:
    """Code in OUTPUT that is not this tool's own, by its checksum, whatever the manifest records: it runs, and
    what it computes is compared."""
    warnings = []
    for path in sorted(path for path in output.glob("*.py") if path.is_file()):
        own, digest = own_file(path.name), sha256_of(path)
        if own is None:
            warnings.append(
                f"{path.name} is no file of this tool's (sha256 {digest}): what the model computes is compared"
            )
        elif sha256_of(own) != digest:
            warnings.append(f"{path.name} is not this tool's own (sha256 {digest}): what it computes is compared")
    return warnings


def check_behavior(manifest: Mapping[str, Any] | None, source_behavior: str | None) -> tuple[list[Problem], list[str]]:
    """The preset of quirks that OUTPUT follows must be SOURCE's own (None: not known), unless `convert` was asked for
    another. Returns what is wrong, and warnings."""
    behavior = behavior_of(manifest)
    if manifest is None or source_behavior in (None, behavior):
        return [], []
    text = f"OUTPUT follows the behavior {behavior!r}; SOURCE's own is {source_behavior!r}"
    if behavior_chosen(manifest):
        return [], [f"{text}. convert was asked for it, as {MANIFEST} records"]
    again = (
        f"and {MANIFEST} does not record that convert was asked for it. Convert again, with --behavior if it is meant"
    )
    return [Problem("E412", f"{text}, {again}")], []


def check_source(manifest: Mapping[str, Any], sums: Mapping[str, str]) -> list[Problem]:
    """That the manifest records this very source."""
    recorded = set(source_sums(manifest).values())
    other = sorted(name for name, digest in sums.items() if digest not in recorded)
    if not other:
        return []
    text = f"OUTPUT was made from another checkpoint: {MANIFEST} has other checksums than SOURCE's {', '.join(other)}"
    return [Problem("E406", f"{text}. Is SOURCE the right one?")]


def asked_dtype(manifest: Mapping[str, Any] | None, written: WrittenWeights) -> str | None:
    """The dtype that the user asked `convert` for, as the manifest has it and every tensor bears out; else None."""
    found = {tensor.dtype for tensor in written.tensors.values()}
    if manifest is None or len(found) != 1:
        return None
    asked = manifest.get("asked_dtype")
    if asked is None:  # From before it was kept: a dtype that no tensor of the source had was asked for.
        entries = manifest["tensors"]
        changed = all(entry.get("dtype") != entry.get("source_dtype") for entry in entries)
        asked = next(iter(found)) if entries and changed else None
    return asked if isinstance(asked, str) and asked in found else None


def check_rounding(trace: Trace, manifest: Mapping[str, Any] | None) -> None:
    """Raise ReferenceFailure when a trace is of weights in another dtype than OUTPUT's manifest records: numbers of the
    one show nothing of the other."""
    if manifest is None:
        return
    changed = {entry.get("dtype") for entry in manifest["tensors"] if entry.get("dtype") != entry.get("source_dtype")}
    rounded, recorded = changed.pop() if len(changed) == 1 else None, trace.head.get("round_to")
    if rounded != recorded:
        kinds = [f"rounded to {dtype}" if dtype else "in the source's dtype" for dtype in (recorded, rounded)]
        text = f"{trace.path.name} was recorded with weights {kinds[0]}, OUTPUT's are {kinds[1]}. Record it anew"
        raise ReferenceFailure(Problem("E605", text))


def deciding_files(output: Path) -> dict[str, str]:
    """sha256 of every file of OUTPUT that decides numbers or tokens, and of the manifest: by them `push` knows what a
    report is about."""
    if not output.is_dir():
        return {}
    kinds = (".safetensors", ".json", ".py", ".txt", ".model")
    names: Sequence[Path] = sorted(output.iterdir())
    return {path.name: sha256_of(path) for path in names if path.is_file() and path.suffix in kinds}


def find_changed(before: Mapping[str, str], after: Mapping[str, str], written: Path | None) -> list[Problem]:
    """What of OUTPUT changed while it was checked, by its checksums before and after. `written`: a file that the caller
    let `verify` write meanwhile."""
    odd = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    kinds = {name: "came" if name not in before else "went" if name not in after else "changed" for name in odd}
    return [
        Problem(
            "E413", f"{name} {kinds[name]} while OUTPUT was checked: what was found is not of one state. Run it again"
        )
        for name in odd
        if written is None or name != written.name
    ]
