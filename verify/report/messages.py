"""Findings in one sentence each, for the table and for error lines."""

from __future__ import annotations

from typing import Any

from verify.numbers.pytorch_process import Judgement
from verify.report.report import DEFAULT_LOAD
from verify.results.trace import Trace


def tell_difference(first: dict[str, Any]) -> str:
    measured = (
        first["problem"]
        or f"max |difference| {first['max_rel']:.1e} of the largest value, allowed {first['tolerance']:.0e}"
    )
    before = ""
    if first["before"] is not None:
        before = f"; everything before it agrees ({first['before']} and earlier)" if first["inputs_agree"] else ""
    count = len(first["failed_cases"])
    more = "" if count == 1 else f" and {count - 1} more, such as {', '.join(first['failed_cases'][1:4])}"
    return (
        f"parity failed at {first['site']} (case {first['case']}{more}): {measured}{before}. Look at {first['look_at']}"
    )


def tell_gradient(first: dict[str, Any]) -> str:
    """Where every output agrees and the way back does not."""
    measured = (
        first["problem"]
        or f"max |difference| {first['max_rel']:.1e} of the largest value, allowed {first['tolerance']:.0e}"
    )
    count = len(first["failed_tensors"])
    more = "" if count == 1 else f", and of {count - 1} more tensors"
    return (
        f"parity failed at the {first['site']} (case {first['case']}{more}): {measured}; every output agrees. "
        f"Look at {first['look_at']}"
    )


def tell_use(way: str, use: dict[str, Any]) -> str:
    """A way to use the model in which it gives other numbers than where it is looked at site by site."""
    count = use["differ"]
    more = "" if count == 1 else f", and {count - 1} more"
    if way == DEFAULT_LOAD:
        return f"loaded by from_pretrained with no dtype: {use['first']}{more}"
    return f"{_WAYS.get(way, way)}: {use['first']}{more}; called in eval mode for all its states everything agrees"


_WAYS = {
    "training": "in training mode, with dropout let through",
    "float32": "in float32",
    "plain call": "called plainly",
    "return_dict=False": "called with return_dict=False",
    "output_attentions=True": "called with output_attentions=True alone",
}


def tell_tokens(trace: Trace, found: Judgement) -> str:
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
        text += "; the first is " + _tell_example(tokens.examples[0])
    theirs, ours = trace.head["environment"].get("sentencepiece"), found.environment.get("sentencepiece")
    if theirs != ours:
        text += f". sentencepiece is {theirs} there and {ours} here, which cut some texts differently"
    return text


def _tell_example(example: dict[str, Any]) -> str:
    """Where the ids differ; of other ways only what OUTPUT gave is known, for a trace holds their digests."""
    text = f"{example['text']!r:.60}"
    if "expected" not in example:
        return f"{text} by the way {example['way']!r}: OUTPUT gives {example['found']:.120}"
    expected, found = example["expected"], example["found"]
    place = next((n for n, (a, b) in enumerate(zip(expected, found)) if a != b), min(len(expected), len(found)))
    return f"{text}: at token {place} Paddle has {expected[place : place + 4]}, OUTPUT {found[place : place + 4]}"
