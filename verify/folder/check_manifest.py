"""paddle2torch.json: every sum that it gives must be that of what lies in OUTPUT. A lost manifest is a failure."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from converter.common.errors import Problem, ReferenceFailure
from converter.common.layout import MANIFEST
from converter.files.hashing import sha256_of
from converter.open.config.quirks import BEHAVIORS
from verify.folder.json_objects import read_object
from verify.results.trace import Trace
from verify.weights.output_weights import WrittenWeights

#: Files whose bytes may differ when what they compute does not: that is judged by running them.
JUDGED_BY_RUNNING = (".py",)
_TOKENIZER_FILES = ("vocab.txt", "sentencepiece.bpe.model")
#: The model's files as this version of the tool copies them.
OWN_CODE = Path(__file__).resolve().parents[2] / "ernie_m"


def read_manifest(output: Path) -> tuple[dict[str, Any] | None, list[Problem]]:
    """The manifest, or None and why not."""
    path = output / MANIFEST
    if not path.is_file():
        return None, [Problem("E406", f"{MANIFEST} is lost: what OUTPUT was made from cannot be told. Convert again")]
    try:
        data = read_object(path)
        if not isinstance(data["tensors"], list) or not isinstance(data["files"], dict):
            raise ValueError("it has no list of tensors, or no table of files")
        by_target(data)
        extras_by_target(data)
        source_sums(data)
        if behavior_of(data) not in BEHAVIORS:
            raise ValueError(f"its behavior is {data['behavior']!r:.40}, expected one of {', '.join(BEHAVIORS)}")
        return data, []
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        return None, [Problem("E406", f"{MANIFEST} is not usable: {error}. Convert again")]


def by_target(manifest: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """target name -> its entry."""
    return {str(entry["target"]): dict(entry) for entry in manifest["tensors"]}


def extras_by_target(manifest: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The same for the weights that the model has no place for."""
    return {str(entry["target"]): dict(entry) for entry in manifest.get("extras", [])}


def behavior_of(manifest: Mapping[str, Any] | None) -> str:
    """Whose rules OUTPUT says to follow; a manifest of before there was a choice says PaddleNLP's."""
    return str((manifest or {}).get("behavior", "paddlenlp"))


def behavior_chosen(manifest: Mapping[str, Any] | None) -> bool:
    """Whether `convert` was asked for that behavior; else it took the one of the release that wrote SOURCE."""
    return (manifest or {}).get("behavior_chosen") is True


def source_sums(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Name and sha256 of each file that OUTPUT was made from."""
    return {str(file["name"]): str(file["sha256"]) for file in manifest["source"]["files"]}


def weight_sums(manifest: Mapping[str, Any]) -> list[str]:
    """sha256 of each weight file that OUTPUT was made from."""
    return [digest for name, digest in source_sums(manifest).items() if not name.endswith(".json")]


def check_tensors(manifest: Mapping[str, Any], written: WrittenWeights) -> tuple[list[str], list[Problem]]:
    """Every tensor's dtype, shape and sum. Returns the names that differ, and what is wrong."""
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
            wrong[name] = "its bytes have another sum"
    wrong.update({name: "it is not in the weight files" for name in entries if name not in there})
    return sorted(wrong), [Problem("E406", f"{MANIFEST}: {name}: {why}") for name, why in sorted(wrong.items())]


def check_files(manifest: Mapping[str, Any], output: Path) -> tuple[list[Problem], list[str]]:
    """The files that decide numbers or tokens. Other code is a warning: it is run, and judged by what it computes."""
    problems, warnings = [], []
    for name, expected in manifest["files"].items():
        path = output / str(name)
        if Path(str(name)).name != name:
            problems.append(Problem("E406", f"{MANIFEST} names {name!r}, expected a file name"))
        elif not path.is_file():
            problems.append(Problem("E406", f"{name} is in {MANIFEST} and not in OUTPUT"))
        elif sha256_of(path) != expected:
            if path.suffix in JUDGED_BY_RUNNING:
                warnings.append(f"{name} is not the file that was written: its sum differs from {MANIFEST}'s")
            else:
                problems.append(
                    Problem("E406", f"{name} is not the file that was written: its sum differs from {MANIFEST}'s")
                )
    warnings += [
        f"{name} is not in {MANIFEST}: it has no sum there, and is judged by what it computes"
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
    """Code in OUTPUT that is not this tool's own, by its sum, whatever the manifest says: it runs, and is judged by
    what it computes."""
    warnings = []
    for path in sorted(path for path in output.glob("*.py") if path.is_file()):
        own, digest = OWN_CODE / path.name, sha256_of(path)
        if not own.is_file():
            warnings.append(
                f"{path.name} is no file of this tool's (sha256 {digest}): judged by what the model computes"
            )
        elif sha256_of(own) != digest:
            warnings.append(f"{path.name} is not this tool's own (sha256 {digest}): judged by running it")
    return warnings


def check_source(manifest: Mapping[str, Any], sums: Mapping[str, str]) -> list[Problem]:
    """That OUTPUT says to be made from this very source."""
    said = set(source_sums(manifest).values())
    other = sorted(name for name, digest in sums.items() if digest not in said)
    if not other:
        return []
    return [Problem("E406", f"{MANIFEST}: OUTPUT was made from another {', '.join(other)} than SOURCE has")]


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


def check_rounding(trace: Trace, output: Path) -> None:
    """Raise ReferenceFailure when a trace is of weights in another dtype than OUTPUT's manifest says: numbers of the
    one say nothing of the other."""
    manifest, _ = read_manifest(output)
    if manifest is None:
        return
    changed = {entry.get("dtype") for entry in manifest["tensors"] if entry.get("dtype") != entry.get("source_dtype")}
    said, recorded = changed.pop() if len(changed) == 1 else None, trace.head.get("round_to")
    if said != recorded:
        kinds = [f"rounded to {dtype}" if dtype else "in the source's dtype" for dtype in (recorded, said)]
        text = f"{trace.path.name} was recorded with weights {kinds[0]}, OUTPUT's are {kinds[1]}. Record it anew"
        raise ReferenceFailure(Problem("E605", text))


def deciding_files(output: Path) -> dict[str, str]:
    """sha256 of every file of OUTPUT that decides numbers or tokens, and of the manifest: by it `push` knows what a
    report speaks of."""
    if not output.is_dir():
        return {}
    kinds = (".safetensors", ".json", ".py", ".txt", ".model")
    names: Sequence[Path] = sorted(output.iterdir())
    return {path.name: sha256_of(path) for path in names if path.is_file() and path.suffix in kinds}


def find_changed(before: Mapping[str, str], after: Mapping[str, str], written: Path | None) -> list[Problem]:
    """What of OUTPUT changed while it was judged, by its sums before and after. `written`: a file that the caller let
    `verify` write meanwhile."""
    odd = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    kinds = {name: "came" if name not in before else "went" if name not in after else "changed" for name in odd}
    return [
        Problem(
            "E413", f"{name} {kinds[name]} while OUTPUT was judged: what was found is not of one state. Run it again"
        )
        for name in odd
        if written is None or name != written.name
    ]
