"""Findings in one sentence each, for the table and for error lines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from verify.report.groups import family_of
from verify.results.numbers import DEFAULT_LOAD, FirstDifference, ModeResult, PytorchResult, SmallestFault
from verify.results.report import Margin, Report
from verify.results.self_test import SelfTest
from verify.results.trace import Trace

#: Files of SOURCE that are named.
_SOURCE_FILES = 8


def _measured(first: FirstDifference) -> str:
    return first.problem or f"max |difference| {first.max_rel:.1e} of the largest value, allowed {first.tolerance:.0e}"


def describe_difference(first: FirstDifference) -> str:
    before = ""
    if first.before is not None:
        before = f"; everything before it agrees ({first.before} and earlier)" if first.inputs_agree else ""
    count = len(first.failed_cases)
    more = "" if count == 1 else f" and {count - 1} more, such as {', '.join(first.failed_cases[1:4])}"
    return (
        f"parity failed at {first.site} (case {first.case}{more}): {_measured(first)}{before}. Look at {first.look_at}"
    )


def describe_known_difference(trace: Trace) -> list[str]:
    """What is known of the class to differ, where the reference follows SOURCE's own rules."""
    if trace.behavior != trace.source_behavior:
        return []
    config = trace.head["config"]
    fields = {field.name: field.computed(config.get(field.name)) for field in trace.family.fields}
    return [f"known of {trace.model_class.source}: {text}" for text in trace.model_class.cautions(fields.get)]


def describe_left_out(trace: Trace) -> list[str]:
    """What the comparison leaves out because Paddle's lookup gives zeros for a token, whatever its row holds."""
    padded = [case for case in trace.cases if case.left_out is not None and case.is_of_network]
    if trace.left_out_row is None:
        return []
    table, token = trace.left_out_row
    named, count = f"row {token} of {table}", f"{len(padded)} of {len(trace.cases)} cases"
    return [
        f"the numbers at the positions of id {token}, [PAD], in {count}, and {named}: Paddle's lookup gives zeros for "
        "it, PyTorch's the row that is stored. The masks hide these positions from all others; the row itself is "
        "compared as bytes"
    ]


def describe_runtime(report: Report) -> str:
    """The releases that computed OUTPUT's side: of a class of transformers' own a part of what was verified."""
    found = report.environment.get("output") or {}
    if not found.get("transformers"):
        return ""
    loader = f", loaded by {found['loader']}" if found.get("loader") else ""
    return f"transformers {found['transformers']}, torch {found.get('torch', '?')}{loader}"


def describe_subject(report: Report) -> list[tuple[str, str]]:
    """Which model the report is about, what it was made from, and the tool, each under its name."""
    subject = report.subject
    if subject is None:  # A report of an earlier version.
        return []
    sizes = f"{subject.parameters:,} parameters in {count(subject.tensors, 'tensor')}"
    tokens = f", {subject.tokens:,} tokens" if subject.tokens else ""
    files = [f"{name} (sha256 {digest})" for name, digest in subject.source_files.items()]
    more = f" and {len(files) - _SOURCE_FILES} more files" if len(files) > _SOURCE_FILES else ""
    return [
        *([("title", report.title)] if report.title else []),
        ("model", f"{subject.target_class or 'of an unknown class'}, {sizes}{tokens}"),
        *([("published as", subject.origin)] if subject.origin else []),
        ("made from", f"{subject.source_class}: {', '.join(files[:_SOURCE_FILES])}{more}"),
        ("checked by", f"paddle2torch {subject.version}, report format {subject.format}"),
    ]


def describe_behavior(report: Report) -> str:
    """The rules that OUTPUT follows where Paddle's releases differ, and what they are."""
    summary = next((one.summary for one in family_of(report).presets if one.name == report.behavior), "")
    return f"behavior: {report.behavior}" + (f" ({summary})" if summary else "")


