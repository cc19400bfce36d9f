"""The inputs, designed to see: each fault of a weight, of a field or of a rule moves at least one of them."""

from __future__ import annotations

from typing import Any

import numpy as np

#: A whole case with every site inside the layers is kept while it is smaller than this.
INSIDE_BYTES = 2 << 20


class Designer:
    """Makes the inputs: real sentences, ids that they lack, every position, every form of mask, small inputs."""

    def __init__(self, model: Any, sentences: Any, precision: str, seed: int) -> None:
        config = model.config
        self.name = type(model).__name__
        self.model = model
        self.vocabulary, self.hidden = config.vocab_size, config.hidden_size
        self.longest = config.max_position_embeddings - 2
        self.heads, self.layers = config.num_attention_heads, config.num_hidden_layers
        self.choices = getattr(config, "num_choices", None) or 2
        self.labels = config.num_labels
        self.problem_type = config.problem_type
        self.precision = precision
        self.random = np.random.RandomState(seed)
        self.sentences = sentences
        self.cases: list[dict[str, Any]] = []

    def ids(self, rows: int, columns: int) -> Any:
        return (
            self.random.randint(3, max(self.vocabulary - 1, 4), size=(rows, columns)).astype(np.int64) % self.vocabulary
        )

    def add(self, name: str, why: str, inputs: Any, through: str = "model", inside: bool = False, **more: Any) -> None:
        takes_all = self.name not in ("UIEM", "ErnieMForMultipleChoice")
        mask = inputs.get("attention_mask")
        if "inputs_embeds" in inputs and not takes_all:
            through = "backbone"
        if self.name == "ErnieMForMultipleChoice" and through == "model":
            if mask is not None and mask.ndim > 2:
                through = "backbone"
            else:
                inputs = dict((key, self.fold(key, value)) for key, value in inputs.items())
        given = inputs["input_ids"] if "input_ids" in inputs else inputs["inputs_embeds"][..., 0]
        tokens = int(np.prod(given.shape))
        inside = inside or tokens * self.layers * self.hidden * 80 < INSIDE_BYTES
        self.cases.append(dict(more, name=name, why=why, inputs=inputs, through=through, inside=inside))

    def fold(self, key: str, value: Any) -> Any:
        """Multiple choice takes [batch, choices, ...]: rows are repeated until they fill whole groups."""
        if key == "labels":
            return value
        groups = -(-value.shape[0] // self.choices)
        rows = np.resize(np.arange(value.shape[0]), groups * self.choices)
        return value[rows].reshape((groups, self.choices, *value.shape[1:]))

    def batch(self, count: int, length: int) -> Any:
        """Sentences cut to `length`, padded with [PAD], and the mask of what is not padding."""
        rows = [[*row[: length - 1], 2 % self.vocabulary] for row in self.sentences[:count]]
        width = max(len(row) for row in rows)
        ids = np.full((len(rows), width), 1 % self.vocabulary, np.int64)
        mask = np.zeros((len(rows), width), np.int64)
        for number, row in enumerate(rows):
            ids[number, : len(row)] = row
            mask[number, : len(row)] = 1
        return ids, mask

    def design(self) -> Any:
        length = min(24, self.longest)
        self.texts(length)
        self.masks(min(14, self.longest))
        self.positions_and_vectors(min(12, self.longest))
        self.extremes()
        self.losses(min(10, self.longest))
        return self.cases

    def texts(self, length: int) -> None:
        ids, mask = self.batch(1, min(16, length))
        self.add("sentence.inside", "one sentence, everything inside the layers", {"input_ids": ids}, inside=True)
        for number, row in enumerate(self.sentences[1:4]):
            single = np.array([row[: self.longest]], np.int64)
            self.add(f"sentence.{number}", "a sentence as the tokenizer gives it, no mask", {"input_ids": single})
        ids, mask = self.batch(6, length)
        self.add("batch", "padded, no mask: the implicit mask rule", {"input_ids": ids})
        self.add("batch.mask", "padded, integer mask", {"input_ids": ids, "attention_mask": mask})

    def masks(self, length: int) -> None:
        ids, mask = self.ids(2, length), np.ones((2, length), np.int64)
        ids[:, 0] = 0
        ids[1, length // 2 :] = 1 % self.vocabulary
        ids[0, length // 3] = 0
        mask[1, length // 2 :] = 0
        self.add("ids.zero_and_pad", "ids 0 and 1 inside the text, no mask", {"input_ids": ids})
        self.add("mask.bool", "2-D bool mask", {"input_ids": ids, "attention_mask": mask.astype(bool)})
        ramp = np.linspace(0.125, 1.0, length).astype(self.precision)
        fractions = np.stack([ramp, mask[1].astype(self.precision)])
        # Weights of -1e4 * (1 - x) are either 0 or hide all: near 1 the fraction shows.
        fractions[0, -3:] = 1.0 - np.array([1e-4, 2e-4, 0.0])[-min(3, length) :]
        self.add("mask.float", "2-D float mask with fractions", {"input_ids": ids, "attention_mask": fractions})
        zero = mask.copy()
        zero[0] = 0
        self.add(
            "mask.zero_row",
            "a row that hides every key: -1e4 is added, not infinity",
            {"input_ids": ids, "attention_mask": zero},
            zero_row=True,
        )
        lower = np.tril(np.ones((length, length), np.int64))
        four = np.broadcast_to(lower, (2, 1, length, length)).copy()
        self.add("mask.4d.int", "4-D integer mask, one for all heads", {"input_ids": ids, "attention_mask": four})
        heads = self.random.randint(0, 2, size=(2, self.heads, length, length))
        heads |= np.eye(length, dtype=heads.dtype)
        self.add(
            "mask.4d.bool",
            "4-D bool mask, another for each head",
            {"input_ids": ids, "attention_mask": heads.astype(bool)},
        )
        added = self.random.standard_normal((2, 1, 1, length)).astype(self.precision)
        self.add("mask.4d.float", "4-D float mask, added as it is", {"input_ids": ids, "attention_mask": added})
        three = lower[None].astype(bool)
        self.add(
            "mask.3d", "3-D mask of a batch of one", {"input_ids": ids[:1], "attention_mask": three}, through="backbone"
        )

    def positions_and_vectors(self, length: int) -> None:
        ids = self.ids(2, length)
        places = np.stack([np.arange(length)[::-1], self.random.permutation(self.longest)[:length]]).astype(np.int64)
        self.add("position_ids", "positions in another order", {"input_ids": ids, "position_ids": places})
        low = places.copy()
        low[0, :2] = (-2, -1)[: min(2, length)]
        self.add("position_ids.low", "the two rows in front of position 0", {"input_ids": ids, "position_ids": low})
        mask = np.ones((2, length), np.int64)
        mask[1, -length // 3 :] = 0
        vectors = self.random.standard_normal((2, length, self.hidden)).astype(self.precision)
        self.add("inputs_embeds", "vectors instead of ids", {"inputs_embeds": vectors, "attention_mask": mask})
        table = self.backbone_table("position_embeddings")[2 : length + 2]
        small = (1e-3 * self.random.standard_normal((2, length, self.hidden))).astype(self.precision) - table
        self.add(
            "small_inputs",
            "vectors so small that the epsilon of the LayerNorm shows",
            {"inputs_embeds": small, "attention_mask": mask},
        )

    def backbone_table(self, part: str) -> Any:
        return getattr(getattr(self.model, "ernie_m", self.model).embeddings, part).weight.numpy()

    def extremes(self) -> None:
        self.add("longest", "the longest text: every position", {"input_ids": self.ids(1, self.longest)})
        ids = self.ids(2, 1)
        ids[0] = self.vocabulary - 1
        self.add("length.1", "a single token", {"input_ids": ids})
        self.add("length.2", "two tokens", {"input_ids": self.ids(1, 2)})
        used = set(token for row in self.sentences for token in row)
        unused = [token for token in range(self.vocabulary) if token not in used] or list(range(self.vocabulary))
        width = min(64, self.longest)
        count = min(4 * width, len(unused))
        spread = [unused[place] for place in np.linspace(0, len(unused) - 1, count).astype(int)]
        rows = [spread[start : start + width] for start in range(0, count, width)]
        ids = np.array([np.resize(row, width) for row in rows], np.int64)
        ids[-1, -1] = self.vocabulary - 1
        self.add("ids.unused", "ids that no sentence has, from the whole vocabulary", {"input_ids": ids})

    def losses(self, length: int) -> None:
        ids = self.ids(4, length)
        inputs = {"input_ids": ids, "attention_mask": np.ones(ids.shape, np.int64)}
        kind = self.problem_type
        if self.name == "ErnieMForSequenceClassification":
            if kind in (None, "single_label_classification") and self.labels > 1:
                labels = np.arange(4, dtype=np.int64) % self.labels
                self.add(
                    "loss", "cross entropy", dict(inputs, labels=labels), problem_type="single_label_classification"
                )
            if kind in (None, "multi_label_classification") and self.labels > 1:
                labels = self.random.randint(0, 2, size=(4, self.labels)).astype(self.precision)
                self.add(
                    "loss.multi",
                    "several labels at once",
                    dict(inputs, labels=labels),
                    problem_type="multi_label_classification",
                )
            if self.labels == 1:
                labels = self.random.standard_normal(4).astype(self.precision)
                self.add("loss.regression", "squared error", dict(inputs, labels=labels), problem_type="regression")
        elif self.name == "ErnieMForTokenClassification":
            self.add(
                "loss",
                "cross entropy",
                dict(inputs, labels=self.random.randint(0, self.labels, size=ids.shape).astype(np.int64)),
            )
        elif self.name == "ErnieMForQuestionAnswering":
            start, end = np.arange(4, dtype=np.int64) % length, np.full(4, length - 1, np.int64)
            self.add("loss", "start and end", dict(inputs, start_positions=start, end_positions=end))
        elif self.name == "ErnieMForMultipleChoice":
            groups = -(-4 // self.choices)
            self.add(
                "loss",
                "cross entropy over the choices",
                dict(inputs, labels=np.arange(groups, dtype=np.int64) % self.choices),
            )
