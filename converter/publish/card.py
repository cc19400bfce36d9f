"""The card that is uploaded: OUTPUT's own, with the repository's name in it and the evidence, or a warning."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from converter.common.errors import Problem, PushError
from converter.common.printable import MESSAGE, to_markdown
from converter.hub.fetch_errors import quiet, shown
from converter.plan.inner_tensors import left_inside_paragraph
from converter.publish.evidence import TOKENS, read_sites
from converter.publish.folder import CARD, REPORT, TRACE
from converter.write.card_text import EVIDENCE_BEGIN, EVIDENCE_END, FOLDER_NAME

_BARE = "---\nlibrary_name: transformers\ntags:\n- ernie_m\n- paddle2torch\n---\n\n# ERNIE-M in PyTorch\n"
_SHOWN = 12


def build_card(text: str | None, repo_id: str, section: str) -> bytes:
    """The card with `section` between its marks, or at its end where it has none. `text`: OUTPUT's card, None where it
    is lost. Raises PushError for metadata that is no YAML."""
    text = _BARE if text is None else text.replace("\r\n", "\n")
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
        raise PushError(Problem("E812", f"{CARD}: its metadata is not valid: {reason}. Mend it")) from None


def describe_evidence(report: Mapping[str, Any], with_trace: bool, foreign: Mapping[str, str] | None = None) -> str:
    """The parity table of a passing report, and how to check it. `foreign`: code that is not this tool's own, with its
    sums."""
    rows = "\n".join(f"| {what} | {count} | {worst} | {limit} |" for what, count, worst, limit in _rows(report))
    again = (
        f"\n`{TRACE}` holds what Paddle computed. With it anyone verifies this repository again, without\n"
        f'Paddle:\n\n```sh\nhf download "{FOLDER_NAME}" --local-dir model\n'
        f"paddle2torch verify model --trace model/{TRACE}\n```"
        if with_trace
        else ""
    )
    return f"""## Evidence

`paddle2torch verify` compared exactly these files with the source: **passed** ({_looked_at(report)}).

| what | compared | worst difference | limit |
| --- | --- | --- | --- |
{rows}

Differences are relative to the largest value of their site. {_reference(report)}{_chosen(report)}
`{REPORT}` has every site, the versions and the sha256 of every file.
{describe_foreign(foreign or {})}
A report is no signature: whoever publishes a folder can write one. Proof is what you compute yourself, \
{"with the trace below, or " if with_trace else ""}with `paddle2torch verify` and a source that you trust.{again}
"""


def _chosen(report: Mapping[str, Any]) -> str:
    """That the behavior is not the source's own, where it is not."""
    own = report.get("source_behavior")
    if own in (None, report.get("behavior")):
        return ""
    said = f"The behavior is `{report['behavior']}`, which `convert` was asked for with `--behavior`"
    return f"\n{said}; that of the source is `{own}`."


def describe_foreign(foreign: Mapping[str, str]) -> str:
    """The warning of a folder with code of others; empty where there is none."""
    if not foreign:
        return ""
    files = [(shown(name).replace("`", "")[:120], digest) for name, digest in foreign.items()]
    lines = "\n".join(f"- `{name}`, sha256 `{digest}`" for name, digest in files[:_SHOWN])
    more = f"\n- and {len(foreign) - _SHOWN} more" if len(foreign) > _SHOWN else ""
    return f"""
**The code is not paddle2torch's own** (published with `--allow-foreign-code`). What it computed was compared; what it
does besides, or only elsewhere, nothing here proves. Read these files before you load them with
`trust_remote_code=True`:

{lines}{more}
"""


def _looked_at(report: Mapping[str, Any]) -> str:
    seen = [f"numbers in {report['precision']}" if name == "numbers" else str(name) for name in report["checked"]]
    return ", ".join(seen) + ("" if TOKENS in report["checked"] else "; there is no tokenizer")


def _rows(report: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    from verify.report.terminal import group_sites

    static, tokens = report["static"], report["tokenizer"]
    rows = [("weights", f"{static['tensors']} tensors", "equal, bit for bit", "0")]
    if static.get("rounded"):
        rows = [("weights", f"{static['tensors']} tensors", f"{static['rounded']} rounded to the nearest", "0")]
    for name, sites in group_sites(read_sites(report)):
        worst = max(site.max_rel or 0.0 for site in sites)
        rows.append((name, f"{len(sites)} sites", f"{worst:.1e}", f"{max(site.tolerance for site in sites):.0e}"))
    gradients = report["gradients"]
    if gradients:
        worst, limit = (max(each[key] for each in gradients) for key in ("max_rel", "tolerance"))
        tensors = len({each["tensor"] for each in gradients})
        rows.append(("gradients", f"{tensors} tensors", f"{worst:.1e}", f"{limit:.0e}"))
    if tokens is not None:
        rows.append(("tokens", f"{tokens['texts']} texts", "equal", "0"))
    return rows


def _reference(report: Mapping[str, Any]) -> str:
    reference = report.get("reference") or {}
    versions = reference.get("environment") or {}
    kind = {"live": "run beside it", "trace": "from a recorded trace"}.get(str(reference.get("kind")), "")
    names = [
        f"{name} {versions[key]}" for name, key in (("PaddleNLP", "paddlenlp"), ("Paddle", "paddle")) if key in versions
    ]
    return f"The reference was {' on '.join(names)}, {kind}." if names and kind else ""


def describe_left_inside(output: Path, report: Mapping[str, Any] | None) -> str:
    """What of the checkpoint's modules OUTPUT leaves out on request, by its manifest and by its report."""
    from verify.folder.check_manifest import read_manifest

    return left_inside_paragraph(read_manifest(output)[0], report)


def describe_doubts(problems: Sequence[Problem], foreign: Mapping[str, str] | None = None) -> str:
    """The warning of a folder that is published without proof."""
    lines = "\n".join(f"- {to_markdown(problem.text, MESSAGE)}" for problem in problems[:_SHOWN])
    more = f"\n- and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
    return f"""## Not verified

**These files were published with `--allow-unverified`: nothing proves that they are the model that they were made
from.** `paddle2torch push` found:

{lines}{more}
{describe_foreign(foreign or {})}"""
