"""What the commands print: progress and warnings on stderr, results on stdout."""

from __future__ import annotations

import itertools
import json
import shutil
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

import typer

from converter.common.errors import Problem
from converter.common.printable import MESSAGE, printable, printable_message
from converter.common.progress import Progress
from converter.common.redaction import redact

if TYPE_CHECKING:
    from converter.back_conversion import BackConversion
    from converter.conversion import Conversion
    from converter.inspection import Inspection
    from converter.publish.push import Push

_SECONDS_BETWEEN_LINES = 5.0
#: Of warnings, and of reasons for leaving something out.
_MOST_LINES = 50


class Reporter:
    """Progress on stderr: a bar on a terminal, a plain line every few seconds elsewhere."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._start = self._last = time.monotonic()
        self._stage = ""
        self._from: int | None = None
        self._drawn = False

    def __enter__(self) -> Reporter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._clear()

    def progress(self, stage: str, done: int, total: int) -> None:
        """Show `done` of `total` bytes of a stage; 0 as `total` means unknown. `done` 0 announces a stage at once."""
        now = time.monotonic()
        if stage != self._stage:
            self._stage, self._start, self._from = stage, now, None
            if done == 0:
                self._last = now
                self.print_line(f"{stage}: {_sized(total)}" if total else stage)
        if self._from is None and done:  # The rate counts only what this run downloads, not what was there.
            self._from = done
        if now - self._last < (0.1 if self._terminal else _SECONDS_BETWEEN_LINES):
            return
        self._last = now
        share = done / total if total else 0.0
        rate = (done - (self._from or 0)) / 1e6 / max(now - self._start, 1e-3)
        whole = f" of {_sized(total)} ({share:.0%}," if total else " ("
        text = f"{stage} {_sized(done)}{whole} {rate:,.1f} MB/s)"
        if self._terminal:
            self._draw(share, text)
        else:
            self.print_line(text)

    def show(self, event: Progress) -> None:
        """Show a step; called many times a second."""
        if event.in_bytes:
            self.progress(event.stage, event.done, event.total)
            return
        now, begins = time.monotonic(), event.stage != self._stage
        if begins:
            self._stage = event.stage
            self.print_line(event.stage if event.total and self._terminal else event)
        elif now - self._last < (0.1 if self._terminal else _SECONDS_BETWEEN_LINES):
            return
        self._last = now
        if self._terminal and event.total:
            self._draw(min(event.done / event.total, 1.0), event)
        elif not begins:
            self.print_line(event)

    def _draw(self, share: float, text: str) -> None:
        """Draw the bar over the previous one, cut to the width of the terminal, so that one line is enough."""
        line = f"{'█' * int(30 * share):░<30} {printable(text, MESSAGE)}"
        sys.stderr.write(f"\r\033[K{line[: shutil.get_terminal_size().columns - 1]}")
        sys.stderr.flush()
        self._drawn = True

    def print_line(self, text: str) -> None:
        """Print one line."""
        self._clear()
        typer.echo(printable(text, MESSAGE), err=True)

    def _clear(self) -> None:
        if self._drawn:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()
            self._drawn = False


def _sized(size: int) -> str:
    return f"{size / 1e6:,.1f} MB" if size >= 100_000 else f"{size:,} bytes"


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


def print_warnings(warnings: tuple[str, ...]) -> None:
    for warning in warnings[:_MOST_LINES]:
        typer.echo(printable_message(f"warning: {warning}"), err=True)
    if len(warnings) > _MOST_LINES:
        typer.echo(f"warning: and {len(warnings) - _MOST_LINES} more", err=True)


def describe_written(result: Conversion | BackConversion, folder: Path) -> str:
    """What was written to `folder`, or would be."""
    verb = "wrote" if result.written else "would write"
    return (
        f"{verb} {printable(str(folder), MESSAGE)}: {result.target_class}, {result.parameters:,} parameters in "
        f"{result.tensors} tensors, {result.bytes / 1e9:.2f} GB"
    )


def print_conversion(result: Conversion, as_json: bool) -> None:
    print_warnings(result.warnings)
    if as_json:
        print_json(asdict(result))
        return
    typer.echo(f"{describe_written(result, result.output)}, weight files {len(result.shards)}, {result.seconds:.1f} s")
    typer.echo(f"behavior: {result.behavior}")
    advice = _batch_advice(result.source_class, result.behavior)
    if advice:
        typer.echo(f"batches: without an attention_mask padding changes the numbers, as in Paddle. {advice}")
    if result.written:
        typer.echo("prove it: paddle2torch verify SOURCE OUTPUT")


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
        ("becomes", result.target_class or "unknown"),
        ("sizes", ", ".join(f"{name} {size}" for name, size in result.sizes.items()) or "unknown"),
        ("labels", _listed(result.labels, 12)),
        ("dtypes", ", ".join(f"{name} ({count} tensors)" for name, count in result.dtypes.items())),
        ("tensors", f"{result.tensors}, {result.parameters:,} parameters, {result.bytes / 1e6:,.1f} MB"),
        ("tokenizer", "yes" if result.tokenizer else "none"),
        ("behavior", f"{result.behavior} ({result.behavior_means})"),
        ("keeps", f"{_listed(result.extras, 8)} (in a file of their own)" if result.extras else ""),
        ("files", _listed(result.files, 8)),
    ]
    for name, value in rows:
        if value:
            typer.echo(f"{name:<10} {printable(value, MESSAGE)}")
    reasons: dict[str, list[str]] = {}
    for name, reason in result.dropped:
        reasons.setdefault(reason, []).append(name)
    for reason, names in itertools.islice(reasons.items(), _MOST_LINES):
        if len(names) <= 8:
            lines = [f"drops      {printable(name)}: {printable(reason, MESSAGE)}" for name in names]
        else:
            lines = [f"drops      {len(names)}: {printable(reason, MESSAGE)}: {_listed(tuple(names), 8)}"]
        typer.echo("\n".join(lines))
    if len(reasons) > _MOST_LINES:
        typer.echo(f"drops      more, for {len(reasons) - _MOST_LINES} other reasons; --json lists them")
    for problem in result.problems[:_MOST_LINES]:
        typer.echo(printable_message(problem))


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
    size = _sized(sum(file.size for file in sent))
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
