"""What tokenizer_config.json and special_tokens_map.json contain that decides tokens, and the names of all the rest.

PaddleNLP 2.8.1 saves every argument that its tokenizer was made with, and obeys those in `CARRIED` when it loads
(`tokenizer_utils_base.py`: `PretrainedTokenizerBase.__init__` and `from_pretrained`). The values of
special_tokens_map.json are set afterwards, so they win.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn, Union

from converter.common.errors import Problem, SourceError
from converter.common.layout import SPECIAL_TOKENS_MAP as TABLE
from converter.common.layout import TOKENIZER_CONFIG as CONFIG
from converter.files.regular_files import quoted

#: The roles that have a token, with the usual one, in the order in which PaddleNLP numbers tokens that are new.
SPECIAL_TOKENS = {
    "bos_token": None,
    "eos_token": None,
    "unk_token": "[UNK]",
    "sep_token": "[SEP]",
    "pad_token": "[PAD]",
    "cls_token": "[CLS]",
    "mask_token": "[MASK]",
}
ADDITIONAL = "additional_special_tokens"
#: transformers 5's name for them.
EXTRA = "extra_special_tokens"
SIDES = ("right", "left")
DECODER = "added_tokens_decoder"
CARRIED = {
    *SPECIAL_TOKENS,
    *(ADDITIONAL, EXTRA, DECODER, "do_lower_case", "model_max_length", "max_len", "model_input_names"),
    *("padding_side", "truncation_side"),
}
#: Who wrote the file and how it is to be loaded. None of it decides a token.
_IDLE = {
    *("tokenizer_class", "init_class", "name_or_path", "processor_class", "verbose", "encoding", "backend"),
    *("special_tokens_map_file", "transformers_version", "paddlenlp_version", "is_local", "local_files_only"),
}
#: Where the files lay when the tokenizer was saved. PaddleNLP reads them there if they still are there.
_PLACES = {"vocab_file", "sentencepiece_model_file", "sentencepiece_model_ckpt"}
#: Fields of transformers' with the value that OUTPUT's tokenizer has anyway.
_SAME_ANYWAY = {"clean_up_tokenization_spaces": True, "split_special_tokens": False}
#: PaddleNLP's and transformers' number for "no limit" is 1e30.
_NO_LIMIT = int(1e20)
_INPUTS = ("input_ids", "token_type_ids", "attention_mask")


@dataclass(frozen=True)
class TokenizerSettings:
    """`special_tokens` by role. `strip_sides`: the side ("left", "right", "none") on which whitespace next to a special
    token is taken off, where a file gives that token as an AddedToken; with every other one it is on both."""

    do_lower_case: bool
    special_tokens: Mapping[str, str]
    additional: tuple[str, ...] = ()
    strip_sides: Mapping[str, str] = field(default_factory=dict)
    padding_side: str = "right"
    truncation_side: str = "right"
    #: None: the files give no limit.
    longest: Union[int, None] = None
    input_names: tuple[str, ...] = ("input_ids",)

    def all_special(self) -> list[str]:
        """Every special token once, in PaddleNLP's order."""
        named = [self.special_tokens[role] for role in SPECIAL_TOKENS if role in self.special_tokens]
        return list(dict.fromkeys([*named, *self.additional]))


def read_settings(
    config: Mapping[str, Any],
    table: Mapping[str, Any],
    folder: Path,
    warnings: list[str],
    lower_case: bool = False,
    inputs: tuple[str, ...] = ("input_ids",),
) -> TokenizerSettings:
    """What both files give. `lower_case`, `inputs`: what PaddleNLP's class does where neither says it. Warns of every
    field that is not carried over. Raises SourceError for a wrong value."""
    _name_the_rest(config, CONFIG, folder, warnings)
    _name_the_rest(table, TABLE, folder, warnings)
    special = read_special_tokens(config, table, warnings)
    additional = _additional(config, table, warnings)
    fields = {**config, **{name: value for name, value in table.items() if name in CARRIED and value is not None}}
    given: list[Any] = [fields.get(role) for role in SPECIAL_TOKENS]
    given += _listed(table if table.get(ADDITIONAL) is not None else config)
    sides = {name: fields.get(name) or "right" for name in ("padding_side", "truncation_side")}
    for name, side in sides.items():
        if side not in SIDES:
            _refuse(CONFIG, name, side, "left or right")
    return TokenizerSettings(
        do_lower_case=_lower_case(fields, lower_case),
        special_tokens=special,
        additional=additional,
        strip_sides=dict(filter(None, map(_strip_sides, given))),
        longest=_longest(fields),
        input_names=_input_names(fields, inputs, warnings),
        **sides,
    )


def _name_the_rest(fields: Mapping[str, Any], file: str, folder: Path, warnings: list[str]) -> None:
    odd = []
    for name, value in fields.items():
        if name in CARRIED or name in _IDLE or value is None or value == [] or value == {}:
            continue
        if name in _PLACES:
            if isinstance(value, str) and _is_another_file(folder, value):
                warnings.append(
                    f"{file}: {name} names {quoted(value)}, another file that is there, which PaddleNLP would read; "
                    "the folder's own is taken"
                )
        elif value is not _SAME_ANYWAY.get(name):
            odd.append(name)
    if odd:
        names = ", ".join(quoted(name, 40)[1:-1] for name in odd[:20])
        more = f" and {len(odd) - 20} more" if len(odd) > 20 else ""
        warnings.append(f"{file}: not carried over, for PaddleNLP's tokenizer has no such field: {names}{more}")


