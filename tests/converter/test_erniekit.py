"""ERNIEKit's ERNIE-M: its files by their content and its table of names, and its rules, held against a network of our
own that is written from its code (erniekit/modules/ernie.py, ernie_classification.py)."""

from __future__ import annotations

import json
import pickle
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from converter.common.errors import FileError, PlanError, SourceError
from converter.conversion import convert
from converter.inspection import inspect
from ernie_m import ErnieMForSequenceClassification

LAYERS, HEADS, HIDDEN, WORDS, PLACES, LABELS = 2, 2, 8, 30, 12, 3
CONFIG = {
    "attention_probs_dropout_prob": 0.1,
    "hidden_act": "gelu",
    "hidden_dropout_prob": 0.1,
    "hidden_size": HIDDEN,
    "initializer_range": 0.02,
    "max_position_embeddings": PLACES,
    "num_attention_heads": HEADS,
    "num_hidden_layers": LAYERS,
    "vocab_size": WORDS,
    "use_sent_id": False,
}
CONFIG_NAME = "ernie_m_1.0_base_config.json"
TABLE = "StructuredToParameterName@@"


def make_names() -> dict[str, tuple[str, tuple[int, ...]]]:
    """Key of ERNIEKit's class -> variable, shape."""
    names: dict[str, tuple[str, tuple[int, ...]]] = {
        "ernie_model.word_emb.weight": ("word_embedding", (WORDS, HIDDEN)),
        "ernie_model.pos_emb.weight": ("pos_embedding", (PLACES, HIDDEN)),
        "ernie_model.ln.weight": ("pre_encoder_layer_norm_scale", (HIDDEN,)),
        "ernie_model.ln.bias": ("pre_encoder_layer_norm_bias", (HIDDEN,)),
        "ernie_model.pooler.weight": ("pooled_fc.w_0", (HIDDEN, HIDDEN)),
        "ernie_model.pooler.bias": ("pooled_fc.b_0", (HIDDEN,)),
        "fc_prediction.weight": ("cls.w_0", (HIDDEN, LABELS)),
        "fc_prediction.bias": ("cls.b_0", (LABELS,)),
    }
    linears = {
        **{f"attn.{key}": (f"multi_head_att_{name}_fc", HIDDEN, HIDDEN) for key, name in zip("qkvo", QKVO)},
        "ffn.i": ("ffn_fc_0", HIDDEN, 4 * HIDDEN),
        "ffn.o": ("ffn_fc_1", 4 * HIDDEN, HIDDEN),
    }
    for layer in range(LAYERS):
        block, variable = f"ernie_model.encoder_stack.block.{layer}", f"encoder_layer_{layer}"
        for key, (name, rows, columns) in linears.items():
            names[f"{block}.{key}.weight"] = (f"{variable}_{name}.w_0", (rows, columns))
            names[f"{block}.{key}.bias"] = (f"{variable}_{name}.b_0", (columns,))
        for key, name in (("ln1", "post_att_layer_norm"), ("ln2", "post_ffn_layer_norm")):
            names[f"{block}.{key}.weight"] = (f"{variable}_{name}_scale", (HIDDEN,))
            names[f"{block}.{key}.bias"] = (f"{variable}_{name}_bias", (HIDDEN,))
    return names


QKVO = ("query", "key", "value", "output")
NAMES = make_names()


def make_weights() -> dict[str, np.ndarray]:
    """Variable -> random numbers."""
    random = np.random.default_rng(5)
    return {variable: random.standard_normal(shape).astype("<f4") for variable, shape in NAMES.values()}


WEIGHTS = make_weights()


def write(folder: Path, file: str, value: dict[str, Any], config: dict[str, Any] | None = None) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / file).write_bytes(pickle.dumps(value, 4))
    (folder / CONFIG_NAME).write_text(json.dumps(CONFIG if config is None else config))
    return folder


def pretrained(folder: Path) -> Path:
    """What download_ernie_m_1.0_base.sh unpacks: one pickle of variables called `params`."""
    return write(folder, "params", {name: array for name, array in WEIGHTS.items() if not name.startswith("cls.")})


def trained(folder: Path, **more: Any) -> Path:
    """A step of its trainer: keys of its own classes, and a table of their variables."""
    keys = {key: WEIGHTS[variable] for key, (variable, _) in NAMES.items()}
    return write(folder, "wenxin.pdparams", {**keys, TABLE: {key: name for key, (name, _) in NAMES.items()}, **more})


def trained_with_rows(folder: Path, rows: int) -> Path:
    """The same with so many rows in the table of words, whose rows come again and again."""
    key = next(key for key, (variable, _) in NAMES.items() if variable == "word_embedding")
    table = WEIGHTS["word_embedding"]
    trained(folder, **{key: table[np.arange(rows) % len(table)]})
    (folder / CONFIG_NAME).write_text(json.dumps({**CONFIG, "vocab_size": rows}))
    return folder


def linear(states: np.ndarray, name: str) -> np.ndarray:
    return states @ WEIGHTS[f"{name}.w_0"].astype(float) + WEIGHTS[f"{name}.b_0"]


