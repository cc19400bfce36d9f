"""Fields of OUTPUT's config.json that no forward pass shows, and those whose fault is told best by their name."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from converter.errors import Problem
from converter.tensors import element_count
from verify.expected import Expected

if TYPE_CHECKING:
    from verify.written import WrittenWeights

#: What the configuration takes where config.json has no such field.
_UNSAID = {"act_dropout": 0.0}
#: How pieces are cut, which follows from the behavior (TOKENIZER.md, section 9).
PIECE_RULES = {
    "paddlenlp": "paddlenlp",
    "paddlenlp-unpadded": "paddlenlp",
    "release": "release",
    "transformers": "paddlenlp",
}
#: Left out, these have the value that is expected.
_IMPLIED = ("model_input_names", "padding_side", "truncation_side", "clean_up_tokenization_spaces")
_SPECIAL = ("unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
_TOKENIZER_PLACE = {"AutoTokenizer": ["tokenization_ernie_m.PaddleErnieMTokenizer", None]}


def check_config(output: Path, known: Expected, written: WrittenWeights) -> list[Problem]:
    """Every field that differs from what SOURCE and Paddle's habits say."""
    try:
        config = json.loads((output / "config.json").read_text(encoding="utf-8"))
        if not isinstance(config, dict):
            raise ValueError("it is not an object")
    except (OSError, ValueError, RecursionError) as error:
        return [Problem("E408", f"config.json is not usable: {error}")]
    if "dtype" not in config and "torch_dtype" in config:  # as transformers wrote it before 4.56
        config["dtype"] = config["torch_dtype"]
    expected = {**known.fields, "dtype": _main_dtype(written) or config.get("dtype")}
    problems = [
        Problem("E408", f"config.json: {name} is {_shown(config, name)}, expected {value!r:.80}")
        for name, value in expected.items()
        if name != "auto_map" and not _same(config.get(name, _UNSAID.get(name)), value)
    ]
    problems += _check_places("config.json", config.get("auto_map"), expected["auto_map"])
    return problems + _check_labels(config, known.labels)


def _check_places(file: str, found: Any, expected: Mapping[str, Any]) -> list[Problem]:
    """`auto_map`: which class of which file an Auto class takes. Other entries are nobody's concern."""
    if not isinstance(found, dict):
        return [Problem("E408", f"{file}: auto_map is {found!r:.80}: no Auto class finds OUTPUT's code")]
    return [
        Problem("E408", f"{file}: auto_map's {auto} is {found.get(auto)!r:.80}, expected {place!r:.80}")
        for auto, place in expected.items()
        if found.get(auto) != place
    ]


def _main_dtype(written: WrittenWeights) -> str | None:
    """The dtype of most elements: the one that config.json must ask for, or loading would round the others."""
    elements: Counter[str] = Counter()
    for tensor in written.tensors.values():
        elements[tensor.dtype] += element_count(tensor.shape)
    return elements.most_common(1)[0][0] if elements else None


def check_tokenizer_config(output: Path, longest: int, behavior: str = "paddlenlp") -> list[Problem]:
    """Fields of tokenizer_config.json that no comparison of default calls on short texts shows."""
    path = output / "tokenizer_config.json"
    if not (output / "vocab.txt").is_file():
        return []
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(config, dict):
            raise ValueError("it is not an object")
    except (OSError, ValueError, RecursionError) as error:
        return [Problem("E408", f"tokenizer_config.json is not usable: {error}")]
    expected = {
        "tokenizer_class": "PaddleErnieMTokenizer",
        "model_max_length": longest,
        "piece_rule": PIECE_RULES.get(behavior, "paddlenlp"),
        "model_input_names": ["input_ids"],
        "padding_side": "right",
        "truncation_side": "right",
        "clean_up_tokenization_spaces": True,
    }
    implied = {name: expected[name] for name in _IMPLIED}
    implied["piece_rule"] = "paddlenlp"
    return [
        Problem("E408", f"tokenizer_config.json: {name} is {config.get(name)!r:.80}, expected {value!r:.80}")
        for name, value in expected.items()
        if config.get(name, implied.get(name)) != value
    ] + [
        *_check_places("tokenizer_config.json", config.get("auto_map"), _TOKENIZER_PLACE),
        *_check_special_tokens(config, output / "special_tokens_map.json"),
    ]


def _check_special_tokens(config: Mapping[str, Any], path: Path) -> list[Problem]:
    """The two files that name them must agree: which of them wins depends on who reads them."""
    try:
        table = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
        if not isinstance(table, dict):
            raise ValueError("it is not an object")
    except (OSError, ValueError, RecursionError) as error:
        return [Problem("E408", f"{path.name} is not usable: {error}")]
    return [
        Problem("E408", f"{path.name}: {name} is {_text(table[name])!r:.60}, tokenizer_config.json says {said!r:.60}")
        for name in _SPECIAL
        if name in table and name in config and _text(table[name]) != (said := _text(config[name]))
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
    # Left out beside names it stays empty: transformers does not make it from them.
    reverse, turned = config.get("label2id"), {label: int(number) for number, label in wanted.items()}
    if reverse != turned and not (reverse is None and "id2label" not in config):
        problems.append(Problem("E408", f"config.json: label2id is {reverse!r:.120}, not the reverse of id2label"))
    return problems


def output_says(output: Path) -> dict[str, Any]:
    """What OUTPUT's config.json says of class and heads, for sources that do not say it themselves."""
    try:
        config = json.loads((output / "config.json").read_text(encoding="utf-8"))
        name, heads = config["architectures"][0], config["num_attention_heads"]
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return {}
    return {"architecture": name, "num_attention_heads": heads} if isinstance(name, str) and type(heads) is int else {}
