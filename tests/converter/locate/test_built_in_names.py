"""The built-in names of every family against a server on this machine: files, sums, and the class that follows."""

from __future__ import annotations

import hashlib
import json
import pickle
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converter.common.errors import FetchError
from converter.conversion import convert
from converter.locate import builtin_models as table
from converter.locate.locate import locate
from converter.open.source import open_source
from converter.plan.make_plan import make_plan
from mappings import all_families, find_class
from mappings.pretrained import Pretrained
from tests.support.checkpoints import make_state
from tests.support.server import Server, whole

VOCABULARY = "".join(f"{token}\n" for token in ["[PAD]", "[CLS]", "[SEP]", "[MASK]", *"abcdefgh", "[UNK]"]).encode()
SIZES = {
    **{"vocab_size": 30, "hidden_size": 8, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32},
    **{"max_position_embeddings": 10, "type_vocab_size": 4, "task_type_vocab_size": 3},
}
#: Name -> the class that its file holds here.
NAMES = {
    "uie-base": "UIE",
    "uie-senta-base": "UIE",
    "ernie-3.0-base-zh": "ErnieForMaskedLM",
    "ernie-1.0": "ErnieModel",
    "rocketqa-zh-dureader-query-encoder": "ErnieModel",
    "rocketqa-base-cross-encoder": "ErnieForSequenceClassification",
    "ernie-2.0-base-en-finetuned-squad": "ErnieForQuestionAnswering",
    "ernie-gram-zh": "ErnieGramModel",
    "ernie-gram-zh-finetuned-dureader-robust": "ErnieGramForQuestionAnswering",
    "skep_ernie_1.0_large_ch": "SkepModel",
    "ernie-health-chinese": "ElectraModel",
}


def tiny_state(source_class: str, config: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The weights of a class; task types where the config has them, two labels."""
    state = make_state(source_class, vocab_size=30, embedding_size=8)
    if not config.get("use_task_id"):
        state = {name: array for name, array in state.items() if "task_type" not in name}
    return {name: array[..., :2] if name.startswith("classifier") else array for name, array in state.items()}


def tiny_config(config: Mapping[str, Any]) -> dict[str, Any]:
    wanted = {**SIZES, "embedding_size": 8}
    return {key: wanted.get(key, value) for key, value in config.items()}


@pytest.fixture
def serve(server: Server, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Puts a tiny model of a class behind a built-in name; the sums are those of its files where the name has any."""
    monkeypatch.setenv(table.VARIABLE, server.url)
    store: dict[str, Pretrained] = {}
    real = dict(table.built_in_names())
    monkeypatch.setattr(table, "built_in_names", lambda: store)

    def put(name: str, source_class: str) -> Pretrained:
        model = real[name]
        family = find_class(source_class)[0]  # type: ignore[index]
        of_store = {"model_type": family.model_type, "architectures": [source_class], "use_task_id": True, **SIZES}
        config = tiny_config(model.config or of_store)
        bodies = {
            "model_state.pdparams": pickle.dumps(tiny_state(source_class, config), 4),
            "vocab.txt": VOCABULARY,
            "config.json": json.dumps(config).encode(),
            "model_config.json": json.dumps(
                {"init_class": source_class, "init_args": [{**config, "init_class": family.base_class.source}]}
            ).encode(),
        }
        files = []
        for file in model.files:
            body = bodies.get(file.name, b"{}")
            server.on(f"/{file.at}", whole(body))
            files.append(replace(file, md5=file.md5 and hashlib.md5(body).hexdigest()))
        store[name] = replace(model, files=tuple(files), config=config if model.config is not None else None)
        return store[name]

    return put


@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_fetched_and_has_its_class(name: str, serve: Any) -> None:
    served = serve(name, NAMES[name])
    found = locate(name)
    assert found.origin == name and {file.name for file in served.files} <= {p.name for p in found.path.iterdir()}
    source = open_source(found.path)
    assert source.config.architecture == NAMES[name] and source.tokenizer is not None
    names_a_class = served.config is None or "architectures" in served.config
    assert source.config.class_from == ("config" if names_a_class else "content")
    assert make_plan(source).table.source_class == NAMES[name]


@pytest.mark.parametrize(("held", "taken"), [("ErnieModel", "ErnieModel"), ("ErnieForMaskedLM", "ErnieForMaskedLM")])
def test_the_class_of_a_base_name_is_that_of_its_content(held: str, taken: str, serve: Any, tmp_path: Path) -> None:
    serve("ernie-3.0-base-zh", held)
    convert("ernie-3.0-base-zh", tmp_path / "out")
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert config["architectures"] == [taken] and config["layer_norm_eps"] == 1e-12
    assert json.loads((tmp_path / "out" / "paddle2torch.json").read_text())["source"]["origin"] == "ernie-3.0-base-zh"


@pytest.mark.parametrize("name", ["uie-base", "rocketqa-base-cross-encoder", "skep_ernie_1.0_large_ch"])
def test_a_wrong_sum_is_refused_and_not_kept(name: str, serve: Any, server: Server, tmp_path: Path) -> None:
    served = serve(name, NAMES[name])
    weights = next(file for file in served.files if file.name == "model_state.pdparams")
    assert weights.md5
    state = {name: array + 1 for name, array in tiny_state(NAMES[name], {}).items()}
    server.on(f"/{weights.at}", whole(pickle.dumps(state, 4)))
    with pytest.raises(FetchError, match=f"E705.*model_state.pdparams: md5 is [0-9a-f]{{32}}, expected {weights.md5}"):
        locate(name)
    assert not list((tmp_path / "cache").rglob("model_state.pdparams"))


def test_every_name_leads_to_a_class_of_its_family() -> None:
    for family in all_families():
        for model in family.pretrained:
            names = (model.config or {}).get("architectures", [family.base_class.source])
            assert all(family.class_named(name) for name in names), model.name
            assert (model.config or {}).get("model_type", family.model_type) == family.model_type
