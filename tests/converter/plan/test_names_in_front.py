"""Names with something in front of them: wrappers that are taken off, attributes that an option takes off, the encoder
out of a class with a head, and names of other models, which are named for what they are."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from converter.common.errors import Paddle2TorchError, PlanError, SourceError
from converter.conversion import convert
from converter.inspection import inspect
from converter.open.config.config import what_is_converted
from converter.open.dispatch import open_weights
from tests.support.checkpoints import make_config, make_state, write_folder

HEAD = "ErnieMForSequenceClassification"
OWN = {"fc.weight": np.ones((8, 3), "<f4"), "fc.bias": np.ones(3, "<f4")}


def front(prefix: str, state: dict[str, Any]) -> dict[str, Any]:
    return {prefix + name: array for name, array in state.items()}


def bytes_of(output: Path) -> bytes:
    return (output / "model.safetensors").read_bytes()


@pytest.mark.parametrize("prefix", ["_layers.", "module.", "_orig_mod.", "_forward_module.", "module._orig_mod."])
@pytest.mark.parametrize("class_name", ["ErnieMModel", HEAD, "UIEM"])
def test_a_wrapper_that_every_name_has_is_taken_off(prefix: str, class_name: str, tmp_path: Path) -> None:
    state, config = make_state(class_name), make_config(class_name)
    plain = write_folder(tmp_path / "plain", state, config)
    wrapped = write_folder(tmp_path / "wrapped", front(prefix, state), config)
    convert(plain, tmp_path / "a")
    made = convert(wrapped, tmp_path / "b")
    assert bytes_of(tmp_path / "a") == bytes_of(tmp_path / "b")
    assert any(warning.startswith(f"every name starts with '{prefix}'") for warning in made.warnings)
    manifest = json.loads((tmp_path / "b" / "paddle2torch.json").read_text())
    assert manifest["source"]["prefix"] == prefix
    first = manifest["tensors"][0]
    assert first["stored_as"] == prefix + first["source"]


def test_a_wrapper_that_only_some_names_have_is_not_taken_off(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, {**front("module.", make_state()), **OWN})
    (problem,) = inspect(folder).problems
    assert problem.startswith("error[E115]: 38 of 40 names start with 'module.', the name of torch's DataParallel, ")


def test_torch_files_of_a_wrapped_model(tmp_path: Path) -> None:
    table = make_state(HEAD, scheme=1)
    (tmp_path / "config.json").write_text(json.dumps(make_config(HEAD)))
    torch.save({f"module.{name}": torch.from_numpy(array) for name, array in table.items()}, tmp_path / "best.pt")
    found = inspect(tmp_path / "best.pt")
    assert (found.source_class, found.behavior, found.problems) == (HEAD, "transformers", ())
    lightning = {f"model.{name}": torch.from_numpy(array) for name, array in table.items()}
    torch.save(lightning, tmp_path / "best.pt")
    (problem,) = inspect(tmp_path / "best.pt").problems
    assert "E115" in problem and "--prefix model. takes it off" in problem
    assert not inspect(tmp_path / "best.pt", prefix="model.").problems
    save_file(front("model.", table), tmp_path / "model.safetensors")
    assert inspect(tmp_path / "model.safetensors", prefix="model.").behavior == "transformers"


@pytest.mark.parametrize(
    ("prefix", "class_name", "option"),
    [
        ("model.", HEAD, "--prefix model."),
        ("net.student.", HEAD, "--prefix net.student."),
        ("ernie.", "ErnieMModel", "--prefix ernie."),
        ("a b.", "ErnieMModel", "--prefix 'a b.'"),
    ],
)
def test_what_every_name_starts_with_is_one_sentence_with_the_option(
    prefix: str, class_name: str, option: str, tmp_path: Path
) -> None:
    folder = write_folder(tmp_path / "s", front(prefix, make_state(class_name)), make_config(class_name))
    (problem,) = inspect(folder).problems
    expected = f"every name starts with '{prefix}', which no name of {class_name} does: {option} takes it off"
    assert problem == f"error[E115]: {expected}. Try: paddle2torch inspect {folder} {option}"
    plain = write_folder(tmp_path / "plain", make_state(class_name), make_config(class_name))
    convert(plain, tmp_path / "a")
    convert(folder, tmp_path / "b", prefix=prefix)
    assert bytes_of(tmp_path / "a") == bytes_of(tmp_path / "b")


def test_an_encoder_in_a_network_of_ones_own_is_taken_alone(tmp_path: Path) -> None:
    """`self.ptm = ErnieMModel(...)` and heads next to it."""
    state = make_state()
    folder = write_folder(tmp_path / "s", {**front("ptm.", state), **OWN}, make_config(HEAD))
    (problem,) = inspect(folder).problems
    assert "38 of 40 names start with 'ptm.'" in problem
    assert problem.endswith(f"paddle2torch inspect {folder} --prefix ptm. --architecture ErnieMModel")
    made = convert(folder, tmp_path / "b", prefix="ptm.", architecture="ErnieMModel")
    convert(write_folder(tmp_path / "plain", state), tmp_path / "a")
    assert bytes_of(tmp_path / "a") == bytes_of(tmp_path / "b")
    assert [name for name, _ in made.dropped] == ["fc.weight", "fc.bias"]
    assert any("fc.weight, fc.bias" in warning for warning in made.warnings)


def test_two_encoders_in_one_network_are_both_named_and_either_is_taken(tmp_path: Path) -> None:
    first, second = make_state(), {name: array + 1 for name, array in make_state().items()}
    folder = write_folder(tmp_path / "s", {**front("query.", first), **front("title.", second)}, make_config())
    (problem,) = inspect(folder).problems
    assert "38 of 76 names start with 'query.'" in problem and "so could 'title.', which are other models" in problem
    made = convert(folder, tmp_path / "b", prefix="title.")
    convert(write_folder(tmp_path / "plain", second), tmp_path / "a")
    assert bytes_of(tmp_path / "a") == bytes_of(tmp_path / "b") and len(made.dropped) == 38


def test_without_a_class_both_the_class_and_the_prefix_are_asked_for(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, {**front("ptm.", make_state()), **OWN}, make_config(architectures=...))
    first, second = inspect(folder).problems
    assert "E010" in first and "--architecture ErnieMModel takes the encoder" in first
    assert second.endswith("--prefix ptm. --architecture ErnieMModel")


def test_a_prefix_that_no_name_has_and_one_that_makes_two_names_one(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "a", make_state())
    with pytest.raises(SourceError, match=r"E091.*--prefix bert\.: no name starts with it\. Found: embeddings"):
        inspect(folder, prefix="bert.")
    both = write_folder(tmp_path / "b", {**make_state(), **front("x.", make_state())})
    with pytest.raises(Paddle2TorchError, match=r"E103.*is there with 'x\.' in front of it and without"):
        inspect(both, prefix="x.")
    wrapped = write_folder(tmp_path / "c", front("module.", make_state()))
    assert "E115" in inspect(wrapped, prefix="").problems[0]


@pytest.mark.parametrize("class_name", [HEAD, "ErnieMForQuestionAnswering", "ErnieMForMultipleChoice", "UIEM"])
def test_the_encoder_of_a_class_with_a_head_is_taken_where_it_is_asked_for(class_name: str, tmp_path: Path) -> None:
    state = make_state(class_name)
    folder = write_folder(tmp_path / "s", state, make_config(class_name))
    made = convert(folder, tmp_path / "b", architecture="ErnieMModel")
    encoder = {name[len("ernie_m.") :]: array for name, array in state.items() if name.startswith("ernie_m.")}
    convert(write_folder(tmp_path / "plain", encoder), tmp_path / "a")
    assert bytes_of(tmp_path / "a") == bytes_of(tmp_path / "b")
    heads = [name for name in state if not name.startswith("ernie_m.")]
    assert [name for name, _ in made.dropped] == heads
    assert any("takes alone, as PaddleNLP does" in warning for warning in made.warnings)
    assert inspect(folder).source_class == class_name


def test_somebodys_own_heads_after_ernie_m(tmp_path: Path) -> None:
    state = {**front("ernie_m.", make_state()), **OWN}
    folder = write_folder(tmp_path / "s", state, make_config(architectures=...))
    assert "E010" in inspect(folder).problems[0]
    found = inspect(folder, architecture="ErnieMModel")
    assert not found.problems and [name for name, _ in found.dropped] == list(OWN)
    half = {name: array for name, array in state.items() if "norm1.bias" not in name}
    lost = write_folder(tmp_path / "half", half, make_config(architectures=...))
    assert "E101" in inspect(lost, architecture="ErnieMModel").problems[0]


def test_a_config_that_says_the_model_itself_is_no_request_for_the_encoder(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, make_state(HEAD), make_config("ErnieMModel"))
    assert inspect(folder).problems


def test_the_list_of_what_was_found_begins_a_sentence(tmp_path: Path) -> None:
    folder = write_folder(tmp_path, {"a": OWN["fc.bias"]})
    (problem,) = inspect(folder).problems
    assert problem.endswith("so this is no ErnieMModel checkpoint. Found: a")


def bert_like(prefix: str, *more: str) -> dict[str, Any]:
    names = ["embeddings.word_embeddings.weight", "embeddings.token_type_embeddings.weight", *more]
    return {prefix + name: np.ones((4, 8), "<f4") for name in [*names, "encoder.layers.0.linear1.weight"]}


# Without a config the names of ERNIE and of its relatives are those of a model that is converted.
@pytest.mark.parametrize(
    ("state", "said", "config"),
    [
        (bert_like("ernie.", "embeddings.task_type_embeddings.weight"), "are ERNIE's names, not ERNIE-M's", True),
        (bert_like("", "embeddings.task_type_embeddings.weight"), "are ERNIE's names, not ERNIE-M's", True),
        (bert_like("bert."), "are BERT's names, not ERNIE-M's", True),
        (bert_like("bert."), "are BERT's names, not ERNIE-M's", False),
        (bert_like("roberta."), "are RoBERTa's names, not ERNIE-M's", True),
        (bert_like("roberta."), "are RoBERTa's names, not ERNIE-M's", False),
        (bert_like("electra."), "are names of another model: ERNIE-M has no embedding of token types", True),
        (bert_like(""), "are names of another model", True),
    ],
)
def test_another_models_names_are_named(state: dict[str, Any], said: str, config: bool, tmp_path: Path) -> None:
    folder = write_folder(tmp_path, state, make_config() if config else {})
    (problem,) = inspect(folder, **({} if config else {"num_attention_heads": 2})).problems
    assert problem.startswith("error[E116]: ") and said in problem
    assert problem.endswith(f"paddle2torch converts {what_is_converted()}")


def test_an_ernie_m_next_to_another_model_is_read(tmp_path: Path) -> None:
    state = {**front("ernie_m.", make_state()), **bert_like("bert.")}
    folder = write_folder(tmp_path, state, make_config(architectures=...))
    assert not inspect(folder, architecture="ErnieMModel").problems


def test_uie_pytorchs_conversion_is_named(tmp_path: Path) -> None:
    names = [f"encoder.encoder.layer.0.attention.self.{part}.weight" for part in ("query", "key", "value")]
    state = {name: torch.ones(8, 8) for name in ["encoder.embeddings.word_embeddings.weight", *names]}
    torch.save(state, tmp_path / "pytorch_model.bin")
    (tmp_path / "config.json").write_text(json.dumps(make_config("UIEM")))
    (problem,) = inspect(tmp_path).problems
    assert problem.startswith("error[E117]: ") and "uie_pytorch" in problem
    assert "Convert the Paddle folder that it was made from" in problem


def hub_folder(folder: Path, mark: str = "@HUB_ernie_m@") -> Path:
    """A file per variable, as PaddleHub names them, one of them with the optimizer's state beside it."""
    from tests.converter.test_erniekit import WEIGHTS
    from tests.support.streams import stream

    folder.mkdir()
    for name, array in WEIGHTS.items():
        if not name.startswith("cls."):
            (folder / (mark + name)).write_bytes(stream(array))
    (folder / f"{mark}word_embedding_moment1_0").write_bytes(stream(WEIGHTS["word_embedding"]))
    return folder


