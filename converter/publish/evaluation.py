"""Evaluations of OUTPUT that lie in it, and whether each is about exactly these bytes.

`paddle2torch evaluate ... --report OUTPUT/evaluation` writes one there, or for several tasks into folders of it
(`OUTPUT/evaluation/qa`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from converter.common.errors import FileError
from converter.common.printable import to_markdown
from converter.files.json_files import read_json
from converter.publish.evidence import is_document
from converter.publish.folder import Listing, is_of_evaluation

_REPORT = "report.json"
_COLUMNS = ("", "examples", "Paddle", "PyTorch", "same answers", "ties")


@dataclass(frozen=True)
class Evaluated:
    """An evaluation that is believed. `report`: its name in OUTPUT; `data`: what it holds."""

    report: str
    data: Mapping[str, Any]

    def describe(self) -> str:
        """What the card has of it, in Markdown. Raises KeyError, TypeError, ValueError or AttributeError for a report
        that is damaged."""
        data = self.data
        settings = {"data": data["form"], "precision": data["precision"], **data["protocol"]}
        protocol = "; ".join(f"{to_markdown(str(name))}: {to_markdown(str(value))}" for name, value in settings.items())
        table = "\n".join(f"| {' | '.join(row)} |" for row in (_COLUMNS, ("---",) * len(_COLUMNS), *self._rows()))
        return f"### {to_markdown(str(data['task']))}\n\n{table}\n\n{protocol}. `{self.report}` has the rest."

    def _rows(self) -> Iterator[tuple[str, ...]]:
        languages, mean = self.data["languages"], self.data["mean"]
        for name, one in languages.items():
            yield (to_markdown(name), f"{one['examples']:,}", _shares(one["paddle"]), _shares(one["torch"]),
                   f"{one['agree']:,}", f"{one['ties']:,}")  # fmt: skip
        if len(languages) > 1:
            total = {key: f"{sum(one[key] for one in languages.values()):,}" for key in ("examples", "agree", "ties")}
            sides = (_shares(mean["paddle"]), _shares(mean["torch"]))
            yield ("mean", total["examples"], *sides, total["agree"], total["ties"])


def describe_evaluations(found: Sequence[Evaluated]) -> str:
    """The section of the card; empty without an evaluation."""
    if not found:
        return ""
    text = """

## Evaluation

`paddle2torch evaluate` gave the same tokens of these examples to the source in Paddle and to exactly these files in
PyTorch. A tie is an example that roundings decide."""
    return "\n\n".join([text, *(one.describe() for one in found)]) + "\n"


def _shares(metrics: Mapping[str, float]) -> str:
    return ", ".join(f"{to_markdown(name.replace('_', ' '))} {100 * value:.2f} %" for name, value in metrics.items())


def find_evaluations(
    output: Path, listing: Listing, *, verified: bool = True
) -> tuple[list[Evaluated], dict[str, str]]:
    """The evaluations that are believed, and of the others the name of the report and the reason. Of an OUTPUT that is
    not `verified` none is."""
    found, left_out = [], {}
    for file in listing.files:
        if not is_of_evaluation(file.name) or not file.name.endswith(_REPORT):
            continue
        try:
            evaluated = Evaluated(file.name, read_json(output / file.name)[0])
            reason = _find_doubt(evaluated.data, listing) if verified else "OUTPUT is not verified"
            if reason is None:
                evaluated.describe()  # Raises where something that the card needs is lost.
                found.append(evaluated)
        except FileError as error:
            reason = f"it is damaged: {error.problems[0].text}"
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            reason = f"it is damaged: it lacks {error}" if isinstance(error, KeyError) else f"it is damaged: {error}"
        if reason is not None:
            left_out[file.name] = reason
    return found, left_out


def _find_doubt(data: Mapping[str, Any], listing: Listing) -> str | None:
    """Why a report is no evidence about these bytes. Raises KeyError, TypeError, ValueError or AttributeError for a
    damaged one."""
    if data["torch_only"] is not False:
        return "it is of PyTorch alone: nothing was compared"
    if data["passed"] is not True or data["problems"]:
        return "it did not pass"
    for view in (data, *data.get("views", {}).values()):
        if not view["languages"]:
            raise ValueError("it has no language")
        for name, one in view["languages"].items():
            if not one["examples"] > 0 or one["agree"] + one["ties"] != one["examples"] or one["ties"] < 0:
                return f"it is marked as passed, and answers of {name!r:.40} differ"
    files = data["files"]
    there = {file.name: file.sha256 for file in listing.files if file.name in files or not is_document(file.name)}
    other = sorted(name for name in {*there, *files} if there.get(name) != files.get(name))
    if other:
        more = f" and {len(other) - 3} more" if len(other) > 3 else ""
        return f"it is about other bytes: {', '.join(other[:3])}{more}. Run paddle2torch evaluate again"
    return None


def without_these(listing: Listing, left_out: Collection[str]) -> Listing:
    """The files without those of evaluations that are left out: on the Hub they would look like evidence."""
    folders = {name.rpartition("/")[0] for name in left_out}
    unwanted = {file.name for file in listing.files if file.name.rpartition("/")[0] in folders}
    return Listing(listing.without({name for name in unwanted if is_of_evaluation(name)}), listing.left_out)
