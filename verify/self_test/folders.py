"""Faults of OUTPUT's small files: a copy of the folder for each, made of links but for the wrong file."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from converter.common.layout import SENTENCEPIECE, VOCABULARY
from mappings.family import Family
from mappings.quirks import MODEL_CONFIG, TOKENIZER_CONFIG
from verify.results.layout import FOLDER
from verify.self_test.faults import FIELD, LINE, PIECE, RULE, Fault
from verify.self_test.tokenizer_json import change_rule, rule_faults

TOKENS = "special_tokens_map.json"
#: Stands for a field that is taken out.
ABSENT = "(absent)"
#: Fields that no forward pass in eval mode shows, and why. The check of fields finds them.
UNSEEN = {
    "initializer_range": "only new weights are drawn by it",
    "pad_token_id": "decides when to warn and how to pad",
    "tie_word_embeddings": "a class without a decoder ties nothing, and the tensor of one is there once",
    "task_type_vocab_size": "the table is there only where use_task_id is true",
    "problem_type": "each case sets its own",
    "id2label": "names, not numbers",
    "label2id": "names, not numbers",
    "dtype": "what is loaded is asked for in the precision of the comparison",
    "model_type": "with remote code the class is found by auto_map",
    "auto_map": "entries for other classes",
    "model_max_length": "no call of the comparison asks for the longest text by name",
    "clean_up_tokenization_spaces": "it shows only where the vocabulary has a mark or a short word behind a space",
    "tokenizer_class": "with remote code the class is found by auto_map",
}
_UNSEEN_DROPOUT = "a dropout, which eval mode leaves out"
#: Fields that the ids of texts and batches without padding do not show.
_SHOWN_BY_WAYS = ("padding_side", "truncation_side", "model_input_names")
_UNSEEN_OF_LIBRARY = "a tokenizer of the tokenizers library goes by the rules of its own file"
_UNSEEN_WITHOUT_WAYS = "of the release's tokenizer only ids are compared: it has no other calls"
_UNSEEN_UNDER_OTHER_QUIRKS = "numbers and tokens are compared under the reference's quirks, whatever the field is"


def folder_faults(
    output: Path, family: Family, seed: int, same_quirks: bool, tokens: bool, ways: bool
) -> Iterator[Fault]:
    """A wrong value for every field that matters, and where tokens are compared faults of the vocabulary, the pieces
    and the rules. `same_quirks`: the reference follows OUTPUT's preset. `ways`: calls besides the ids were recorded."""
    files = ((MODEL_CONFIG, config_changes), (TOKENIZER_CONFIG, tokenizer_changes), (TOKENS, special_changes))
    quirks = [quirk.field for quirk in family.quirks if not quirk.from_config]
    dropouts = {field.name: _UNSEEN_DROPOUT for field in family.fields if field.kind == "probability"}
    for file, changes in files if tokens else files[:1]:
        fields = _read(output / file)
        for name, value in changes(fields, family) if fields else ():
            reason = {**UNSEEN, **dropouts}.get(name.partition(".")[0], "")
            if file == TOKENIZER_CONFIG and name.endswith("_token") and (output / TOKENS).is_file():
                reason = f"{TOKENS} wins"
            if name == "do_lower_case" and not family.tokenizer.place:
                reason = _UNSEEN_OF_LIBRARY
            if not ways and file == TOKENIZER_CONFIG and name in _SHOWN_BY_WAYS:
                reason = _UNSEEN_WITHOUT_WAYS
            if not same_quirks and name in quirks:
                reason = _UNSEEN_UNDER_OTHER_QUIRKS
            if not _is_field(fields, name, value, _absent(family, file)):
                yield Fault(FIELD, f"{file}: {name}", value=value, unseen=reason)
    if tokens:
        yield from vocabulary_faults(output, seed)
        yield from rule_faults(output, seed)