def count(number: int, thing: str) -> str:
    """A number of things: 1 tensor, 2,000 tensors."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def describe_gradient(first: FirstDifference) -> str:
    """Where every output agrees and the way back does not."""
    count = len(first.failed_tensors)
    more = "" if count == 1 else f", and of {count - 1} more tensors"
    return (
        f"parity failed at the {first.site} (case {first.case}{more}): {_measured(first)}; every output agrees. "
        f"Look at {first.look_at}"
    )


def describe_mode(way: str, use: ModeResult) -> str:
    """A way to use the model in which it gives other numbers than where it is looked at site by site."""
    count = use.differ
    more = "" if count == 1 else f", and {count - 1} more"
    if way == DEFAULT_LOAD:
        return f"loaded by from_pretrained with no dtype: {use.first}{more}"
    return f"{_WAYS.get(way, way)}: {use.first}{more}; called in eval mode for all its states everything agrees"


_WAYS = {
    "training": "in training mode, with dropout replaced by the identity",
    "float32": "in float32",
    "plain call": "called plainly",
    "return_dict=False": "called with return_dict=False",
    "output_attentions=True": "called with output_attentions=True alone",
}


def describe_text_to_logits(found: PytorchResult) -> str:
    """Where every token is Paddle's, and from text to logits OUTPUT gives other numbers."""
    tokens = found.tokens
    assert tokens is not None
    shown = ", ".join(f"{way} {counts[1]} of {counts[0]}" for way, counts in tokens.ways.items() if counts[1])
    text = f"the tokens are Paddle's, and the numbers from text to logits are not ({shown})"
    return f"{text}; the first is {_describe_example(tokens.examples[0])}" if tokens.examples else text


def describe_tokens(reference: Mapping[str, str], found: PytorchResult) -> str:
    """How the tokenizer differs. `reference`: the versions on Paddle's side."""
    tokens = found.tokens
    assert tokens is not None
    wrong = {way: counts for way, counts in tokens.ways.items() if counts[1]}
    shown = ", ".join(f"{way} {counts[1]} of {counts[0]}" for way, counts in wrong.items())
    text = f"the tokenizer differs from Paddle's ({shown})"
    if tokens.settings:
        shows = f"results that differ: {shown}" if shown else "no text that was tried shows it"
        text = f"{'; '.join(tokens.settings)}; {shows}"
    elif "ids" in wrong:
        text = f"{wrong['ids'][1]} of {tokens.texts} texts have other ids ({shown})"
    if tokens.examples:
        text += "; the first is " + _describe_example(tokens.examples[0])
    theirs, ours = reference.get("sentencepiece"), found.environment.get("sentencepiece")
    if theirs != ours:
        text += f". sentencepiece is {theirs} there and {ours} here, which cut some texts differently"
    return text


def _describe_example(example: dict[str, Any]) -> str:
    """Where the ids differ; of other ways only what OUTPUT gave is known, for a trace holds their digests."""
    text = f"{example['text']!r:.60}"
    if "expected" not in example:
        return f"{text} by the way {example['way']!r}: OUTPUT gives {example['found']:.120}"
    expected, found = example["expected"], example["found"]
    place = next((n for n, (a, b) in enumerate(zip(expected, found)) if a != b), min(len(expected), len(found)))
    return f"{text}: at token {place} Paddle has {expected[place : place + 4]}, OUTPUT {found[place : place + 4]}"


def describe_margin(margin: Margin) -> str:
    """How far rounding noise lies below the limits, and the smallest change of a weight above."""
    noise, fault = f"rounding noise reaches at most {margin.noise:.1%} of its limit", margin.fault
    if fault.ratio is None:
        return f"{noise}; no smallest fault was measured: {fault.why}"
    return (
        f"{noise}; the smallest change that a weight can have shows at {_format_ratio(fault.ratio)} (one unit in the "
        f"last place of {_element(fault)}, the least visible of {fault.tried} that were tried, at {fault.site} in "
        f"{fault.case})"
    )


def describe_hidden_fault(fault: SmallestFault, bytes_compared: bool) -> str:
    """The warning about a fault below its limit."""
    rest = "only the check of their bytes excludes such a fault" if bytes_compared else "nothing here excludes it"
    return (
        f"the numbers do not separate the smallest fault from noise: one unit in the last place of {_element(fault)} "
        f"is {_format_ratio(fault.ratio or 0.0)} ({fault.site}). Of such weights {rest}"
    )


def _element(fault: SmallestFault) -> str:
    return f"{fault.tensor}[{', '.join(map(str, fault.element))}]"


def _format_ratio(ratio: float) -> str:
    return f"{ratio:,.0f} times its limit" if ratio >= 10 else f"{ratio:.3g} times its limit"


def describe_self_test(tested: SelfTest) -> str:
    """How many faults were injected and how many were found."""
    alone = tested.without_static
    return (
        f"{tested.found} of {tested.faults} injected faults found; by numbers and tokens alone {alone.found}, "
        f"{len(alone.explained)} more cannot show there"
    )
