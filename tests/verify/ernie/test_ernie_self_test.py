"""The self-test finds what it injects into a folder of transformers' own class, and names what numbers cannot show."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from verify import verify
from verify.numbers.pytorch_process import Start
from verify.self_test.faults import RULE


def test_faults_of_a_language_model(ernie: Callable[[str], Any], ready: Start, few_faults: Callable[..., None]) -> None:
    few_faults(
        "pooler",
        "layer_norm_eps",
        "hidden_act",
        "token_type_embeddings",
        "task_type_embeddings",
        "word_embeddings.weight",
    )
    whole = ernie("ErnieForMaskedLM")
    report = verify(whole.source, whole.output, trace=whole.numbers, start=ready, self_test=True)
    found = report.self_test
    assert found is not None and report.passed, report.problems
    assert found.missed == [] and found.without_static.unexplained == []
    explained = {each.fault: each.why for each in found.without_static.explained}
    assert {why for fault, why in explained.items() if "pooler" not in fault} == set()
    assert {fault for fault, why in explained.items() if "AutoModel" in why} != set()
    # [PAD]'s row is a row of the decoder here: the logits show it.
    rows = [each for each in found.outcomes if each.fault.startswith("ernie.embeddings.word_embeddings.weight[0, ")]
    assert rows and all(place for each in rows for place in each.shown.values())


def test_every_fault_of_the_tokenizer_is_found(
    ernie: Callable[[str], Any], ready: Start, few_faults: Callable[..., None]
) -> None:
    few_faults("tokenizer.json", "do_lower_case", "tokenizer_class")
    whole = ernie("ErnieForSequenceClassification")
    report = verify(whole.source, whole.output, trace=whole.few_calls, start=ready, self_test=True)
    found = report.self_test
    assert found is not None and report.passed, report.problems
    assert found.missed == [] and found.without_static.unexplained == []
    rules = {each.fault: each for each in found.outcomes if each.kind == RULE}
    assert len(rules) >= 20
    told = "\n".join(rules)
    for part in (
        "Lowercase",
        "NFD",
        "BERT's rule for symbols",
        "types in the second",
        "ids of",
        "last token of a pair",
    ):
        assert part in told
    unseen = {each.unseen for each in rules.values() if not each.shown["tokens"]}
    assert len(unseen) == 1 and "single character" in unseen.pop()
    (case,) = [each for each in found.outcomes if "do_lower_case" in each.fault]
    assert case.static == ("fields",)
    (other,) = [each for each in found.outcomes if "BertTokenizer" in each.fault]
    assert "AutoTokenizer takes BertTokenizer" in other.shown["tokens"]


def test_the_row_that_is_left_out_is_explained(
    ernie: Callable[[str], Any], ready: Start, few_faults: Callable[..., None]
) -> None:
    few_faults("embeddings.word_embeddings.weight[0, ")
    whole = ernie("ErnieModel")
    report = verify(whole.source, whole.output, trace=whole.numbers, start=ready, self_test=True)
    found = report.self_test
    assert found is not None and found.missed == []
    (fault,) = [each for each in found.without_static.explained if "word_embeddings" in each.fault]
    assert "gives zeros for this row" in fault.why
