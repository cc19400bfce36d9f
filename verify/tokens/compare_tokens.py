"""The texts of a trace through OUTPUT's own tokenizer, by every public way, against what PaddleNLP's gave."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Optional

from converter.common.layout import WORDPIECE_KIND
from mappings import Family
from verify.numbers.loading import LoadedModel, describe
from verify.protocol.beside import compute_beside
from verify.protocol.tokenizer_calls import NOT_DONE, digest, list_calls
from verify.results.checks import TokenResult
from verify.results.trace import Trace
from verify.tokens.text_to_logits import compare_texts
from verify.tokens.tokenizer_settings import compare_settings

if TYPE_CHECKING:
    import numpy as np

IDS, RELOADED, SETTINGS = "ids", "save_and_reload", "settings"


#: The result of a comparison that was started, with a model also from text to numbers.
FinishTokens = Callable[[Optional[LoadedModel]], TokenResult]


def compare_tokens(trace: Trace, output: Path, options: Mapping[str, Any] | None = None) -> TokenResult:
    """Load OUTPUT's tokenizer as a user does and go every way. `options` take the place of what OUTPUT's files have.
    What OUTPUT's code raises is a result."""
    return start_comparing_tokens(trace, output, options)(None)


def start_comparing_tokens(trace: Trace, output: Path, options: Mapping[str, Any] | None = None) -> FinishTokens:
    """As `compare_tokens`; the ways are gone in a second process, and this one can load the model meanwhile."""
    texts, expected = trace.texts()
    try:
        tokenizer = load_tokenizer(output, trace.family, **(options or {}))
    except Exception as error:  # whatever OUTPUT's files or code raise is a fault of OUTPUT
        failed = TokenResult(len(texts), mismatched=len(texts), problem=describe(error))
        return lambda loaded: failed
    wait = compute_beside(lambda: _compare(trace, texts, expected, tokenizer))

    def finish(loaded: LoadedModel | None) -> TokenResult:
        result: TokenResult = wait()
        # Cases were recorded without a mask; where SOURCE's tokenizer gives one, other numbers follow from a text. A
        # class of transformers' own always gets one: its mask is the one that Paddle's model makes by itself.
        stock = trace.family.tokenizer.kind == WORDPIECE_KIND
        if loaded is not None and IDS in result.ways and (stock or list(tokenizer.model_input_names) == ["input_ids"]):
            for way, (compared, wrong) in compare_texts(trace, loaded, tokenizer).items():
                result.add(way, compared, wrong)
        return result

    return finish


def _compare(trace: Trace, texts: list[str], expected: list[list[int]], tokenizer: Any) -> TokenResult:
    """Everything about tokens that needs no model."""
    result = TokenResult(len(texts))
    try:
        result.add(IDS, len(texts), _other_ids(texts, expected, tokenizer))
    except Exception as error:
        result.mismatched, result.problem = len(texts), describe(error)
        return result
    result.settings = compare_settings(trace, tokenizer)
    result.mismatched += len(result.settings)
    _compare_ways(trace, texts, tokenizer, result)
    _compare_reloaded(trace.family, texts, expected, tokenizer, result)
    return result


def _other_ids(texts: list[str], expected: list[list[int]], tokenizer: Any) -> list[dict[str, Any]]:
    """A text a call: the ids that differ."""
    wrong = []
    for text, wanted in zip(texts, expected):
        found = list(tokenizer(text)["input_ids"])
        if found != wanted:
            wrong.append({"text": text, "expected": wanted, "found": found})
    return wrong


def _compare_ways(trace: Trace, texts: list[str], tokenizer: Any, result: TokenResult) -> None:
    """The digests of every way. A result that the reference could not give is not compared."""
    recorded = trace.ways()
    known = list_calls(tokenizer, texts, int(trace.head["tokenizer"]["rows"]), trace.family.tokenizer.kind)
    for way, digests in recorded.items():
        if way not in known:
            result.problem = f"the trace has a way {way!r} that this version does not know: record it again"
            return
        wrong = [{**example, "text": texts[example["number"] % len(texts)]} for example in _wrong(known[way], digests)]
        result.add(way, int((digests != NOT_DONE).sum()), wrong)


