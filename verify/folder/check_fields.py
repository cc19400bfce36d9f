"""The fields of OUTPUT's config.json and tokenizer_config.json by name: no forward pass shows some of them, and of the
others a name is more help than a difference of numbers."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from converter.common.errors import Problem
from converter.common.layout import MANIFEST, WORDPIECE_KIND
from mappings.quirks import TOKENIZER_CONFIG
from verify.folder.expected_config import Expected
from verify.folder.expected_tokenizer import has_tokenizer
from verify.results.json_objects import read_object

#: tokenizer_config.json without one of these has the value that is expected.
_USUAL = {
    "model_input_names": ["input_ids"],
    "padding_side": "right",
    "truncation_side": "right",
    "clean_up_tokenization_spaces": True,
}
#: Kind of tokenizer -> what transformers 5 calls its class when it saves one: the same class.
_SAVED_AS = {WORDPIECE_KIND: "TokenizersBackend"}
_SPECIAL = ("unk_token", "sep_token", "pad_token", "cls_token", "mask_token")


def check_config(output: Path, known: Expected) -> list[Problem]:
    """Every field that differs from what SOURCE and Paddle's quirks specify."""
    try:
        config = read_object(output / "config.json")
    except (OSError, ValueError) as error:
        return [Problem("E408", f"config.json is not usable: {error}")]
    if "dtype" not in config and "torch_dtype" in config:  # as transformers wrote it before 4.56
        config["dtype"] = config["torch_dtype"]
    expected = {name: value for name, value in known.fields.items() if (name, value) != ("dtype", None)}
    problems = [
        Problem("E408", f"config.json: {name} is {_shown(config, name)}, expected {value!r:.80}")
        for name, value in expected.items()
        if name != "auto_map" and not _same(config.get(name, known.absent.get(name)), value)
    ]
    problems += _check_places("config.json", config.get("auto_map"), expected["auto_map"])
    return problems + _check_labels(config, known.labels)


def _check_places(file: str, found: Any, expected: Mapping[str, Any]) -> list[Problem]:
    """`auto_map`: which class of which file an Auto class takes. Other entries are checked with the code that
    they name (`verify.folder.foreign_code`)."""
    if not expected:  # classes of transformers' own
        return [] if found is None else [Problem("E408", f"{file}: auto_map is {found!r:.80}, expected none")]
    if not isinstance(found, dict):
        return [Problem("E408", f"{file}: auto_map is {found!r:.80}: no Auto class finds OUTPUT's code")]
    return [
        Problem("E408", f"{file}: auto_map's {auto} is {found.get(auto)!r:.80}, expected {place!r:.80}")
        for auto, place in expected.items()
        if found.get(auto) != place
    ]


def tokenizer_place(expected: Expected) -> dict[str, Any]:
    """`auto_map` of tokenizer_config.json: which class of OUTPUT's code AutoTokenizer takes."""
    place = expected.family.tokenizer.place
    return {"AutoTokenizer": [place, None]} if place else {}


def check_tokenizer_config(output: Path, settings: Mapping[str, Any], known: Expected) -> list[Problem]:
    """Fields of tokenizer_config.json that no comparison of default calls on short texts shows. `settings` are those
    that follow from SOURCE."""
    path = output / TOKENIZER_CONFIG
    if not has_tokenizer(output, known.family):
        return []
    try:
        config = read_object(path)
    except (OSError, ValueError) as error:
        return [Problem("E408", f"{TOKENIZER_CONFIG} is not usable: {error}")]
    family = known.family
    quirks = family.values_in(TOKENIZER_CONFIG, known.preset, known.fields["pad_token_id"])
    absent = {quirk.field: quirk.absent for quirk in family.quirks if quirk.file == TOKENIZER_CONFIG}
    own = {"model_input_names": None} if family.tokenizer.kind == WORDPIECE_KIND else {}
    usual = {**_USUAL, **absent, **own}
    named = family.tokenizer.tokenizer_class
    # A folder that `convert` did not write, which is a fault unless SOURCE was made of it.
    if not (output / MANIFEST).exists() and config.get("tokenizer_class") == _SAVED_AS.get(family.tokenizer.kind):
        named = config["tokenizer_class"]
    expected = {
        "tokenizer_class": named,
        **quirks,
        "clean_up_tokenization_spaces": True,
        **settings,
    }
    return [
        Problem("E408", f"{TOKENIZER_CONFIG}: {name} is {config.get(name)!r:.80}, expected {value!r:.80}")
        for name, value in expected.items()
        if config.get(name, usual.get(name)) != value
    ] + [
        *_check_places(TOKENIZER_CONFIG, config.get("auto_map"), tokenizer_place(known)),
        *_check_special_tokens(config, output / "special_tokens_map.json"),
    ]


def _check_special_tokens(config: Mapping[str, Any], path: Path) -> list[Problem]:
    """The two files that name them must agree: which of them wins depends on who reads them."""
    try:
        table = read_object(path) if path.is_file() else {}
    except (OSError, ValueError) as error:
        return [Problem("E408", f"{path.name} is not usable: {error}")]
    return [
        Problem("E408", f"{path.name}: {name} is {_text(table[name])!r:.60}, {TOKENIZER_CONFIG} has {other!r:.60}")
        for name in _SPECIAL
        if name in table and name in config and _text(table[name]) != (other := _text(config[name]))
    ]


def _text(token: Any) -> Any:
    return token.get("content") if isinstance(token, dict) else token


def _same(found: Any, expected: Any) -> bool:
    """Equal, and of the same kind: True is not 1 here, and the configuration takes no 4.0 for a 4."""
    if isinstance(found, list) and isinstance(expected, list):
        return len(found) == len(expected) and all(map(_same, found, expected))
    return found == expected and (type(found) is type(expected) or (type(found), type(expected)) == (int, float))


def _shown(config: Mapping[str, Any], name: str) -> str:
    return f"{config[name]!r:.80}" if name in config else "missing"


def _check_labels(config: Mapping[str, Any], labels: tuple[str, ...]) -> list[Problem]:
    if not labels:
        return []
    wanted = {str(number): label for number, label in enumerate(labels)}
    # transformers writes nothing for two labels with the default names, and reads nothing as those.
    default = {"0": "LABEL_0", "1": "LABEL_1"}
    found = config.get("id2label", default)
    problems = [
        Problem("E408", f"config.json: {name} is {config[name]!r:.80}, expected {len(labels)}, one for each label")
        for name in ("num_labels", "num_classes")
        if name in config and not _same(config[name], len(labels))
    ]
    if found != wanted:
        problems.append(Problem("E408", f"config.json: id2label is {found!r:.120}, expected {wanted!r:.120}"))
    # Left out next to names it stays empty: transformers does not make it from them.
    reverse, turned = config.get("label2id"), {label: int(number) for number, label in wanted.items()}
    if reverse != turned and not (reverse is None and "id2label" not in config):
        problems.append(Problem("E408", f"config.json: label2id is {reverse!r:.120}, not the reverse of id2label"))
    return problems


def class_and_heads_of(output: Path) -> dict[str, Any]:
    """Class and number of heads by OUTPUT's config.json, for sources that specify neither."""
    try:
        config = read_object(output / "config.json")
        name, heads = config["architectures"][0], config["num_attention_heads"]
    except (OSError, ValueError, LookupError, TypeError):
        return {}
    return {"architecture": name, "num_attention_heads": heads} if isinstance(name, str) and type(heads) is int else {}
