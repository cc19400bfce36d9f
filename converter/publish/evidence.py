"""Whether a passing, full report is about exactly these bytes. What cannot be decided counts against the folder."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection, Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from converter.common.errors import FileError, Problem, ReferenceFailure
from converter.common.layout import TOKENIZER_FILES
from converter.files.json_files import read_json
from converter.publish.agreement import find_contradictions
from converter.publish.folder import CARD, EVIDENCE, REPORT, TRACE, Listing, is_of_evaluation
from mappings import find_class

if TYPE_CHECKING:
    from verify.results.report import Report

_SUM = re.compile(r"[0-9a-f]{64}")
#: A folder with one of these has a tokenizer, which the report must have looked at.
_OF_TOKENIZERS = (*TOKENIZER_FILES, "tokenizer.json")
_CONFIG = "config.json"
_WEIGHTS = ("model.safetensors", "model.safetensors.index.json")
_DOCUMENTS = (".md", ".rst", ".bib", ".cff", ".png", ".jpg", ".jpeg", ".gif", ".svg", ".webp", ".pdf")
_DOCUMENT_NAMES = ("LICENSE", "NOTICE", "LICENSE.txt", "NOTICE.txt", "COPYING", "AUTHORS", "CHANGELOG")


def _advise(output: Path) -> str:
    return (
        f"Run `paddle2torch verify SOURCE {shlex.quote(str(output))}`; SOURCE is the checkpoint that it was made from"
    )


def check_evidence(output: Path, listing: Listing) -> tuple[Report | None, list[Problem]]:
    """The report, and everything that keeps it from proving OUTPUT: empty when OUTPUT is proven."""
    has_tokenizer = any(listing.find(name) for name in _OF_TOKENIZERS)
    report, problems = read_evidence(output, has_tokenizer)
    of_others = [*check_manifest(output), *(check_trace(output) if listing.find(TRACE) is not None else ())]
    if report is None:
        return None, [*problems, *of_others]
    return report, [*problems, *compare_files(report.files, listing, needed_code(output)), *of_others]


def read_evidence(output: Path, has_tokenizer: bool) -> tuple[Report | None, list[Problem]]:
    """report.json, or None where it is lost or damaged, and why it proves nothing."""
    from verify.results.report import read_report

    if not (output / REPORT).is_file():
        return None, [Problem("E802", f"there is no {REPORT}: OUTPUT is not verified. {_advise(output)}")]
    try:
        data, _ = read_json(output / REPORT)
        report = read_report(data)
        reasons = _find_doubts(report, data, has_tokenizer, output)
    except FileError as error:
        return None, [Problem("E802", f"{REPORT} is damaged: {error.problems[0].text}. {_advise(output)}")]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        kind = f"it lacks {error}" if isinstance(error, KeyError) else f"{error}"
        return None, [Problem("E802", f"{REPORT} is damaged: {kind}. {_advise(output)}")]
    return report, [Problem("E802", f"{REPORT}: {reason}. {_advise(output)}") for reason in reasons]


def _find_doubts(report: Report, data: Mapping[str, Any], has_tokenizer: bool, output: Path) -> list[str]:
    """Why a report, which was read from `data`, is no proof of OUTPUT. Raises KeyError, TypeError, ValueError or
    AttributeError for a damaged one."""
    from verify.folder.foreign_code import find_foreign
    from verify.results.report import NUMBERS, TOKENS, WEIGHTS

    if not all(_SUM.fullmatch(digest) for digest in report.files.values()):
        raise ValueError("its table of files is no table of checksums")
    if data["passed"] is not True or report.problems:
        return ["it did not pass"]
    wanted = [WEIGHTS, NUMBERS, TOKENS] if has_tokenizer else [WEIGHTS, NUMBERS]
    unchecked = [name for name in wanted if name not in report.checked]
    if unchecked:
        return [f"it is not a full one: {', '.join(unchecked)} not looked at"]
    static, tokens = report.static, report.tokenizer
    if static is None or (has_tokenizer and tokens is None):
        raise TypeError("it has no result of what it checked")
    _check_measured(report)
    wrong = []
    if static.tensors < 1 or static.mismatched:
        wrong.append("it reports a pass, and not that every tensor is equal")
    if not report.sites or not all(site.passed for site in report.sites):
        wrong.append("it reports a pass, and not that every site is equal")
    if not all(each.passed and (each.max_rel or 0.0) <= each.tolerance for each in report.gradients):
        wrong.append("it reports a pass, and not that every gradient is equal")
    if tokens is not None and has_tokenizer and (tokens.texts < 1 or tokens.mismatched or tokens.from_text[1]):
        wrong.append("it reports a pass, and not that every text has equal tokens")
    if report.sites:
        wrong += find_contradictions(report, output)
        if "foreign_code" in data and report.foreign_code != find_foreign(output):
            wrong.append(
                "it is marked as passed, and it names other code that is not paddle2torch's own than OUTPUT has"
            )
    return wrong


def _check_measured(report: Report) -> None:
    """Raise TypeError for a site that is not within its limit, and for a gradient without a number."""
    for site in report.sites:
        if site.max_rel is None or not site.max_rel <= site.tolerance:
            raise TypeError(f"the site {site.site} of {site.case} is not within its limit")
    for gradient in report.gradients:
        if gradient.max_rel is None:
            raise TypeError(f"the gradient of {gradient.tensor} in {gradient.case} was not measured")


def compare_files(verified: Mapping[str, str], listing: Listing, code: Collection[str]) -> list[Problem]:
    """The differences between OUTPUT and the report: other bytes, files too many, files that are gone. `code`: the
    files without which the class does not load."""
    problems = []
    for file in listing.files:
        if file.name in verified:
            if verified[file.name] != file.sha256:
                problems.append(_other(f"{file.name} has changed since it was verified: its sum is {file.sha256}"))
        elif not is_document(file.name):
            problems.append(_other(f"{file.name} is not in the report: nobody has verified it"))
    names = {file.name for file in listing.files}
    problems += [_other(f"{name} is in the report, and not in OUTPUT") for name in sorted(set(verified) - names)]
    needed = [
        _CONFIG,
        *code,
        *([] if any(name in names for name in _WEIGHTS) else _WEIGHTS[:1]),
    ]
    problems += [_other(f"{name} is not in OUTPUT") for name in needed if name not in names and name not in verified]
    return problems


def needed_code(output: Path) -> list[str]:
    """The files of code without which the class that config.json names does not load; a config that cannot be read is
    the finding of another check."""
    try:
        names = read_json(output / _CONFIG)[0].get("architectures")
    except FileError:
        return []
    found = find_class(names[0] if isinstance(names, list) and names else None)
    code = found[0].code_of(found[1].target) if found is not None else None
    places = (code.config, code.model) if code is not None else ()
    return [f"{place.partition('.')[0]}.py" for place in places if place]


def _other(reason: str) -> Problem:
    return Problem("E803", f"{reason}. Run `paddle2torch verify` again")


def is_document(name: str) -> bool:
    """Whether a file decides neither numbers nor tokens. Unknown kinds do."""
    if name in (CARD, *EVIDENCE) or is_of_evaluation(name):
        return True
    path = PurePosixPath(name)
    return path.suffix.lower() in _DOCUMENTS or path.name in _DOCUMENT_NAMES


def check_manifest(output: Path) -> list[Problem]:
    """That every sum of the manifest, from which the card describes the conversion, is that of what lies in OUTPUT, and
    that no file of OUTPUT names code from elsewhere."""
    from verify.folder.check_manifest import check_files, check_tensors
    from verify.folder.foreign_code import check_leading_files, check_named_code
    from verify.folder.left_inside import check_left_inside
    from verify.results.findings import fold_findings
    from verify.results.manifest import read_manifest
    from verify.weights.output_weights import read_written

    manifest, problems = read_manifest(output)
    if manifest is None:
        return problems
    written = read_written(output)
    problems = [*check_left_inside(manifest, None)[1], *check_leading_files(output), *written.problems]
    problems += [*fold_findings(check_tensors(manifest, written)), *check_files(manifest, output)[0]]
    return [*problems, *check_named_code(output, manifest, {})[0]]


def check_trace(output: Path) -> list[Problem]:
    """That the trace next to the report is whole and of these weights: the card offers it as proof."""
    from verify.folder.check_manifest import check_rounding
    from verify.results.manifest import read_manifest, weight_sums
    from verify.results.trace import check_sums, read_trace
    from verify.weights.output_weights import read_written
    from verify.weights.traced_weights import check_against_trace

    manifest, _ = read_manifest(output)
    if manifest is None:  # Which is a problem of its own.
        return []
    words = shlex.join([str(output), "--record", str(output / TRACE)])
    advice = f"Remove it, or record it with `paddle2torch verify SOURCE {words}`"
    try:
        trace = read_trace(output / TRACE)
        check_sums(trace, weight_sums(manifest), "the one that OUTPUT was made from")
        check_rounding(trace, manifest)
    except ReferenceFailure as error:
        return [Problem(each.code, f"{TRACE}: {each.text}. {advice}") for each in error.problems]
    try:
        problems = check_against_trace(trace, manifest, read_written(output))[1]
    except (KeyError, TypeError, AttributeError) as error:
        return [Problem("E815", f"{TRACE}: what its head has of the tensors is damaged ({error!r:.80}). {advice}")]
    reason = "verifying OUTPUT with it would fail"
    return [Problem("E815", f"{TRACE}: {reason}: {each.text}. {advice}") for each in problems]


def find_foreign_code(output: Path, listing: Listing) -> dict[str, str]:
    """Name and sha256 of each code file that would be published and is not this tool's own."""
    from verify.folder.foreign_code import find_foreign

    return {name: digest for name, digest in find_foreign(output).items() if listing.find(name) is not None}


def refuse_foreign_code(foreign: Mapping[str, str]) -> list[Problem]:
    """A problem for each such file: running it does not show what else it does."""
    advice = "What else it does has not been checked. Read it; --allow-foreign-code publishes it"
    return [
        Problem("E814", f"{name} is not paddle2torch's own code (sha256 {digest}). {advice}")
        for name, digest in foreign.items()
    ]