def _wrong(way: tuple[int, Callable[[int], Any]], digests: np.ndarray, step: int = 1) -> Iterator[dict[str, Any]]:
    """The results of one way that are not Paddle's, as they are met; of each `step` the first."""
    count, give = way
    for number in range(0, min(count, len(digests)), step):
        wanted = int(digests[number])
        if wanted == NOT_DONE:
            continue
        try:
            found = give(number)
        except Exception as error:  # whatever OUTPUT's code raises is a fault of OUTPUT
            found = describe(error)
        if digest(found) != wanted:
            yield {"number": number, "found": repr(found)[:300]}


def first_call_that_differs(trace: Trace, output: Path, options: Mapping[str, Any] | None = None, step: int = 1) -> str:
    """Which way is the first to show that OUTPUT's tokenizer is another, and by what; "" where none does. Of `step`
    results of a way one is looked at."""
    texts, expected = trace.texts()
    try:
        tokenizer = load_tokenizer(output, trace.family, **(options or {}))
        for number, (text, wanted) in enumerate(zip(texts, expected)):
            if list(tokenizer(text)["input_ids"]) != wanted:
                return f"{IDS} ({text!r:.60})" if number else IDS
    except Exception as error:
        return f"loading: {describe(error)}"
    if compare_settings(trace, tokenizer):
        return SETTINGS
    recorded = trace.ways()
    known = list_calls(tokenizer, texts, int(trace.head["tokenizer"]["rows"]), trace.family.tokenizer.kind)
    # The quickest first.
    for way in sorted(recorded, key=lambda name: recorded[name].size):
        if next(_wrong(known[way], recorded[way], step), None) is not None:
            return way
    reloaded = TokenResult(len(texts))
    _compare_reloaded(trace.family, texts, expected, tokenizer, reloaded)
    return RELOADED if reloaded.mismatched else ""


def _compare_reloaded(
    family: Family, texts: list[str], expected: list[list[int]], tokenizer: Any, result: TokenResult
) -> None:
    """What save_pretrained writes must load by itself and give the same ids."""
    step = max(1, len(texts) // 200)
    with tempfile.TemporaryDirectory(prefix="paddle2torch-saved-") as folder:
        try:
            tokenizer.save_pretrained(folder)
            wrong = _other_ids(texts[::step], expected[::step], load_tokenizer(Path(folder), family))
        except Exception as error:
            wrong = [{"text": "", "found": describe(error)}]
    result.add(RELOADED, len(texts[::step]), wrong)


def load_tokenizer(output: Path, family: Family, **options: Any) -> Any:
    """AutoTokenizer, with OUTPUT's code where the family's tokenizer is code. Raises ValueError when something else is
    loaded instead."""
    import transformers

    if family.tokenizer.place:
        options["trust_remote_code"] = True
    tokenizer = transformers.AutoTokenizer.from_pretrained(str(output), local_files_only=True, **options)
    if not tokenizer:  # transformers 4.57 gives False where the files are damaged
        raise ValueError("AutoTokenizer gives no tokenizer")
    if not family.tokenizer.place:
        named = family.tokenizer.tokenizer_class
        if type(tokenizer) is not getattr(transformers, named):  # a subclass has rules of its own in transformers 5
            raise ValueError(f"AutoTokenizer takes {type(tokenizer).__name__}, not {named}")
        return tokenizer
    if not type(tokenizer).__module__.startswith("transformers_modules."):
        raise ValueError(f"AutoTokenizer takes {type(tokenizer).__module__}, not the code in OUTPUT")
    return tokenizer
