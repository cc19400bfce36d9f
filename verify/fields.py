"""Fields of OUTPUT's config.json that no forward pass shows, and those whose fault is told best by their name."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from converter.errors import Problem
from converter.tensors import element_count

if TYPE_CHECKING:
    from converter.plan import Plan
    from verify.written import WrittenWeights

#: Fields that must say what the source's config says (or PaddleNLP's defaults, which the source's config then holds).
_FROM_SOURCE = (
    "hidden_act",
    "hidden_dropout_prob",
    "attention_probs_dropout_prob",
    "classifier_dropout",
    "initializer_range",
    "pad_token_id",
    "problem_type",
)
#: What the configuration takes where config.json has no such field.
_UNSAID = {"act_dropout": 0.0}
_SIZES = (
    "vocab_size",
    "hidden_size",
    "num_hidden_layers",
    "num_attention_heads",
    "intermediate_size",
    "max_position_embeddings",
)
#: Paddle's habits (MODEL.md, quirks 1, 2, 4, 5), by the behavior that the manifest states.
HABITS: dict[str, dict[str, Any]] = {
    "paddlenlp": {
        "implicit_mask_token_ids": [0],
        "position_offset": 2,
        "attention_mask_value": -10000.0,
        "layer_norm_eps": 9.999999747378752e-06,
    },
}
HABITS["release"] = {**HABITS["paddlenlp"], "implicit_mask_token_ids": [1]}
#: The port's, for folders of transformers' own ErnieM; there the ids are those of its config's pad_token_id.
HABITS["transformers"] = {**HABITS["paddlenlp"], "implicit_mask_token_ids": [1], "attention_mask_value": None}
#: How pieces are cut, which follows from the behavior (TOKENIZER.md, section 9).
PIECE_RULES = {"paddlenlp": "paddlenlp", "release": "release", "transformers": "paddlenlp"}


def check_config(output: Path, plan: Plan, written: WrittenWeights, behavior: str) -> list[Problem]:
    """Every field that differs from what SOURCE and Paddle's habits say."""
    try:
        config = json.loads((output / "config.json").read_text(encoding="utf-8"))
        if not isinstance(config, dict):
            raise ValueError("it is not an object")
    except (OSError, ValueError, RecursionError) as error:
        return [Problem("E408", f"config.json is not usable: {error}")]
    expected: dict[str, Any] = {name: getattr(plan.config, name) for name in _FROM_SOURCE}
    expected.update({name: getattr(plan.sizes, name) for name in _SIZES})
    expected.update(_habits(plan, behavior))
    expected["dtype"] = _main_dtype(written) or config.get("dtype")
    expected.update(architectures=[plan.table.target_class], model_type="ernie_m")
    problems = [
        Problem("E408", f"config.json: {name} is {config.get(name)!r:.80}, expected {value!r:.80}")
        for name, value in expected.items()
        if not _same(config.get(name, _UNSAID.get(name)), value)
    ]
    return problems + _check_labels(config, plan.sizes.labels)


def _habits(plan: Plan, behavior: str) -> dict[str, Any]:
    """What the behavior asks for, and what transformers' own config says where SOURCE is a folder of its ErnieM."""
    habits = dict(HABITS.get(behavior, HABITS["paddlenlp"]))
    if behavior == "transformers":
        habits["implicit_mask_token_ids"] = [plan.config.pad_token_id]
    if plan.config.layer_norm_eps is not None:
        habits["layer_norm_eps"] = plan.config.layer_norm_eps
    habits["act_dropout"] = plan.config.act_dropout or 0.0
    return habits


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
    }
    implied = {name: expected[name] for name in ("model_input_names", "padding_side", "truncation_side")}
    implied["piece_rule"] = "paddlenlp"
    return [
        Problem("E408", f"tokenizer_config.json: {name} is {config.get(name)!r:.80}, expected {value!r:.80}")
        for name, value in expected.items()
        if config.get(name, implied.get(name)) != value
    ]


def _same(found: Any, expected: Any) -> bool:
    """Equal, and of the same kind: True is not 1 here."""
    numbers = isinstance(found, (int, float)) and isinstance(expected, (int, float))
    return found == expected and (type(found) is type(expected) or (numbers and not isinstance(found, bool)))


def _check_labels(config: Mapping[str, Any], labels: tuple[str, ...]) -> list[Problem]:
    if not labels:
        return []
    wanted = {str(number): label for number, label in enumerate(labels)}
    # transformers writes nothing for two labels with the default names, and reads nothing as those.
    default = {"0": "LABEL_0", "1": "LABEL_1"}
    found = config.get("id2label", default)
    problems = []
    if found != wanted:
        problems.append(Problem("E408", f"config.json: id2label is {found!r:.120}, expected {wanted!r:.120}"))
    reverse = config.get("label2id")
    if reverse is not None and reverse != {label: int(number) for number, label in wanted.items()}:
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
