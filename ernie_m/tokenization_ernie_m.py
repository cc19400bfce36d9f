"""ERNIE-M's tokenizer for Hugging Face transformers 4.57 and 5: PaddleNLP's token ids, for every text.

The way from text to ids, each step as PaddleNLP takes it:

1. Special and added tokens are found in the raw text; text beside one is stripped on that side.
2. sentencepiece normalises what lies between them and cuts it into pieces.
3. Each piece is cut again by `piece_rule`. "paddlenlp" (PaddleNLP 2.3 and later) drops a bare "▁", lets Chinese
   characters and some marks stand alone, and cuts between digits and other characters. "release" (the 2021 release
   that ERNIE-M was pretrained with) cleans the text before step 2, and afterwards only cuts a comma off a number.
4. vocab.txt gives the ids; what it does not hold is [UNK].

Step 3 depends on the piece alone. So a table from piece numbers to tuples of ids takes the place of steps 3 and 4.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterator, Sequence
from itertools import chain, groupby
from typing import Any

import sentencepiece
from transformers import BatchEncoding, PreTrainedTokenizer
from transformers.tokenization_utils_base import PaddingStrategy, TruncationStrategy
from transformers.utils import logging

logger = logging.get_logger(__name__)

VOCAB_FILES_NAMES = {"vocab_file": "vocab.txt", "sentencepiece_model_file": "sentencepiece.bpe.model"}
PIECE_RULES = ("paddlenlp", "release")
SPACE = "▁"  # U+2581, sentencepiece's sign for a space
MARKS = frozenset(",;:.?!~，；：。？！《》【】")
FILE_TOKENS = ("[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]")
# transformers 5 hands whole batches to _encode_plus; 4.57 has a method for them, and a list there is a list of tokens.
BATCHES_COME_SINGLY = hasattr(PreTrainedTokenizer, "batch_encode_plus")

Span = tuple[int, int]


class ReleaseCleaning(dict[int, str]):
    """What the 2021 release makes of each character, for `str.translate`; filled as characters are met."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        category = unicodedata.category(character)
        if character in "\t\n\r" or category == "Zs":
            character = " "
        elif category in ("Cc", "Cf"):
            character = ""
        self[code] = character
        return character


RELEASE_CLEANING = ReleaseCleaning({ord(old): new for old, new in zip("“”‘’—", "\"\"''-", strict=True)})


def read_vocabulary(path: str | os.PathLike[str]) -> list[str]:
    """Read vocab.txt, one token a line or token TAB id; the place of a token in the list is its id."""
    try:
        with open(path, "rb") as file:
            text = file.read().decode("utf-8")
    except (OSError, TypeError, UnicodeDecodeError) as error:
        raise ValueError(f"vocab.txt cannot be read: {error}") from error
    # Only LF ends a line: a token may be U+0085, which str.splitlines takes for an end of line as well.
    lines = text.removesuffix("\n").split("\n")
    if text and all(line.endswith("\r") for line in lines):
        lines = [line[:-1] for line in lines]
    columns = {line.count("\t") for line in lines}
    if len(columns) > 1 or columns - {0, 1}:
        raise ValueError(f"vocab.txt ({path}) must hold one token a line, or token TAB id on every line.")
    if columns == {1}:
        pairs = [line.split("\t") for line in lines]
        for number, (token, written) in enumerate(pairs):
            if written != str(number):
                raise ValueError(f"vocab.txt ({path}): line {number + 1} gives {token!r} id {written!r}, not {number}.")
        lines = [token for token, _ in pairs]
    if "" in lines or len(set(lines)) < len(lines):
        seen: set[str] = set()
        wrong = next(n for n, token in enumerate(lines, 1) if not token or token in seen or seen.add(token))  # type: ignore[func-returns-value]
        raise ValueError(f"vocab.txt ({path}): line {wrong} is empty or holds a token that an earlier line holds.")
    if missing := [token for token in FILE_TOKENS if token not in lines]:
        raise ValueError(f"vocab.txt ({path}) has no {' '.join(missing)}: is it complete, and without a byte order mark?")
    return lines


