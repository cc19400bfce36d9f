"""What `to-paddle` writes, loaded by PaddleNLP itself: every class bit for bit, and models that PyTorch trained."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converter import convert, to_paddle
from mappings import Family, ModelClass, all_families
from tests.support.checkpoints import WORDPIECES, make_config, make_state, write_folder

torch = pytest.importorskip("torch")
pytest.importorskip("transformers")

PAIRS = [(family, entry) for family in all_families() for entry in family.classes if entry.in_paddlenlp]
CLASSES = [entry.source for _, entry in PAIRS]
#: Of each family with code of its own, with a tied decoder, and of stock classes.
TRAINED = ("ErnieMForSequenceClassification", "UIE", "ErnieForMaskedLM", "ElectraForTokenClassification")
SIZES = {"vocab_size": 120, "max_position_embeddings": 12}
INPUTS = {
    "input_ids": np.array([[1, 5, 20, 29, 7, 2], [1, 9, 11, 2, 0, 0]]),
    "attention_mask": np.array([[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0]]),
}


def make(root: Path, family: Family, entry: ModelClass) -> None:
    """source/NAME, out/NAME and back/NAME. Shapes of the names of earlier releases are left out."""
    older = [row.source.text for row in family.tables[entry.source].head if row.older]
    state = {k: v for k, v in make_state(entry.source, **SIZES).items() if k not in older}
    choices = {"num_choices": 3} if entry.head == "choice" else {}
    source = write_folder(root / "source" / entry.source, state, make_config(entry.source, **SIZES, **choices))
    if family.tokenizer.kind == "wordpiece":
        (source / "vocab.txt").write_text("".join(f"{token}\n" for token in WORDPIECES), encoding="utf-8")
    convert(source, root / "out" / entry.source)
    to_paddle(root / "out" / entry.source, root / "back" / entry.source)


def train(root: Path, family: Family, entry: ModelClass) -> Any:
    """trained/NAME and back/trained-NAME: a few steps in PyTorch, saved as usual. Returns the outputs in float64."""
    import transformers

    cls: Any = getattr(transformers, entry.target, None)
    if entry.travels:
        import ernie
        import ernie_m

        cls = getattr(ernie_m, entry.target, None) or getattr(ernie, entry.target)
    torch.manual_seed(0)
    model = cls.from_pretrained(root / "out" / entry.source)
    inputs = {name: torch.tensor(value) for name, value in INPUTS.items()}
    before = {name: value.clone() for name, value in model.state_dict().items()}
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-2)
    for _ in range(3):
        loss = sum((value**2).mean() for value in model.train()(**inputs).to_tuple())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    changed = [name for name, value in model.state_dict().items() if not torch.equal(value, before[name])]
    assert len(changed) > len(before) / 2
    folder = root / "trained" / entry.source
    model.save_pretrained(folder, max_shard_size="10KB")
    if family.tokenizer.kind == "wordpiece":
        transformers.AutoTokenizer.from_pretrained(root / "out" / entry.source).save_pretrained(folder)
    with torch.no_grad():
        outputs = model.double().eval()(**inputs).to_tuple()
    result = to_paddle(folder, root / "back" / f"trained-{entry.source}")
    np.savez(result.folder / "inputs.npz", **INPUTS)
    return [value.numpy() for value in outputs]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, run_paddle: Callable[..., None]) -> tuple[Path, dict[str, Any], Any]:
    """The folders, what PaddleNLP reports of them, and what the trained models give in PyTorch."""
    root = tmp_path_factory.mktemp("to_paddle")
    for family, entry in PAIRS:
        make(root, family, entry)
    outputs = {entry.source: train(root, family, entry) for family, entry in PAIRS if entry.source in TRAINED}
    run_paddle("load_back.py", root)
    return root, json.loads((root / "loaded.json").read_text()), outputs


@pytest.mark.parametrize("name", CLASSES)
def test_paddlenlp_loads_it_bit_for_bit(name: str, made: tuple[Path, dict[str, Any], Any]) -> None:
    root, loaded, _ = made
    found = loaded[name]
    record = json.loads((root / "back" / name / "to_paddle.json").read_text())
    started_anew = set(record["lost"]) | set(found["missing"])
    # What OUTPUT's class has no place for, and `to-paddle` warns of.
    assert all(any(part in key for part in ("pooler", "discriminator_", "bias_mts")) for key in started_anew)
    assert set(record["lost"]) <= set(found["missing"])
    assert (found["unexpected"], found["mismatched"]) == ([], [])
    assert set(found["differ"]) == set(record["lost"])
    assert found["choices"] in (None, 3) and ("MultipleChoice" not in name or found["choices"] == 3)


def test_paddlenlp_loads_the_tokenizer_with_the_same_ids(made: tuple[Path, dict[str, Any], Any]) -> None:
    _, loaded, _ = made
    names = {name: found["tokenizer"] for name, found in loaded.items() if "tokenizer" in found}
    of_family = {entry.source: family.tokenizer.source_class for family, entry in PAIRS}
    assert names == {name: of_family[name.removeprefix("trained-")] for name in names} and len(names) > 20
    assert len({tuple(found["ids"]) for found in loaded.values() if "ids" in found}) == 1


@pytest.mark.parametrize("name", TRAINED)
def test_what_pytorch_trained_gives_equal_numbers(name: str, made: tuple[Path, dict[str, Any], Any]) -> None:
    root, loaded, outputs = made
    assert loaded[f"trained-{name}"]["unexpected"] == []
    shown = INPUTS["attention_mask"].astype(bool)
    with np.load(root / "back" / f"trained-{name}" / "outputs.npz") as file:
        theirs = [file[key] for key in file.files]
    assert len(theirs) == (2 if name == "UIE" else 1)
    for ours, other in zip(outputs[name], theirs):
        if name == "UIE":  # PaddleNLP's gives probabilities.
            ours = 1 / (1 + np.exp(-ours))
        if ours.shape[:2] == shown.shape:  # Numbers of padded positions are not read by anyone.
            ours, other = ours[shown], other.reshape(ours.shape)[shown]
        assert ours.dtype == np.float64
        assert np.abs(ours - other.reshape(ours.shape)).max() <= 1e-12 * max(1.0, np.abs(ours).max())


def test_verify_proves_the_way_back(made: tuple[Path, dict[str, Any], Any]) -> None:
    from verify import verify

    root, _, _ = made
    output = shutil.copytree(root / "trained" / "ErnieForMaskedLM", root / "copy")
    report = verify(root / "back" / "trained-ErnieForMaskedLM", output, static_only=True)
    assert report.passed, report.problems
