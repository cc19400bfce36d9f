"""PaddleNLP's tokenizer from a folder, also from one that it refuses because transformers wrote it; its settings.

PaddleNLP loads added_tokens.json only where its ids continue from the number of sentencepiece pieces. Those of
transformers continue from vocab.txt: then the tokenizer is loaded without that file and is given the ids afterwards.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from functools import lru_cache
from typing import Any

from verify.protocol.messages import report_progress
from verify.recorder.families.family import Family
from verify.recorder.files import file_sha256, read_json, read_vocabulary

ADDED_FILE = "added_tokens.json"
CONFIG_FILE = "tokenizer_config.json"
TABLE_FILE = "special_tokens_map.json"
#: What PaddleNLP's AddedToken takes; transformers' has more.
OPTIONS_OF_A_TOKEN = ("__type", "content", "single_word", "lstrip", "rstrip", "normalized")
#: The kind whose class must not see a blank line at the end; of others it is a token that `convert` knows.
_CUT_BLANK = "sentencepiece with vocabulary"
IDS_BY_HAND = (
    "PaddleNLP does not load this tokenizer's files as they are; it was given a copy in its own form, and the ids of "
    "added tokens that the files give"
)


def load_tokenizer(family: Family, folder: str) -> tuple[Any, list[str]]:
    """PaddleNLP's tokenizer, and notes. Raises what PaddleNLP raises."""
    tokenizer, notes = load_class(family, folder)
    compute_once(tokenizer)
    return tokenizer, notes


def compute_once(tokenizer: Any) -> None:
    """Let a tokenizer remember the tokens of a text, the id of a token and the token of an id: every call comes down to
    these, the same texts and words come back in most, and PaddleNLP computes them in Python."""
    tokenize, known = tokenizer.tokenize, {}

    def remember_tokens(text: str, **options: Any) -> list[str]:
        key = (text, *sorted(options.items()))
        if key not in known:
            known[key] = tokenize(text, **options)
        return list(known[key])  # Callers change theirs.

    tokenizer.tokenize = remember_tokens
    for name in ("_convert_token_to_id", "_convert_id_to_token"):
        setattr(tokenizer, name, lru_cache(maxsize=None)(getattr(tokenizer, name)))


def load_class(family: Family, folder: str) -> tuple[Any, list[str]]:
    """As `load_tokenizer`, computing everything anew."""
    tokenizer_class = family.tokenizer_class()
    if family.tokenizer_kind != _CUT_BLANK or not ends_blank(folder):
        try:
            return tokenizer_class.from_pretrained(folder), []
        except Exception as error:  # the copy shows whether it is because of files of transformers'
            report_progress("PaddleNLP refuses the tokenizer's files", type(error).__name__)
    copy = tempfile.mkdtemp(prefix="paddle2torch-tokenizer-")
    try:
        added = copy_in_own_form(family, folder, copy)
        tokenizer = tokenizer_class.from_pretrained(copy)
    finally:
        shutil.rmtree(copy, ignore_errors=True)
    give_ids(tokenizer, added)
    return tokenizer, [IDS_BY_HAND]


def ends_blank(folder: str) -> bool:
    """Whether vocab.txt ends with a blank line, which PaddleNLP would take for one more token."""
    with open(os.path.join(folder, "vocab.txt"), "rb") as file:
        return file.read().replace(b"\r", b"").endswith(b"\n\n")


def copy_in_own_form(family: Family, folder: str, copy: str) -> dict[str, int]:
    """Copy a folder's files as PaddleNLP would have written them, and return the ids that it cannot load."""
    vocabulary, *models = family.tokenizer_files[:2]
    with open(os.path.join(folder, vocabulary), "rb") as source, open(os.path.join(copy, vocabulary), "wb") as target:
        target.write(source.read().rstrip(b"\r\n") + b"\n")
    for model in models:
        shutil.copyfile(os.path.join(folder, model), os.path.join(copy, model))
    names = (CONFIG_FILE, TABLE_FILE, ADDED_FILE)
    found: dict[str, dict[str, Any]] = {name: read_if_there(os.path.join(folder, name)) for name in names}
    for name in (CONFIG_FILE, TABLE_FILE):
        fields = dict((key, in_own_form(value)) for key, value in found[name].items())
        extra = fields.pop("extra_special_tokens", None)  # transformers 5's name
        if isinstance(extra, list):
            fields.setdefault("additional_special_tokens", extra)
        decoder = fields.pop("added_tokens_decoder", {})
        found[ADDED_FILE].update((str(text_of(token)), int(number)) for number, token in decoder.items())
        with open(os.path.join(copy, name), "w") as file:
            json.dump(fields, file)
    return found[ADDED_FILE]


