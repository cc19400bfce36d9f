"""transformers' own pipelines, which take what they know of a tokenizer from its offsets, words and rows."""

from __future__ import annotations

from typing import Any

import pytest

from tests.ernie_m.tokenization_reference import load, small_folder

pytest.importorskip("torch")

TEXT = "Ｂｅｒｇ ist 中国 1917 nicht，été a b c."
LABELS = {0: "O", 1: "B-X", 2: "I-X", 3: "B-Y", 4: "I-Y"}


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return load(small_folder(tmp_path_factory.mktemp("small")))


def model_of(name: str, **fields: Any) -> Any:
    import torch

    import ernie_m

    torch.manual_seed(3)
    config = ernie_m.ErnieMConfig(
        vocab_size=2002, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, initializer_range=0.6, **fields
    )
    return getattr(ernie_m, name)(config).eval()


@pytest.fixture(scope="module")
def tagger(tokenizer: Any) -> Any:
    from transformers import pipeline

    model = model_of("ErnieMForTokenClassification", id2label=LABELS, label2id={v: k for k, v in LABELS.items()})
    return pipeline("token-classification", model=model, tokenizer=tokenizer, device="cpu", ignore_labels=[])


def test_tagged_tokens_have_the_spans_and_labels_of_plain_calls(tokenizer: Any, tagger: Any) -> None:
    import torch

    encoded = tokenizer(TEXT, return_offsets_mapping=True, return_tensors="pt")
    spans = encoded["offset_mapping"][0].tolist()[1:-1]
    with torch.no_grad():
        scores = tagger.model(encoded["input_ids"]).logits[0, 1:-1].softmax(-1)
    found = tagger(TEXT)
    assert [[entry["start"], entry["end"]] for entry in found] == spans
    assert [entry["entity"] for entry in found] == [LABELS[int(place)] for place in scores.argmax(-1)]
    assert [entry["score"] for entry in found] == pytest.approx(scores.max(-1).values.tolist(), abs=1e-6)
    assert any(start >= 10 and TEXT[start:end] in "中国" for start, end in spans)


@pytest.mark.filterwarnings("ignore:Tokenizer does not support real words")
@pytest.mark.parametrize("strategy", ["simple", "first", "average", "max"])
def test_entities_have_the_words_of_the_text(tagger: Any, strategy: str) -> None:
    found = tagger(TEXT, aggregation_strategy=strategy)
    assert found and all(TEXT[entry["start"] : entry["end"]].strip() for entry in found)
    ends = [(entry["start"], entry["end"]) for entry in found]
    assert ends == sorted(ends) and ends[0][0] == 0 and ends[-1][1] == len(TEXT)


def test_a_text_that_is_too_long_is_read_in_rows(tokenizer: Any, tagger: Any) -> None:
    text = " ".join(f"berg {number}" for number in range(700))
    plain = tagger(text, aggregation_strategy="simple")
    whole = tagger(text, aggregation_strategy="simple", stride=32)
    assert tokenizer.model_max_length == 512 and plain[-1]["end"] < len(text) == whole[-1]["end"]


def test_words_given_one_by_one(tagger: Any) -> None:
    words = TEXT.split()
    found = tagger(words, is_split_into_words=True, delimiter=" ")
    found = found[0] if isinstance(found[0], list) else found
    assert [(entry["start"], entry["end"]) for entry in found] == [(e["start"], e["end"]) for e in tagger(TEXT)]


def test_fill_mask_gives_the_words_with_the_largest_logits_at_the_mask(tokenizer: Any) -> None:
    import torch
    from transformers import pipeline

    fill = pipeline("fill-mask", model=model_of("ErnieMForMaskedLM"), tokenizer=tokenizer, device="cpu", top_k=4)
    text = f"Berg {tokenizer.mask_token} ist 1917."
    ids = tokenizer(text, return_tensors="pt")["input_ids"]
    with torch.no_grad():
        scores = fill.model(ids).logits[ids == tokenizer.mask_token_id][0].softmax(-1)
    best = scores.topk(4)
    found = fill(text)
    assert [entry["token"] for entry in found] == best.indices.tolist()
    assert [entry["score"] for entry in found] == pytest.approx(best.values.tolist(), abs=1e-6)
    assert [entry["token_str"] for entry in found] == [tokenizer.decode([i]) for i in best.indices.tolist()]