def load_sentencepiece(path: str | os.PathLike[str]) -> sentencepiece.SentencePieceProcessor:
    """Load sentencepiece.bpe.model; every failure is a ValueError (4.57 would turn a RuntimeError into `False`)."""
    try:
        with open(path, "rb") as file:
            return make_processor(file.read())
    except (OSError, RuntimeError, TypeError) as error:
        raise ValueError(f"sentencepiece.bpe.model ({path}) is missing or damaged: {error}") from error


def make_processor(model: bytes) -> sentencepiece.SentencePieceProcessor:
    """Make a sentencepiece processor from the bytes of a model file."""
    processor = sentencepiece.SentencePieceProcessor()
    processor.LoadFromSerializedProto(model)
    return processor


def split_piece(piece: str) -> list[str]:
    """Cut a sentencepiece piece as PaddleNLP does: `▁中国2024` gives 中 国 2024."""
    parts, start = [], 0
    for place in range(1, len(piece)):
        left, right = piece[place - 1], piece[place]
        if stands_alone(left) or (
            right != SPACE and (stands_alone(right) or left.isdigit() != right.isdigit())  # ① and ² are digits, Ⅷ is not
        ):
            parts.append(piece[start:place])
            start = place
    parts.append(piece[start:])
    return [part for part in parts if part != SPACE]


def stands_alone(character: str) -> bool:
    """Whether a character is always a token of its own."""
    return "\u4e00" <= character <= "\u9fff" or character in MARKS


