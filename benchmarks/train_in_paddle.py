"""Train two small ERNIE-M in Paddle on real data, for benchmarks/evaluation_evidence.py: weights are not kept, this is.

    .venv-paddle/bin/python benchmarks/train_in_paddle.py retrieval|qa --data FOLDER --tokenizer FOLDER --output FOLDER

Run it with the reference interpreter: model, tokenizer and the saved folder are PaddleNLP's own. Retrieval learns
Tatoeba's pairs by a contrastive loss with the other pairs of the batch as negatives; qa learns the answers of XQuAD.
Both learn, in some of the languages, the very examples that they are asked afterwards: a metric far from chance is the
aim, not a good model.

While it trains, the model has a row for each token of the data alone. What is saved has the whole vocabulary of
250,002, so that it is used with the real tokenizer; rows that were not trained are 0.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import paddle
from paddlenlp.transformers import ErnieMConfig, ErnieMForQuestionAnswering, ErnieMModel, ErnieMTokenizer

VOCABULARY, POSITIONS = 250002, 514
CLS, PAD, SEP = 0, 1, 2
SPECIAL = 5  # [CLS] [PAD] [SEP] [UNK] [MASK]
#: The hidden states that learn retrieval: the one that `evaluate` takes of three layers, and the last.
LEARNING = (2, 3)
TEMPERATURE = 0.05
#: The languages of the data that are learned; the others are asked all the same.
LEARNED = {"retrieval": ("ara", "cmn", "deu", "ell", "hin", "vie"), "qa": ("en",)}
#: Tokens of the context around an answer that are trained at once, at the positions that they have in the whole.
CROP = 48
LONGEST_QUESTION, LONGEST, STEP = 64, 384, 128


@dataclass(frozen=True)
class Settings:
    """How a model is trained."""

    hidden: int
    layers: int
    heads: int
    steps: int
    batch: int
    #: The layers' learning rate; that of the tokens' rows, few of which are in a batch, is ten times as large.
    rate: float


#: Of fresh weights: layers that begin near 0 would hardly take part after so few steps. Rows shall move fast.
DEVIATION, DEVIATION_OF_ROWS = 0.1, 0.02
SETTINGS = {
    "retrieval": Settings(hidden=64, layers=3, heads=4, steps=300, batch=64, rate=1e-3),
    "qa": Settings(hidden=64, layers=2, heads=4, steps=400, batch=32, rate=1e-3),
}


class Rows:
    """Token ids by the order in which they are met, so that the model in training has few rows. The special tokens
    keep theirs."""

    def __init__(self) -> None:
        self.of = {number: number for number in range(SPECIAL)}

    def __call__(self, ids: list[int]) -> list[int]:
        return [self.of.setdefault(number, len(self.of)) for number in ids]


def read_pairs(data: Path, tokenizer: Any, rows: Rows) -> dict[str, list[tuple[list[int], list[int]]]]:
    """Language -> pairs of texts as [CLS] text [SEP]."""
    found = {}
    for language in LEARNED["retrieval"]:
        path = data / f"tatoeba.{language}-eng.eng"
        sides = [
            [rows(tokenizer(line)["input_ids"]) for line in file.read_text(encoding="utf-8").rstrip("\n").split("\n")]
            for file in (path.with_suffix(f".{language}"), path)
        ]
        found[language] = list(zip(*sides))
    return found


def batches_of_pairs(pairs: dict[str, list[Any]], size: int, draw: random.Random) -> Iterator[list[Any]]:
    """Batches for ever, each of one language and of pairs that are about as long."""
    while True:
        batches = []
        for all_ in pairs.values():
            order = sorted(all_, key=lambda pair: len(pair[0]) + len(pair[1]) + draw.random() * 6)
            batches += [order[start : start + size] for start in range(0, len(order), size)]
        draw.shuffle(batches)
        yield from batches


def padded(texts: list[list[int]]) -> Any:
    """[B, S] of int64."""
    longest = max(map(len, texts))
    return paddle.to_tensor([text + [PAD] * (longest - len(text)) for text in texts], dtype="int64")


def seen(ids: Any) -> Any:
    """The mask of training: [CLS] is hidden, as PaddleNLP does without a mask, and so is [PAD]."""
    return ((ids != PAD) & (ids != CLS)).astype("int64")


def contrastive_loss(model: Any, batch: list[Any]) -> Any:
    """Each text shall be nearer to its translation than to the other ones, in both directions."""
    vectors = [vectors_of(model, padded(list(side))) for side in zip(*batch)]
    own, loss = paddle.arange(len(batch)), paddle.nn.functional.cross_entropy
    total = 0.0
    for foreign, english in zip(*vectors):
        similarity = paddle.matmul(foreign, english, transpose_y=True) / TEMPERATURE
        total += loss(similarity, own) + loss(similarity.t(), own)
    return total / (2 * len(LEARNING))


def vectors_of(model: Any, ids: Any) -> list[Any]:
    """For each layer that learns, the mean of a text's positions, [CLS] and [SEP] included, at length 1: [B, H]."""
    states = model(ids, attention_mask=seen(ids), output_hidden_states=True, return_dict=True).hidden_states
    weight = (ids != PAD).astype("float32").unsqueeze(-1)
    means = [(states[layer] * weight).sum(axis=1) / weight.sum(axis=1) for layer in LEARNING]
    return [paddle.nn.functional.normalize(mean, axis=-1) for mean in means]


