"""What the commands print besides progress: warnings on stderr, results on stdout."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from converter.cli import verbosity
from converter.cli.colours import coloured
from converter.common.errors import Problem
from converter.common.printable import MESSAGE, counted, printable, printable_message, sized
from converter.common.redaction import redact

if TYPE_CHECKING:
    from converter.back_conversion import BackConversion
    from converter.conversion import Conversion
    from converter.inspection import Inspection
    from converter.publish.pushed import Push

#: Of warnings, and of reasons for leaving something out.
_MOST_LINES = 50


def print_json(data: Any) -> None:
    """Print one JSON object on stdout, in ASCII, so that text from files stays inside its strings. Passwords in
    addresses are removed from warnings, as from errors."""
    if isinstance(data, dict) and isinstance(data.get("warnings"), (list, tuple)):
        data = {**data, "warnings": [redact(str(warning)) for warning in data["warnings"]]}
    typer.echo(json.dumps(data, indent=2, ensure_ascii=True, default=_plain))


def describe_problems(problems: Sequence[Problem]) -> dict[str, Any]:
    """The JSON object of a run that was stopped."""
    return {"error": [{"code": problem.code, "message": problem.text} for problem in problems]}


def _plain(value: object) -> object:
    if isinstance(value, Path):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not JSON")


def print_text(text: str, *, err: bool = False) -> None:
    """Print lines that are safe to print, in colour on a terminal."""
    typer.echo(coloured(text, sys.stderr if err else sys.stdout), err=err)


def print_advice(text: str) -> None:
    """Print a line that helps and is no result: not with -q."""
    if not verbosity.quiet:
        print_text(printable(text, MESSAGE))


def print_warnings(warnings: tuple[str, ...]) -> None:
    shown = verbosity.most(_MOST_LINES)
    for warning in warnings[:shown]:
        print_text(printable_message(f"warning: {warning}"), err=True)
    if len(warnings) > shown:
        print_text(f"warning: and {len(warnings) - shown} more (-v prints them)", err=True)


def describe_written(result: Conversion | BackConversion, folder: Path) -> str:
    """What was written to `folder`, or would be."""
    verb = "wrote" if result.written else "would write"
    return (
        f"{verb} {printable(str(folder), MESSAGE)}: {result.target_class}, {result.parameters:,} parameters in "
        f"{result.tensors} tensors, {sized(result.bytes)}"
    )


def print_conversion(result: Conversion, as_json: bool, proof: str) -> None:
    """`proof`: the command that verifies what was written."""
    print_warnings(result.warnings)
    if as_json:
        print_json(asdict(result))
        return
    files = counted(len(result.shards), "weight file")
    typer.echo(f"{describe_written(result, result.output)}, {files}, {result.seconds:.1f} s")
    for line in _unusual_rules(result.source_class, result.behavior):
        print_advice(line)
    advice = _batch_advice(result.source_class, result.behavior)
    if advice:
        print_advice(f"batches: without an attention_mask padding changes the numbers, as in Paddle. {advice}")
    if result.written:
        print_advice(f"prove it: {proof}")


def _unusual_rules(source_class: str, behavior: str) -> Iterator[str]:
    """Which rules OUTPUT follows, where they are not those of most checkpoints of its family."""
    from mappings import find_class

    found = find_class(source_class)
    if found is not None and behavior != found[0].usual_preset.name:
        yield f"behavior: {behavior} ({found[0].preset_named(behavior).summary})"


def _batch_advice(source_class: str, behavior: str) -> str:
    """How padding keeps the numbers as they are; nothing where it changes none."""
    from mappings import find_class

    found = find_class(source_class)
    unpadded = found[0].unpadded_preset(behavior) if found is not None else None
    if found is None or unpadded is None:
        return ""
    family = found[0]
    pad = next(field.default for field in family.fields if field.name == "pad_token_id")
    values, others = unpadded.resolve(pad), family.preset_named(behavior).resolve(pad)
    changed = ", ".join(f"{name}={value!r}" for name, value in values.items() if value != others[name])
    return f"Pass one, load with {changed}, or convert with --behavior {unpadded.name}"


def _listed(names: tuple[str, ...], most: int) -> str:
    more = len(names) - most
    return ", ".join(map(printable, names[:most])) + (f" and {more} more" if more > 0 else "")


def print_inspection(result: Inspection, as_json: bool) -> None:
    print_warnings(result.warnings)
    if as_json:
        print_json(asdict(result))
        return
    rows = [
        ("format", result.format + (f" ({result.writer})" if result.writer else "")),
        ("class", result.source_class or "unknown"),
        ("became" if result.made_from else "becomes", result.target_class or "unknown"),
        ("sizes", _sizes(result)),
        ("labels", _listed(result.labels, 12)),
        ("dtypes", ", ".join(f"{name} ({count} tensors)" for name, count in result.dtypes.items())),
        ("tensors", f"{result.tensors}, {result.parameters:,} parameters, {sized(result.bytes)}"),
        ("tokenizer", "yes" if result.tokenizer else "none"),
        ("behavior", f"{result.behavior} ({result.behavior_means})" if result.behavior else ""),
        ("keeps", f"{_listed(result.extras, 8)} (in a file of their own)" if result.extras else ""),
        ("files", _listed(result.files, 8)),
        *_rows_of_output(result),
    ]
    for name, value in rows:
        if value:
            typer.echo(f"{name:<10} {printable(value, MESSAGE)}")
    reasons: dict[str, list[str]] = {}
    most = verbosity.most(_MOST_LINES)
    for name, reason in result.dropped:
        reasons.setdefault(reason, []).append(name)
    for reason, names in itertools.islice(reasons.items(), most):
        if len(names) <= verbosity.most(8):
            lines = [f"drops      {printable(name)}: {printable(reason, MESSAGE)}" for name in names]
        else:
            lines = [f"drops      {len(names)}: {printable(reason, MESSAGE)}: {_listed(tuple(names), 8)}"]
        typer.echo("\n".join(lines))
    if len(reasons) > most:
        typer.echo(f"drops      more, for {len(reasons) - most} other reasons; --json lists them")
    for problem in result.problems[: verbosity.most(_MOST_LINES)]:
        print_text(printable_message(problem), err=True)


def _sizes(result: Inspection) -> str:
    """Where no class is known, they are not compared with the weights."""
    sizes = ", ".join(f"{name} {size}" for name, size in result.sizes.items())
    return f"{sizes} (as the config has them)" if sizes and result.target_class is None else sizes or "unknown"


def _rows_of_output(result: Inspection) -> list[tuple[str, str]]:
    """What a folder that `convert` made came from, and whether it is verified."""
    made = result.made_from
    if made is None:
        return []
    return [
        ("made by", f"paddle2torch {made.version}, table {made.mapping}"),
        ("made from", f"{made.origin}, {made.format}" if made.origin else made.format),
        *(("", f"{name}, sha256 {digest}") for name, digest in made.files[: verbosity.most(8)]),
        ("verified", f"yes: {made.verification}" if made.verified else f"NO: {made.verification}"),
        ("trace", "yes: paddle2torch verify needs no Paddle" if made.trace else "none"),
    ]


def print_push(result: Push, as_json: bool) -> None:
    print_warnings(result.warnings)
    if as_json:
        print_json(asdict(result))
        return
    for file in result.files:
        typer.echo(f"{file.change:<7} {file.size:>13,}  {file.sha256}  {printable(file.name)}")
    for name in result.deleted:
        typer.echo(f"delete  {'':>13}  {'':<64}  {printable(name)}")
    typer.echo(printable(_summary(result), MESSAGE))


def _summary(result: Push) -> str:
    where = result.url if result.revision == "main" else f"{result.url}/tree/{result.revision}"
    proof = "verified" if result.verified else "NOT verified"
    if result.nothing_to_do:
        place = f"the pull request {result.pull_request}" if result.pull_request else where
        return f"nothing to do: {place} has all of it already, commit {result.commit} ({proof})"
    sent = [file for file in result.files if file.change != "same"]
    size = sized(sum(file.size for file in sent))
    files = f"{len(sent)} file{'' if len(sent) == 1 else 's'}, {size},"
    branch = f"the branch {result.revision}"
    if result.dry_run:
        made = f"make the {'private ' if result.private else ''}repository, " if result.new_repository else ""
        made += f"make {branch}, " if result.new_branch else ""
        return f"would {made}send {files} to {where} ({proof}). Nothing was changed"
    if not sent and not result.deleted:
        return f"made {branch} at commit {result.commit}, which has all of it already: {where} ({proof})"
    made = f", pull request {result.pull_request}" if result.pull_request else ""
    return f"pushed {files} to {where}: commit {result.commit}{made} ({proof}; the Hub reports the same checksums)"
