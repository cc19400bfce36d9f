"""Information extraction for a converted UIE-M, as PaddleNLP's Taskflow("information_extraction") does it.

    extract = InformationExtractor.from_pretrained("out", schema=["时间", {"选手": ["国籍", "赛事名称"]}])
    extract("2月8日上午北京冬奥会自由式滑雪女子大跳台决赛中中国选手谷爱凌以188.25分获得金牌！")

UIE-M reads a prompt (a name of the schema) and a text, and says for every token whether an answer starts or ends there.
A name below another asks about each of its answers: "谷爱凌的国籍", in English "Company of Steve". A name with options,
"情感倾向[正向，负向]", is answered within the prompt: a classification.

Facts from paddlenlp 2.8.1, `taskflow/information_extraction.py` and `taskflow/task.py`. This file needs torch, a model
and its tokenizer; beside a converted folder it may be copied and used alone.
"""

from __future__ import annotations

import math
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Union

import torch

Schema = Union[str, Mapping[str, Any], Sequence[Any]]
Answer = dict[str, Any]
Answers = dict[str, list[Answer]]
Span = tuple[int, int]

OPTIONS = re.compile(r"\[.*?\]$")
# Full-width ASCII in a prompt becomes ASCII; the ideographic space stays.
HALF_WIDTH = {code + 0xFEE0: code for code in range(0x21, 0x7F)}
SPECIAL_TOKENS = 4  # [CLS] prompt [SEP] [SEP] text [SEP]


@dataclass
class Window:
    """What the model reads at once: a prompt and a piece of a text, or as much of the piece as fits."""

    ids: list[int]
    spans: list[Span]  # of each token: characters of the piece, negative ones of the prompt, (0, 0) between them
    prompt: str
    piece: str
    start: int  # of the piece in the text
    owns: tuple[float, float] = (-math.inf, math.inf)  # where in the piece its answers start; others see those better
    found: list[Answer] = field(default_factory=list)


