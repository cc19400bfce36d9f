"""ERNIE-M's tokenizer for Hugging Face transformers 4.57 and 5: PaddleNLP's token ids, for every text.

The way from text to ids, each step as PaddleNLP takes it:

1. Special and added tokens are found in the raw text; text beside one is stripped on that side.
2. sentencepiece normalises what lies between them and cuts it into pieces.
3. Each piece is cut again by `piece_rule`. "paddlenlp" (PaddleNLP 2.3 and later) drops a bare "▁", lets Chinese
   characters and some marks stand alone, and cuts between digits and other characters. "release" (the 2021 release
   that ERNIE-M was pretrained with) cleans the text before step 2, and afterwards only cuts a comma off a number.
4. vocab.txt gives the ids; what it does not hold is [UNK].

Step 3 depends on the piece alone, so a table of piece numbers, filled as pieces are met, takes the place of steps 3
and 4.
"""

# The base class has other signatures in 4.57 and in 5.
# mypy: disable-error-code="override, no-untyped-call, attr-defined"

from __future__ import annotations

import os
import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import wraps
from itertools import accumulate, chain, groupby, repeat
from operator import add
from typing import Any

import transformers

# Before anything that older releases do not have.
if tuple(map(int, transformers.__version__.split(".")[:2])) < (4, 57):
    raise ImportError(f"ERNIE-M needs transformers 4.57 or newer, this is {transformers.__version__}.")

import sentencepiece
from transformers import BatchEncoding, PreTrainedTokenizer
from transformers.tokenization_utils_base import LARGE_INTEGER, PaddingStrategy, TruncationStrategy
from transformers.utils import logging

logger = logging.get_logger(__name__)

VOCAB_FILES_NAMES = {"vocab_file": "vocab.txt", "sentencepiece_model_file": "sentencepiece.bpe.model"}
PIECE_RULES = ("paddlenlp", "release")
SPACE = "▁"  # U+2581, sentencepiece's sign for a space
MARKS = ",;:.?!~，；：。？！《》【】"
ALONE = re.compile(f"[\u4e00-\u9fff{MARKS}]")  # what is always a token of its own: Chinese characters and these marks
FILE_TOKENS = ("[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]")
# transformers 5 hands whole batches to _encode_plus; 4.57 has a method for them, and a list there is a list of tokens.
BATCHES_COME_SINGLY = hasattr(PreTrainedTokenizer, "batch_encode_plus")
# What a call may be given in both lines of transformers; anything else is reported, PaddleNLP's max_seq_len for one.
OPTIONS = {
    *("add_special_tokens", "is_split_into_words", "split_special_tokens", "return_tensors", "verbose"),
    *("truncation_strategy", "max_length", "stride", "padding_strategy", "pad_to_multiple_of", "padding_side"),
    *("return_token_type_ids", "return_attention_mask", "return_special_tokens_mask", "return_offsets_mapping"),
    *("return_overflowing_tokens", "return_length"),
}
IN_ROWS = ("input_ids", "offset_mapping", "sequence_ids", "word_ids")
CHOICES = ("token_type_ids", "attention_mask", "special_tokens_mask")
NOT_TRUNCATED = TruncationStrategy.DO_NOT_TRUNCATE
NOT_PADDED = PaddingStrategy.DO_NOT_PAD
# The usual options and their values: a call with these and no others need not go through transformers' own reading.
PADDINGS: dict[Any, PaddingStrategy] = {False: NOT_PADDED, True: PaddingStrategy.LONGEST}
PADDINGS |= {strategy.value: strategy for strategy in PaddingStrategy}
TRUNCATIONS: dict[Any, TruncationStrategy] = {None: NOT_TRUNCATED, False: NOT_TRUNCATED}
TRUNCATIONS |= {True: TruncationStrategy.LONGEST_FIRST} | {strategy.value: strategy for strategy in TruncationStrategy}
RETURNED = {"return_tensors", "return_offsets_mapping"} | {f"return_{name}" for name in CHOICES}
USUAL = RETURNED | {"text_pair", "padding", "truncation", "max_length"}
SHORT = {"padding_strategy", "truncation_strategy", "max_length"}
SHORT |= {"return_token_type_ids", "return_attention_mask", "return_offsets_mapping"}
MANY = 128  # texts, from which on sentencepiece's threads are worth their start

Span = tuple[int, int]
Ids = list[int]
NoneType = type(None)


class ReleaseCleaning(dict[int, str]):
    """What the 2021 release makes of each character, for `str.translate`; filled as characters are met."""

    def __missing__(self, code: int) -> str:
        category = unicodedata.category(chr(code))
        space = chr(code) in "\t\n\r" or category == "Zs"
        self[code] = " " if space else "" if category in ("Cc", "Cf") else chr(code)
        return self[code]


RELEASE_CLEANING = ReleaseCleaning({ord(mark): plain for mark, plain in zip("“”‘’—", "\"\"''-")})


