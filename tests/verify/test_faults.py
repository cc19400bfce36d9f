"""What is wrong is found and named: by the weights, and by the numbers or tokens alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from verify import Report, verify
from verify.numbers.pytorch_process import Start
from verify.report.terminal import render_table

Damage = Callable[[Path], None]


def change_weights(change: Callable[[dict[str, np.ndarray]], None]) -> Damage:
    def damage(output: Path) -> None:
        from safetensors.numpy import load_file, save_file

        tensors = load_file(output / "model.safetensors")
        change(tensors)
        whole = {name: np.ascontiguousarray(tensor) for name, tensor in tensors.items()}
        save_file(whole, output / "model.safetensors", metadata={"format": "pt"})

    return damage


def last_place(name: str, *index: int) -> Damage:
    """One element, by one unit in the last place."""

    def change(tensors: dict[str, np.ndarray]) -> None:
        tensor = tensors[name]
        tensor[index] = np.nextafter(tensor[index], np.float32(np.inf))

    return change_weights(change)


def exchange(one: str, other: str) -> Damage:
    def change(tensors: dict[str, np.ndarray]) -> None:
        tensors[one], tensors[other] = tensors[other], tensors[one]

    return change_weights(change)


def untranspose(name: str) -> Damage:
    return change_weights(lambda tensors: tensors.update({name: tensors[name].T}))


def set_field(name: str, value: Any, file: str = "config.json") -> Damage:
    def damage(output: Path) -> None:
        config = json.loads((output / file).read_text())
        config[name] = value
        (output / file).write_text(json.dumps(config))

    return damage


def edit_code(old: str, new: str, file: str = "modeling_ernie_m.py") -> Damage:
    def damage(output: Path) -> None:
        text = (output / file).read_text()
        assert old in text, f"{file} no longer has {old!r}: this fault must be written anew"
        (output / file).write_text(text.replace(old, new))

    return damage


#: What the port does: it adds to the positions that the caller passed.
IN_PLACE = """
_forward = ErnieMEmbeddings.forward
def _careless(self, input_ids, position_ids=None, inputs_embeds=None):
    output = _forward(self, input_ids, position_ids, inputs_embeds)
    if position_ids is not None:
        position_ids += 2
    return output
