"""What PaddleNLP itself saves of a model with LoRA or quantisation: the same names, and other numbers than the base's.

One Paddle makes the folders and computes their logits (tests/reference/unmerged_adapters.py).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from converter import Paddle2TorchError, convert
from verify import verify

IDS = [[0, 9, 11, 12, 2], [0, 5, 6, 7, 2]]


@pytest.fixture(scope="module")
def saved(run_paddle: Callable[..., None], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("adapters")
    run_paddle("unmerged_adapters.py", folder)
    return folder


@pytest.fixture(scope="module")
def logits(saved: Path) -> dict[str, np.ndarray]:
    with np.load(saved / "logits.npz") as file:
        return {name: file[name] for name in file.files}


def apart(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.abs(one - other).max())


def code_of(source: Path, output: Path, **options: bool) -> str:
    with pytest.raises(Paddle2TorchError) as caught:
        convert(source, output, **options)  # type: ignore[arg-type]
    assert not output.exists()
    (problem,) = caught.value.problems
    return problem.code


def computed(output: Path) -> np.ndarray:
    torch = pytest.importorskip("torch")
    import ernie_m

    model = ernie_m.ErnieMForSequenceClassification.from_pretrained(output).eval()
    with torch.no_grad():
        return np.asarray(model(torch.tensor(IDS)).logits)


def test_paddle_computes_other_numbers_than_what_it_loads(logits: dict[str, np.ndarray]) -> None:
    """PaddleNLP leaves the adapters and the scales out as it loads such a folder, and gets the base model's numbers."""
    assert apart(logits["with LoRA"], logits["base"]) > 1e-3 and apart(logits["quantised"], logits["base"]) > 1e-4
    assert apart(logits["train, loaded"], logits["base"]) < 1e-7
    assert apart(logits["quantised, loaded"], logits["base"]) < 1e-7
    assert apart(logits["merged, loaded"], logits["with LoRA"]) < 1e-7


@pytest.mark.parametrize("name", ["train", "merged", "quantised"])
def test_such_a_folder_is_refused(saved: Path, name: str, tmp_path: Path) -> None:
    assert code_of(saved / name, tmp_path / "out") == "E110"


def test_on_request_the_output_is_what_paddlenlp_loads(
    saved: Path, logits: dict[str, np.ndarray], tmp_path: Path
) -> None:
    """Of the merged folder that is the trained model, of the other the base: the names are the same in both."""
    for name in ("train", "merged", "quantised"):
        made = convert(saved / name, tmp_path / name, allow_unknown_tensors=True)
        assert made.left_inside and apart(computed(made.output), logits[f"{name}, loaded"]) < 1e-6
    assert apart(computed(tmp_path / "train"), computed(tmp_path / "merged")) > 1e-3


def test_what_loramodel_saves_is_an_adapter_only(saved: Path, tmp_path: Path) -> None:
    assert code_of(saved / "adapter", tmp_path / "out") == "E006"
    assert code_of(saved / "adapter" / "lora_model_state.pdparams", tmp_path / "out") == "E006"


def test_the_reported_folder(shared_data: Path, tmp_path: Path) -> None:
    source = shared_data / "reports" / "lora_saved_in_train"
    assert code_of(source, tmp_path / "none") == "E110"
    output = convert(source, tmp_path / "out", allow_unknown_tensors=True).output
    report = verify(source, output, static_only=True)
    assert report.passed and len(report.left_inside) == 8