class InformationExtractor:
    """Asks a UIE-M for what a schema names.

    schema: a name, a list of names, or a dict from a name to what is asked about each of its answers, to any depth.
    schema_lang: "ch" or "en", the language in which that is asked. position_prob: an answer needs a start and an end
    whose probabilities are above it. max_seq_len: tokens of a window, prompt included; the probabilities depend on it,
    because Paddle's model attends to the padding. batch_size: windows that are read at once.

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
        require("model", type(model).__name__, hasattr(model, "linear_start"), "ErnieMForInformationExtraction")
        longest = model.config.max_position_embeddings - model.config.position_offset
        require("schema_lang", schema_lang, schema_lang in ("ch", "en"), "ch or en")
        require("windows", windows, windows in ("characters", "tokens"), "characters or tokens")
        require("position_prob", position_prob, 0 <= position_prob < 1, "a probability below 1")
        require("max_seq_len", max_seq_len, SPECIAL_TOKENS < max_seq_len <= longest, f"5 to {longest}, what it takes")
        require("batch_size", batch_size, batch_size >= 1, "1 or more")
        require("overlap", overlap, overlap >= 0, "0 or more")
        self.model, self.tokenizer, self.schema = model.eval(), tokenizer, read_schema(schema)
        self.schema_lang, self.position_prob, self.windows = schema_lang, position_prob, windows
        self.max_seq_len, self.batch_size, self.overlap = max_seq_len, batch_size, overlap

    @classmethod
    def from_pretrained(cls, folder: Any, schema: Schema, **options: Any) -> InformationExtractor:
        """Load model and tokenizer from a converted folder or a Hub id; options are those of the constructor."""
        from . import ErnieMForInformationExtraction, ErnieMTokenizer

        model = ErnieMForInformationExtraction.from_pretrained(folder)
        return cls(model, ErnieMTokenizer.from_pretrained(folder), schema, **options)

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
            asked = [(text, self._prompt(name, about), answers) for text, about, answers in questions]
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

    def _prompt(self, name: str, about: str | None) -> str:
        if about is not None and self.schema_lang == "ch":
            name = f"{about}的{name}"
        elif about is not None:
            options = OPTIONS.search(name)
            name = f"{name[: name.find('[', 1)].strip()} of {about} {options[0]}" if options else f"{name} of {about}"
        return name.translate(HALF_WIDTH)

    def _leaves_room(self, prompt: str, name: str) -> bool:
        """Whether a text fits beside a prompt. A name that is too long is an error, an answer cannot be helped."""
        tokens = len(self.tokenizer.tokenize(prompt))
        if tokens + SPECIAL_TOKENS < self.max_seq_len:
            return True
        message = f"{prompt!r} has {tokens} tokens: no text fits beside it in max_seq_len={self.max_seq_len}."
        if prompt == self._prompt(name, None):
            raise ValueError(message)
        warnings.warn(f"{message} It is not asked.", stacklevel=2)
        return False

    # ---- one prompt for one text, many at once ----------------------------------------------------------------------

    def _answer(self, questions: list[tuple[str, str]]) -> list[list[Answer]]:
        """The answers to each (text, prompt)."""
        if not questions:
            return []
        # Taskflow takes the length of the last prompt in the order of the alphabet, and counts 3 special tokens.
        limit = self.max_seq_len - len(max(prompt for _, prompt in questions)) - 3
        windows = [list(self._windows(text, prompt, limit)) for text, prompt in questions]
        every = [*chain.from_iterable(windows)]
        for first in range(0, len(every), self.batch_size):
            self._read(every[first : first + self.batch_size])
        # Whether these are classes is decided by the first answer of all, as in Taskflow.
        first_found = next((window.found for window in every if window.found), None)
        are_classes = first_found is not None and "start" not in most_probable(first_found)
        return [join_classes(parts) if are_classes else join_spans(parts) for parts in windows]

    def _windows(self, text: str, prompt: str, limit: int) -> Iterator[Window]:
        step = limit if self.windows == "characters" and limit > 0 else max(len(text), 1)
        for start in range(0, max(len(text), 1), step):
            yield from self._fit(prompt, text[start : start + step], start)

    def _fit(self, prompt: str, piece: str, start: int) -> Iterator[Window]:
        """One window, or as many as the tokens of the piece need."""
        prompt_tokens = len(self.tokenizer.tokenize(prompt))
        room = self.max_seq_len - SPECIAL_TOKENS - prompt_tokens
        overlap = min(self.overlap, room // 2)
        rows = self.tokenizer(
            prompt,
            piece,
            truncation="only_second",
            max_length=self.max_seq_len,
            stride=overlap,
            return_overflowing_tokens=True,
            return_offsets_mapping=True,
        )
        first = prompt_tokens + SPECIAL_TOKENS - 1  # token of the piece
        # Where two windows overlap, each has the answers that start in its own half.
        middles = [spans[first + overlap // 2][0] for spans in rows["offset_mapping"][1:]]
        owned = zip([-math.inf, *middles], [*middles, math.inf])
        for ids, spans, owns in zip(rows["input_ids"], rows["offset_mapping"], owned):
            end = spans[prompt_tokens][1] + 1  # of the prompt; its last character is then number -1
            for place in range(1, prompt_tokens + 1):
                spans[place] = (spans[place][0] - end, spans[place][1] - end)
            yield Window(ids, spans, prompt, piece, start, owns)

    def _read(self, windows: list[Window]) -> None:
        """Find the answers in these windows."""
        for window, starts, ends in zip(windows, *self._probabilities([window.ids for window in windows])):
            spans = window.spans + [(0, 0)] * (self.max_seq_len - len(window.ids))
            for (first, start_probability), (last, end_probability) in pair_up(
                above(starts, self.position_prob), above(ends, self.position_prob)
            ):
                answer = make_answer(window, spans[first][0], spans[last][1])
                if answer is not None:
                    window.found.append({**answer, "probability": start_probability * end_probability})

    def _probabilities(self, rows: list[list[int]]) -> tuple[list[list[float]], list[list[float]]]:
        """Of a start and of an end at every token of rows that are padded to max_seq_len.

        Paddle attends to [PAD], at position 0. Paddings are all alike, so one that weighs as much as all of them (the
        logarithm of their number is added to its scores) gives the same numbers in less time.
        """
        config, device = self.model.config, self.model.device
        hide = torch.finfo(self.model.dtype).min if config.attention_mask_value is None else config.attention_mask_value
        width = min(max(map(len, rows)) + 1, self.max_seq_len)
        ids = torch.full((len(rows), width), self.tokenizer.pad_token_id)
        positions = torch.zeros_like(ids)
        mask = torch.full(ids.shape, float(hide), dtype=torch.float64)
        for place, row in enumerate(rows):
            ids[place, : len(row)] = torch.tensor(row)
            positions[place, : len(row)] = torch.arange(len(row))
            mask[place, : len(row)] = 0.0
            if len(row) < self.max_seq_len:
                mask[place, len(row)] = math.log(self.max_seq_len - len(row))
        for hidden in config.implicit_mask_token_ids:
            mask[ids == hidden] = hide
        with torch.inference_mode():
            output = self.model(
                input_ids=ids.to(device),
                position_ids=positions.to(device),
                attention_mask=mask[:, None, None].to(device, torch.promote_types(self.model.dtype, torch.float32)),
            )
        dtype = torch.promote_types(output.start_logits.dtype, torch.float32)
        return tuple(  # type: ignore[return-value]
            [
                found[: len(row)] + found[len(row) : len(row) + 1] * (self.max_seq_len - len(row))
                for found, row in zip(logits.to(dtype).sigmoid().tolist(), rows)
            ]
            for logits in (output.start_logits, output.end_logits)
        )


def read_schema(schema: Schema) -> dict[str, Any]:
    """A dict from each name to the dict of what is asked about it. A name that stands twice is one."""
    names: dict[str, Any] = {}
    for part in [schema] if isinstance(schema, (str, Mapping)) else schema:
        if not isinstance(part, (str, Mapping)):
            raise ValueError(f"A schema holds names, lists and dicts; found {type(part).__name__}: {part!r}.")
        for name, below in {part: []}.items() if isinstance(part, str) else part.items():
            if not isinstance(name, str) or not isinstance(below, (str, Mapping, list, tuple)):
                raise ValueError(
                    f"A schema's dict leads from a name to names, lists or dicts; found {name!r}: {below!r}."
                )
            merge_schema(names.setdefault(name, {}), read_schema(below))
    return names


def merge_schema(names: dict[str, Any], more: dict[str, Any]) -> None:
    for name, below in more.items():
        merge_schema(names.setdefault(name, {}), below)


def above(probabilities: list[float], limit: float) -> list[tuple[int, float]]:
    return [(place, probability) for place, probability in enumerate(probabilities) if probability > limit]


def pair_up(
    starts: list[tuple[int, float]], ends: list[tuple[int, float]]
) -> Iterator[tuple[tuple[int, float], tuple[int, float]]]:
    """Each end with the last start that is not behind it, but behind the end before."""
    before = -1
    for end in ends:
        between = [start for start in starts if before < start[0] <= end[0]]
        if between:
            yield between[-1], end
        before = end[0]


def make_answer(window: Window, start: int, end: int) -> Answer | None:
    """From places in a window's spans to a part of the text, or of the prompt where they are negative."""
    if end < 0:
        behind = len(window.prompt) + 1
        return {"text": window.prompt[start + behind : end + behind]}
    if start < 0:
        return None
    low, high = window.owns
    if not low <= start < high:
        return None
    return {"text": window.piece[start:end], "start": window.start + start, "end": window.start + end}


def most_probable(answers: list[Answer]) -> Answer:
    return max(answers, key=lambda answer: answer["probability"])


def join_spans(windows: list[Window]) -> list[Answer]:
    """All answers, in the order of the text."""
    every = chain.from_iterable(window.found for window in windows)
    return sorted(every, key=lambda found: (found.get("start", -1), found.get("end", -1), found["text"]))


def join_classes(windows: list[Window]) -> list[Answer]:
    """The class of most windows, with its mean probability there."""
    votes: dict[str, list[float]] = {}
    for best in (most_probable(window.found) for window in windows if window.found):
        votes.setdefault(best["text"], []).append(best["probability"])
    if not votes:
        return []
    text, probabilities = max(votes.items(), key=lambda vote: (len(vote[1]), sum(vote[1])))
    return [{"text": text, "probability": sum(probabilities) / len(probabilities)}]


def require(name: str, value: Any, condition: bool, expected: str) -> None:
    if not condition:
        raise ValueError(f"InformationExtractor: {name} is {value!r}, expected {expected}.")