ErnieMEmbeddings.forward = _careless
"""


def append_code(text: str) -> Damage:
    def damage(output: Path) -> None:
        with (output / "modeling_ernie_m.py").open("a") as file:
            file.write(text)

    return damage


def exchange_pieces(output: Path) -> None:
    lines = (output / "vocab.txt").read_text().split("\n")
    common = [number for number, line in enumerate(lines) if line in (".", ",")]
    lines[common[0]], lines[common[1]] = lines[common[1]], lines[common[0]]
    (output / "vocab.txt").write_text("\n".join(lines))


LAYER = "encoder.layers."
#: class, damage, what the checks of bytes and fields say, the first site, what to look at
FAULTS = {
    "untransposed pooler": (
        "ErnieMModel",
        untranspose("pooler.dense.weight"),
        "It holds this very tensor, not transposed",
        "pooler_output",
        "pooler.dense",
    ),
    "q and k exchanged": (
        "ErnieMModel",
        exchange(LAYER + "1.self_attn.self_attn.q_proj.weight", LAYER + "1.self_attn.self_attn.k_proj.weight"),
        "It holds encoder.layers.1.self_attn.k_proj.weight",
        "layers.1.self_attn.q_proj",
        "encoder.layers.1.self_attn.self_attn.q_proj",
    ),
    "one bias element": (
        "ErnieMModel",
        last_place(LAYER + "2.linear1.bias", 5),
        "2.linear1.bias: 1 of 128 elements differ from SOURCE's encoder.layers.2.linear1.bias, the first at",
        "layers.2.linear1",
        "encoder.layers.2.linear1",
    ),
    "one element of a key's bias": (
        "ErnieMModel",
        last_place(LAYER + "0.self_attn.self_attn.k_proj.bias", 0),
        "k_proj.bias",
        "layers.0.self_attn.k_proj",
        "k_proj",
    ),
    "one element of a norm": (
        "ErnieMModel",
        last_place(LAYER + "1.norm2.weight", 3),
        "1.norm2.weight",
        "norm:encoder.layers.1.norm2",
        "encoder.layers.1.norm2",
    ),
    "the last position": (
        "ErnieMModel",
        last_place("embeddings.position_embeddings.weight", 39, 31),
        "position_embeddings.weight: 1",
        "position_embeddings",
        "position_embeddings.weight, row 39",
    ),
    "a word that no sentence has": (
        "ErnieMModel",
        last_place("embeddings.word_embeddings.weight", 1501, 0),
        "word_embeddings.weight: 1",
        "word_embeddings",
        "word_embeddings.weight, row 1501",
    ),
    "Python's epsilon": (
        "ErnieMModel",
        set_field("layer_norm_eps", 1e-5),
        "layer_norm_eps is 1e-05",
        "norm:embeddings.layer_norm",
        "layer_norm_eps",
    ),
    "Python's epsilon in one kind of norm": (
        "ErnieMModel",
        edit_code(
            "self.norm1 = nn.LayerNorm(config.hidden_size, eps=config.layer_norm_eps)",
            "self.norm1 = nn.LayerNorm(config.hidden_size, eps=1e-5)",
        ),
        "",
        "norm:encoder.layers.0.norm1",
        "encoder.layers.0.norm1",
    ),
    "positions counted from 1": (
        "ErnieMModel",
        edit_code("position_ids + self.position_offset", "position_ids + (self.position_offset - 1)"),
        "",
        "embeddings.sum",
        "position_offset",
    ),
    "heads put together in another order": (
        "ErnieMModel",
        edit_code("context.transpose(1, 2).flatten(-2)", "context.flip(1).transpose(1, 2).flatten(-2)"),
        "",
        "layers.0.self_attn.context",
        "the order of its heads",
    ),
    "a row of padding that learns nothing": (
        "ErnieMModel",
        edit_code(
            "nn.Embedding(config.vocab_size, config.hidden_size)",
            "nn.Embedding(config.vocab_size, config.hidden_size, padding_idx=1)",
        ),
        "",
        "gradient of embeddings.word_embeddings.weight",
        "the way back through embeddings.word_embeddings",
    ),
    "a way back that is cut": (
        "ErnieMForSequenceClassification",
        edit_code("self.dropout1(attended)", "self.dropout1(attended.detach())"),
        "",
        "gradient of ernie_m.encoder.layers.2.self_attn.out_proj.bias",
        "the way back",
    ),
    "a gradient that is twice as large": (
        "ErnieMForTokenClassification",
        edit_code(
            "return F.cross_entropy(logits.flatten(0, -2), labels.reshape(-1)",
            "logits = 2 * logits - logits.detach()\n"
            "        return F.cross_entropy(logits.flatten(0, -2), labels.reshape(-1)",
        ),
        "",
        "gradient of classifier.bias",
        "the way back through classifier",
    ),
    "the port's mask rule": (
        "ErnieMModel",
        set_field("implicit_mask_token_ids", [1]),
        "implicit_mask_token_ids is [1]",
        "attentions.0",
        "implicit_mask_token_ids",
    ),
    "an infinite mask": (
        "ErnieMModel",
        set_field("attention_mask_value", -1e9),
        "attention_mask_value",
        "attentions.0",
        "",
    ),
    "number of heads": (
        "ErnieMModel",
        set_field("num_attention_heads", 8),
        "num_attention_heads",
        "attentions.0",
        "heads",
    ),
    "UIEM's end bias": (
        "UIEM",
        change_weights(lambda tensors: tensors.update({"linear_end.bias": tensors["linear_end.bias"] + 1})),
        "linear_end.bias",
        "end_logits",
        "linear_end",
    ),
    "a number that is none": (
        "ErnieMModel",
        change_weights(lambda tensors: tensors["embeddings.word_embeddings.weight"].__setitem__((77, 3), np.nan)),
        "word_embeddings.weight",
        "word_embeddings",
        "word_embeddings.weight, row 77",
    ),
    "the sum of the losses": (
        "ErnieMForTokenClassification",
        edit_code(
            "labels.reshape(-1).to(logits.device, torch.long))",
            "labels.reshape(-1).to(logits.device, torch.long), reduction='sum')",
        ),
        "",
        "loss",
        "the loss of the class",
    ),
    "positions that are dropped": (
        "ErnieMForMultipleChoice",
        edit_code("return (ids, mask, positions, embeds), choices", "return (ids, mask, None, embeds), choices"),
        "",
        "hidden_states.0",
        "position_ids, position_offset",
    ),
    "the scale of the attention": (
        "UIEM",
        edit_code("self.head_size**-0.5", "self.head_size**-0.25"),
        "",
        "attentions.0",
        "scale",
    ),
}


def judge(verified: Any, output: Path, ready: Start, **options: Any) -> Report:
    options.setdefault("trace", verified.trace)
    return verify(verified.source, output, start=ready, **options)


def texts_of(report: Report, *codes: str) -> str:
    return "\n".join(problem.text for problem in report.problems if problem.code in codes)


@pytest.mark.parametrize("name", FAULTS)
def test_fault(verified: Callable[[str], Any], copy_output: Callable[[Any], Path], ready: Start, name: str) -> None:
    """One run shows both: what bytes and fields tell, and what the numbers would have told without them."""
    kind, damage, told, site, look_at = FAULTS[name]
    whole = verified(kind)
    output = copy_output(whole)
    damage(output)
    report = judge(whole, output, ready, trace=whole.numbers)
    assert not report.passed
    assert told in texts_of(report, "E401", "E404", "E406", "E408"), render_table(report)
    assert report.first_difference is not None, render_table(report)
    assert report.first_difference.site == site
    assert report.first_difference.inputs_agree
    assert look_at in report.first_difference.look_at


def test_two_pieces_of_the_vocabulary_exchanged(
    verified: Callable[[str], Any], copy_output: Callable[[Any], Path], ready: Start
) -> None:
    whole = verified("ErnieMModel")
    output = copy_output(whole)
    exchange_pieces(output)
    report = judge(whole, output, ready)
    assert "vocab.txt is not the file that was written" in texts_of(report, "E406")
    assert "texts have other ids (ids " in texts_of(report, "E403")
    report = judge(whole, output, ready, static=False)
    assert [problem.code for problem in report.problems] == ["E403"]


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (
            append_code(IN_PLACE),
            "changed the caller's position_ids",
        ),
        (lambda output: (output / "modeling_ernie_m.py").write_text("raise SystemError('no')"), "no"),
        (lambda output: (output / "modeling_ernie_m.py").unlink(), "modeling_ernie_m"),
        (lambda output: (output / "config.json").write_text("{"), "config.json"),
        (lambda output: (output / "model.safetensors").write_bytes(b"12345"), "from_pretrained fails"),
        (change_weights(lambda tensors: tensors.pop("pooler.dense.bias")), "missing keys: pooler.dense.bias"),
        (edit_code("import torch\n", "import os\nos._exit(7)\n"), "exit status 7"),
    ],
    ids=["in place", "raises", "no code", "bad config", "bad weights", "missing tensor", "ends the process"],
)
def test_an_output_that_does_not_work_is_a_result(
    verified: Callable[[str], Any], copy_output: Callable[[Any], Path], ready: Start, damage: Damage, told: str
) -> None:
    whole = verified("ErnieMModel")
    output = copy_output(whole)
    damage(output)
    report = judge(whole, output, ready, trace=whole.numbers, static=False)
    assert not report.passed
    assert told in texts_of(report, "E407"), render_table(report)


def test_a_reader_that_ignores_column_order_is_caught_by_the_numbers(
    fortran: Any, ready: Start, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The static check believes the same reader. Paddle reads SOURCE by itself."""
    from converter.conversion import convert
    from converter.files.tensors import SourceTensor
    from converter.open.pickle import pdparams

    monkeypatch.setattr(pdparams, "SourceTensor", lambda *facts: SourceTensor(*facts[:-1], False))
    convert(fortran.source, tmp_path / "output")
    report = verify(fortran.source, tmp_path / "output", trace=fortran.trace, start=ready)
    assert report.static is not None and report.static.mismatched == ()
    assert report.first_difference is not None and report.first_difference.site == "word_embeddings"
