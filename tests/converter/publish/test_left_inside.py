"""The uploaded card names the tensors that were left out inside modules, whatever became of OUTPUT's own card."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from converter import Paddle2TorchError, convert, push
from tests.support.checkpoints import make_state, write_folder
from tests.support.local_hub import LocalHub
from tests.support.publish_fixtures import ID, write_report

LORA = "encoder.layers.1.self_attn.q_proj.lora_A"


@pytest.fixture
def output(tmp_path: Path) -> Path:
    source = write_folder(tmp_path / "source", {**make_state(), LORA: np.zeros(3, "<f4")})
    folder = convert(source, tmp_path / "output", allow_unknown_tensors=True).output
    (folder / "README.md").write_text("---\nlicense: mit\n---\n\n# Mine\n")
    write_report(folder, left_inside=[{"source": LORA, "kind": "LoRA adapters"}], checked=["weights", "numbers"])
    return folder


def card_of(hub: LocalHub) -> str:
    return str(hub.store.repositories[ID].read("README.md").decode())


def test_the_record_of_the_manifest_is_on_the_card(hub: LocalHub, output: Path) -> None:
    write_report(output, checked=["weights", "numbers"])
    push(output, ID)
    assert "**Not the whole checkpoint.**" in card_of(hub) and LORA in card_of(hub)


def lose_the_record(output: Path) -> None:
    manifest = json.loads((output / "paddle2torch.json").read_text())
    del manifest["left_inside"]
    (output / "paddle2torch.json").write_text(json.dumps(manifest))


def test_a_folder_of_an_older_version_has_no_record_and_is_not_pushed(hub: LocalHub, output: Path) -> None:
    """Its report passed, for nobody asked then."""
    lose_the_record(output)
    write_report(output, checked=["weights", "numbers"])
    with pytest.raises(Paddle2TorchError) as caught:
        push(output, ID)
    assert [problem.code for problem in caught.value.problems] == ["E111"]


def test_an_adapter_is_not_pushed_with_the_model(hub: LocalHub, output: Path) -> None:
    (output / "adapter_config.json").write_text("{}")
    write_report(output, checked=["weights", "numbers"])
    with pytest.raises(Paddle2TorchError) as caught:
        push(output, ID)
    assert [problem.code for problem in caught.value.problems] == ["E414"]


def test_the_record_of_the_report_is_on_the_card(hub: LocalHub, output: Path) -> None:
    lose_the_record(output)
    push(output, ID, allow_unverified=True)
    assert "**Not the whole checkpoint.**" in card_of(hub) and LORA in card_of(hub)


def test_a_folder_that_is_not_verified_says_it_too(hub: LocalHub, output: Path) -> None:
    (output / "verification" / "report.json").unlink()
    push(output, ID, allow_unverified=True)
    assert "Not verified" in card_of(hub) and LORA in card_of(hub)


def test_other_cards_do_not_speak_of_it(hub: LocalHub, tmp_path: Path) -> None:
    folder = convert(write_folder(tmp_path / "plain"), tmp_path / "out").output
    write_report(folder, checked=["weights", "numbers"])
    push(folder, ID)
    assert "Not the whole checkpoint" not in card_of(hub)