def config_changes(config: Mapping[str, Any], family: Family) -> Iterator[tuple[str, Any]]:
    """Field and wrong value. A name with a dot is an entry of a table."""
    hidden, heads = int(config["hidden_size"]), int(config["num_attention_heads"])
    divisors = [number for number in range(1, hidden + 1) if hidden % number == 0 and number != heads]
    yield "num_attention_heads", min(divisors, key=lambda number: abs(number - heads))
    usual = ("num_hidden_layers", "vocab_size", "max_position_embeddings", "intermediate_size")
    more = [size.field for size in family.sizes if size.field not in (*usual, "hidden_size", "num_attention_heads")]
    for name in (*usual, *more):
        yield name, int(config[name]) - 1
    yield "num_hidden_layers", int(config["num_hidden_layers"]) + 1
    yield "hidden_size", hidden * 2
    yield from (("hidden_act", name) for name in ("gelu", "relu", "silu", "tanh"))
    yield from _quirk_changes(family, MODEL_CONFIG)
    yield from ((field.name, 0.37) for field in family.fields if field.kind == "probability")
    yield "initializer_range", 0.37
    yield "pad_token_id", int(config.get("pad_token_id") == 0)
    yield "problem_type", "regression"
    own = family.class_named(config["architectures"][0])
    for field in family.fields:
        if field.kind == "flag" and field.name in config:
            yield field.name, not config[field.name]
    if own is not None and own.travels and own.head in ("none", "extraction"):
        yield "add_pooling_layer", False  # Other classes decide that themselves.
    yield "dtype", "float16" if config.get("dtype") != "float16" else "float32"
    yield "model_type", "bert"
    others = [family.base_class, family.class_with_head("span")]
    yield from (("architectures", [other.target]) for other in others if other is not None)
    yield from _label_changes(config)
    yield "auto_map", ABSENT
    for auto in config.get("auto_map", {}):
        yield f"auto_map.{auto}", ABSENT
    other = family.class_with_head("choice")
    if config.get("auto_map") and family.code is not None and other is not None:
        yield "auto_map.AutoModel", f"{family.code.model}.{other.target}"


def _quirk_changes(family: Family, file: str) -> Iterator[tuple[str, Any]]:
    return ((quirk.field, value) for quirk in family.quirks if quirk.file == file for value in quirk.faults)


