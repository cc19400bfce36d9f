"""The pretrained models that the world knows, and what their own cards and papers say of them.

A model is known by the name that it was fetched under: PaddleNLP publishes no sums for the ERNIE-M weights, and sizes
alone would take anybody's own model for Baidu's.
"""

from __future__ import annotations

from dataclasses import dataclass

#: Of the cards of PaddlePaddle/ernie-m-base and -large on the Hub. The paper's 96 languages stand in the text.
_CARD_LANGUAGES = ("ar", "bg", "de", "el", "en", "es", "fr", "hi", "ru", "sw", "th", "ur", "vi", "zh")
#: PaddlePaddle/models, modelcenter/ERNIE-UIE: uie-m-base and uie-m-large are for Chinese and English.
_UIE_LANGUAGES = ("zh", "en")
_RELEASE = "https://github.com/PaddlePaddle/ERNIE/tree/repro/ernie-m"


@dataclass(frozen=True)
class Pretrained:
    """A pretrained model. `benchmarks`: rows of task, what it was fine-tuned on, metric, average."""

    name: str
    base_model: str
    languages: tuple[str, ...]
    attribution: str
    benchmarks: tuple[tuple[str, str, str, str], ...] = ()


_ERNIE_M = """\
The weights are Baidu's, published with PaddleNLP under the Apache license 2.0; paddle2torch trained nothing. ERNIE-M
was trained on monolingual text in 96 languages and a smaller parallel corpus, with cross-attention and back-translation
masked language modelling ([the paper](https://arxiv.org/abs/2012.15674) lists both). The languages in this card's
metadata are those of the models' own card on the Hub."""
_UIE_M = """\
The weights are Baidu's, published with PaddleNLP under the Apache license 2.0; paddle2torch trained nothing. UIE-M
is ERNIE-M fine-tuned by PaddleNLP for universal information extraction, for Chinese and English."""

_BASE = (
    ("XNLI, 15 languages", "English", "accuracy", "77.3"),
    ("XNLI, 15 languages", "all of them", "accuracy", "80.6"),
    ("CoNLL NER, 4 languages", "English", "F1", "79.56"),
    ("CoNLL NER, 4 languages", "all of them", "F1", "89.32"),
    ("MLQA, 7 languages", "English", "F1 / exact match", "68.7 / 50.2"),
)
_LARGE = (
    ("XNLI, 15 languages", "English", "accuracy", "82.0"),
    ("XNLI, 15 languages", "all of them", "accuracy", "84.2"),
    ("CoNLL NER, 4 languages", "English", "F1", "81.64"),
    ("CoNLL NER, 4 languages", "all of them", "F1", "90.81"),
    ("MLQA, 7 languages", "English", "F1 / exact match", "73.7 / 55.3"),
    ("PAWS-X, 7 languages", "English", "accuracy", "89.5"),
    ("PAWS-X, 7 languages", "all of them", "accuracy", "91.8"),
    ("Tatoeba", "nothing", "accuracy", "87.9"),
)
_KNOWN = {
    model.name: model
    for model in (
        Pretrained("ernie-m-base", "PaddlePaddle/ernie-m-base", _CARD_LANGUAGES, _ERNIE_M, _BASE),
        Pretrained("ernie-m-large", "PaddlePaddle/ernie-m-large", _CARD_LANGUAGES, _ERNIE_M, _LARGE),
        Pretrained("uie-m-base", "PaddlePaddle/ernie-m-base", _UIE_LANGUAGES, _UIE_M),
        Pretrained("uie-m-large", "PaddlePaddle/ernie-m-large", _UIE_LANGUAGES, _UIE_M),
    )
}
_OWNERS = ("PaddlePaddle/",)


def find_pretrained(origin: str | None) -> Pretrained | None:
    """The known model that a checkpoint was fetched as: a built-in name, or PaddlePaddle's repository of that name."""
    name = (origin or "").split("@")[0]
    for owner in _OWNERS:
        name = name.removeprefix(owner) if name.startswith(owner) else name
    return _KNOWN.get(name)


def render_benchmarks(model: Pretrained) -> str:
    """The paper's results for fine-tuned models, empty where there are none. The figures are not of this file."""
    if not model.benchmarks:
        return ""
    rows = "\n".join(f"| {task} | {tuned} | {metric} | {value} |" for task, tuned, metric, value in model.benchmarks)
    return f"""
## Benchmarks

Averages over the languages, of models that Baidu fine-tuned from these weights: [the paper's](https://arxiv.org/abs/2012.15674)
and [its code release's]({_RELEASE}) figures, not measured by paddle2torch.

| task | fine-tuned on | metric | {model.name} |
| --- | --- | --- | --- |
{rows}
"""
