"""The recorder's own way to the weights, for every form that checkpoints have: nothing of the converter is in it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from converter.conversion import convert
from tests.support.classes import ERNIE_M_CLASSES
from verify import verify
from verify.numbers.pytorch_process import Start
from verify.recorder.errors import Refused
from verify.recorder.families.automatic_names import has_automatic_names, name_automatic
from verify.recorder.families.ernie_m.names import AUTOMATIC_NOTE
from verify.recorder.families.ernie_m.release_names import (
    fields_from_weights,
    fits_release,
    name_release,
    release_lists,
    release_to_paddlenlp,
)
from verify.recorder.families.ernie_m.release_tokens import clean, cut_commas, release_ids
from verify.recorder.sources.checkpoint import find_static, weight_files
from verify.reference.bundle_recorder import RECORDER, write_recorder

#: Samples that are not opened by their top folder.
INSIDE = {"pd33-trainer-checkpoint": "checkpoint-2", "pd18-finetuned-seqcls-persistables": "step_1"}
#: Opened by name alone, or links that git copied as text: `verify` gives the recorder the files.
NOT_BY_HAND = {"pd33-nlp-variant", "odd-hf-cache-symlinks", "pd33-static-save", "pd18-finetuned-seqcls-persistables"}


@pytest.fixture(scope="module")
def wrong(
    run_paddle: Callable[..., None], shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, str]:
    """Sample -> what of its weights did not arrive; one Paddle for all of them."""
    folder = tmp_path_factory.mktemp("weights")
    write_recorder(folder / RECORDER)
    places = {}
    for sample in sorted((shared_data / "checkpoints").iterdir()):
        if sample.name not in NOT_BY_HAND:
            inside = sample / INSIDE.get(sample.name, "inference" if (sample / "inference").is_dir() else "")
            places[str(inside)] = sample.name
    run_paddle("recorder_weights.py", folder / RECORDER, folder / "wrong.json", *places)
    return {places[path]: text for path, text in json.loads((folder / "wrong.json").read_text()).items()}


def test_every_sample_arrives_bit_for_bit(wrong: dict[str, str]) -> None:
    assert len(wrong) >= 30
    assert {name: text for name, text in wrong.items() if text} == {}


@pytest.mark.parametrize(
    ("sample", "options", "told"),
    [
        ("pd18-release-combined", {}, "2021 release's variables under PaddleNLP's names, in PaddleNLP's class"),
        ("pd18-finetuned-seqcls-persistables", {}, "2021 release's variables under PaddleNLP's names"),
        ("pd33-static-save", {"num_attention_heads": 4}, "shows [CLS] and hides [PAD]"),
        ("pd33-jit-uiem", {"num_attention_heads": 4}, "the exported program itself gives the same numbers"),
        ("pd33-nlp-variant", {}, "read by PaddleNLP's ErnieMConfig"),
    ],
)
def test_paddle_computes_what_paddlenlp_cannot_open(
    sample: str,
    options: dict[str, Any],
    told: str,
    shared_data: Path,
    paddle_python: Path,
    ready: Start,
    tmp_path: Path,
) -> None:
    source = shared_data / "checkpoints" / sample
    convert(source, tmp_path / "out", **options)
    report = verify(source, tmp_path / "out", paddle_python=paddle_python, start=ready)
    assert report.passed and "numbers" in report.checked, report.problems
    assert told in "; ".join(report.reference["how"])


def test_release_names() -> None:
    name = release_to_paddlenlp
    assert name("encoder_layer_11_multi_head_att_query_fc.w_0") == "encoder.layers.11.self_attn.q_proj.weight"
    assert name("encoder_layer_0_post_att_layer_norm_scale") == "encoder.layers.0.norm1.weight"
    assert name("encoder_layer_0_ffn_fc_1.b_0") == "encoder.layers.0.linear2.bias"
    assert name("cls_mrc_out_w") == "classifier.weight"
    assert name("mask_lm_trans_fc.w_0") is None and name("encoder_layer_01_ffn_fc_1.b_0") is None


def test_the_whole_numbers_are_taken_where_half_precision_is_beside_them() -> None:
    weights = {"word_embedding": np.float16([1]), "word_embedding.master": np.float32([2]), "other": np.float32([3])}
    named, notes = name_release(dict(weights), {"embeddings.word_embeddings.weight": None})
    assert {key: value.tolist() for key, value in named.items()} == {
        "embeddings.word_embeddings.weight": [2],
        "other": [3],
    }
    assert "float32 copy was taken of 1" in notes[1]


def _parameters(*numbers: int) -> dict[str, Any]:
    return {f"part{number}": SimpleNamespace(name=f"linear_{number}.w_0") for number in numbers}


def test_automatic_names_count_from_the_first_of_their_kind() -> None:
    """A process that made other layers first counts on: 20, 21, 29 are our 7, 8, 16; 22 to 28 were left out."""
    weights = {"linear_29.w_0": 1, "linear_20.w_0_deepcopy_3": 2, "linear_21.w_0": 3}
    assert has_automatic_names(weights) and "order" in AUTOMATIC_NOTE
    assert name_automatic(weights, _parameters(*range(7, 17))) == {"part7": 2, "part8": 3, "part16": 1}


def test_an_automatic_name_without_a_place_is_refused() -> None:
    with pytest.raises(Refused, match=r"linear_9\.w_0 has no counterpart"):
        name_automatic({"linear_0.w_0": 1, "linear_9.w_0": 2}, _parameters(0, 1))
    with pytest.raises(Refused, match="no number to go by"):
        name_automatic({"linear_0.w_0": 1}, {"a": SimpleNamespace(name="weight")})


def test_the_class_is_told_by_the_head() -> None:
    head = {"word_embedding": None, "cls_seq_label_out_b": np.zeros(7)}
    assert fields_from_weights(head) == {"architecture": "ErnieMForTokenClassification", "num_labels": 7}
    assert fields_from_weights({"word_embedding": None})["architecture"] in ERNIE_M_CLASSES
    assert fields_from_weights({"embeddings.word_embeddings.weight": None}) == {}


@pytest.mark.parametrize(
    ("stored", "name"),
    [
        ("mask_lm_trans_fc.w_0", "lm_head.dense.weight"),
        ("mask_lm_trans_fc.b_0", "lm_head.dense.bias"),
        ("mask_lm_trans_layer_norm_scale", "lm_head.layer_norm.weight"),
        ("mask_lm_trans_layer_norm_bias", "lm_head.layer_norm.bias"),
        ("mask_lm_out_fc.b_0", "lm_head.bias"),
    ],
)
def test_the_head_of_pre_training_is_of_one_class_alone(stored: str, name: str) -> None:
    """A variable of the head among the release's: taken by the class that has it, left alone by others."""
    weights = {"word_embedding": "words", stored: "head", f"{stored}.master": "whole"}
    with_head, notes = name_release(dict(weights), {"ernie_m.x": None, "lm_head.bias": None})
    assert with_head == {"ernie_m.embeddings.word_embeddings.weight": "words", name: "whole"}
    assert "float32 copy was taken of 1" in notes[1]
    without, _ = name_release(dict(weights), {"ernie_m.x": None})
    assert without == {"ernie_m.embeddings.word_embeddings.weight": "words", f"{stored}.master": "whole"}