def _label_changes(config: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    labels = config.get("id2label")
    if not isinstance(labels, dict):
        return
    names = [labels[key] for key in sorted(labels, key=int)]
    if len(names) > 1:
        turned = {str(number): name for number, name in enumerate(names[1:] + names[:1])}
        yield "id2label", turned
        yield "label2id", {name: int(number) for number, name in turned.items()}
    yield "id2label", {str(number): name for number, name in enumerate([*names[:-1], names[-1] + " "])}
    yield "id2label", {str(number): f"LABEL_{number}" for number in range(len(names) + 1)}


def tokenizer_changes(config: Mapping[str, Any], family: Family) -> Iterator[tuple[str, Any]]:
    yield "do_lower_case", not config.get("do_lower_case", False)
    yield from _quirk_changes(family, TOKENIZER_CONFIG)
    if "model_max_length" in config:
        yield "model_max_length", int(config["model_max_length"]) + 2
    yield "clean_up_tokenization_spaces", False
    yield "split_special_tokens", True
    if family.tokenizer.other_class:
        yield "tokenizer_class", family.tokenizer.other_class
    yield "auto_map", ABSENT
    for name in ("padding_side", "truncation_side"):
        yield name, "left"
    yield "model_input_names", ["input_ids", "attention_mask"]
    yield from special_changes(config, family)


def special_changes(config: Mapping[str, Any], family: Family) -> Iterator[tuple[str, Any]]:
    """Each special token is the next one."""
    marks = ("unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
    for name, other in zip(marks, marks[1:] + marks[:1]):
        if name in config:
            yield name, f"[{other[:-6].upper()}]"


def vocabulary_faults(output: Path, seed: int) -> Iterator[Fault]:
    """Lines exchanged, changed and lost; a piece that is another."""
    import numpy as np

    if not (output / VOCABULARY).is_file():
        return
    random = np.random.default_rng(seed)
    lines = _lines(output)
    for _ in range(3):
        place = int(random.integers(5, len(lines) - 2))
        yield Fault(LINE, VOCABULARY, (place, place + 1), f"with lines {place + 1} and {place + 2} exchanged")
    far = sorted(int(number) for number in random.choice(np.arange(5, len(lines) - 1), 2, replace=False))
    yield Fault(LINE, VOCABULARY, tuple(far), f"with lines {far[0] + 1} and {far[1] + 1} exchanged")
    yield Fault(LINE, VOCABULARY, (0, 2), "with lines 1 and 3 exchanged, two special tokens")
    place = int(random.integers(5, len(lines) - 1))
    yield Fault(LINE, VOCABULARY, (place,), f"with a letter more in line {place + 1}")
    yield Fault(LINE, VOCABULARY, (), "without its last line")
    model = output / SENTENCEPIECE
    piece = _word(lines, model.read_bytes(), random) if model.is_file() else ()
    if piece:
        yield Fault(PIECE, SENTENCEPIECE, piece, f"with another letter at the end of the piece {lines[piece[0]]}")


def _word(lines: list[str], model: bytes, random: Any) -> tuple[int, ...]:
    """The line of a piece that text yields and that stands in the model once: a word of plain letters."""
    known = set(lines)
    for number in random.permutation(len(lines))[:4000].tolist():
        word = lines[number]
        plain = word.startswith("\u2581") and word[1:].isascii() and word[1:].isalpha() and len(word) > 3
        if plain and _changed(word) not in known and model.count(_entry(word)) == 1:
            return (number,)
    return ()


def _changed(word: str) -> str:
    return word[:-1] + ("q" if word[-1] != "q" else "x")


def _entry(word: str) -> bytes:
    """How a piece begins in the model's file: field 1, its length, its text (sentencepiece_model.proto)."""
    piece = word.encode("utf-8")
    return b"\n" + bytes([len(piece)]) + piece + b"\x15"


def inject(output: Path, fault: Fault, folder: Path) -> None:
    """Make `folder` a copy of OUTPUT with this fault. Nothing of OUTPUT itself is opened for writing."""
    folder.mkdir(parents=True)
    name = fault.subject.partition(":")[0]
    for path in output.iterdir():
        if path.name not in (name, FOLDER) and not path.name.startswith("."):
            os.symlink(path.absolute(), folder / path.name)
    if fault.kind == FIELD:
        fields = _read(output / name)
        _set(fields, fault.subject.partition(": ")[2], fault.value)
        (folder / name).write_text(json.dumps(fields), encoding="utf-8")
        return
    if fault.kind == RULE:
        (folder / name).write_text(change_rule((output / name).read_text(encoding="utf-8"), fault), encoding="utf-8")
        return
    lines = _lines(output)
    if fault.kind == PIECE:
        word = lines[fault.place[0]]
        (folder / name).write_bytes((output / name).read_bytes().replace(_entry(word), _entry(_changed(word))))
        return
    if len(fault.place) == 2:
        one_line, other_line = fault.place
        lines[one_line], lines[other_line] = lines[other_line], lines[one_line]
    elif fault.place:
        lines[fault.place[0]] += "x"
    else:
        lines.pop()
    (folder / name).write_bytes("".join(f"{line}\n" for line in lines).encode("utf-8"))


def _lines(output: Path) -> list[str]:
    """Only LF ends a line: a token may be U+0085."""
    text = (output / VOCABULARY).read_bytes().decode("utf-8")
    return (text[:-1] if text.endswith("\n") else text).split("\n")


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    fields: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return fields


def _set(fields: dict[str, Any], name: str, value: Any) -> None:
    first, dot, rest = name.partition(".")
    if dot:
        _set(fields[first], rest, value)
    elif value == ABSENT:
        fields.pop(name, None)
    else:
        fields[name] = value


def _absent(family: Family, file: str) -> dict[str, Any]:
    """Field -> what the file without it means."""
    quirks = {quirk.field: quirk.absent for quirk in family.quirks if quirk.file == file}
    return {**quirks, "add_pooling_layer": True, "split_special_tokens": False}


def _is_field(fields: Mapping[str, Any], name: str, value: Any, absent: Mapping[str, Any]) -> bool:
    """Whether the field already has this value: then it is no fault."""
    first, dot, rest = name.partition(".")
    if dot:
        return _is_field(fields.get(first, {}), rest, value, {})
    if value == ABSENT:
        return name not in fields
    found = fields.get(name, absent.get(name))
    return type(found) is type(value) and bool(found == value)