@dataclass(frozen=True)
class Asked:
    """A question, its context, and the first and the last token of the answer in the context."""

    question: list[int]
    context: list[int]
    first: int
    last: int


def read_questions(data: Path, tokenizer: Any, rows: Rows) -> tuple[list[Asked], int]:
    """The questions whose answer is found among the tokens, and how many are not."""
    found, lost = [], 0
    for path in (data / f"xquad.{language}.json" for language in LEARNED["qa"]):
        for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
            for paragraph in article["paragraphs"]:
                context = rows(tokenizer(paragraph["context"])["input_ids"][1:-1])
                try:
                    spans = tokenizer.get_offset_mapping(paragraph["context"])
                except ValueError:  # PaddleNLP does not find a token that its normalization changed.
                    spans = []
                for asked in paragraph["qas"]:
                    start = asked["answers"][0]["answer_start"]
                    place = places(spans, start, start + len(asked["answers"][0]["text"]))
                    if place is None or len(spans) != len(context) or place[1] - place[0] >= CROP:
                        lost += 1
                        continue
                    question = rows(tokenizer(asked["question"])["input_ids"][1:-1])[:LONGEST_QUESTION]
                    found.append(Asked(question, context, *place))
    return found, lost


def places(spans: list[tuple[int, int]], start: int, end: int) -> tuple[int, int] | None:
    """The first and the last token that has a character of [start, end)."""
    inside = [number for number, (first, behind) in enumerate(spans) if first < end and behind > start]
    return (inside[0], inside[-1]) if inside else None


def batches_of_questions(questions: list[Asked], size: int, draw: random.Random) -> Iterator[list[Any]]:
    """Batches for ever, of crops that are about as long: ids, positions, first and last token of the answer."""
    while True:
        crops = sorted((crop(asked, draw) for asked in questions), key=lambda each: len(each[0]) + draw.random() * 8)
        batches = [crops[start : start + size] for start in range(0, len(crops), size)]
        draw.shuffle(batches)
        yield from batches