def test_a_file_without_names_is_sorted_as_text() -> None:
    with_pooler, without = release_lists(12, "ErnieMForSequenceClassification")
    assert len(with_pooler) == 200 and len(without) == 198 and with_pooler[:2] == ["cls_out_b", "cls_out_w"]
    layers = [name.split("_")[2] for name in with_pooler if name.endswith("ffn_fc_0.w_0")]
    assert layers[:4] == ["0", "10", "11", "1"]
    assert with_pooler == sorted(with_pooler)


def test_shapes_tell_one_list_from_another() -> None:
    hidden = 4
    right = {"word_embedding": (9, hidden), "pos_embedding": (5, hidden), "pooled_fc.w_0": (hidden, hidden)}
    right.update({"encoder_layer_0_ffn_fc_0.w_0": (hidden, 16), "encoder_layer_0_ffn_fc_1.b_0": (hidden,)})
    right.update({"cls_out_w": (hidden, 3), "cls_out_b": (3,)})
    assert fits_release({name: np.zeros(shape) for name, shape in right.items()})
    for name, shape in right.items():
        if name not in ("word_embedding", "cls_out_b"):
            changed = {**right, name: (*shape[:-1], shape[-1] + 1)} if name != "cls_out_w" else {**right, name: (5, 3)}
            assert not fits_release({key: np.zeros(value) for key, value in changed.items()}), name


