"""The card that is uploaded: OUTPUT's own, with the repository's name in it and the evidence, or a warning."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from converter.common.errors import MOST_LISTED, FileError, Problem, PushError
from converter.common.printable import MESSAGE, to_markdown
from converter.files.json_files import read_json
from converter.hub.client import silence_library as quiet
from converter.hub.messages import to_ascii as shown
from converter.plan.inner_tensors import left_inside_paragraph
from converter.publish.folder import CARD, REPORT, TRACE
from converter.write.card_text import EVIDENCE_BEGIN, EVIDENCE_END, FOLDER_NAME, FOR_THE_AUTHOR
from mappings import Family, all_families, find_class

if TYPE_CHECKING:
    from verify.results.report import Report

#: What `convert` wrote for the author alone.
_FOR_THE_AUTHOR = re.compile(rf"\n*{re.escape(FOR_THE_AUTHOR)}.*?-->", re.DOTALL)


def find_family(output: Path) -> Family | None:
    """The family of the class that OUTPUT was made from; where the manifest is lost that of the model_type in
    config.json, which several families may have; None where that cannot be read either."""
    from verify.results.manifest import read_manifest

    manifest = read_manifest(output)[0]
    found = find_class(manifest["source"].get("class")) if manifest is not None else None
    if found is not None:
        return found[0]
    try:
        model_type = read_json(output / "config.json")[0].get("model_type")
    except (FileError, OSError):
        return None
    return next((family for family in all_families() if family.model_type == model_type), None)


def _bare_card(family: Family | None) -> str:
    """The card of an OUTPUT that has lost its own."""
    tags = "".join(f"- {tag}\n" for tag in (*(family.tags if family is not None else ()), "paddle2torch"))
    title = family.title if family is not None else "A Paddle model"
    return f"---\nlibrary_name: transformers\ntags:\n{tags}---\n\n# {title} in PyTorch\n"


def build_card(text: str | None, repo_id: str, section: str, family: Family | None = None) -> bytes:
    """The card with `section` between its marks, or at its end where it has none. `text`: OUTPUT's card, None where it
    is lost. Raises PushError for metadata that is no YAML."""
    text = _bare_card(family) if text is None else text.replace("\r\n", "\n")
    text = _FOR_THE_AUTHOR.sub("", text)
    _check_metadata(text)
    marked = f"{EVIDENCE_BEGIN}\n{section.strip()}\n{EVIDENCE_END}"
    pattern = re.compile(f"{re.escape(EVIDENCE_BEGIN)}.*?{re.escape(EVIDENCE_END)}", re.DOTALL)
    there = pattern.search(text)
    text = pattern.sub(lambda _: marked, text, count=1) if there else f"{text.rstrip()}\n\n{marked}\n"
    return text.replace(f'"{FOLDER_NAME}"', f'"{repo_id}"').encode()


def _check_metadata(text: str) -> None:
    from huggingface_hub import ModelCard

    try:
        with quiet():
            ModelCard(text, ignore_metadata_errors=False)
    except Exception as error:  # PyYAML's own errors, and what the card's classes raise.
        reason = " ".join(str(error).split())[:200]
        raise PushError(Problem("E812", f"{CARD}: its metadata is not valid: {reason}. Correct it")) from None


def describe_evidence(report: Report, with_trace: bool, foreign: Mapping[str, str] | None = None) -> str:
    """The parity table of a passing report, and how to check it. `foreign`: code that is not this tool's own, with its
    checksums."""
    from verify.report.messages import describe_subject
    from verify.report.rows import result_rows

    return _render(
        foreign,
        report=report,
        rows=result_rows(report),
        subject=[(name, to_markdown(text, MESSAGE)) for name, text in describe_subject(report)],
        looked_at=_looked_at(report),
        reference=_reference(report),
        computed=_computed(report),
        with_trace=with_trace,
        report_name=REPORT,
        trace_name=TRACE,
        folder=FOLDER_NAME,
    )


def describe_doubts(problems: Sequence[Problem], foreign: Mapping[str, str] | None = None) -> str:
    """The warning of a folder that is published without proof."""
    return _render(foreign, report=None, problems=[to_markdown(problem.text, MESSAGE) for problem in problems])


def _render(foreign: Mapping[str, str] | None, **values: Any) -> str:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("converter.publish", "")
    # Markdown is no HTML: each value is made harmless for the place that it has.
    environment = Environment(
        loader=loader, autoescape=False, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    files = [(shown(name).replace("`", "")[:120], digest) for name, digest in (foreign or {}).items()]
    return environment.get_template("evidence.md.j2").render(foreign=files, most=MOST_LISTED, **values)


def _looked_at(report: Report) -> str:
    from verify.results.report import NUMBERS, TOKENS

    checked = [f"numbers in {report.precision}" if name == NUMBERS else name for name in report.checked]
    return to_markdown(", ".join(checked)) + ("" if TOKENS in report.checked else "; there is no tokenizer")


def _reference(report: Report) -> str:
    """The versions on Paddle's side and how they were used; empty where the report does not have them."""
    versions = report.reference.get("environment") or {}
    kind = {"live": "run next to it", "trace": "from a recorded trace"}.get(str(report.reference.get("kind")), "")
    names = [
        f"{name} {versions[key]}" for name, key in (("PaddleNLP", "paddlenlp"), ("Paddle", "paddle")) if key in versions
    ]
    return to_markdown(f"{' on '.join(names)}, {kind}") if names and kind else ""


def _computed(report: Report) -> str:
    """The versions with which OUTPUT computed; empty where the report does not have them."""
    versions = report.environment.get("output") or {}
    names = [f"{name} {versions[name]}" for name in ("transformers", "torch") if name in versions]
    return to_markdown(" and ".join(names))


def describe_left_inside(output: Path, report: Report | None) -> str:
    """What of the checkpoint's modules OUTPUT leaves out on request, by its manifest and by its report."""
    from verify.results.manifest import read_manifest

    return left_inside_paragraph(read_manifest(output)[0], report.to_json() if report is not None else None)
