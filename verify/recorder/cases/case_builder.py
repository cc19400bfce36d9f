"""The builder of the cases, and those without masks and labels."""

from __future__ import annotations

from typing import Any

import numpy as np

from verify.recorder.families.family import Family

#: A model whose states for every word of the vocabulary are smaller than this goes through all words and lengths.
SMALL_BYTES = 4 << 20
#: The longest text of which every shorter one is a case: of 2,048 positions all would take minutes.
EVERY_LENGTH = 512
#: Cases recorded inside the layers too: no mask, one that masks every key, one for each head, vectors, a single token.
INSIDE = ("sentence.inside",)
SMALL_INSIDE = (*("ids.zero_and_pad", "mask.zero_row", "mask.4d.bool", "inputs_embeds", "length.1", "mask.words"),)
#: Cases whose gradients are recorded: no mask, padding with one, [CLS] and [PAD] inside, every position and table row.
GRADIENTS = ("sentence.inside", "length.129", "token_type_ids", "task_type_ids")
SMALL_GRADIENTS = ("longest", "batch.mask", "mask.words", "ids.zero_and_pad", "position_ids.low", "ids.all")


class CaseBuilder:
    """Makes the cases: real sentences, ids that they lack, every position, every form of mask, small inputs.

    A case is a dict: name, why, inputs (argument -> array), through (the "model", the "backbone" or a module alone),
    inside (whether activations inside the layers are kept), and where they apply gradient ("outputs" or "loss"),
    problem_type and zero_row.
    """

    def __init__(
        self, family: Family, model: Any, sentences: list[list[int]], precision: str, seed: int, offset: int
    ) -> None:
        config = model.config
        self.family, self.model, self.inputs = family, model, family.inputs
        self.model_class = family.classes[type(model).__name__]
        self.folds = self.model_class.losses == "choices"
        self.vocabulary, self.hidden = config.vocab_size, config.hidden_size
        #: The row of the first position; those before it are asked for by positions below 0.
        self.offset = offset
        self.longest = config.max_position_embeddings - offset
        self.heads, self.layers = config.num_attention_heads, config.num_hidden_layers
        self.choices = getattr(config, "num_choices", None) or 2
        self.labels = config.num_labels
        self.problem_type = config.problem_type
        self.precision, self.seed = precision, seed
        self.small = self.vocabulary * self.hidden * (self.layers + 1) * 8 < SMALL_BYTES
        self.random = np.random.RandomState(seed)
        self.sentences = sentences
        self.cases: list[dict[str, Any]] = []

    def ids(self, rows: int, columns: int) -> Any:
        return (
            self.random.randint(3, max(self.vocabulary - 1, 4), size=(rows, columns)).astype(np.int64) % self.vocabulary
        )

    def add(self, name: str, why: str, inputs: Any, through: str = "model", **more: Any) -> None:
        mask = inputs.get("attention_mask")
        if "inputs_embeds" in inputs and not self.model_class.takes_every_input:
            through = "backbone"
        if any(name in inputs for name in self.inputs.of_backbone):
            through = "backbone"
        if self.folds and through == "model":
            if mask is not None and mask.ndim > 2:
                through = "backbone"
            else:
                inputs = dict((key, self.fold(key, value)) for key, value in inputs.items())
        inside = name in INSIDE or (self.small and name in SMALL_INSIDE)
        if (name in GRADIENTS or (self.small and name in SMALL_GRADIENTS)) and self.has_gradient(inputs):
            more["gradient"] = "outputs"
        self.cases.append(dict(more, name=name, why=why, inputs=inputs, through=through, inside=inside))

    def has_gradient(self, inputs: Any) -> bool:
        return self.inputs.padding_gradient or not np.any(inputs.get("input_ids") == self.family.pad_id)

    def fold(self, key: str, value: Any) -> Any:
        """Multiple choice takes [batch, choices, ...]: rows are repeated until they fill whole groups."""
        if key == "labels":
            return value
        groups = -(-value.shape[0] // self.choices)
        rows = np.resize(np.arange(value.shape[0]), groups * self.choices)
        return value[rows].reshape((groups, self.choices, *value.shape[1:]))

    def batch(self, count: int, length: int) -> Any:
        """Sentences cut to `length`, padded with [PAD], and the mask of what is not padding."""
        rows = [[*row[: length - 1], self.family.sep_id % self.vocabulary] for row in self.sentences[:count]]
        width = max(len(row) for row in rows)
        ids = np.full((len(rows), width), self.family.pad_id % self.vocabulary, np.int64)
        mask = np.zeros((len(rows), width), np.int64)
        for number, row in enumerate(rows):
            ids[number, : len(row)] = row
            mask[number, : len(row)] = 1
        return ids, mask

    def texts(self, length: int) -> None:
        ids, mask = self.batch(1, min(16, length))
        self.add("sentence.inside", "one sentence, everything inside the layers", {"input_ids": ids})
        for number, row in enumerate(self.sentences[1:4]):
            single = np.array([row[: self.longest]], np.int64)
            self.add(f"sentence.{number}", "a sentence as the tokenizer gives it, no mask", {"input_ids": single})
        ids, mask = self.batch(6, length)
        if self.inputs.unmasked_padding:
            self.add("batch", "padded, no mask: the implicit mask rule", {"input_ids": ids})
        else:
            self.add("batch", "texts of one length, no mask", {"input_ids": ids[:, : int(mask.sum(axis=1).min())]})
        self.add("batch.mask", "padded, integer mask", {"input_ids": ids, "attention_mask": mask})

    def positions_and_vectors(self, length: int) -> None:
        ids = self.ids(2, length)
        places = np.stack([np.arange(length)[::-1], self.random.permutation(self.longest)[:length]]).astype(np.int64)
        self.add("position_ids", "positions in another order", {"input_ids": ids, "position_ids": places})
        low = places.copy()
        low[0, :2] = (-self.offset, 1 - self.offset)[: min(2, length)]
        self.add("position_ids.low", "the first two rows of the table", {"input_ids": ids, "position_ids": low})
        if not self.inputs.vectors:
            return
        mask = np.ones((2, length), np.int64)
        mask[1, -length // 3 :] = 0
        vectors = self.random.standard_normal((2, length, self.hidden)).astype(self.precision)
        self.add("inputs_embeds", "vectors instead of ids", {"inputs_embeds": vectors, "attention_mask": mask})
        if self.inputs.types:
            return  # Sums of more than two rows are rounded in another order, which so small a rest would show.
        tables = self.family.tables_of(self.family.backbone_of(self.model))
        table = tables[self.family.position_table].weight.numpy()[self.offset : length + self.offset]
        drawn = self.inputs.small * self.random.standard_normal((2, length, self.hidden))
        small = drawn.astype(self.precision) - table
        self.add(
            "small_inputs",
            "vectors so small that the epsilon of the LayerNorm shows",
            {"inputs_embeds": small, "attention_mask": mask},
        )

    def types(self, length: int) -> None:
        """A type for each token, every row of its table among them."""
        config = self.model.config
        for argument, count, switch in self.inputs.types:
            rows = getattr(config, count)
            if not rows or (switch and not getattr(config, switch)):
                continue
            width = min(max(length, rows), self.longest)
            given = self.random.randint(0, rows, size=(2, width)).astype(np.int64)
            given[0] = np.arange(width)[::-1] % rows
            inputs = {"input_ids": self.ids(2, width), argument: given}
            self.add(argument, f"{rows} kinds of types, in no order", inputs)
            pair = (np.arange(width) >= width // 2).astype(np.int64)[None] % rows
            inputs = {"input_ids": self.ids(1, width), argument: pair}
            self.add(argument + ".pair", "types 0, then 1, as of two texts", inputs)

    def extremes(self) -> None:
        self.add("longest", "the longest text: every position", {"input_ids": self.ids(1, self.longest)})

    def lengths(self) -> None:
        """Every length of a small model up to 512; else those around powers of two, where code takes other paths."""
        spread = {1, 2, 3, *(2**power + 1 for power in range(2, self.longest.bit_length()))}
        if self.small:
            spread.update(range(1, EVERY_LENGTH + 1))
        for length in sorted(length for length in spread if length < self.longest):
            rows = self.ids(2 if length < 4 else 1, length)
            rows[0, -1] = self.vocabulary - 1
            self.add(f"length.{length}", "a text of this length", {"input_ids": rows})
        for number in range(3):
            self.random = np.random.RandomState(self.seed + 1 + number)
            ids = self.ids(2, min(9 + number, self.longest))
            self.add(f"seed.{number}", "ids of another seed", {"input_ids": ids})

    def words(self) -> None:
        """All words of a small vocabulary; of a large one some that no sentence has, from its whole length."""
        used = set(token for row in self.sentences for token in row)
        unused = [token for token in range(self.vocabulary) if token not in used] or list(range(self.vocabulary))
        chosen = list(range(self.vocabulary)) if self.small else unused
        if not self.inputs.unmasked_padding:
            chosen = [token for token in chosen if token != self.family.pad_id]
        width = min(64, self.longest)
        count = len(chosen) if self.small else min(4 * width, len(chosen))
        spread = [chosen[place] for place in np.linspace(0, len(chosen) - 1, count).astype(int)]
        rows = [spread[start : start + width] for start in range(0, count, width)]
        ids = np.array([np.resize(row, width) for row in rows], np.int64)
        ids[-1, -1] = self.vocabulary - 1
        if self.small:
            self.add("ids.all", "every word of the vocabulary", {"input_ids": ids})
        else:
            self.add("ids.unused", "ids that no sentence has, from the whole vocabulary", {"input_ids": ids})