def read_if_there(path: str) -> Any:
    return read_json(path) if os.path.isfile(path) else {}


def in_own_form(value: Any) -> Any:
    """A config field without the options of a token that PaddleNLP's class does not take."""
    if isinstance(value, list):
        return [in_own_form(item) for item in value]
    if isinstance(value, dict) and "content" in value:
        return dict((key, value[key]) for key in OPTIONS_OF_A_TOKEN if key in value)
    return value


def text_of(token: Any) -> Any:
    return token.get("content") if isinstance(token, dict) else token


def give_ids(tokenizer: Any, added: Any) -> None:
    """Give tokens that are not in the vocabulary the ids in `added`, and special ones without an id the next; texts are
    split at all of them."""
    tokens, special = set(tokenizer.vocab.idx_to_token.values()), tokenizer.all_special_tokens
    given: Any = {}
    for token, number in sorted(added.items(), key=lambda item: item[1]):
        plain = token.lower() if tokenizer.do_lower_case and token not in special else token
        if plain not in tokens:
            given.setdefault(plain, number)
    follows = tokenizer.vocab_size + len(given)
    if given and min(given.values()) >= len(tokens):  # transformers' count
        follows = max(given.values()) + 1
    for token in special:
        if token not in tokens and token not in given:
            given[token] = follows
            follows += 1
    tokenizer.added_tokens_encoder = given
    tokenizer.added_tokens_decoder = dict((number, token) for token, number in given.items())
    tokenizer.unique_no_split_tokens = sorted(set(tokenizer.unique_no_split_tokens) | set(given))
    tokenizer._create_trie(tokenizer.unique_no_split_tokens)


def describe_tokenizer(tokenizer: Any) -> dict[str, Any]:
    """The tokenizer's settings apart from its vocabulary."""
    extended = tokenizer.all_special_tokens_extended
    strips = dict((str(token), [token.lstrip, token.rstrip]) for token in extended if not isinstance(token, str))
    return {
        "padding_side": tokenizer.padding_side,
        "truncation_side": tokenizer.truncation_side,
        "model_max_length": int(tokenizer.model_max_length),
        "model_input_names": list(tokenizer.model_input_names),
        "do_lower_case": lowers(tokenizer),
        "added_tokens": dict(tokenizer.added_tokens_encoder),
        "special_tokens": sorted(tokenizer.all_special_tokens),
        "strips": dict((token, sides) for token, sides in strips.items() if sides != [True, True]),
    }


def lowers(tokenizer: Any) -> bool:
    """Whether it makes letters small; some classes leave that to the one inside them that cuts texts into words."""
    own = getattr(tokenizer, "do_lower_case", None)
    return bool(tokenizer.basic_tokenizer.do_lower_case if own is None else own)


def hash_files(family: Family, folder: str) -> dict[str, str]:
    """The SHA-256 of each file that decides a token, as it is in the folder."""
    names = (*family.tokenizer_files, CONFIG_FILE, TABLE_FILE, ADDED_FILE)
    paths = [(name, os.path.join(folder, name)) for name in names]
    return dict((name, file_sha256(path)) for name, path in paths if os.path.isfile(path))


def hash_tokens(folder: str) -> str:
    """The SHA-256 of the tokens, one a line, whichever form the file has."""
    vocabulary = read_vocabulary(os.path.join(folder, "vocab.txt"))
    tokens = "\n".join(sorted(filter(None, vocabulary), key=lambda token: vocabulary[token]))
    return hashlib.sha256(tokens.encode("utf-8")).hexdigest()