def start_file(path: Path) -> str:
    """A file that starts as one of its name does, which is what the recorder knows it by."""
    starts = {".safetensors": b"\2\0\0\0\0\0\0\0{}", ".bin": b"PK\3\4", ".pdparams": b"\x80\4}."}
    path.write_bytes(starts[path.suffix])
    return str(path)


def test_what_nobody_looked_at_is_not_opened(tmp_path: Path) -> None:
    for name in ("word_embedding", "pos_embedding"):
        (tmp_path / "params").mkdir(exist_ok=True)
        (tmp_path / "params" / name).touch()
    files = [str(tmp_path / "params" / name) for name in ("pos_embedding", "word_embedding")]
    assert find_static(str(tmp_path)) == files == weight_files(str(tmp_path), files)
    (tmp_path / "model_state.pdparams").touch()
    with pytest.raises(Refused, match=r"model_state\.pdparams, which is not among the files that were checked"):
        weight_files(str(tmp_path), [start_file(tmp_path / "other.pdparams")])


@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin", "model_state.pdparams"])
def test_an_index_stands_for_its_shards(tmp_path: Path, name: str) -> None:
    """Named as SOURCE, or found in its folder; a shard that nobody looked at is not opened."""
    stem, suffix = name.split(".", 1)
    shards = [start_file(tmp_path / f"{stem}-{number}.{suffix}") for number in (1, 2)]
    places = {"b": Path(shards[1]).name, "a": Path(shards[0]).name, "c": Path(shards[0]).name}
    index = tmp_path / f"{name}.index.json"
    index.write_text(json.dumps({"weight_map": places}))
    for source in (str(index), str(tmp_path)):
        assert weight_files(source, shards) == weight_files(source, None) == shards
        with pytest.raises(Refused, match=f"{stem}-2.*not among the files that were checked"):
            weight_files(source, shards[:1])


def test_two_exports_in_one_folder_are_refused(tmp_path: Path) -> None:
    for name in ("a.pdiparams", "b.pdiparams"):
        (tmp_path / name).touch()
    with pytest.raises(Refused, match="2 static graphs"):
        find_static(str(tmp_path))


class Pieces:
    """Stands for sentencepiece: a mark in front of every text, one piece a character."""

    def EncodeAsPieces(self, text: str) -> list[str]:
        return ["\u2581" + text[0], *text[1:]] if text else []


def test_the_release_cuts_a_comma_off_a_number() -> None:
    pieces = cut_commas(Pieces(), ["\u258116,", "16,", "a,", ",", "\u2581,", "1;"])
    assert pieces == ["\u25811", "6", ",", "1", "6", ",", "a,", ",", "\u2581,", "1;"]


def test_the_release_cleans() -> None:
    assert clean("\u201ca\u2014b\u2019\u200b\t\u3000c\x07") == "\"a-b'  c"


@pytest.fixture
def release_folder(shared_data: Path, tmp_path: Path) -> Iterator[Path]:
    """The release's two files, under its names and in its form."""
    tokens = (shared_data / "ernie_m.vocab.txt").read_bytes().decode("utf-8").rstrip("\n").split("\n")
    lines = "".join(f"{token}\t{number}\n" for number, token in enumerate(tokens))
    (tmp_path / "vocab.txt").write_bytes(lines.encode("utf-8"))
    (tmp_path / "piece.model").symlink_to(shared_data / "ernie_m.sentencepiece.bpe.model")
    yield tmp_path


def test_release_ids_are_those_of_the_release(release_folder: Path, shared_data: Path) -> None:
    """5,219 texts with the ids that the release's own code gave."""
    pytest.importorskip("sentencepiece")
    with np.load(shared_data / "release_tokens.npz") as file:
        texts, ids, offsets = json.loads(bytes(file["texts"])), file["ids"], file["offsets"]
    found = release_ids(str(release_folder), texts)
    wrong = [
        text
        for number, (text, row) in enumerate(zip(texts, found))
        if row[1:-1] != ids[offsets[number] : offsets[number + 1]].tolist()
    ]
    assert len(found) == len(texts) > 5000 and wrong == []
    assert release_ids(str(release_folder), ["a [MASK] b"])[0][2] == 250001
