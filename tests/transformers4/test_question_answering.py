"""The question-answering pipeline, which only transformers 4 has: spans, and rows of a long context."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import pipeline

import ernie_m
from tests.ernie_m.tokenization_reference import load, small_folder

TEXT = "Ｂｅｒｇ ist 中国 1917 nicht，été a b c."


def test_every_answer_has_the_probability_of_its_spans(tmp_path: Path) -> None:
    """All spans of all rows by hand from the logits; the pipeline adds up spans that read alike."""
    tokenizer = load(small_folder(tmp_path))
    torch.manual_seed(3)
    config = ernie_m.ErnieMConfig(
        vocab_size=2002, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, initializer_range=0.6
    )
    model = ernie_m.ErnieMForQuestionAnswering(config).eval()
    context = " ".join([TEXT] * 4)
    answer = pipeline("question-answering", model=model, tokenizer=tokenizer, device="cpu")
    found = answer(
        question="Wo 1917?",
        context=context,
        max_seq_len=40,
        doc_stride=8,
        max_answer_len=5,
        align_to_words=False,
        top_k=10_000,  # all of them, so that nothing depends on which spans are near the first
    )
    rows = tokenizer(
        "Wo 1917?",
        context,
        truncation="only_second",
        max_length=40,
        stride=8,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
    )
    assert len(rows["input_ids"]) >= 3
    expected: dict[str, float] = {}
    for place, ids in enumerate(rows["input_ids"]):
        with torch.no_grad():
            output = model(torch.tensor([ids]))
        allowed = [number == 1 for number in rows.sequence_ids(place)]
        allowed[0] = True  # the pipeline keeps [CLS], which takes a share of the probability
        hidden = ~torch.tensor(allowed)
        start, end = (
            logits[0].masked_fill(hidden, -10000.0).softmax(-1) for logits in (output.start_logits, output.end_logits)
        )
        for first in range(1, len(ids)):
            for last in range(first, min(first + 5, len(ids))):
                if allowed[first] and allowed[last]:
                    spans = rows["offset_mapping"][place]
                    text = context[spans[first][0] : spans[last][1]]
                    expected[text] = expected.get(text, 0.0) + float(start[first] * end[last])
    assert all(context[one["start"] : one["end"]] == one["answer"] for one in found)
    scores = {one["answer"]: one["score"] for one in found if one["score"] > 0}  # 0: too long, backwards or [CLS]
    assert len(scores) > 50
    assert scores == pytest.approx(expected, rel=1e-4)