def test_paddlehubs_mark_is_taken_off(tmp_path: Path) -> None:
    found = open_weights(hub_folder(tmp_path / "params"))
    assert found.naming == "official" and found.prefix == "@HUB_ernie_m@"
    assert found.tensors["embeddings.word_embeddings.weight"].stored_as == "@HUB_ernie_m@word_embedding"
    assert any("PaddleHub's mark: taken off" in warning for warning in found.warnings)
    assert found.left_out == (("@HUB_ernie_m@word_embedding_moment1_0", "the optimizer's state"),)


def test_variables_of_two_modules_of_paddlehubs_are_refused(tmp_path: Path) -> None:
    folder = hub_folder(tmp_path / "params")
    (folder / "@HUB_ernie_m@word_embedding").rename(folder / "@HUB_other@word_embedding")
    with pytest.raises(Paddle2TorchError, match="E323.*'@HUB_...@' is PaddleHub's mark"):
        open_weights(folder)


def test_a_state_dict_of_a_wrapped_release(tmp_path: Path) -> None:
    from tests.converter.test_erniekit import WEIGHTS

    state = {f"_layers.{name}": array for name, array in WEIGHTS.items() if not name.startswith("cls.")}
    (tmp_path / "x.pdparams").write_bytes(pickle.dumps(state, 4))
    found = inspect(tmp_path / "x.pdparams", num_attention_heads=2)
    assert not found.problems and found.behavior == "release"


def test_a_plan_error_is_what_stops_the_conversion(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "s", front("model.", make_state()))
    with pytest.raises(PlanError, match="E115"):
        convert(folder, tmp_path / "out")
    assert not (tmp_path / "out").exists()
