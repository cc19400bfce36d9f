"""The model card that convert writes: metadata that the Hub takes, and text that is true of this very model."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard, ModelCardData

from converter import convert
from converter.common.errors import SourceError
from converter.common.version import VERIFIED_TRANSFORMERS
from converter.open.source import open_source
from converter.plan.make_plan import make_plan
from converter.write.card import render_card
from mappings import all_families, load_family
from mappings.model_class import ModelClass
from tests.support.checkpoints import LABELS, make_config, make_state, write_folder

FAMILY = load_family("ernie_m")
OTHERS = [family for family in all_families() if family.model_type != "ernie_m"]
REQUIREMENTS = Path(__file__).resolve().parents[3] / "requirements"


def render(folder: Path, origin: str | None = None, behavior: str = "paddlenlp", tokenizer: bool = True) -> str:
    manifest: dict[str, Any] = {
        "version": "0.0",
        "source": {"format": "pdparams", "files": [{"name": "model_state.pdparams", "size": 5, "sha256": "ab" * 32}]},
        "mapping": {"table": "ErnieMModel", "version": 1, "scheme": "paddlenlp"},
    }
    if origin is not None:
        manifest["source"]["origin"] = origin
    return render_card(make_plan(open_source(folder)), manifest, tokenizer, FAMILY.preset_named(behavior))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "source")


def data_of(card: str) -> dict[str, Any]:
    return dict(ModelCard(card, ignore_metadata_errors=False).data.to_dict())


@pytest.mark.parametrize(
    ("architecture", "task"),
    [
        ("ErnieMModel", "feature-extraction"),
        ("ErnieMForSequenceClassification", "text-classification"),
        ("ErnieMForTokenClassification", "token-classification"),
        ("ErnieMForQuestionAnswering", "question-answering"),
        ("ErnieMForMultipleChoice", "multiple-choice"),
    ],
)
def test_the_metadata_say_what_the_hub_asks_for(tmp_path: Path, architecture: str, task: str) -> None:
    convert(write_folder(tmp_path / "source", architecture=architecture), tmp_path / "out")
    assert data_of((tmp_path / "out" / "README.md").read_text()) == {
        "language": "multilingual",
        "library_name": "transformers",
        "pipeline_tag": task,
        "tags": ["ernie_m", "paddle2torch"],
    }


@pytest.mark.parametrize("origin", [None, "ernie-m-base@" + "a" * 40, "owner/no@" + "a" * 40])
def test_the_card_is_what_the_hubs_own_classes_write(source: Path, origin: str | None) -> None:
    card = render(source, origin)
    data = ModelCardData(**data_of(card))
    assert card.startswith(f"---\n{data.to_yaml()}\n---\n\n#")
    assert str(ModelCard(card)) == card


def test_information_extraction_names_no_pipeline(tmp_path: Path) -> None:
    """None is its own, and that of another task would load the encoder under a head of random numbers."""
    convert(write_folder(tmp_path / "source", architecture="UIEM"), tmp_path / "out")
    assert "pipeline_tag" not in data_of((tmp_path / "out" / "README.md").read_text())


def test_the_card_needs_no_network(tmp_path: Path, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*words: object) -> None:
        raise AssertionError("convert opened a connection")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    convert(source, tmp_path / "out")
    assert (tmp_path / "out" / "README.md").is_file()


@pytest.mark.parametrize("origin", ["ernie-m-large", "PaddlePaddle/ernie-m-large@" + "a" * 40])
def test_a_known_pretrained_model_has_its_attribution_and_benchmarks(source: Path, origin: str) -> None:
    card = render(source, origin)
    data = data_of(card)
    assert data["base_model"] == "PaddlePaddle/ernie-m-large"
    assert {"ar", "en", "sw", "zh"} < set(data["language"]) and len(data["language"]) == 14
    assert "| XNLI, 15 languages | English | accuracy | 82.0 |" in card
    assert "https://arxiv.org/abs/2012.15674" in card and "96 languages" in card and "Baidu" in card


def test_uie_has_its_own_languages_and_no_benchmarks(source: Path) -> None:
    card = render(source, "uie-m-base")
    assert data_of(card)["language"] == ["zh", "en"] and "## Benchmarks" not in card


@pytest.mark.parametrize("origin", [None, "someone/ernie-m-base@" + "a" * 40, "http://host/ernie-m-base"])
def test_another_s_model_is_not_taken_for_baidu_s(source: Path, origin: str | None) -> None:
    card = render(source, origin)
    assert "## Benchmarks" not in card and "your own fine-tuning" in card.replace("\n", " ")
    expected = "someone/ernie-m-base" if origin and "@" in origin else None
    assert data_of(card).get("base_model") == expected


@pytest.mark.parametrize("behavior", [preset.name for preset in FAMILY.presets])
def test_the_differences_to_the_port_are_those_of_this_behavior(source: Path, behavior: str) -> None:
    card = render(source, behavior=behavior)
    assert ("Paddle masks [CLS]" in card) == behavior.startswith("paddlenlp")
    assert ("Paddle adds -10000" in card) == (behavior != "transformers")
    assert "cuts some texts into other tokens" in card


def test_the_license_is_that_of_a_known_model_or_what_the_user_gives(tmp_path: Path, source: Path) -> None:
    assert data_of(render(source, "ernie-m-base"))["license"] == "apache-2.0"
    assert "for the author" not in render(source, "ernie-m-base")
    assert "license" not in data_of(render(source))
    assert "<!-- for the author: nothing shows the license" in render(source)
    convert(source, tmp_path / "out", license="cc-by-4.0", base_model="me/mine")
    card = (tmp_path / "out" / "README.md").read_text()
    assert (data_of(card)["license"], data_of(card)["base_model"]) == ("cc-by-4.0", "me/mine")
    assert "under the license `cc-by-4.0`." in card and "for the author" not in card
    for wrong in ({"license": "My License"}, {"base_model": "mine"}):
        with pytest.raises(SourceError, match=r"E091.*--(license|base-model)"):
            convert(source, tmp_path / "other", **wrong)


def test_labels_are_listed(tmp_path: Path) -> None:
    labels = {"0": "good", "1": "`bad`\n# x", "2": "so-so"}
    name = "ErnieMForSequenceClassification"
    source = write_folder(tmp_path / "in", make_state(name), make_config(name, id2label=labels, label2id=None))
    convert(source, tmp_path / "out")
    card = (tmp_path / "out" / "README.md").read_text()
    assert "## Labels\n\n`good`, " in card and ", `so-so`\n" in card and "\n# x" not in card
    assert "## Labels" not in render(write_folder(tmp_path / "base"))


def test_a_card_speaks_of_a_tokenizer_only_where_there_is_one(source: Path) -> None:
    both, alone = render(source), render(source, tokenizer=False)
    assert "names a tokenizer class that 4.57 does not know" in both and "The port's tokenizer" in both
    assert "tokenizer class" not in alone and "The port's tokenizer" not in alone
    assert "4.57 loads the port, without a warning" in alone


def test_the_code_in_the_card_loads_what_is_there(source: Path) -> None:
    both, alone = render(source), render(source, tokenizer=False)
    assert 'AutoTokenizer.from_pretrained("FOLDER", trust_remote_code=True)' in both
    assert "AutoTokenizer" not in alone and "piece_rule" not in alone
    for card in (both, alone):
        (code,) = re.findall(r"```python\n(.*?)```", card, re.DOTALL)
        compile(code, "card", "exec")
    assert "| `model_state.pdparams` | 5 | `" + "ab" * 32 + "` |" in both and "@inproceedings" in both


def test_a_files_name_puts_nothing_into_the_card_but_its_row(tmp_path: Path) -> None:
    name = "a\n# heading\n|b`c<img src=x>.pdparams"
    source = write_folder(tmp_path / "in")
    (source / "model_state.pdparams").rename(source / name)
    convert(source / name, tmp_path / "out")
    card = (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    assert "\n# heading" not in card
    assert "| `` a\\n# heading\\n\\|b`c<img src=x>.pdparams `` |" in card


def test_a_files_name_that_is_no_utf_8_is_refused_in_one_line(tmp_path: Path) -> None:
    source = write_folder(tmp_path / "in")
    path = Path(os.fsdecode(os.fsencode(source) + b"/caf\xe9.pdparams"))
    (source / "model_state.pdparams").rename(path)
    done = subprocess.run(
        [sys.executable, "-m", "converter", "convert", path, tmp_path / "out"], capture_output=True, text=True
    )
    assert done.returncode == 2 and done.stderr.splitlines()[-1].startswith("error[E315]: 'caf\\udce9.pdparams'")
    shown = subprocess.run([sys.executable, "-m", "converter", "inspect", path], capture_output=True, text=True)
    assert shown.returncode == 0 and "caf\\udce9.pdparams" in shown.stdout
    assert not (tmp_path / "out").exists()


def card_of(folder: Path, architecture: str, model_type: str) -> str:
    """The card of a small checkpoint of a class of another family."""
    names = {str(number): f"LABEL_{number}" for number in range(LABELS)}
    labels = {"id2label": names} if architecture.endswith(("SequenceClassification", "TokenClassification")) else {}
    changes = {"model_type": model_type, "intermediate_size": 32, "layer_norm_eps": 1e-5, **labels}
    state, config = make_state(architecture, embedding_size=8), make_config(architecture, **changes)
    convert(write_folder(folder / "source", state, config), folder / "out")
    return (folder / "out" / "README.md").read_text()


@pytest.mark.parametrize("entry", [entry for family in OTHERS for entry in family.classes], ids=lambda one: one.source)
def test_the_cards_of_every_family(tmp_path: Path, entry: ModelClass) -> None:
    """No language that nobody knows, AutoTokenizer, remote code only where there is some, and the versions."""
    family = next(family for family in OTHERS if entry in family.classes)
    travels = family.code_of(entry.target) is not None
    card = card_of(tmp_path, entry.source, family.model_type)
    data, code = data_of(card), card.split("```python\n")[1].split("```")[0]
    assert "language" not in data and "license" not in data and data["tags"] == [*family.tags, "paddle2torch"]
    assert card.startswith("---\n") and f"\n# {family.title} in PyTorch: {entry.target}\n" in card
    assert f"{entry.auto}.from_pretrained(" in code and ("trust_remote_code=True" in code) == travels
    assert "The class is transformers' own" in card.replace("\n", " ") or travels
    assert f"Paddle's in transformers {' and '.join(VERIFIED_TRANSFORMERS)}." in card
    assert ("`task_type_ids`" in card) == (family.model_type == "ernie")
    assert ("Paddle's embedding gives zeros" in card) == (not travels and family.model_type != "electra")
    assert ("Without an `attention_mask`" in card) != travels
    assert "A mask that hides every token of a text" in card and family.card.citation in card
    assert ("Unified Structure Generation" in card) == (entry.head == "extraction")
    assert ("The norm of a masked-LM head" in card) == (entry.source == "ElectraGenerator")
    assert "9.99" not in card and ("(as float32)`" in card or family.name not in ("ernie_gram", "skep"))
    manifest = json.loads((tmp_path / "out" / "paddle2torch.json").read_text())
    assert manifest["verified_with"] == {"transformers": list(VERIFIED_TRANSFORMERS)}


def test_a_network_that_travels_names_no_version_of_transformers(tmp_path: Path, source: Path) -> None:
    convert(source, tmp_path / "out")
    assert "verified_with" not in json.loads((tmp_path / "out" / "paddle2torch.json").read_text())
    assert "The network is transformers' own" not in (tmp_path / "out" / "README.md").read_text()


def test_the_versions_are_those_of_the_requirements() -> None:
    pins = [(REQUIREMENTS / name).read_text() for name in ("transformers4.txt", "dev.txt")]
    assert [re.findall(r"^transformers==(\S+)$", text, re.MULTILINE) for text in pins] == [
        [version] for version in VERIFIED_TRANSFORMERS
    ]