def read_vocabulary(path: str | os.PathLike[str]) -> dict[str, int]:
    """Read vocab.txt: one token a line, or token TAB id on every line. Anything else is a ValueError."""
    try:
        with open(path or "", "rb") as file:
            text = file.read().decode("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"vocab.txt cannot be read: {error}") from error
    # Only LF ends a line: a token may be U+0085, which str.splitlines takes for an end of line as well.
    lines = text.removesuffix("\n").split("\n")
    has_tabs = "\t" in text
    del text  # not kept beside its lines
    if all(line.endswith("\r") for line in lines):
        lines = [line[:-1] for line in lines]
    vocab = {line: number for number, line in enumerate(lines)}
    if len(vocab) < len(lines) or "" in vocab or has_tabs:
        vocab = read_numbered(path, lines)
    if missing := [token for token in FILE_TOKENS if token not in vocab]:
        raise ValueError(f"vocab.txt ({path}) has no {' '.join(missing)}. Is it cut, or is there a byte order mark?")
    return vocab


def read_numbered(path: str | os.PathLike[str], lines: list[str]) -> dict[str, int]:
    """Read vocab.txt line by line, where lines have ids or one of them is wrong, which is a ValueError."""
    vocab: dict[str, int] = {}
    separator = "\t" if "\t" in lines[0] else ""
    for number, line in enumerate(lines):
        token, tab, written = line.partition("\t")
        if tab != separator or (tab and written != str(number)) or not token or token in vocab:
            expected = f"a token, a tab and {number}" if separator else "a token"
            raise ValueError(
                f"vocab.txt ({path}), line {number + 1}: expected {expected} not seen yet, found {line!r}."
            )
        vocab[token] = number
    return vocab


def load_sentencepiece(path: str | os.PathLike[str], tokens: int) -> sentencepiece.SentencePieceProcessor:
    """Load sentencepiece.bpe.model. Failure is a ValueError: a RuntimeError would become `False` in 4.57."""
    processor = sentencepiece.SentencePieceProcessor()
    try:
        with open(path or "", "rb") as file:
            processor.LoadFromSerializedProto(file.read())
    except (OSError, RuntimeError) as error:
        raise ValueError(f"sentencepiece.bpe.model ({path}) is missing or damaged: {error}") from error
    # vocab.txt has two tokens more than there are pieces. The rules of normalisation stand at the end of the file.
    if tokens > (pieces := processor.get_piece_size()) + 2 and processor.normalize("Ａ") == SPACE + "Ａ":
        raise ValueError(f"sentencepiece.bpe.model ({path}) is cut: {pieces} pieces, {tokens} tokens in vocab.txt.")
    if tokens != pieces + 2:
        logger.warning("vocab.txt has %d tokens, %d are usual for its pieces.", tokens, pieces + 2)
    return processor


def is_sentencepiece(path: str | os.PathLike[str]) -> bool:
    """Whether a file starts with LF, as every sentencepiece model does and no vocabulary."""
    with open(path if os.path.isfile(path or "") else os.devnull, "rb") as file:
        return file.read(1) == b"\n"


def split_piece(piece: str) -> list[str]:
    """Cut a sentencepiece piece as PaddleNLP does: `▁中国2024` gives 中 国 2024."""
    parts, start = [], 0
    if ALONE.search(piece) or any(map(str.isdigit, piece)):  # most pieces have nothing to cut at
        for place in range(1, len(piece)):
            left, right = piece[place - 1], piece[place]
            # isdigit: ① and ² are digits, Ⅷ and ½ are not.
            between = ALONE.match(right) or left.isdigit() != right.isdigit()
            if ALONE.match(left) or (between and right != SPACE):
                parts.append(piece[start:place])
                start = place
    parts.append(piece[start:])
    return [part for part in parts if part != SPACE]


def put_between(end: Any, sides: list[list[Any]]) -> list[Any]:
    """Return [end A end], or [end A end end B end]: a layout's [CLS] and [SEP], for all but the ids."""
    return [*chain(*([end, *side, end] for side in sides))]


def holds_texts(item: Any, options: dict[str, Any]) -> bool:
    """Whether this is a list of texts: a batch or a pair. A text is a string or, with words, a list of them."""
    kinds = (list, tuple) if options.get("is_split_into_words") else (str, list, tuple)
    return isinstance(item, (list, tuple)) and (not item or isinstance(item[0], kinds))


def as_texts(value: Any) -> Any:
    """Return arrays of numpy and series of pandas as lists. What is no text is a ValueError with its place."""
    texts = value.tolist() if hasattr(value, "tolist") else value
    for place, text in enumerate(texts if isinstance(texts, (list, tuple)) else ()):
        if not isinstance(text, (str, int)) and not (text and isinstance(text, (list, tuple))):
            raise ValueError(f"Text {place} of the batch is {text!r:.60}; expected a text, or words.")
    return texts


def are_strings(value: Any) -> bool:
    """Whether this is a list of strings, with one at least."""
    return type(value) is list and set(map(type, value)) == {str}


class Encoding(BatchEncoding):
    """What a call returns. Its answers about tokens, words and characters need spans, which a plain call leaves out."""


def ask_for_spans(method: Any) -> Any:
    @wraps(method)
    def answer(self: Encoding, *arguments: Any, **options: Any) -> Any:
        if self.encodings is None:
            raise ValueError(f"{method.__name__}() needs spans: call the tokenizer with return_offsets_mapping=True.")
        return method(self, *arguments, **options)

    return answer


for question in ("tokens", "words", "word_ids", "sequence_ids", "token_to_sequence", "token_to_word", "token_to_chars"):
    if hasattr(BatchEncoding, question):
        setattr(Encoding, question, ask_for_spans(getattr(BatchEncoding, question)))


@dataclass
class Row:
    """One input as BatchEncoding's word_ids(), sequence_ids(), char_to_token() and their like ask for it.

    Words are those that the caller gave (is_split_into_words); spans are then places in the word.
    """

    ids: list[int]
    tokens: list[str]
    offsets: list[Span]
    sequence_ids: list[int | None]
    word_ids: list[int | None]

    @property
    def n_sequences(self) -> int:
        return len({*self.sequence_ids} - {None})

    def token_to_sequence(self, token: int) -> int | None:
        return self.sequence_ids[token]

    def token_to_word(self, token: int) -> int | None:
        return self.word_ids[token]

    def token_to_chars(self, token: int) -> Span | None:
        return None if self.sequence_ids[token] is None else self.offsets[token]

    def char_to_token(self, char: int, sequence: int = 0) -> int | None:
        found = (n for n, (start, end) in enumerate(self.offsets) if start <= char < end)
        return next((n for n in found if self.sequence_ids[n] == sequence), None)

    def word_to_tokens(self, word: int, sequence: int = 0) -> Span | None:
        found = [n for n, at in enumerate(zip(self.sequence_ids, self.word_ids)) if at == (sequence, word)]
        return (found[0], found[-1] + 1) if found else None


class PaddleErnieMTokenizer(PreTrainedTokenizer):
    """ERNIE-M's tokenizer. `piece_rule` is "paddlenlp" or "release". A call returns input_ids alone, as Paddle's."""

    vocab_files_names = VOCAB_FILES_NAMES
    model_input_names = ["input_ids"]  # noqa: RUF012
    is_fast = True  # transformers' name for "has offsets": pipelines ask for spans where it is set
    _auto_class = "AutoTokenizer"  # save_pretrained then copies this file, so that a saved folder loads by itself
    # Half-width forms as get_offset_mapping and clean_text of PaddleNLP know them; ids never use them.
    SP_CHAR_MAPPING = {chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5E)} | {"～": "～"}

    def __init__(
        self,
        vocab_file: str | os.PathLike[str],
        sentencepiece_model_file: str | os.PathLike[str],
        do_lower_case: bool = False,
        piece_rule: str = "paddlenlp",
        clean_up_tokenization_spaces: bool = True,
        strip_sides: dict[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        if piece_rule not in PIECE_RULES:
            raise ValueError(f"piece_rule is {piece_rule!r}; it must be one of {', '.join(PIECE_RULES)}.")
        if is_sentencepiece(vocab_file) and not is_sentencepiece(sentencepiece_model_file):
            # The order of transformers' own ErnieM tokenizer.
            vocab_file, sentencepiece_model_file = sentencepiece_model_file, vocab_file
        # All of this must stand before super().__init__, which asks for the vocabulary.
        self.do_lower_case = do_lower_case
        self.piece_rule = piece_rule
        self.strip_sides = strip_sides or {}
        self.vocab = read_vocabulary(vocab_file)
        self.tokens = list(self.vocab)
        self._model = load_sentencepiece(sentencepiece_model_file, len(self.tokens))
        self._unknown_piece = self._model.unk_id()
        self._unknown_id = self.vocab.get(str(kwargs.get("unk_token")), self.vocab["[UNK]"])
        self._rows: dict[int, tuple[int, ...]] = {}
        self._cuts: dict[int, tuple[int, list[tuple[int, int, int]]]] = {}
        self._vanishing: dict[str, bool] = {}
        self._splitter: re.Pattern[str] | None = None
        kwargs = {f"{token[1:-1].lower()}_token": token for token in FILE_TOKENS} | kwargs
        kwargs |= {"do_lower_case": do_lower_case, "piece_rule": piece_rule}
        kwargs |= {"strip_sides": strip_sides} if strip_sides else {}
        super().__init__(clean_up_tokenization_spaces=clean_up_tokenization_spaces, **kwargs)

    @classmethod
    def _from_pretrained(cls, *arguments: Any, **keywords: Any) -> Any:
        try:
            return super()._from_pretrained(*arguments, **keywords)
        except ImportError as error:
            # Where protobuf is missing, transformers hides what the constructor raised behind a request for it.
            if isinstance(error.__context__, ValueError):
                raise error.__context__ from None
            raise

    # ---- vocabulary -------------------------------------------------------------------------------------------------

    @property
    def vocab_size(self) -> int:
        """Number of tokens in vocab.txt; added tokens come after them."""
        return len(self.tokens)

    def __getstate__(self) -> dict[str, Any]:
        # What calls gather is left out: datasets takes these bytes for a fingerprint.
        return {**self.__dict__, "_rows": {}, "_cuts": {}, "_vanishing": {}, "_splitter": None}

    def get_vocab(self) -> dict[str, int]:
        """Return every token, added ones included, with its id."""
        return {**self.vocab, **self._added_tokens_encoder}

    def _convert_token_to_id(self, token: str) -> int:
        return self.vocab.get(token, self._unknown_id)

    def _token_id(self, token: str) -> int:
        number = self._added_tokens_encoder.get(token)
        return self.vocab.get(token, self._unknown_id) if number is None else number

    def _convert_id_to_token(self, index: int) -> str:
        if not 0 <= index < len(self.tokens):
            raise ValueError(f"There is no token with id {index}; vocab.txt has ids 0 to {len(self.tokens) - 1}.")
        return self.tokens[index]

    def _add_tokens(self, new_tokens: list[Any], special_tokens: bool = False) -> int:
        # As in PaddleNLP, an ordinary token of vocab.txt stays ordinary: text is not cut at it.
        if not special_tokens:
            new_tokens = [token for token in new_tokens if str(token) not in self.vocab or str(token) in FILE_TOKENS]
        self._splitter = None
        self._rows, self._cuts = {}, {}
        # PaddleNLP gives added tokens ids that tokens of vocab.txt have, [MASK] for one. They mean the added ones.
        added = {number: token for number, token in self._added_tokens_decoder.items() if str(token) not in self.vocab}
        count = super()._add_tokens(new_tokens, special_tokens=special_tokens)
        self._added_tokens_decoder.update(added)
        return int(count)

    def save_vocabulary(self, save_directory: str, filename_prefix: str | None = None) -> tuple[str, str]:
        """Write vocab.txt (one token a line) and sentencepiece.bpe.model; return their paths."""
        os.makedirs(save_directory, exist_ok=True)
        prefix = f"{filename_prefix}-" if filename_prefix else ""
        vocab_path, model_path = (os.path.join(save_directory, prefix + name) for name in VOCAB_FILES_NAMES.values())
        with open(vocab_path, "w", encoding="utf-8", newline="\n") as file:
            file.writelines(f"{token}\n" for token in self.tokens)
        with open(model_path, "wb") as binary:
            binary.write(self._model.serialized_model_proto())
        return vocab_path, model_path

    # ---- from text to tokens ----------------------------------------------------------------------------------------

    def tokenize(self, text: str, split_special_tokens: bool | None = None, **kwargs: Any) -> list[str]:
        """Return the tokens of a text; unknown ones keep their text."""
        return [token for token, _ in self._locate(text, split_special_tokens)]

    def _spell(self, text: str) -> Sequence[str]:
        """Return the text character by character, lowered where that is asked for and no special token stands."""
        if not self.do_lower_case:
            return text
        spelled = [character.lower() for character in text]
        for match in self._find_tokens().finditer(text):
            spelled[match.start() : match.end()] = match.group()
        return spelled

    def _find_tokens(self) -> re.Pattern[str]:
        """Return the expression that finds special and added tokens, the longest one at each place."""
        splitter = self._splitter
        if splitter is None:
            longest_first = sorted(self._added_tokens_encoder, key=len, reverse=True)
            self._splitter = splitter = re.compile("|".join(map(re.escape, longest_first)) or r"(?!)")
        return splitter

    def _segments(self, text: str, split_special_tokens: bool | None = None) -> Iterator[tuple[int, str, bool]]:
        """Cut text at special and added tokens: where a segment starts, the segment, whether it is a token."""
        if self.split_special_tokens if split_special_tokens is None else split_special_tokens:
            yield 0, text, False
            return
        sides = self.strip_sides.get  # a token that is not in there is stripped on both
        start, before = 0, ""
        for match in chain(self._find_tokens().finditer(text), (None,)):
            segment = text[start : match.start()] if match else text[start:]
            # The first segment keeps its left side, the last one its right: only a token's neighbours are stripped.
            segment = segment.rstrip() if match and sides(match.group(), "left") == "left" else segment
            stripped = segment.lstrip() if start and sides(before, "right") == "right" else segment
            if stripped:
                yield start + len(segment) - len(stripped), stripped, False
            if match:
                yield match.start(), match.group(), True
                start, before = match.end(), match.group()

    def _split(self, piece: str) -> list[str]:
        """Cut one piece by the piece rule."""
        if self.piece_rule == "paddlenlp":
            return split_piece(piece)
        if len(piece) < 2 or piece[-1] != "," or not piece[-2].isdigit():
            return [piece]
        parts: list[str] = self._model.encode(piece[:-1].replace(SPACE, ""), out_type=str)
        if not piece.startswith(SPACE) and parts[0].startswith(SPACE):
            parts[:1] = [parts[0][1:]] if len(parts[0]) > 1 else []
        return [*parts, ","]

    # ---- from text to ids -------------------------------------------------------------------------------------------

    def _ids(self, text: str, split_special_tokens: bool | None) -> list[int]:
        """Return the ids of a text, without [CLS] and [SEP]."""
        if self.do_lower_case:
            text = "".join(self._spell(text))
        if not self._find_tokens().search(text):
            return self._segment_ids(text)
        ids: list[int] = []
        for _, segment, is_token in self._segments(text, split_special_tokens):
            ids += [self._added_tokens_encoder[segment]] if is_token else self._segment_ids(segment)
        return ids

    def _clean(self, text: str) -> str:
        return text.translate(RELEASE_CLEANING) if self.piece_rule == "release" else text

    def _read_together(self, texts: list[str], read: Any) -> dict[str, Any]:
        """Return what `read` makes of each text and its pieces' numbers, for many texts without special tokens.

        sentencepiece has threads for many texts; for few they are slower than none.
        """
        find = self._find_tokens().search
        plain = [] if self.do_lower_case or len(texts) < MANY else [text for text in texts if not find(text)]
        if len(plain) < MANY:
            return {}
        cleaned = [*map(self._clean, plain)] if self.piece_rule == "release" else plain
        try:
            numbers = self._model.encode(cleaned, num_threads=min(os.cpu_count() or 1, len(plain) * 2 // MANY))
        except RuntimeError:  # a lone surrogate, which has its own message where texts are read one by one
            return {}
        return dict(zip(plain, map(read, cleaned, numbers)))

    def _segment_ids(self, text: str) -> list[int]:
        """Return the ids of a text in which no special or added token stands."""
        text = self._clean(text)
        try:
            numbers = self._model.encode(text)
        except RuntimeError:
            text.encode()  # a lone surrogate: this says so, sentencepiece's own message does not
            raise
        return self._piece_ids(text, numbers)

    def _piece_ids(self, text: str, numbers: list[int]) -> list[int]:
        """Return the ids of a cleaned text whose pieces have these numbers."""
        if self._unknown_piece in numbers:
            # A run of characters that sentencepiece does not know is one piece, to be cut by its text.
            pieces = self._model.encode(text, out_type=str)
            return [self._token_id(part) for piece in pieces for part in self._split(piece)]
        rows = self._rows
        try:
            return [*chain.from_iterable(map(rows.__getitem__, numbers))]
        except KeyError:  # a piece that is met for the first time
            for number in numbers:
                rows[number] = tuple(map(self._token_id, self._split(self._model.id_to_piece(number))))
            return self._piece_ids(text, numbers)

    # ---- offsets ----------------------------------------------------------------------------------------------------

    def get_offset_mapping(self, text: str | None, split_special_tokens: bool | None = None) -> list[Span] | None:
        """Return for each token its [start, end) in the text as it was passed in."""
        return None if text is None else self._read_located(text, split_special_tokens)[1]

    def _read_located(self, text: str, split_special_tokens: bool | None) -> tuple[Ids, list[Span]]:
        """Return the ids of a text and their spans."""
        if not self.do_lower_case and not self._find_tokens().search(text):
            with suppress(RuntimeError):  # a lone surrogate: the way below has a message for it
                if found := self._piece_spans(text, self._model.encode(text)):
                    return found
        tokens = [*self._locate(text, split_special_tokens)]
        return [self._token_id(token) for token, _ in tokens], [span for _, span in tokens]

    def _piece_spans(self, text: str, numbers: list[int]) -> tuple[Ids, list[Span]] | None:
        """Return ids and spans of a text whose pieces have these numbers; None where `_locate` has to look closer."""
        if self.piece_rule == "release" or self._unknown_piece in numbers or SPACE in text:
            return None
        # In most texts each character stands for itself, after one "▁".
        plain = SPACE + text.replace(" ", SPACE)
        whole = self._piece_ids(text, numbers)
        with suppress(IndexError):  # an added token
            tokens = [*map(self.tokens.__getitem__, whole)]
            spaced = [*map(str.startswith, tokens, repeat(SPACE))]
            # Where nothing was left out spans follow from lengths, but not with a "▁" elsewhere than in front.
            if "".join(tokens) == plain and sum(spaced) == plain.count(SPACE):
                ends = [*accumulate(map(len, tokens), initial=-1)]
                return whole, [*zip(map(add, ends, spaced), ends[1:])]
        same = self._model.normalize(text) == plain
        origins = range(len(text))
        chunks: list[int] = [] if same else self._model.normalize(text, with_offsets=True)[1]
        ids: Ids = []
        spans: list[Span] = []
        cut, position = self._cuts.get, -1 if same else 0
        for number in numbers:
            size, parts = cut(number) or self._cut(number)
            for token, start, stop in parts:
                start, stop = position + start, position + stop
                ids.append(token)
                spans.append((start, stop) if same else self._span(text, origins, chunks, start, stop - 1))
            position += size
        return ids, spans

    def _cut(self, number: int) -> tuple[int, list[tuple[int, int, int]]]:
        """Return the length of a piece, and the id, start and end of each token in it, without its "▁"."""
        piece, parts, place = self._model.id_to_piece(number), [], 0
        for part in self._split(piece):
            place = piece.find(part, place)
            parts.append((self._token_id(part), place + part.startswith(SPACE), place + len(part.rstrip(SPACE))))
            place += len(part)
        self._cuts[number] = len(piece), parts
        return self._cuts[number]

    def _locate(self, text: str, split_special_tokens: bool | None) -> Iterator[tuple[str, Span]]:
        """Yield every token of a text with its span."""
        spelled = self._spell(text)
        origins = [place for place, characters in enumerate(spelled) for _ in characters]
        for start, segment, is_token in self._segments("".join(spelled), split_special_tokens):
            stop = start + len(segment)
            if is_token:
                yield segment, (origins[start], origins[stop - 1] + 1)
            else:
                yield from self._locate_segment(segment, origins[start:stop])

    def _locate_segment(self, segment: str, origins: list[int]) -> Iterator[tuple[str, Span]]:
        if self.piece_rule == "release":
            spelled = [character.translate(RELEASE_CLEANING) for character in segment]
            segment, origins = "".join(spelled), [place for place, kept in zip(origins, spelled) if kept]
        # chunks[i] is where the source of the i-th normalised character begins. The joined pieces are that text.
        chunks: list[int] = self._model.normalize(segment, with_offsets=True)[1]
        position = 0
        for piece in self._model.encode(segment, out_type=str):
            place = 0
            for part in self._split(piece):
                place = max(piece.find(part, place), place)
                first = position + place + part.startswith(SPACE)
                place += len(part)
                yield part, self._span(segment, origins, chunks, first, position + place - 1)
            position += len(piece)

    def _span(self, segment: str, origins: Sequence[int], chunks: list[int], first: int, last: int) -> Span:
        """Return the source of the normalised characters first to last, less what vanishes at its end."""
        start = chunks[first]
        inside = first > 1 and chunks[first - 2] == start
        if last < first and not inside:
            # A bare "▁" (release rule) is nothing, in front of what follows, unless one character holds it (U+FDFA).
            place = origins[start] if start < len(origins) else origins[-1] + 1
            return place, place
        following = last + 1
        while following < len(chunks) and chunks[following] <= chunks[last]:
            following += 1
        after = chunks[following] if following < len(chunks) else len(segment)
        while after > start + 1 and self._vanishes(segment[after - 1]):
            after -= 1
        return origins[start], origins[after - 1] + 1

    def _vanishes(self, character: str) -> bool:
        """Whether nothing is left of a character by itself."""
        known = self._vanishing.get(character)
        if known is None:
            known = self._vanishing[character] = not self._model.normalize(character)
        return known

    # ---- layouts ----------------------------------------------------------------------------------------------------

    def num_special_tokens_to_add(self, pair: bool = False) -> int:
        """Return how many special tokens a single text or a pair gains."""
        return 4 if pair else 2

    def build_inputs_with_special_tokens(self, token_ids_0: Ids, token_ids_1: Ids | None = None) -> Ids:
        """Return [CLS] A [SEP], or [CLS] A [SEP] [SEP] B [SEP]."""
        cls, sep = self._ends()
        return [cls, *token_ids_0, sep] if token_ids_1 is None else [cls, *token_ids_0, sep, sep, *token_ids_1, sep]

    def _ends(self) -> tuple[int, int]:
        # Not cls_token_id and sep_token_id: they would take as long as all the rest of a layout.
        special = self._special_tokens_map
        return self._token_id(str(special["cls_token"])), self._token_id(str(special["sep_token"]))

    def create_token_type_ids_from_sequences(self, token_ids_0: Ids, token_ids_1: Ids | None = None) -> Ids:
        """Return 0 for a single text; in a pair the first [SEP] already has type 1."""
        if token_ids_1 is None:
            return [0] * (len(token_ids_0) + 2)
        return [0] * (len(token_ids_0) + 1) + [1] * (len(token_ids_1) + 3)

    def get_special_tokens_mask(
        self, token_ids_0: Ids, token_ids_1: Ids | None = None, already_has_special_tokens: bool = False
    ) -> Ids:
        """Return 1 for each [CLS] and [SEP], 0 for every other token ([PAD], [MASK] and [UNK] too)."""
        if not already_has_special_tokens:
            return put_between(1, [[0] * len(side) for side in (token_ids_0, token_ids_1) if side is not None])
        if token_ids_1 is not None:
            raise ValueError("A sequence that already has its special tokens is passed alone, without a second one.")
        return [int(number in (self.cls_token_id, self.sep_token_id)) for number in token_ids_0]

    def build_offset_mapping_with_special_tokens(
        self, offset_mapping_0: list[Span], offset_mapping_1: list[Span] | None = None
    ) -> list[Span]:
        """Put (0, 0) where the layout has [CLS] and [SEP]."""
        return put_between((0, 0), [side for side in (offset_mapping_0, offset_mapping_1) if side is not None])

    def truncate_sequences(
        self,
        ids: list[Any],
        pair_ids: list[Any] | None = None,
        num_tokens_to_remove: int = 0,
        truncation_strategy: str | TruncationStrategy = "longest_first",
        stride: int = 0,
    ) -> tuple[list[Any], list[Any] | None, list[Any]]:
        """Shorten one side or both; return them and what overflowed, with `stride` tokens of what stayed.

        A side that would lose all its tokens stays as it is, as in PaddleNLP (transformers 5 empties it).
        """
        strategy, excess = TruncationStrategy(truncation_strategy), num_tokens_to_remove
        second = strategy is TruncationStrategy.ONLY_SECOND
        if excess <= 0 or strategy is NOT_TRUNCATED or (second and pair_ids is None):
            return ids, pair_ids, []
        from_left = self.truncation_side == "left"
        if strategy is TruncationStrategy.LONGEST_FIRST and pair_ids is not None:
            sizes = [len(ids), len(pair_ids)]
            for _ in range(min(excess, sum(sizes))):  # from the second one when both are as long
                sizes[sizes[0] <= sizes[1]] -= 1
            first, other = (side[len(side) - n :] if from_left else side[:n] for side, n in zip((ids, pair_ids), sizes))
            return first, other, []
        side = pair_ids if second and pair_ids is not None else ids
        size = len(side) - excess
        if size <= 0:
            logger.error("%s would leave nothing of %d tokens; they stay as they are.", strategy.value, len(side))
            return ids, pair_ids, []
        overflow = side[: excess + stride] if from_left else side[max(size - stride, 0) :]
        kept = side[excess:] if from_left else side[:size]
        return (ids, kept, overflow) if second else (kept, pair_ids, overflow)

    def _windows(
        self, first: list[Any], second: list[Any] | None, excess: int, strategy: TruncationStrategy, stride: int
    ) -> list[tuple[list[Any], list[Any] | None]]:
        """Return the rows that together hold all of an input that is too long; each repeats `stride` tokens."""
        cut_second = strategy is TruncationStrategy.ONLY_SECOND
        side: list[Any] = (second or []) if cut_second else first
        size = len(side) - excess
        if size <= stride:
            raise ValueError(f"{max(size, 0)} tokens of a text fit beside the rest: too few for a stride of {stride}.")
        # Up to the first window that reaches the end. On the left side windows are counted from there.
        starts = range(0, excess + size - stride, size - stride)
        if self.truncation_side == "left":
            windows = [side[max(excess - start, 0) : len(side) - start] for start in starts]
        else:
            windows = [side[start : start + size] for start in starts]
        return [(first, window) if cut_second else (window, second) for window in windows]

    # ---- calls ------------------------------------------------------------------------------------------------------

    @wraps(PreTrainedTokenizer.__call__)
    def __call__(self, text: Any = None, *arguments: Any, **options: Any) -> BatchEncoding:
        # Reading all of transformers' options would take longer than a text.
        if type(text) is str and not arguments and not options and self.model_input_names == ["input_ids"]:
            ids = self.build_inputs_with_special_tokens(self._ids(text, None))
            if len(ids) <= self.model_max_length:
                return Encoding({"input_ids": ids})
        if len(arguments) + ("text_pair" in options) < 2 and (usual := self._read_usual(options)):
            second = arguments[0] if arguments else options.get("text_pair")
            if type(text) is str and (second is None or type(second) is str):
                short = usual.keys() <= SHORT and usual["padding_strategy"] is NOT_PADDED
                row = self._encode_text(text, second, usual) if short else None
                return row or self._encode([(text, second)], usual, single=True)
            if are_strings(text) and (second is None or (are_strings(second) and len(second) == len(text))):
                return self._encode([*zip(text, repeat(None) if second is None else second)], usual)
        if arguments:
            arguments = (as_texts(arguments[0]), *arguments[1:])
        elif "text_pair" in options:
            options["text_pair"] = as_texts(options["text_pair"])
        encoding: BatchEncoding = super().__call__(as_texts(text), *arguments, **options)
        return encoding

    def _read_usual(self, options: dict[str, Any]) -> dict[str, Any] | None:
        """Read the usual options as transformers does, or return None where it would warn, fail or know more."""
        if not options.keys() <= USUAL or options.get("return_tensors") not in (None, "np", "pt"):
            return None
        usual = {name: value for name, value in options.items() if name in RETURNED}
        padding, truncation, limit = options.get("padding", False), options.get("truncation"), options.get("max_length")
        if type(padding) not in (bool, str) or type(truncation) not in (bool, str, NoneType):
            return None
        padded, truncated = PADDINGS.get(padding), TRUNCATIONS.get(truncation)
        if padded is None or truncated is None:
            return None
        needs_limit = truncated is not NOT_TRUNCATED or padded is PaddingStrategy.MAX_LENGTH
        limit = self.model_max_length if limit is None and needs_limit else limit
        if limit is not None and (type(limit) is not int or not needs_limit or limit > LARGE_INTEGER):
            return None
        if padded is not NOT_PADDED and self._special_tokens_map.get("pad_token") is None:
            return None
        return {**usual, "padding_strategy": padded, "truncation_strategy": truncated, "max_length": limit}

    def _encode_text(self, text: str, second: str | None, options: dict[str, Any]) -> Encoding | None:
        """Encode one text or pair as `_encode` does, without padding; None where a warning is due."""
        located = options.get("return_offsets_mapping")
        read: Any = self._read_located if located else self._ids
        firsts, seconds = [read(text, None)], [None if second is None else read(second, None)]
        if options["max_length"]:
            self._shorten(firsts, seconds, options["max_length"], located, options)
        found = [side for side in (firsts[0], seconds[0]) if side is not None]
        sides = [side for side, _ in found] if located else found
        ids = self.build_inputs_with_special_tokens(*sides)
        if len(ids) > self.model_max_length:
            return None
        data: dict[str, Any] = {"input_ids": ids}
        types, mask = options.get("return_token_type_ids"), options.get("return_attention_mask")
        inputs = self.model_input_names
        if types or (types is None and "token_type_ids" in inputs):
            data["token_type_ids"] = self.create_token_type_ids_from_sequences(*sides)
        if mask or (mask is None and "attention_mask" in inputs):
            data["attention_mask"] = [1] * len(ids)
        if not located:
            return Encoding(data)
        data = {"offset_mapping": put_between((0, 0), [spans for _, spans in found]), **data}
        numbers = put_between(None, [[place] * len(side) for place, side in enumerate(sides)])
        return Encoding(data, [self._make_row(ids, data["offset_mapping"], numbers, [None] * len(ids))])

    def _encode_plus(self, text: Any, text_pair: Any = None, **options: Any) -> BatchEncoding:
        if BATCHES_COME_SINGLY or not holds_texts(text, options):
            return self._encode([(text, text_pair)], options, single=True)
        if text_pair is not None and (not isinstance(text_pair, (list, tuple)) or len(text_pair) != len(text)):
            raise ValueError("A batch of texts needs a batch of as many second texts.")
        return self._batch_encode_plus(text if text_pair is None else list(zip(text, text_pair)), **options)

    def _batch_encode_plus(self, batch_text_or_text_pairs: Any, **options: Any) -> BatchEncoding:
        pairs: list[tuple[Any, Any]] = []
        for item in batch_text_or_text_pairs:
            texts = item if item and holds_texts(item, options) else (item,)
            if len(texts) > 2:
                raise ValueError(f"Expected a text or a pair of texts, found {len(texts)} texts.")
            pairs.append((*texts, None)[:2])
        return self._encode(pairs, options)

    def _encode(self, pairs: list[tuple[Any, Any]], options: dict[str, Any], single: bool = False) -> BatchEncoding:
        """Encode single texts and pairs: read, truncate, lay out and pad them as the options say."""
        if not pairs:
            raise ValueError("The batch holds no text.")
        if not options.keys() <= OPTIONS:
            unknown = ", ".join(sorted(options.keys() - OPTIONS))
            logger.warning_once(f"Arguments that ERNIE-M's tokenizer does not know: {unknown}.")
        get = options.get
        special, strategy = get("add_special_tokens", True), get("truncation_strategy", NOT_TRUNCATED)
        limit = None if strategy is NOT_TRUNCATED else get("max_length")
        spans, overflows = get("return_offsets_mapping"), get("return_overflowing_tokens")
        asked = {name: get(f"return_{name}") for name in CHOICES}
        asked = {name: name in self.model_input_names if on is None else on for name, on in asked.items()}
        if asked["token_type_ids"] and not special:
            raise ValueError("token_type_ids are defined with special tokens only: set add_special_tokens=True.")
        located = spans or get("is_split_into_words", False)
        columns: dict[str, list[Any]] = defaultdict(list)
        if special and not (overflows or asked["special_tokens_mask"] or get("is_split_into_words")):
            self._lay_out_texts(columns, pairs, limit, options, asked["token_type_ids"])
            pairs = []
        for sample, (text, text_pair) in enumerate(pairs):
            first = self._read(text, located, options)
            second = None if text_pair is None else self._read(text_pair, located, options)
            if overflows and second is not None and strategy is TruncationStrategy.LONGEST_FIRST:
                raise ValueError("longest_first on a pair returns no overflowing tokens; truncate one side only.")
            length = len(first) + len(second or ()) + (self.num_special_tokens_to_add(second is not None) * special)
            excess = max(length - limit, 0) if limit else 0
            inputs: list[tuple[list[Any], list[Any] | None]] = [(first, second)]
            overflow: list[Any] = []
            if excess and overflows and spans:
                inputs = self._windows(first, second, excess, strategy, get("stride", 0))
            elif excess:
                first, second, overflow = self.truncate_sequences(first, second, excess, strategy, get("stride", 0))
                inputs = [(first, second)]
            if overflows and spans:  # as the tokenizers library does: what does not fit has rows of its own
                columns["overflow_to_sample_mapping"] += [sample] * len(inputs)
            elif overflows and not get("return_tensors"):  # as transformers' Python tokenizers; these are ragged
                columns["overflowing_tokens"].append([token[0] for token in overflow] if located else overflow)
                columns["num_truncated_tokens"].append(excess)
            for first, second in inputs:
                for name, row in self._lay_out(first, second, special, located):
                    columns[name].append(row)
        self._finish(columns, options, asked["attention_mask"])
        rows = [*map(self._make_row, *map(columns.__getitem__, IN_ROWS))] if located else None
        asked |= {"offset_mapping": spans, "word_ids": False, "sequence_ids": False}
        kept = {name: column for name, column in columns.items() if asked.get(name, True)}
        tensors = get("return_tensors")
        if single and not (overflows and spans):
            first_row = {name: column[0] for name, column in kept.items()}
            return Encoding(first_row, rows, tensor_type=tensors, prepend_batch_axis=True)
        return Encoding(kept, rows, tensor_type=tensors)

    def _read(self, text: Any, located: bool, options: dict[str, Any]) -> list[Any]:
        """Return the ids of one text, list of words, tokens or ids; located ones as (id, span, number of the word)."""
        whole = options.get("split_special_tokens")
        if isinstance(text, str) and not located:
            return self._ids(text, whole)
        words = [text] if isinstance(text, str) else list(text) if isinstance(text, (list, tuple)) else []
        kinds = set(map(type, words))
        if kinds == {str} and located and (isinstance(text, str) or options.get("is_split_into_words")):
            places = [None] if isinstance(text, str) else range(len(words))
            found = ((place, self._read_located(word, whole)) for place, word in zip(places, words))
            return [(token, span, place) for place, tokens in found for token, span in zip(*tokens)]
        if kinds in ({str}, {int}) and not located:
            return words if kinds == {int} else [self._token_id(token) for token in words]
        raise ValueError(f"Expected a text, or a list of words, tokens or ids (these two have no offsets): {text!r}")

    def _lay_out_texts(
        self, columns: dict[str, list[Any]], pairs: list[Any], limit: int | None, options: dict[str, Any], types: Any
    ) -> None:
        """Fill the columns of single texts and pairs with special tokens, as `_lay_out` does for any input."""
        located = options.get("return_offsets_mapping")
        sides = [self._read_many([pair[side] for pair in pairs], located, options) for side in (0, 1)]
        if limit:
            self._shorten(sides[0], sides[1], limit, located, options)
        (cls, sep), (firsts, seconds) = self._ends(), sides
        if located:
            end, places, numbers = (0, 0), columns["offset_mapping"], columns["sequence_ids"]
            for (_, one), second in zip(firsts, seconds):
                if second is None:
                    places.append([end, *one, end])
                    numbers.append([None, *[0] * len(one), None])
                else:
                    places.append([end, *one, end, end, *second[1], end])
                    numbers.append([None, *[0] * len(one), None, None, *[1] * len(second[1]), None])
            columns["word_ids"] = [[None] * len(row) for row in numbers]
            firsts, seconds = [ids for ids, _ in firsts], [second and second[0] for second in seconds]
        rows = [*zip(firsts, seconds)]
        columns["input_ids"] = [
            [cls, *one, sep] if two is None else [cls, *one, sep, sep, *two, sep] for one, two in rows
        ]
        if types:
            columns["token_type_ids"] = [self.create_token_type_ids_from_sequences(*row) for row in rows]

    def _shorten(
        self, firsts: list[Any], seconds: list[Any], limit: int, located: Any, options: dict[str, Any]
    ) -> None:
        """Truncate, in place, the texts and pairs that are too long."""
        single, double = map(self.num_special_tokens_to_add, (False, True))
        strategy, stride = options["truncation_strategy"], options.get("stride", 0)
        for place, (first, second) in enumerate(zip(firsts, seconds)):
            size = len(first[0] if located else first) - limit
            excess = size + (single if second is None else len(second[0] if located else second) + double)
            if excess <= 0:
                continue
            if not located:
                firsts[place], seconds[place], _ = self.truncate_sequences(first, second, excess, strategy, stride)
                continue
            one, two = [*zip(*first)], None if second is None else [*zip(*second)]
            kept = self.truncate_sequences(one, two, excess, strategy, stride)[:2]
            firsts[place], seconds[place] = (
                None if side is None else ([token for token, _ in side], [span for _, span in side]) for side in kept
            )

    def _read_many(self, texts: list[Any], located: Any, options: dict[str, Any]) -> list[Any]:
        """Return the ids of each text, or ids and spans. None stays None, where there is no second text."""
        whole, kinds = options.get("split_special_tokens"), set(map(type, texts))
        if kinds == {NoneType}:
            return texts
        together, alone = (self._piece_spans, self._read_located) if located else (self._piece_ids, self._ids)
        if kinds == {str}:
            found = self._read_together(texts, together).get
            return [found(text) or alone(text, whole) for text in texts]
        lists = [None if text is None else self._read(text, located, options) for text in texts]
        if not located:
            return lists
        return [
            side if side is None else ([token[0] for token in side], [token[1] for token in side]) for side in lists
        ]

    def _lay_out(
        self, first: list[Any], second: list[Any] | None, special: bool, located: bool
    ) -> Iterator[tuple[str, list[Any]]]:
        """Yield every column of one input, with [CLS] and [SEP] where `special` asks for them."""
        sides = [first] if second is None else [first, second]

        def join(values: list[list[Any]], end: Any) -> list[Any]:
            return put_between(end, values) if special else [*chain(*values)]

        if located:
            sides, spans, words = ([[token[part] for token in side] for side in sides] for part in range(3))
            yield "offset_mapping", join(spans, (0, 0))
            yield "word_ids", join(words, None)
            yield "sequence_ids", join([[place] * len(side) for place, side in enumerate(sides)], None)
        yield "input_ids", self.build_inputs_with_special_tokens(*sides) if special else join(sides, None)
        yield "special_tokens_mask", join([[0] * len(side) for side in sides], 1)
        if special:
            yield "token_type_ids", self.create_token_type_ids_from_sequences(*sides)

    def _finish(self, columns: dict[str, list[Any]], options: dict[str, Any], masked: Any) -> None:
        """Add the columns that need all rows, and pad."""
        lengths = [len(ids) for ids in columns["input_ids"]]
        if (longest := max(lengths)) > self.model_max_length:
            ids = columns["input_ids"][lengths.index(longest)]
            self._eventual_warn_about_too_long_sequence(ids, options.get("max_length"), options.get("verbose", True))
        if options.get("return_length"):
            columns["length"] = lengths
        if masked:
            columns["attention_mask"] = [[1] * length for length in lengths]
        strategy = options.get("padding_strategy", PaddingStrategy.DO_NOT_PAD)
        if strategy is PaddingStrategy.DO_NOT_PAD:
            return
        width, multiple = longest, options.get("pad_to_multiple_of") or 1
        if strategy is PaddingStrategy.MAX_LENGTH:
            width = options["max_length"]
        side = options.get("padding_side") or self.padding_side
        if side not in ("left", "right"):
            raise ValueError(f"padding_side is {side!r}; it must be left or right.")
        fillers = {"input_ids": self.pad_token_id, "token_type_ids": self.pad_token_type_id, "attention_mask": 0}
        fillers |= {"special_tokens_mask": 1, "offset_mapping": (0, 0), "word_ids": None, "sequence_ids": None}
        width = -(-width // multiple) * multiple
        for name in columns.keys() & fillers.keys():
            blank, rows = [fillers[name]] * width, columns[name]
            if side == "right":
                columns[name] = [row + blank[len(row) :] for row in rows]
            else:
                columns[name] = [blank[len(row) :] + row for row in rows]

    def _make_row(self, ids: Ids, spans: list[Span], sequences: list[Any], words: list[Any]) -> Any:
        tokens, added = self.tokens, self._added_tokens_decoder
        return Row(ids, [added[n].content if n in added else tokens[n] for n in ids], spans, sequences, words)

    # ---- back to text -----------------------------------------------------------------------------------------------

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        """Join tokens, with a space for each "▁". Spaces that lost their "▁" do not come back."""
        return "".join(tokens).replace(SPACE, " ").strip()

    def convert_ids_to_string(self, ids: list[int]) -> str:
        """Join the tokens of these ids."""
        return self.convert_tokens_to_string(self.convert_ids_to_tokens(ids))

    def _decode(
        self,
        token_ids: int | list[int],
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
        spaces_between_special_tokens: bool = True,
        **kwargs: Any,
    ) -> str:
        ids = [token_ids] if isinstance(token_ids, int) else token_ids
        tokens = self.convert_ids_to_tokens(ids, skip_special_tokens=skip_special_tokens)
        # Tokens that vocab.txt does not hold stand apart; [CLS] and its like do not.
        runs = groupby(tokens, key=lambda token: token in self._added_tokens_encoder and token not in self.vocab)
        texts = chain.from_iterable(run if added else [self.convert_tokens_to_string(list(run))] for added, run in runs)
        text = (" " if spaces_between_special_tokens else "").join(texts)
        chosen = clean_up_tokenization_spaces
        clean_up = self.clean_up_tokenization_spaces if chosen is None else chosen
        return str(self.clean_up_tokenization(text)) if clean_up else text

    # ---- small methods of PaddleNLP ---------------------------------------------------------------------------------

    def clean_text(self, text: str) -> str:
        """Turn full-width ASCII into ASCII."""
        return "".join(self.SP_CHAR_MAPPING.get(character, character) for character in text)

    def is_ch_char(self, char: str) -> bool:
        """Whether this is a Chinese character, U+4E00 to U+9FFF."""
        return "\u4e00" <= char <= "\u9fff"

    def is_alpha(self, char: str) -> bool:
        """Whether this is a letter, a to z or A to Z."""
        return "a" <= char <= "z" or "A" <= char <= "Z"

    def is_punct(self, char: str) -> bool:
        """Whether this is one of the marks that stand alone."""
        return char in MARKS

    def is_whitespace(self, char: str) -> bool:
        """Whether this is a space, tab, LF, CR or of category Zs."""
        return char in (" ", "\t", "\n", "\r") or (len(char) == 1 and unicodedata.category(char) == "Zs")


ErnieMTokenizer = PaddleErnieMTokenizer
