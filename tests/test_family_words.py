"""The engine names no family: no class, model type, tensor, quirk, preset, file or built-in name of any of them.

Not searched are the recorder's adapters, one per family.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from mappings import Family, all_families
from mappings.tensors.patterns import Pattern

ROOT = Path(__file__).parent.parent
ADAPTERS = ROOT / "verify" / "recorder" / "families"
ENDINGS = (".py", ".toml", ".j2", ".txt", ".css", ".json")
#: Parts of names and presets that are words of every network's, or of every program's.
ORDINARY = {
    *("self", "value", "query", "output", "attention", "summary", "scale", "decoder", "LayerNorm", "transform"),
    *("embeddings", "encoder", "layers", "layer", "pooler", "dense", "weight", "bias", "classifier", "attentions"),
    *("hidden_states", "layer_norm", "logits", "start_logits", "end_logits", "start_prob", "end_prob", "loss"),
    *("hidden_states.0", "layer_norm_eps", "pooler_output", "embeddings.sum", "release", "transformers", "paddlenlp"),
    *("self_attn.context", "context", "prediction_logits", "seq_relationship_logits", "predictions"),
    "PreTrainedTokenizerFast",  # transformers' class for every tokenizer.json
}


def words_of(family: Family) -> Iterator[str]:
    yield from (
        family.model_type,
        family.title,
        *re.split(r" and |, ", family.covers),
        family.tokenizer.tokenizer_class,
    )
    yield from family.class_names
    yield from (quirk.field for quirk in family.quirks)
    yield from (preset.name for preset in family.presets)
    yield from (model.name for model in family.pretrained)
    yield from (row.writer for row in family.configs)
    for table in family.tables.values():
        for row in (*table.backbone, *table.head):
            for name in (row.source.text, *(target.text for target in row.targets)):
                for values in Pattern(name).expand(1):
                    yield from Pattern(name).fill(values).split(".")
    for activation in (*family.network.begin, *family.network.layer, *family.network.ends):
        yield from (activation.name, *activation.module.split("."))
    if family.code is not None:
        yield from (family.code.package, *family.code.files, *family.code.placeholders.values())


def is_a_word_of_a_family(word: str) -> bool:
    return len(word) > 3 and word not in ORDINARY


def test_the_words_are_those_that_matter() -> None:
    words = {word for family in all_families() for word in words_of(family)}
    assert words >= {"ernie_m", "ERNIE-M", "UIEM", "UIE-M", "self_attn", "q_proj", "linear1", "norm1", "qa_outputs"}
    assert words >= {"implicit_mask_token_ids", "erniekit", "uie-m-base", "PaddleErnieMTokenizer", "word_embeddings"}


@pytest.mark.parametrize("folder", ["converter", "verify", "evaluation"])
def test_no_file_of_the_engine_has_a_word_of_a_family(folder: str) -> None:
    words = {word for family in all_families() for word in words_of(family) if is_a_word_of_a_family(word)}
    forms = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    pattern = re.compile(rf"(?<![A-Za-z0-9_])(?:{forms})(?![A-Za-z0-9_])|(?i:(?<!d)ernie)")
    found = [
        f"{path.relative_to(ROOT)}:{number}: {match[0]}"
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in ENDINGS and ADAPTERS not in path.parents and "__pycache__" not in path.parts
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for match in pattern.finditer(line)
    ]
    assert found == []