def norm(states: np.ndarray, name: str) -> np.ndarray:
    centred = states - states.mean(-1, keepdims=True)
    scaled = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + float(np.float32(1e-5)))
    return scaled * WEIGHTS[f"{name}_scale"] + WEIGHTS[f"{name}_bias"]


def erniekit_logits(ids: np.ndarray) -> np.ndarray:
    """Positions from row 0; the mask is the outer product of `ids != 0`; the rest is a plain transformer."""
    shown = (ids != 0).astype(float)
    bias = (1.0 - shown[:, :, None] * shown[:, None, :])[:, None] * -10000.0
    words = WEIGHTS["word_embedding"].astype(float)[ids]
    states = norm(words + WEIGHTS["pos_embedding"].astype(float)[: ids.shape[1]], "pre_encoder_layer_norm")
    for layer in range(LAYERS):
        name = f"encoder_layer_{layer}"
        split = [
            linear(states, f"{name}_multi_head_att_{part}_fc").reshape(*ids.shape, HEADS, -1).swapaxes(1, 2)
            for part in ("query", "key", "value")
        ]
        scores = split[0] @ split[1].swapaxes(-1, -2) * (HIDDEN // HEADS) ** -0.5 + bias
        scores = np.exp(scores - scores.max(-1, keepdims=True))
        seen = (scores / scores.sum(-1, keepdims=True) @ split[2]).swapaxes(1, 2).reshape(states.shape)
        states = norm(states + linear(seen, f"{name}_multi_head_att_output_fc"), f"{name}_post_att_layer_norm")
        wide = linear(states, f"{name}_ffn_fc_0")
        wide = torch.nn.functional.gelu(torch.from_numpy(wide)).numpy()
        states = norm(states + linear(wide, f"{name}_ffn_fc_1"), f"{name}_post_ffn_layer_norm")
    return linear(np.tanh(linear(states[:, 0], "pooled_fc")), "cls")


@pytest.mark.parametrize("attention", ["eager", "sdpa"])
def test_the_logits_of_a_plain_call_are_erniekits(attention: str, tmp_path: Path) -> None:
    made = convert(trained(tmp_path / "step"), tmp_path / "out")
    assert made.source_class == "ErnieMForSequenceClassification" and made.behavior == "erniekit"
    model = ErnieMForSequenceClassification.from_pretrained(tmp_path / "out", attn_implementation=attention).double()
    ids = np.array([[0, 7, 8, 9, 2, 1], [0, 5, 2, 0, 6, 11]])
    with torch.no_grad():
        found = model.eval()(torch.from_numpy(ids)).logits.numpy()
    assert np.abs(found - erniekit_logits(ids)).max() < 1e-10
    # The rules matter here: those of the other behaviors give other logits.
    for name in ("release", "paddlenlp"):
        convert(trained(tmp_path / "step"), tmp_path / name, behavior=name)
        other = ErnieMForSequenceClassification.from_pretrained(tmp_path / name).double().eval()
        with torch.no_grad():
            assert np.abs(other(torch.from_numpy(ids)).logits.numpy() - erniekit_logits(ids)).max() > 1e-3


def test_config_manifest_card_and_warning_state_the_rules(tmp_path: Path) -> None:
    made = convert(trained(tmp_path / "step"), tmp_path / "out")
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    fields = ("implicit_mask_token_ids", "implicit_mask_queries", "position_offset", "id2label")
    labels = {"0": "LABEL_0", "1": "LABEL_1", "2": "LABEL_2"}
    assert [config[name] for name in fields] == [[0], True, 0, labels]
    assert json.loads((tmp_path / "out" / "paddle2torch.json").read_text())["behavior"] == "erniekit"
    card = (tmp_path / "out" / "README.md").read_text()
    assert "the behavior `erniekit`" in card and "What equals it" in card and "| `implicit_mask_queries` |" in card
    said = " ".join(made.warnings)
    assert "a checkpoint of ERNIEKit" in said and "--behavior release" in said and "table of variables" in said


def test_an_explicit_choice_of_other_rules_is_taken_with_a_warning(tmp_path: Path) -> None:
    made = convert(trained(tmp_path / "step"), tmp_path / "out", behavior="release")
    assert made.behavior == "release"
    assert any("behavior is 'erniekit'; the option 'release' is taken" in warning for warning in made.warnings)
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert config["position_offset"] == 2 and "implicit_mask_queries" not in config


@pytest.mark.parametrize("whole", [True, False])
def test_the_pretrained_weights_by_folder_and_by_file(whole: bool, tmp_path: Path) -> None:
    folder = pretrained(tmp_path / "ernie_m_1.0_base_dir")
    found = inspect(folder if whole else folder / "params")
    assert (found.source_class, found.behavior, found.problems) == ("ErnieMModel", "erniekit", ())
    assert found.tensors == len(WEIGHTS) - 2 and not found.dropped


def test_a_wrapper_in_front_of_the_keys_changes_nothing(tmp_path: Path) -> None:
    keys = {f"_layers.{key}": (variable, WEIGHTS[variable]) for key, (variable, _) in NAMES.items()}
    table = {key: variable for key, (variable, _) in keys.items()}
    folder = write(tmp_path / "a", "wenxin.pdparams", {**{k: array for k, (_, array) in keys.items()}, TABLE: table})
    assert inspect(folder).source_class == "ErnieMForSequenceClassification"


def test_a_weight_under_two_keys_is_taken_once_and_two_weights_of_one_name_are_refused(tmp_path: Path) -> None:
    table = {**{key: name for key, (name, _) in NAMES.items()}, "lm.weight": "word_embedding"}
    tied = trained(tmp_path / "tied", **{"lm.weight": WEIGHTS["word_embedding"].copy(), TABLE: table})
    found = inspect(tied)
    assert found.dropped == (("lm.weight", "the same weight as word_embedding, under a second key"),)
    other = trained(tmp_path / "other", **{"lm.weight": WEIGHTS["word_embedding"] + 1, TABLE: table})
    with pytest.raises(FileError, match=r"E306.*two tensors are the variable 'word_embedding', and differ"):
        inspect(other)


def test_a_table_is_not_asked_where_the_keys_are_known(tmp_path: Path) -> None:
    """PaddleNLP's keys stand, whatever the variables are called."""
    from tests.support.checkpoints import make_state, write_folder

    state = make_state()
    folder = write_folder(tmp_path, state)
    table = dict(zip(state, WEIGHTS))
    (folder / "model_state.pdparams").write_bytes(pickle.dumps({**state, TABLE: table}, 4))
    found = inspect(folder)
    assert found.behavior == "paddlenlp" and not found.problems and not found.dropped


@pytest.mark.parametrize("field", ["use_sent_id", "use_task_id"])
def test_an_erniekit_model_with_other_embeddings_is_no_ernie_m(field: str, tmp_path: Path) -> None:
    folder = trained(tmp_path)
    (folder / CONFIG_NAME).write_text(json.dumps({**CONFIG, field: True}))
    found = inspect(folder)
    assert re.search(
        f"E018.*{field} is True: the model then has an embedding that no ERNIE-M has", "".join(found.problems)
    )
    assert found.tensors and found.target_class is None


def test_several_configs_of_erniekits_are_asked_about(tmp_path: Path) -> None:
    folder = trained(tmp_path)
    (folder / "ernie_m_1.0_large_config.json").write_text(json.dumps(CONFIG))
    (problem,) = inspect(folder).problems
    assert problem.startswith("error[E010]: ") and f"{CONFIG_NAME}, ernie_m_1.0_large_config.json" in problem


def test_without_its_config_the_class_is_told_and_the_heads_are_asked_for(tmp_path: Path) -> None:
    folder = trained(tmp_path / "step")
    (folder / CONFIG_NAME).unlink()
    assert ["E010" in problem for problem in inspect(folder).problems] == [True]
    made = convert(folder, tmp_path / "out", num_attention_heads=HEADS)
    assert made.behavior == "erniekit" and made.source_class == "ErnieMForSequenceClassification"


@pytest.mark.parametrize("name", ["erniem.vocab.txt", "ernie_m.vocab.txt"])
@pytest.mark.parametrize("model", ["sentencepiece.bpe.model", "piece.model", "ernie_m.sentencepiece.bpe.model"])
def test_the_vocabulary_under_its_other_names(name: str, model: str, tmp_path: Path) -> None:
    folder = trained(tmp_path / "step")
    tokens = ["[CLS]", "[PAD]", "[SEP]", "[UNK]", "[MASK]", "a"]
    (folder / name).write_text("".join(f"{token}\n" for token in tokens))
    found = inspect(folder)
    assert not found.tokenizer and f"{name} is there without a sentencepiece.bpe.model" in " ".join(found.warnings)
    (folder / model).write_bytes(b"\x0a\x03\x0a\x01a" * 4)
    made = convert(folder, tmp_path / "out")
    said = " ".join(made.warnings)
    assert made.tokenizer and f"{name} is taken as vocab.txt" in said and "FullTokenizerErnieM" in said
    assert (tmp_path / "out" / "vocab.txt").read_text().split("\n")[:6] == tokens
    settings = json.loads((tmp_path / "out" / "tokenizer_config.json").read_text())
    assert settings["piece_rule"] == "release" and settings["model_max_length"] == PLACES


def test_the_reported_files_are_read(shared_data: Path) -> None:
    reports = shared_data / "reports" / "erniekit"
    step = inspect(reports / "save_checkpoints" / "checkpoints_step_100")
    base = inspect(reports / "ernie_m_1.0_base_dir")
    assert (step.source_class, step.problems) == ("ErnieMForSequenceClassification", ())
    assert (base.source_class, base.problems) == ("ErnieMModel", ())
    with pytest.raises(SourceError, match="Do you mean checkpoints_step_100 in it"):
        inspect(reports / "save_checkpoints")


def test_a_head_of_erniekits_that_is_missing_is_missing(tmp_path: Path) -> None:
    value = {name: array for name, array in WEIGHTS.items() if name != "cls.b_0"}
    with pytest.raises(PlanError, match="E105.*classifier.bias"):
        convert(write(tmp_path / "a", "params", value), tmp_path / "out")