def _is_another_file(folder: Path, value: str) -> bool:
    try:
        path = Path(value)
        return path.is_file() and path.resolve().parent != folder.resolve()
    except (OSError, ValueError):
        return False


def read_special_tokens(config: Mapping[str, Any], table: Mapping[str, Any], warnings: list[str]) -> Mapping[str, str]:
    """The tokens by role. special_tokens_map.json wins over tokenizer_config.json, as in PaddleNLP.

    Raises SourceError for what is no token.
    """
    tokens = {}
    for role, usual in SPECIAL_TOKENS.items():
        configured, mapped = _token(config, role, CONFIG), _token(table, role, TABLE)
        if configured is not None and mapped is not None and configured != mapped:
            warnings.append(
                f"{CONFIG} has {role} {configured!r:.60}, {TABLE} {mapped!r:.60}, which is taken, as in PaddleNLP"
            )
        if token := mapped or configured or usual:
            tokens[role] = token
    return tokens


def _token(data: Mapping[str, Any], name: str, file: str) -> str | None:
    value = data.get(name)
    text = content(value)
    if value is None:
        return None
    if isinstance(text, str) and text:
        return text
    raise SourceError(Problem("E023", f"{file}: {name} is {value!r:.60}, expected a token"))


def content(value: Any) -> Any:
    """The text of a token that a file gives as text or as an AddedToken."""
    return value.get("content") if isinstance(value, Mapping) else value


def _listed(data: Mapping[str, Any]) -> Iterable[Any]:
    for name in (ADDITIONAL, EXTRA):
        value = data.get(name)
        # transformers 4 has a table of names there.
        yield from value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()


def _additional(config: Mapping[str, Any], table: Mapping[str, Any], warnings: list[str]) -> tuple[str, ...]:
    """The further special tokens. Those of special_tokens_map.json take the place of the others, as in PaddleNLP."""
    found = {}
    for file, data in ((CONFIG, config), (TABLE, table)):
        for name in (ADDITIONAL, EXTRA):
            value = data.get(name)
            if value is not None and not isinstance(value, (list, Mapping)):
                _refuse(file, name, value, "a list of tokens")
        tokens = [content(value) for value in _listed(data)]
        wrong = next((token for token in tokens if not isinstance(token, str) or not token), None)
        if wrong is not None or None in tokens:
            _refuse(file, ADDITIONAL, wrong, "tokens in its list")
        if tokens or data.get(ADDITIONAL) is not None:
            found[file] = tuple(dict.fromkeys(tokens))
    if len(found) == 2 and set(found[CONFIG]) - set(found[TABLE]):
        lost = ", ".join(quoted(token, 40) for token in found[CONFIG][:8] if token not in found[TABLE])
        warnings.append(f"{CONFIG} has {ADDITIONAL} that {TABLE} lacks ({lost}): the latter is taken, as in PaddleNLP")
    return found.get(TABLE, found.get(CONFIG, ()))


def _strip_sides(value: Any) -> tuple[str, str] | None:
    """PaddleNLP strips next to an AddedToken where its options ask for it, next to all other special tokens always."""
    if not isinstance(value, Mapping) or (value.get("lstrip") and value.get("rstrip")):
        return None
    sides = "left" if value.get("lstrip") else "right" if value.get("rstrip") else "none"
    return str(value.get("content")), sides


def _lower_case(fields: Mapping[str, Any], usual: bool) -> bool:
    value = fields.get("do_lower_case", usual)
    if not isinstance(value, bool):
        _refuse(CONFIG, "do_lower_case", value, "true or false")
    return value


def _longest(fields: Mapping[str, Any]) -> int | None:
    name = "model_max_length" if "model_max_length" in fields else "max_len"
    value = fields.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 1 or value != int(value):
        _refuse(CONFIG, name, value, "a number of tokens")
    return None if value >= _NO_LIMIT else int(value)


def _input_names(fields: Mapping[str, Any], usual: tuple[str, ...], warnings: list[str]) -> tuple[str, ...]:
    value = fields.get("model_input_names")
    if value is None:
        return usual
    if not isinstance(value, list) or not value or value[0] != _INPUTS[0] or not all(type(n) is str for n in value):
        _refuse(CONFIG, "model_input_names", value, "a list that starts with input_ids")
    unknown = [name for name in value if name not in _INPUTS]
    if unknown:
        names = ", ".join(quoted(name, 40)[1:-1] for name in unknown[:8])
        warnings.append(f"{CONFIG}: model_input_names has {names}, which OUTPUT's tokenizer does not return")
    return tuple(name for name in value if name in _INPUTS)


def _refuse(file: str, name: str, value: Any, expected: str) -> NoReturn:
    raise SourceError(Problem("E023", f"{file}: {name} is {value!r:.60}, expected {expected}"))
