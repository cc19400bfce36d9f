"""PaddleNLP's BERT-like tokenizers: vocab.txt and settings.

Sources: `PretrainedTokenizer.load_vocabulary` and `_add_tokens` in paddlenlp/transformers/tokenizer_utils.py of 2.8.1,
`PretrainedTokenizerBase.from_pretrained` in tokenizer_utils_base.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from converter.common.errors import Problem, SourceError
from converter.common.layout import ADDED_TOKENS, SPECIAL_TOKENS_MAP, TOKENIZER_CONFIG, VOCABULARY
from converter.files.regular_files import quoted
from converter.open.tokenizer.added_tokens import number_tokens, read_added_tokens
from converter.open.tokenizer.tokenizer_files import TokenizerFiles, files_there, read_optional, read_whole
from converter.open.tokenizer.tokenizer_settings import TokenizerSettings, read_settings
from converter.open.tokenizer.vocabulary import MOST_TOKENS, decode_vocabulary, list_tokens, take_first_column
from mappings import Family

#: The roles of which every text, pair or batch needs the token.
NEEDED = ("unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
#: What a call of PaddleNLP's returns by itself, and of OUTPUT's besides: without a mask PaddleNLP's model hides
#: padding, transformers' shows it.
_INPUTS, _MASK = ("input_ids", "token_type_ids"), "attention_mask"
#: Options that some of PaddleNLP's tokenizers have besides, and the value with which OUTPUT's agrees.
_USUAL_OPTIONS: Mapping[str, Any] = {
    "do_basic_tokenize": True,
    "tokenize_chinese_chars": True,
    "never_split": None,
    "strip_accents": None,
    "use_bpe_encoder": False,
    "need_token_type_id": True,
    "add_two_sep_token_inter": False,
}
_NOT_READ = ("tokenizer.json", "chat_template.json", "chat_template.jinja")
_LISTED = 5


def read_wordpiece(folder: Path, family: Family) -> TokenizerFiles | None:
    """The tokenizer in a folder, or None when it is not there. Raises SourceError."""
    warnings: list[str] = []
    for name in files_there(folder, tuple(family.tokenizer.refused)):
        raise SourceError(Problem("E024", f"{name}: {family.tokenizer.refused[name]}"))
    names = files_there(folder, (VOCABULARY, *family.tokenizer.vocabularies))
    if not names:
        return None
    if names[0] != VOCABULARY:
        warnings.append(f"{names[0]} is taken as {VOCABULARY}")
    if names[1:]:
        warnings.append(f"ignored: {', '.join(names[1:])}; {names[0]} comes first")
    lines = read_lines(read_whole(folder / names[0]), warnings)
    vocabulary = ("\n".join(lines) + "\n").encode()
    config = read_optional(folder / TOKENIZER_CONFIG, warnings)
    _check_options(config, family)
    table = read_optional(folder / SPECIAL_TOKENS_MAP, warnings)
    others = {name: value for name, value in config.items() if name not in family.tokenizer.obeyed}
    settings = read_settings(others, table, folder, warnings, lower_case=True, inputs=_INPUTS)
    tokens = list_tokens(vocabulary)
    check_special(settings, tokens)
    if _MASK not in settings.input_names:
        settings = replace(settings, input_names=(*settings.input_names, _MASK))
    files = read_added_tokens(read_optional(folder / ADDED_TOKENS, warnings), config, warnings)
    added = number_tokens(files, settings, tokens, len(tokens), warnings)
    ignored = files_there(folder, _NOT_READ)
    warnings += [f"ignored: {name}, which PaddleNLP's tokenizer does not read" for name in ignored]
    return TokenizerFiles(folder, vocabulary, b"", len(lines), settings, added, tuple(warnings), (names[0],))


def read_lines(data: bytes, warnings: list[str]) -> list[str]:
    """The tokens of vocab.txt, each at the place that is its id, from either form of the file.

    PaddleNLP gives a token that is there twice the later id, and blank lines are tokens that no text holds: both are
    kept, with a warning. Raises SourceError.
    """
    body = decode_vocabulary(data)
    lines = body.split("\n")
    if len(lines) > MOST_TOKENS:  # A file without an end of its last line has one more than line feeds.
        raise SourceError(Problem("E021", f"{VOCABULARY}: it has {len(lines)} lines, expected at most {MOST_TOKENS}"))
    if "\t" in body:
        # PaddleNLP takes the whole line for the token, and so finds no special token.
        lines = take_first_column(body)
        warnings.append(f"{VOCABULARY} has two columns: the first holds the tokens, the ids are those of the second")
    last = {token: number for number, token in enumerate(lines)}
    twice = [number for number, token in enumerate(lines) if token and last[token] != number]
    if twice:
        shown = ", ".join(f"{quoted(lines[n], 40)} {n} and {last[lines[n]]}" for n in twice[:_LISTED])
        more = f" and {len(twice) - _LISTED} more" if len(twice) > _LISTED else ""
        warnings.append(f"{VOCABULARY} has tokens twice ({shown}{more}): the last id is taken, as in PaddleNLP")
    blank = lines.count("")
    if blank:
        warnings.append(
            f"{VOCABULARY} has {blank} blank line{'s' * (blank > 1)}: no token, and the others keep their ids"
        )
    return lines


def check_special(settings: TokenizerSettings, tokens: Mapping[str, int]) -> None:
    """Raises SourceError for a token that is lost. PaddleNLP refuses a vocabulary without [UNK]; for another it makes
    an id that no model was trained with."""
    lost = [(role, settings.special_tokens[role]) for role in NEEDED if settings.special_tokens[role] not in tokens]
    if lost:
        shown = ", ".join(f"{quoted(token, 40)} ({role})" for role, token in lost)
        raise SourceError(Problem("E021", f"{VOCABULARY} lacks {shown}. Is it the vocabulary of this model?"))


def _check_options(config: Mapping[str, Any], family: Family) -> None:
    for name in family.tokenizer.obeyed:
        usual, value = _USUAL_OPTIONS[name], config.get(name, _USUAL_OPTIONS[name])
        if value is not usual and value != []:
            text = f"{TOKENIZER_CONFIG}: {name} is {value!r:.60}, and only {usual!r} is converted"
            raise SourceError(Problem("E023", text))