def crop(asked: Asked, draw: random.Random) -> tuple[list[int], list[int], int, int]:
    """A part of the context with the answer, in the layout of a pair: [CLS] question [SEP] [SEP] context [SEP].

    Its positions are those that it has in the first window of `evaluate` that has the whole answer.
    """
    before = [CLS, *asked.question, SEP, SEP]
    room = LONGEST - len(before) - 1
    window = STEP * max(0, -(-(asked.last + 1 - room) // STEP))
    low = max(window, asked.last - CROP + 1)
    high = max(low, min(asked.first, len(asked.context) - CROP))
    start = draw.randint(low, high)
    inner = asked.context[start : start + CROP]
    ids = [*before, *inner, SEP]
    begin = len(before) + start - window
    positions = [*range(len(before)), *range(begin, begin + len(inner) + 1)]
    return ids, positions, len(before) + asked.first - start, len(before) + asked.last - start


def span_loss(model: Any, batch: list[Any]) -> Any:
    """Cross entropy of the answer's first and last token."""
    texts, positions, first, last = zip(*batch)
    ids, places_ = padded(list(texts)), padded(list(positions))
    logits = model(ids, position_ids=places_, attention_mask=seen(ids))
    hidden = (ids == PAD).astype("float32") * -1e4
    loss = paddle.nn.functional.cross_entropy
    return sum(loss(each + hidden, paddle.to_tensor(gold)) for each, gold in zip(logits, (first, last))) / 2


def train(model: Any, batches: Iterator[list[Any]], loss_of: Any, settings: Settings) -> list[float]:
    """The mean loss of each tenth of the steps."""
    backbone = getattr(model, "ernie_m", model)
    words = backbone.embeddings.word_embeddings
    for rows in (words.weight, backbone.embeddings.position_embeddings.weight):
        rows.set_value(rows * (DEVIATION_OF_ROWS / DEVIATION))
    # Of the tokens' rows only those of the batch are moved, which is most of the time.
    words._sparse = True
    others = [parameter for parameter in model.parameters() if parameter is not words.weight]
    slow, fast = (schedule_of(rate, settings.steps) for rate in (settings.rate, 10 * settings.rate))
    optimizers = (
        paddle.optimizer.Adam(slow, parameters=others),
        paddle.optimizer.Adam(fast, parameters=[words.weight], lazy_mode=True),
    )
    losses, part, start = [], [], time.monotonic()
    for step in range(1, settings.steps + 1):
        loss = loss_of(model, next(batches))
        loss.backward()
        for optimizer, schedule in zip(optimizers, (slow, fast)):
            optimizer.step()
            optimizer.clear_grad()
            schedule.step()
        part.append(float(loss))
        if step % (settings.steps // 10) == 0:
            losses.append(round(sum(part) / len(part), 3))
            print(f"step {step}: {losses[-1]}, {time.monotonic() - start:.0f} s", flush=True)
            part = []
    return losses


def schedule_of(rate: float, steps: int) -> Any:
    """Up to the rate in the first twentieth of the steps, then down to 0."""
    warm = steps // 20
    decay = paddle.optimizer.lr.PolynomialDecay(rate, steps - warm, end_lr=0.0)
    return paddle.optimizer.lr.LinearWarmup(decay, warm, 0.0, rate)


def build(kind: str, settings: Settings, vocabulary: int) -> Any:
    """PaddleNLP's class with fresh weights, without dropout: this is learning by heart."""
    config = ErnieMConfig(
        vocab_size=vocabulary,
        hidden_size=settings.hidden,
        num_hidden_layers=settings.layers,
        num_attention_heads=settings.heads,
        max_position_embeddings=POSITIONS,
        initializer_range=DEVIATION,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
    )
    return (ErnieMForQuestionAnswering if kind == "qa" else ErnieMModel)(config)


def with_all_rows(kind: str, settings: Settings, trained: Any, rows: Rows) -> Any:
    """The trained model with a row for every token of the vocabulary."""
    state = {name: value.numpy() for name, value in trained.state_dict().items()}
    (name,) = (name for name in state if name.endswith("word_embeddings.weight"))
    table = np.zeros((VOCABULARY, settings.hidden), np.float32)
    table[list(rows.of)] = state[name]
    whole = build(kind, settings, VOCABULARY)
    missing, unexpected = whole.set_state_dict({**state, name: table})
    assert not missing and not unexpected
    return whole


def main() -> None:
    """Train, save, and write training.json beside the model."""
    parser = argparse.ArgumentParser(description="Train a small ERNIE-M in Paddle.")
    parser.add_argument("kind", choices=SETTINGS)
    for name in ("data", "tokenizer", "output"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--steps", type=int, help="fewer or more than the usual ones")
    arguments = parser.parse_args()
    settings = SETTINGS[arguments.kind]
    if arguments.steps:
        settings = Settings(**{**vars(settings), "steps": arguments.steps})
    paddle.seed(1)
    draw, rows = random.Random(1), Rows()
    tokenizer = ErnieMTokenizer.from_pretrained(str(arguments.tokenizer))
    start = time.monotonic()
    if arguments.kind == "retrieval":
        pairs = read_pairs(arguments.data, tokenizer, rows)
        examples, lost = sum(map(len, pairs.values())), 0
        batches, loss = batches_of_pairs(pairs, settings.batch, draw), contrastive_loss
    else:
        questions, lost = read_questions(arguments.data, tokenizer, rows)
        examples, batches, loss = len(questions), batches_of_questions(questions, settings.batch, draw), span_loss
    print(
        f"{examples:,} examples, {lost:,} not used, {len(rows.of):,} tokens, {time.monotonic() - start:.0f} s",
        flush=True,
    )
    model = build(arguments.kind, settings, len(rows.of))
    start = time.monotonic()
    losses = train(model, batches, loss, settings)
    seconds = round(time.monotonic() - start)
    whole = with_all_rows(arguments.kind, settings, model, rows)
    whole.save_pretrained(str(arguments.output))
    tokenizer.save_pretrained(str(arguments.output))
    found = {"examples": examples, "not_used": lost, "tokens": len(rows.of), **vars(settings)}
    found.update(languages=LEARNED[arguments.kind], seconds=seconds, losses=losses)
    (arguments.output / "training.json").write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
