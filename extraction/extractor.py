"""InformationExtractor: a schema's names are asked one after the other, and below a name about each of its answers."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from itertools import chain
from typing import Any

from .answers import Answer, Answers, are_classes, find_answers, join_classes, join_spans
from .reading import read_windows
from .schema import Schema, make_prompt, read_schema
from .windows import Window, Windows

#: Taskflow counts so many special tokens for every model, also where there are more.
COUNTED_SPECIAL_TOKENS = 3


class InformationExtractor:
    """Asks a model for what a schema names.

    The model reads a prompt (a name of the schema) and a text, and says for every token whether an answer starts or
    ends there. A name below another asks about each of its answers: "谷爱凌的国籍", in English "Company of Steve". A
    name with options, "情感倾向[正向，负向]", is answered within the prompt: a classification.

    schema: a name, a list of names, or a dict from a name to what is asked about each of its answers, to any depth.
    schema_lang: "ch" or "en", the language in which that is asked (uie-base-en: "en"). position_prob: an answer needs a
    start and an end whose probabilities are above it. max_seq_len: tokens of a window, prompt included; where the model
    attends to the padding (UIE-M) the probabilities depend on it. batch_size: windows that are read at once.

    windows: "characters" cuts long texts where Taskflow does, whatever number of tokens that is; "tokens" cuts only
    texts with more tokens than a window takes. In both, what has too many tokens is read in windows that share
    `overlap` tokens, and nothing is lost.

    Raises a ValueError for a schema or an option that cannot be meant.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        schema: Schema,
        *,
        schema_lang: str = "ch",
        position_prob: float = 0.5,
        max_seq_len: int = 512,
        batch_size: int = 16,
        windows: str = "characters",
        overlap: int = 64,
    ) -> None:
        heads = hasattr(model, "linear_start") and hasattr(model, "linear_end")
        require("model", type(model).__name__, heads, "a class for information extraction, as the folder's card names")
        with_types = getattr(model.config, "type_vocab_size", 0) > 1
        self._windows = Windows(tokenizer, max_seq_len, overlap, with_types)
        shortest = self._windows.special_tokens + 1
        longest = model.config.max_position_embeddings - getattr(model.config, "position_offset", 0)
        fits = shortest <= max_seq_len <= longest
        require("schema_lang", schema_lang, schema_lang in ("ch", "en"), "ch or en")
        require("windows", windows, windows in ("characters", "tokens"), "characters or tokens")
        require("position_prob", position_prob, 0 <= position_prob < 1, "a probability below 1")
        require("max_seq_len", max_seq_len, fits, f"{shortest} to {longest}, what it takes")
        require("batch_size", batch_size, batch_size >= 1, "1 or more")
        require("overlap", overlap, overlap >= 0, "0 or more")
        self.model, self.tokenizer, self.schema = model.eval(), tokenizer, read_schema(schema)
        self.schema_lang, self.position_prob, self.windows = schema_lang, position_prob, windows
        self.max_seq_len, self.batch_size, self.overlap = max_seq_len, batch_size, overlap

    def __call__(self, texts: str | Iterable[str]) -> list[Answers]:
        """For each text a dict from the names that have answers to these, in the order of the text.

        An answer is {"text", "start", "end", "probability"}, start and end in characters of the text; one of the
        options of a prompt has no start and end. What was asked about it is in "relations", a dict of the same kind.
        Raises a TypeError for a text that is no string, a ValueError for a prompt that leaves no room for a text.
        """
        given = [texts] if isinstance(texts, str) else list(texts)
        for text in given:
            if not isinstance(text, str):
                raise TypeError(f"Expected a text or a list of texts, found {type(text).__name__}: {text!r}.")
        results: list[Answers] = [{} for _ in given]
        self._ask(self.schema, [(text, None, result) for text, result in zip(given, results)])
        return results

    def _ask(self, schema: dict[str, Any], questions: list[tuple[str, str | None, Answers]]) -> None:
        """Ask for each name, in each (text, answer that it is about, where the answers go); then about the answers."""
        for name, below in schema.items():
            asked = [(text, make_prompt(name, about, self.schema_lang), answers) for text, about, answers in questions]
            asked = [question for question in asked if self._leaves_room(question[1], name)]
            further: list[tuple[str, Answer, Answers]] = []
            for (text, _, answers), found in zip(asked, self._answer([(text, prompt) for text, prompt, _ in asked])):
                if found:
                    answers[name] = found
                further += [(text, answer, {}) for answer in found]
            if below and further:
                self._ask(below, [(text, answer["text"], relations) for text, answer, relations in further])
            for _, answer, relations in further:
                if relations:
                    answer["relations"] = relations

    def _leaves_room(self, prompt: str, name: str) -> bool:
        """Whether a text fits beside a prompt. A name that is too long is an error, an answer cannot be helped."""
        if self._windows.room(prompt) > 0:
            return True
        tokens = self._windows.count_tokens(prompt)
        message = f"{prompt!r} has {tokens} tokens: no text fits beside it in max_seq_len={self.max_seq_len}."
        if prompt == make_prompt(name, None, self.schema_lang):
            raise ValueError(message)
        warnings.warn(f"{message} It is not asked.", stacklevel=2)
        return False

    def _answer(self, questions: list[tuple[str, str]]) -> list[list[Answer]]:
        """The answers to each (text, prompt), many windows at once."""
        if not questions:
            return []
        # Taskflow takes the length of the last prompt in the order of the alphabet.
        limit = self.max_seq_len - len(max(prompt for _, prompt in questions)) - COUNTED_SPECIAL_TOKENS
        step = limit if self.windows == "characters" and limit > 0 else None
        windows = [list(self._windows.cut(text, prompt, step)) for text, prompt in questions]
        found = iter(self._find([*chain.from_iterable(windows)]))
        parts = [[next(found) for _ in cut] for cut in windows]
        join = join_classes if are_classes(chain.from_iterable(parts)) else join_spans
        return [join(part) for part in parts]

    def _find(self, windows: list[Window]) -> list[list[Answer]]:
        """The answers in each window."""
        found = []
        for first in range(0, len(windows), self.batch_size):
            batch = windows[first : first + self.batch_size]
            read = read_windows(self.model, self.tokenizer.pad_token_id, self.max_seq_len, batch)
            found += [find_answers(*row, self.position_prob) for row in zip(batch, *read)]
        return found


def require(name: str, value: Any, condition: bool, expected: str) -> None:
    if not condition:
        raise ValueError(f"InformationExtractor: {name} is {value!r}, expected {expected}.")