class PaddleErnieMTokenizer(PreTrainedTokenizer):
    """ERNIE-M's tokenizer. `piece_rule` is "paddlenlp" or "release"; a call returns input_ids alone, as Paddle's does."""

    vocab_files_names = VOCAB_FILES_NAMES
    model_input_names = ["input_ids"]
    # save_pretrained then copies this file, so that a saved folder loads by itself.
    _auto_class = "AutoTokenizer"
    # Half-width forms as get_offset_mapping and clean_text of PaddleNLP know them; ids never use them.
    SP_CHAR_MAPPING = {chr(code): chr(code - 0xFEE0) for code in range(0xFF01, 0xFF5E)} | {"～": "～"}

    def __init__(
        self,
        vocab_file: str | os.PathLike[str],
        sentencepiece_model_file: str | os.PathLike[str],
        do_lower_case: bool = False,
        piece_rule: str = "paddlenlp",
        unk_token: str = "[UNK]",
        sep_token: str = "[SEP]",
        pad_token: str = "[PAD]",
        cls_token: str = "[CLS]",
        mask_token: str = "[MASK]",
        clean_up_tokenization_spaces: bool = True,
        **kwargs: Any,
    ) -> None:
        if piece_rule not in PIECE_RULES:
            raise ValueError(f"piece_rule is {piece_rule!r}; it must be one of {', '.join(PIECE_RULES)}.")
        # All of this must stand before super().__init__, which asks for the vocabulary.
        self.do_lower_case = do_lower_case
        self.piece_rule = piece_rule
        self.tokens = read_vocabulary(vocab_file)
        self.vocab = {token: number for number, token in enumerate(self.tokens)}
        self._model = load_sentencepiece(sentencepiece_model_file)
        self._unknown_piece = self._model.unk_id()
        self._unknown_id = self.vocab.get(str(unk_token), self.vocab["[UNK]"])
        self._rows: list[tuple[int, ...]] | None = None
        self._splitter: re.Pattern[str] | None = None
        expected = self._model.get_piece_size() + 2
        if len(self.tokens) > expected:
            raise ValueError(
                f"sentencepiece.bpe.model holds {expected - 2} pieces, too few for the {len(self.tokens)} tokens of "
                "vocab.txt: one of the two files is cut or belongs to another model."
            )
        if len(self.tokens) < expected:
            logger.warning("vocab.txt holds %d tokens, its model makes %d.", len(self.tokens), expected)
        super().__init__(
            do_lower_case=do_lower_case,
            piece_rule=piece_rule,
            unk_token=unk_token,
            sep_token=sep_token,
            pad_token=pad_token,
            cls_token=cls_token,
            mask_token=mask_token,
            clean_up_tokenization_spaces=clean_up_tokenization_spaces,
            **kwargs,
        )

    # ---- vocabulary -------------------------------------------------------------------------------------------------

    @property
    def vocab_size(self) -> int:
        """Number of tokens in vocab.txt; added tokens come after them."""
        return len(self.tokens)

    def get_vocab(self) -> dict[str, int]:
        """Return every token, added ones included, with its id."""
        return {**self.vocab, **self._added_tokens_encoder}

    def _convert_token_to_id(self, token: str) -> int:
        return self.vocab.get(token, self._unknown_id)

    def _convert_id_to_token(self, index: int) -> str:
        if not 0 <= index < len(self.tokens):
            raise ValueError(f"There is no token with id {index}; vocab.txt has ids 0 to {len(self.tokens) - 1}.")
        return self.tokens[index]

    def _add_tokens(self, new_tokens: Sequence[Any], special_tokens: bool = False) -> int:
        # As in PaddleNLP, an ordinary token of vocab.txt stays ordinary: text is not cut at it.
        if not special_tokens:
            new_tokens = [token for token in new_tokens if str(token) not in self.vocab or str(token) in FILE_TOKENS]
        self._rows = self._splitter = None
        return super()._add_tokens(new_tokens, special_tokens=special_tokens)

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

    def __getstate__(self) -> dict[str, Any]:
        # A sentencepiece processor cannot be pickled, its model can; the table is built again at first use.
        return {**self.__dict__, "_model": self._model.serialized_model_proto(), "_rows": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _model=make_processor(state["_model"]))

    # ---- from text to tokens ----------------------------------------------------------------------------------------

    def tokenize(self, text: str, split_special_tokens: bool | None = None, **kwargs: Any) -> list[str]:  # type: ignore[override]
        """Return the tokens of a text; unknown ones keep their text."""
        tokens: list[str] = []
        for _, segment, is_token in self._segments("".join(self._spell(text)), split_special_tokens):
            if is_token:
                tokens.append(segment)
            else:
                pieces = self._model.encode(self._clean(segment), out_type=str)
                tokens.extend(part for piece in pieces for part in self._split(piece))
        return tokens

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
        start = 0
        for match in chain(self._find_tokens().finditer(text), (None,)):
            segment = text[start : match.start()].rstrip() if match else text[start:]
            # The first segment keeps its left side, the last one its right: only a token's neighbours are stripped.
            stripped = segment.lstrip() if start else segment
            if stripped:
                yield start + len(segment) - len(stripped), stripped, False
            if match:
                yield match.start(), match.group(), True
                start = match.end()

    def _clean(self, text: str) -> str:
        return text.translate(RELEASE_CLEANING) if self.piece_rule == "release" else text

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

    def _segment_ids(self, text: str) -> list[int]:
        rows = self._rows or self._build_rows()
        text = self._clean(text)
        try:
            numbers = self._model.encode(text)
        except RuntimeError:
            text.encode()  # a lone surrogate: this says so, sentencepiece's own message does not
            raise
        if self._unknown_piece not in numbers:
            return list(chain.from_iterable(map(rows.__getitem__, numbers)))
        # A run of characters that sentencepiece does not know is one piece, to be cut by its text.
        pieces = zip(numbers, self._model.encode(text, out_type=str), strict=True)
        return [i for n, piece in pieces for i in (self._piece_ids(piece) if n == self._unknown_piece else rows[n])]

    def _piece_ids(self, piece: str) -> tuple[int, ...]:
        return tuple(self.convert_tokens_to_ids(self._split(piece)))

    def _build_rows(self) -> list[tuple[int, ...]]:
        """Build the table from piece numbers to ids (0.5 s for 250,000 pieces, once)."""
        known, unknown, split = self.get_vocab(), self._unknown_id, self._split
        pieces = self._model.id_to_piece(list(range(self._model.get_piece_size())))
        self._rows = rows = [tuple([known.get(part, unknown) for part in split(piece)]) for piece in pieces]
        return rows

    # ---- offsets ----------------------------------------------------------------------------------------------------

    def get_offset_mapping(self, text: str | None, split_special_tokens: bool | None = None) -> list[Span] | None:
        """Return for each token its [start, end) in the text as it was passed in."""
        return None if text is None else [span for _, span in self._located(text, split_special_tokens)]

    def _located(self, text: str, split_special_tokens: bool | None) -> list[tuple[int, Span]]:
        """Return the id and the span of every token of a text."""
        spelled = self._spell(text)
        origins = [place for place, characters in enumerate(spelled) for _ in characters]
        located: list[tuple[int, Span]] = []
        for start, segment, is_token in self._segments("".join(spelled), split_special_tokens):
            stop = start + len(segment)
            if is_token:
                located.append((self._added_tokens_encoder[segment], (origins[start], origins[stop - 1] + 1)))
            else:
                located.extend(self._locate_segment(segment, origins[start:stop]))
        return located

    def _locate_segment(self, segment: str, origins: list[int]) -> Iterator[tuple[int, Span]]:
        if self.piece_rule == "release":
            spelled = [character.translate(RELEASE_CLEANING) for character in segment]
            segment, origins = "".join(spelled), [place for place, kept in zip(origins, spelled, strict=True) if kept]
        # chunks[i] is where the source of the i-th normalised character begins. The joined pieces are that text.
        chunks: list[int] = self._model.normalize(segment, with_offsets=True)[1]
        position = 0
        for piece in self._model.encode(segment, out_type=str):
            place = 0
            for part in self._split(piece):
                place = max(piece.find(part, place), place)
                first = position + place + part.startswith(SPACE)
                place += len(part)
                yield self._convert_token_to_id_with_added_voc(part), self._span(
                    segment, origins, chunks, first, position + place - 1
                )
            position += len(piece)

    def _span(self, segment: str, origins: list[int], chunks: list[int], first: int, last: int) -> Span:
        """Return the source of the normalised characters first to last, less what vanishes at its end."""
        start = chunks[first]
        if last < first and chunks[max(first - 2, 0)] < start or first == 1 > last:
            # A bare "▁" (release rule) is nothing, in front of what follows, unless one character made them both.
            place = origins[start] if start < len(origins) else origins[-1] + 1
            return place, place
        after = next((place for place in chunks[last + 1 :] if place > chunks[last]), len(segment))
        while after > start + 1 and not self._model.normalize(segment[after - 1]):
            after -= 1
        return origins[start], origins[after - 1] + 1

    # ---- layouts ----------------------------------------------------------------------------------------------------

    def num_special_tokens_to_add(self, pair: bool = False) -> int:
        """Return how many special tokens a single text or a pair gains."""
        return 4 if pair else 2

    def build_inputs_with_special_tokens(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """Return [CLS] A [SEP], or [CLS] A [SEP] [SEP] B [SEP]."""
        cls, sep = self.cls_token_id, self.sep_token_id
        if token_ids_1 is None:
            return [cls, *token_ids_0, sep]
        return [cls, *token_ids_0, sep, sep, *token_ids_1, sep]

    def create_token_type_ids_from_sequences(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None
    ) -> list[int]:
        """Return 0 for a single text; in a pair the first [SEP] already has type 1."""
        if token_ids_1 is None:
            return [0] * (len(token_ids_0) + 2)
        return [0] * (len(token_ids_0) + 1) + [1] * (len(token_ids_1) + 3)

    def get_special_tokens_mask(
        self, token_ids_0: list[int], token_ids_1: list[int] | None = None, already_has_special_tokens: bool = False
    ) -> list[int]:
        """Return 1 for each [CLS] and [SEP], 0 for every other token ([PAD], [MASK] and [UNK] too)."""
        if not already_has_special_tokens:
            rest = [] if token_ids_1 is None else [1, *[0] * len(token_ids_1), 1]
            return [1, *[0] * len(token_ids_0), 1, *rest]
        if token_ids_1 is not None:
            raise ValueError("A sequence that already has its special tokens is passed alone, without a second one.")
        return [int(number in (self.cls_token_id, self.sep_token_id)) for number in token_ids_0]

    def build_offset_mapping_with_special_tokens(
        self, offset_mapping_0: list[Span], offset_mapping_1: list[Span] | None = None
    ) -> list[Span]:
        """Put (0, 0) where the layout has [CLS] and [SEP]."""
        rest = [] if offset_mapping_1 is None else [(0, 0), *offset_mapping_1, (0, 0)]
        return [(0, 0), *offset_mapping_0, (0, 0), *rest]

    def truncate_sequences(  # type: ignore[override]
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
        if excess <= 0 or strategy is TruncationStrategy.DO_NOT_TRUNCATE:
            return ids, pair_ids, []
        if strategy is TruncationStrategy.LONGEST_FIRST and pair_ids is not None:
            # One token at a time from the longer side, from the second one when both are as long.
            both = min(excess, len(ids) + len(pair_ids))
            uneven = min(abs(len(ids) - len(pair_ids)), both)
            first = (both - uneven) // 2 + (uneven if len(ids) > len(pair_ids) else 0)
            return self._cut(ids, first), self._cut(pair_ids, both - first), []
        side = pair_ids if strategy is TruncationStrategy.ONLY_SECOND else ids
        if side is None:
            return ids, pair_ids, []
        if len(side) <= excess:
            logger.error("%s would leave nothing of %d tokens; they stay as they are.", strategy.value, len(side))
            return ids, pair_ids, []
        window = min(len(side), stride + excess)
        overflow = side[:window] if self.truncation_side == "left" else side[len(side) - window :]
        if side is ids:
            return self._cut(ids, excess), pair_ids, overflow
        return ids, self._cut(side, excess), overflow

    def _cut(self, side: list[Any], excess: int) -> list[Any]:
        return side[excess:] if self.truncation_side == "left" else side[: len(side) - excess]

    # ---- calls ------------------------------------------------------------------------------------------------------

    def _encode_plus(self, text: Any, text_pair: Any = None, **options: Any) -> BatchEncoding:  # type: ignore[override]
        words = options.get("is_split_into_words", False)
        nested = isinstance(text, (list, tuple)) and (not text or isinstance(text[0], (list, tuple)))
        texts = isinstance(text, (list, tuple)) and not words and bool(text) and isinstance(text[0], str)
        if not BATCHES_COME_SINGLY and (nested or texts):
            if text_pair is not None and (not isinstance(text_pair, (list, tuple)) or len(text_pair) != len(text)):
                raise ValueError("A batch of texts needs a batch of as many second texts.")
            return self._batch_encode_plus(
                text if text_pair is None else list(zip(text, text_pair, strict=True)), **options
            )
        tensor_type = options.get("return_tensors")
        columns = self._encode_all([(text, text_pair)], **options)
        return BatchEncoding(
            {name: rows[0] for name, rows in columns.items()}, tensor_type=tensor_type, prepend_batch_axis=True
        )

    def _batch_encode_plus(self, batch_text_or_text_pairs: Any, **options: Any) -> BatchEncoding:  # type: ignore[override]
        if not batch_text_or_text_pairs:
            raise ValueError("The batch holds no text.")
        words = options.get("is_split_into_words", False)
        pairs = [self._as_pair(item, words) for item in batch_text_or_text_pairs]
        return BatchEncoding(self._encode_all(pairs, **options), tensor_type=options.get("return_tensors"))

    @staticmethod
    def _as_pair(item: Any, words: bool) -> tuple[Any, Any]:
        """Read one item of a batch: a text, or two; a text may be a list of words or of ids."""
        inner: tuple[type, ...] = (list, tuple) if words else (str, list, tuple)
        if not isinstance(item, (list, tuple)) or not item or not isinstance(item[0], inner):
            return item, None
        if len(item) > 2:
            raise ValueError(f"Expected a text or a pair of texts, got {len(item)} of them.")
        return item[0], item[1] if len(item) == 2 else None

    def _encode_all(
        self,
        pairs: list[tuple[Any, Any]],
        *,
        add_special_tokens: bool = True,
        padding_strategy: PaddingStrategy = PaddingStrategy.DO_NOT_PAD,
        truncation_strategy: TruncationStrategy = TruncationStrategy.DO_NOT_TRUNCATE,
        max_length: int | None = None,
        stride: int = 0,
        is_split_into_words: bool = False,
        pad_to_multiple_of: int | None = None,
        padding_side: str | None = None,
        return_tensors: Any = None,
        return_token_type_ids: bool | None = None,
        return_attention_mask: bool | None = None,
        return_overflowing_tokens: bool = False,
        return_special_tokens_mask: bool = False,
        return_offsets_mapping: bool = False,
        return_length: bool = False,
        verbose: bool = True,
        split_special_tokens: bool | None = None,
        **unknown: Any,
    ) -> dict[str, list[Any]]:
        """Encode single texts and pairs; return the columns of a BatchEncoding, padded."""
        if unknown:
            logger.warning_once(f"Arguments that ERNIE-M's tokenizer does not know: {', '.join(sorted(unknown))}.")
        if return_token_type_ids and not add_special_tokens:
            raise ValueError("token_type_ids are defined with special tokens only: set add_special_tokens=True.")
        inputs = self.model_input_names
        wanted = {
            "input_ids": True,
            "token_type_ids": "token_type_ids" in inputs if return_token_type_ids is None else return_token_type_ids,
            "special_tokens_mask": return_special_tokens_mask,
            "offset_mapping": return_offsets_mapping,
        }
        names = [name for name, asked in wanted.items() if asked]
        columns: dict[str, list[Any]] = {name: [] for name in names}
        limit = None if truncation_strategy is TruncationStrategy.DO_NOT_TRUNCATE else max_length
        for pair in pairs:
            texts = pair if pair[1] is not None else pair[:1]
            sides = [self._read(text, is_split_into_words, split_special_tokens, return_offsets_mapping) for text in texts]
            excess, overflow = 0, []
            if limit:
                special = self.num_special_tokens_to_add(len(sides) == 2) if add_special_tokens else 0
                excess = max(sum(map(len, sides)) + special - limit, 0)
                *cut, overflow = self.truncate_sequences(*(sides + [None])[:2], excess, truncation_strategy, stride)
                sides = cut[: len(sides)]
            if return_overflowing_tokens:
                if len(sides) == 2 and truncation_strategy is TruncationStrategy.LONGEST_FIRST:
                    raise ValueError("longest_first on a pair returns no overflowing tokens; truncate one side only.")
                if not return_tensors:  # they are ragged
                    ids = [number for number, _ in overflow] if return_offsets_mapping else overflow
                    columns.setdefault("overflowing_tokens", []).append(ids)
                    columns.setdefault("num_truncated_tokens", []).append(excess)
            row = self._lay_out(sides, names, add_special_tokens)
            for name in names:
                columns[name].append(row[name])
            if len(row["input_ids"]) > self.model_max_length:
                self._eventual_warn_about_too_long_sequence(row["input_ids"], max_length, verbose)
        lengths = [len(ids) for ids in columns["input_ids"]]
        if return_length:
            columns["length"] = lengths
        if "attention_mask" in inputs if return_attention_mask is None else return_attention_mask:
            columns["attention_mask"] = [[1] * length for length in lengths]
        if padding_strategy is not PaddingStrategy.DO_NOT_PAD:
            width = max(lengths) if padding_strategy is PaddingStrategy.LONGEST else max_length or 0
            self._fill(columns, -(-width // (pad_to_multiple_of or 1)) * (pad_to_multiple_of or 1), padding_side)
        return columns

    def _read(self, text: Any, words: bool, split_special_tokens: bool | None, with_spans: bool) -> list[Any]:
        """Return the ids of one text, list of words, list of tokens or list of ids; with spans, (id, span) for each."""
        encode = self._located if with_spans else self._ids
        if isinstance(text, str):
            return list(encode(text, split_special_tokens))
        if isinstance(text, (list, tuple)) and text:
            if words and all(isinstance(word, str) for word in text):
                return [token for word in text for token in encode(word, split_special_tokens)]
            if not with_spans and all(isinstance(token, str) for token in text):
                return self.convert_tokens_to_ids(list(text))
            if not with_spans and all(isinstance(number, int) for number in text):
                return list(text)
        raise ValueError(f"Expected a text, or a list of words, tokens or ids (these two have no offsets): {text!r}")

    def _lay_out(self, sides: list[list[Any]], names: list[str], special: bool) -> dict[str, list[Any]]:
        """Return the named columns of one input, with [CLS] and [SEP] where `special` asks for them."""
        row: dict[str, list[Any]] = {}
        if "offset_mapping" in names:
            spans = [[span for _, span in side] for side in sides]
            sides = [[number for number, _ in side] for side in sides]
            row["offset_mapping"] = (
                self.build_offset_mapping_with_special_tokens(*spans) if special else list(chain(*spans))
            )
        if not special:
            ids = list(chain(*sides))
            return {**row, "input_ids": ids, "special_tokens_mask": [0] * len(ids), "token_type_ids": [0] * len(ids)}
        row["input_ids"] = self.build_inputs_with_special_tokens(*sides)
        if "token_type_ids" in names:
            row["token_type_ids"] = self.create_token_type_ids_from_sequences(*sides)
        if "special_tokens_mask" in names:
            row["special_tokens_mask"] = self.get_special_tokens_mask(*sides)
        return row

    def _fill(self, columns: dict[str, list[Any]], width: int, side: str | None) -> None:
        """Pad every column to `width`, on the side that was asked for or the tokenizer's own."""
        side = side or self.padding_side
        if side not in ("left", "right"):
            raise ValueError(f"padding_side is {side!r}; it must be left or right.")
        fillers = {"input_ids": self.pad_token_id, "attention_mask": 0, "token_type_ids": self.pad_token_type_id}
        fillers |= {"special_tokens_mask": 1, "offset_mapping": (0, 0)}
        for name in columns.keys() & fillers.keys():
            filler = [fillers[name]]
            for place, row in enumerate(columns[name]):
                padding = filler * (width - len(row))
                columns[name][place] = row + padding if side == "right" else padding + row

    # ---- back to text -----------------------------------------------------------------------------------------------

    def convert_tokens_to_string(self, tokens: list[str]) -> str:
        """Join tokens, with a space for each "▁". Spaces that lost their "▁" do not come back."""
        return "".join(tokens).replace(SPACE, " ").strip()

    def convert_ids_to_string(self, ids: list[int]) -> str:
        """Join the tokens of these ids."""
        return self.convert_tokens_to_string(self.convert_ids_to_tokens(ids))

    def _decode(  # type: ignore[override]
        self,
        token_ids: int | list[int],
        skip_special_tokens: bool = False,
        clean_up_tokenization_spaces: bool | None = None,
        spaces_between_special_tokens: bool = True,
        **kwargs: Any,
    ) -> str:
        ids = [token_ids] if isinstance(token_ids, int) else token_ids
        tokens = self.convert_ids_to_tokens(ids, skip_special_tokens=skip_special_tokens)
        # Added tokens, those after vocab.txt, stand apart; [CLS] and its like do not.
        texts: list[str] = []
        for is_added, run in groupby(tokens, key=lambda token: self._added_tokens_encoder.get(token, 0) >= self.vocab_size):
            texts.extend(run if is_added else [self.convert_tokens_to_string(list(run))])
        text = (" " if spaces_between_special_tokens else "").join(texts)
        clean_up = self.clean_up_tokenization_spaces if clean_up_tokenization_spaces is None else clean_up_tokenization_spaces
        return self.clean_up_tokenization(text) if clean_up else text

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
