"""An OUTPUT that holds the right weights and would run other code, or behave otherwise: by what it holds, without
running it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from converter.conversion import convert
from tests.support.checkpoints import make_config, make_state, write_folder
from verify import Report, verify
from verify import verification as job_module
from verify.report.html.page import render_page
from verify.report.junit import render_junit
from verify.report.summary import render_summary
from verify.report.terminal import render_table
from verify.results.checks import TokenResult
from verify.results.numbers import PytorchResult, SiteResult

CLASS = "ErnieMForSequenceClassification"
CODE = "modeling_ernie_m.py"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "source", architecture=CLASS)


@pytest.fixture
def output(source: Path, tmp_path: Path) -> Path:
    convert(source, tmp_path / "output")
    return tmp_path / "output"


@pytest.fixture
def judge(source: Path, output: Path) -> Callable[[], Report]:
    """Compare OUTPUT with SOURCE without running either."""
    return lambda: verify(source, output, static_only=True)


def edit(path: Path, change: Callable[[dict[str, Any]], object]) -> None:
    data = json.loads(path.read_text())
    change(data)
    path.write_text(json.dumps(data))


def put(output: Path, name: str, value: Any, file: str = "config.json") -> None:
    edit(output / file, lambda data: data.update({name: value}))


def add_known(output: Path, name: str, text: str = "x = 1\n") -> None:
    """A file that the manifest knows, with its sum."""
    (output / name).write_text(text)
    digest = hashlib.sha256((output / name).read_bytes()).hexdigest()
    edit(output / "paddle2torch.json", lambda data: data["files"].update({name: digest}))


def texts(report: Report) -> list[str]:
    return [str(problem) for problem in report.problems]


CHANGING: list[tuple[str, Any]] = [
    ("output_hidden_states", True),
    ("output_attentions", True),
    ("return_dict", False),
    ("return_dict", None),
    ("torchscript", True),
    ("tie_word_embeddings", True),
    ("gradient_checkpointing", True),
    ("chunk_size_feed_forward", 2),
    ("is_decoder", True),
    ("pruned_heads", {"0": [1]}),
    ("attn_implementation", "eager"),
    ("_attn_implementation", "eager"),
    ("_auto_class", "AutoModel"),
    ("quantization_config", {"quant_method": "bitsandbytes", "load_in_8bit": True}),
    ("transformers_weights", "other.safetensors"),
    ("task_specific_params", {"text-classification": {"position_offset": 0}}),
    ("function_to_apply", "none"),
    ("attribute_map", {"hidden_dropout_prob": "initializer_range"}),
    ("to_dict", 1),
    ("custom_pipelines", {"text-classification": {"impl": "modeling_ernie_m.ErnieMModel", "pt": []}}),
    ("torch_dtype", "float16"),
    ("dropout", 0.5),
    ("add_pooling_layer", False),
]


@pytest.mark.parametrize(("name", "value"), CHANGING)
def test_a_field_that_convert_does_not_write_and_that_changes_something_fails(
    output: Path, judge: Callable[[], Report], name: str, value: Any
) -> None:
    put(output, name, value)
    found = [text for text in texts(judge()) if text.startswith(f"error[E410]: config.json: {name} is {value!r:.20}")]
    assert found, texts(judge())


@pytest.mark.parametrize("architecture", [CLASS, "ErnieMForTokenClassification", "ErnieMForMultipleChoice"])
def test_the_alias_of_a_dropout_that_is_left_out_fails(tmp_path: Path, architecture: str) -> None:
    """The configuration reads `dropout` where `classifier_dropout` is missing or null: the model would drop 0.5."""
    source, output = write_folder(tmp_path / "source", architecture=architecture), tmp_path / "output"
    convert(source, output)
    for left_out in (False, True):
        put(output, "dropout", 0.5)
        if left_out:
            edit(output / "config.json", lambda data: data.pop("classifier_dropout"))
        (problem,) = verify(source, output, static_only=True).problems
        assert problem.code == "E410"
        assert problem.text.startswith("config.json: dropout is 0.5, which is another name of classifier_dropout")


IDLE: list[tuple[str, Any]] = [
    ("use_cache", True),
    ("name_or_path", "me/mine"),
    ("_name_or_path", "me/mine"),
    ("transformers_version", "4.30.0"),
    ("paddlenlp_version", None),
    ("type_vocab_size", 16),
    ("finetuning_task", "xnli"),
    ("eos_token_id", 2),
    ("output_attentions", False),
    ("return_dict", True),
    ("torchscript", False),
    ("my_note", {"of": ["mine"]}),
    ("torch_dtype", "float32"),
    ("dropout", None),
]


@pytest.mark.parametrize(("name", "value"), IDLE)
def test_a_field_that_decides_nothing_is_named_in_a_warning(
    output: Path, judge: Callable[[], Report], name: str, value: Any
) -> None:
    put(output, name, value)
    report = judge()
    assert report.passed, report.problems
    assert f"config.json: convert does not write {name}; nothing here depends on it" in report.warnings


def test_several_such_fields_are_named_in_one_warning(output: Path, judge: Callable[[], Report]) -> None:
    before = len(judge().warnings)
    for number in range(30):
        put(output, f"note_{number}", number)
    warnings = judge().warnings
    assert len(warnings) == before + 1
    assert warnings[-1].endswith("note_11 and 18 more; nothing here depends on it")


def test_what_transformers_writes_on_saving_passes(output: Path, judge: Callable[[], Report]) -> None:
    for name, value in (("add_pooling_layer", True), ("act_dropout", 0.0), ("transformers_version", "5.23.0")):
        put(output, name, value)
    assert judge().passed


def test_an_unknown_field_that_the_code_in_output_reads_fails(output: Path, judge: Callable[[], Report]) -> None:
    path = output / CODE
    path.write_text(path.read_text() + "\n\ndef scale(config): return getattr(config, 'temperature', 1.0)\n")
    put(output, "temperature", 2.0)
    assert "config.json: temperature is 2.0, which convert does not write: the code in OUTPUT reads it" in str(
        texts(judge())
    )


@pytest.mark.parametrize(
    ("file", "code", "old", "new"),
    [
        ("config.json", "E408", '"hidden_act"', '"hidden_act": "relu", "hidden_act"'),
        ("config.json", "E408", '"layer_norm_eps"', '"note": NaN, "layer_norm_eps"'),
        ("paddle2torch.json", "E406", '"target_class"', '"target_class": "Other", "target_class"'),
    ],
)
def test_a_key_that_stands_twice_is_refused(
    output: Path, judge: Callable[[], Report], file: str, code: str, old: str, new: str
) -> None:
    """The second wins in Python, the first in other readers; and a number that JSON does not have is read by some."""
    path = output / file
    assert path.read_text().count(old) == 1
    path.write_text(path.read_text().replace(old, new))
    (text,) = texts(judge())
    assert text.startswith(f"error[{code}]: {file} is not usable: ") and ("twice" in text or "NaN" in text)


def map_auto(auto: str, place: Any, file: str = "config.json") -> Callable[[Path], object]:
    def change(output: Path) -> None:
        path = output / file
        if not path.exists():
            path.write_text("{}")
        edit(path, lambda data: data.setdefault("auto_map", {}).update({auto: place}))

    return change


ELSEWHERE = [
    map_auto("AutoModelForPreTraining", "owner/other--modeling.Model"),
    map_auto("AutoProcessor", "owner/other--processing.Processor"),
    map_auto("AutoTokenizer", "owner/other--tokenization.Tokenizer"),
    map_auto("AutoTokenizer", ["owner/other--tokenization.Tokenizer", None]),
    map_auto("AutoModelForPreTraining", "evil.Model"),
    map_auto("AutoModelForPreTraining", "sub/evil.Model"),
    map_auto("AutoModelForPreTraining", "../evil.Model"),
    map_auto("AutoModelForPreTraining", "Model"),
    map_auto("AutoProcessor", "owner/other--processing.Processor", "tokenizer_config.json"),
    map_auto("AutoTokenizer", ["owner/other--a.B", None], "tokenizer_config.json"),
    map_auto("AutoImageProcessor", "owner/other--processing.Processor", "preprocessor_config.json"),
    map_auto("AutoProcessor", "evil.Processor", "processor_config.json"),
    lambda output: put(output, "custom_pipelines", {"x": {"impl": "owner/other--pipe.Pipe"}}),
    lambda output: put(output, "text_config", {"auto_map": {"AutoModel": "owner/other--modeling.Model"}}),
    lambda output: (output / "modules.json").write_text('[{"type": "owner/other--modules.Transformer"}]'),
]


@pytest.mark.parametrize("change", ELSEWHERE)
def test_a_file_that_names_code_from_elsewhere_fails(
    output: Path, judge: Callable[[], Report], change: Callable[[Path], object]
) -> None:
    change(output)
    found = [problem.text for problem in judge().problems if problem.code == "E411"]
    assert found and "Nothing in OUTPUT may name code that is not in OUTPUT" in found[0]


def test_code_that_an_auto_map_names_must_be_in_the_manifest(output: Path, judge: Callable[[], Report]) -> None:
    (output / "extra.py").write_text("class Model: ...\n")
    map_auto("AutoModelForPreTraining", "extra.Model")(output)
    found = [problem.text for problem in judge().problems if problem.code == "E411"]
    assert len(found) == 2 and all("extra.py" in text and "paddle2torch.json does not know" in text for text in found)


def test_an_entry_for_the_code_in_output_is_named_in_a_warning(output: Path, judge: Callable[[], Report]) -> None:
    map_auto("AutoModelForPreTraining", "modeling_ernie_m.ErnieMModel")(output)
    report = judge()
    assert report.passed
    entry = "auto_map's AutoModelForPreTraining is 'modeling_ernie_m.ErnieMModel'"
    said = f"config.json: {entry}, which convert does not write"
    assert said in report.warnings


@pytest.mark.parametrize(
    "name",
    [
        "extra.py",
        "EXTRA.PY",
        "sub/extra.py",
        "custom_generate/generate.py",
        "verification/extra.py",
        "modeling_ernie_m.pyc",
        "__pycache__/modeling_ernie_m.cpython-311.pyc",
        "extra.so",
    ],
)
def test_code_that_the_manifest_does_not_know_fails(output: Path, judge: Callable[[], Report], name: str) -> None:
    (output / name).parent.mkdir(exist_ok=True)
    (output / name).write_text("x = 1\n")
    report = judge()
    assert texts(report) == [
        f"error[E411]: {name}: code that paddle2torch.json does not know, so convert did not write it. Remove it"
    ]
    assert name in report.foreign_code


def test_code_behind_a_link_is_seen_too(output: Path, judge: Callable[[], Report], tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "extra.py").write_text("x = 1\n")
    (output / "extra.py").symlink_to(elsewhere / "extra.py")
    (output / "sub").symlink_to(elsewhere)
    (output / "round").symlink_to(output)
    found = texts(judge())
    assert len(found) == 3 and all(text.startswith("error[E411]") for text in found)
    assert "extra.py: code" in found[0] and "sub is a link" in "".join(found) and "round is a link" in "".join(found)


def test_files_that_are_links_as_in_a_cache_pass(output: Path, judge: Callable[[], Report], tmp_path: Path) -> None:
    """A download of the Hub's is made of links to files."""
    for path in [path for path in output.iterdir() if path.is_file()]:
        os.rename(path, tmp_path / path.name)
        path.symlink_to(tmp_path / path.name)
    assert judge().passed


def test_what_git_and_editors_keep_is_nobodys_code(output: Path, judge: Callable[[], Report]) -> None:
    (output / ".git" / "hooks").mkdir(parents=True)
    (output / ".git" / "hooks" / "pre-commit.py").write_text("x = 1\n")
    (output / "docs").mkdir()
    (output / "docs" / "more.md").write_text("text")
    assert judge().passed


def test_a_file_that_leads_a_loader_to_another_model_fails(output: Path, judge: Callable[[], Report]) -> None:
    (output / "adapter_config.json").write_text('{"base_model_name_or_path": "owner/other"}')
    (text,) = texts(judge())
    assert text.startswith("error[E414]: adapter_config.json: with PEFT installed from_pretrained loads the model that")


def reshard(output: Path, file: str) -> Path:
    """One shard under this name in an index. Returns where it should have been."""
    from safetensors.numpy import load_file

    names = list(load_file(output / "model.safetensors"))
    shard = output / "model-00001-of-00001.safetensors"
    os.rename(output / "model.safetensors", shard)
    index = {"metadata": {}, "weight_map": dict.fromkeys(names, file)}
    (output / "model.safetensors.index.json").write_text(json.dumps(index))
    return shard


@pytest.mark.parametrize(
    "name", ["..", ".", "", "../evil.safetensors", "/tmp/evil.safetensors", "a\\b", "a\0b", "sub/a"]
)
def test_an_index_whose_names_lead_out_is_an_error_and_nothing_is_loaded(
    source: Path, output: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    reshard(output, name)
    monkeypatch.setattr(job_module, "find_frameworks", lambda options, live: Path("/nowhere"))
    for step in ("start_recording", "PytorchRun"):
        monkeypatch.setattr(job_module, step, lambda *given: pytest.fail("OUTPUT was loaded"))
    report = verify(source, output)
    assert not report.passed and report.checked == ["weights"]
    assert texts(report)[0].startswith("error[E414]: model.safetensors.index.json names the file ")


def test_a_missing_shard_is_a_finding(source: Path, output: Path, judge: Callable[[], Report]) -> None:
    from typer.testing import CliRunner

    from converter.cli import app

    reshard(output, "model-00001-of-00001.safetensors").unlink()
    assert any(
        "error[E405]: model-00001-of-00001.safetensors is not there, and model.safetensors.index.json names it" in text
        for text in texts(judge())
    )
    assert CliRunner().invoke(app, ["verify", str(source), str(output), "--static-only"]).exit_code == 1


def test_code_of_others_is_said_in_the_first_line_of_every_report(output: Path, judge: Callable[[], Report]) -> None:
    """The manifest agrees with it, and the weights are right: what the code does besides nobody has looked at."""
    add_known(output, CODE, (output / CODE).read_text() + "\n# looks harmless\n")
    add_known(output, "helper.py")
    report = judge()
    assert report.passed
    assert report.foreign_code == {
        name: hashlib.sha256((output / name).read_bytes()).hexdigest() for name in (CODE, "helper.py")
    }
    said = "PASSED, but the code is not paddle2torch's own: helper.py, modeling_ernie_m.py"
    assert render_table(report).splitlines()[0].startswith(said)
    assert report.to_json()["foreign_code"] == report.foreign_code
    assert render_summary(report).splitlines()[0].replace("\\", "").endswith(said)
    page = render_page(report).replace("&#39;", "'")
    assert f"<strong>{said}</strong>" in page and 'class="verdict partly"' in page
    junit = render_junit(report)
    assert f"{said}. Looked at" in junit and 'skipped message="but the code is not' in junit


CONFIGURATION = "configuration_ernie_m.py"
#: Code that gives the right numbers while it is looked at, and does something else besides.
SLY = {
    "labels are lost on saving": (CONFIGURATION, "\n\nErnieMConfig.to_dict = lambda self: {}\n"),
    "no value is checked": (CONFIGURATION, "\n\nErnieMConfig.check_values = lambda self: None\n"),
    "all configurations are equal": (CONFIGURATION, "\n\nErnieMConfig.__eq__ = lambda self, other: True\n"),
    "right only while verify runs it": (CODE, "\n\nimport sys\nWATCHED = 'verify' in sys.modules\n"),
    "other line ends": (CODE, None),
}


@pytest.mark.parametrize("name", SLY)
def test_code_that_no_number_shows_never_passes_as_the_tools_own(
    output: Path, judge: Callable[[], Report], name: str
) -> None:
    file, more = SLY[name]
    text = (output / file).read_bytes()
    changed = text.replace(b"\n", b"\r\n") if more is None else text + more.encode()
    (output / file).write_bytes(changed)
    digest = hashlib.sha256(changed).hexdigest()
    edit(output / "paddle2torch.json", lambda data: data["files"].update({file: digest}))
    assert render_table(judge()).startswith(f"PASSED, but the code is not paddle2torch's own: {file}\nLooked at")


def follow(output: Path, behavior: str, hidden: list[int]) -> None:
    """OUTPUT with the fields of another behavior, in every file that has them."""
    put(output, "behavior", behavior, "paddle2torch.json")
    put(output, "implicit_mask_token_ids", hidden)
    if behavior == "transformers":
        put(output, "attention_mask_value", None)


@pytest.mark.parametrize("behavior", ["release", "transformers"])
def test_the_behavior_is_that_of_source_and_not_what_output_states(
    output: Path, judge: Callable[[], Report], behavior: str
) -> None:
    follow(output, behavior, [1])
    report = judge()
    (text,) = texts(report)
    assert text.startswith(f"error[E412]: OUTPUT follows the behavior {behavior!r}; SOURCE's own is 'paddlenlp'")
    assert report.to_json()["source_behavior"] == "paddlenlp"


def test_a_behavior_that_was_asked_for_is_named(source: Path, tmp_path: Path) -> None:
    convert(source, tmp_path / "asked", behavior="release")
    assert json.loads((tmp_path / "asked" / "paddle2torch.json").read_text())["behavior_chosen"] is True
    report = verify(source, tmp_path / "asked", static_only=True)
    assert report.passed, report.problems
    assert "convert was asked for it, as paddle2torch.json records" in " ".join(report.warnings)
    assert (report.behavior, report.source_behavior) == ("release", "paddlenlp")


def test_a_behavior_that_was_not_asked_for_is_not_recorded(output: Path) -> None:
    assert "behavior_chosen" not in json.loads((output / "paddle2torch.json").read_text())


@pytest.mark.parametrize("name", ["config.json", CODE, "model.safetensors", "paddle2torch.json"])
def test_a_file_that_changes_while_it_is_judged_fails(
    source: Path, output: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    from verify.folder.check_folder import check_folder

    def check_and_change(*given: Any) -> Any:
        found = check_folder(*given)
        (output / name).write_bytes((output / name).read_bytes() + b"\n")
        return found

    monkeypatch.setattr(job_module, "check_folder", check_and_change)
    (text,) = texts(verify(source, output, static_only=True))
    assert text.startswith(f"error[E413]: {name} changed while OUTPUT was checked")


def test_a_file_that_comes_or_goes_meanwhile_fails(source: Path, output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from verify.folder.check_folder import check_folder

    def check_and_change(*given: Any) -> Any:
        found = check_folder(*given)
        (output / "late.py").write_text("")
        (output / "config.json").unlink()
        return found

    monkeypatch.setattr(job_module, "check_folder", check_and_change)
    found = texts(verify(source, output, static_only=True))
    assert [text[:40] for text in found] == [
        "error[E413]: config.json went while OUTP",
        "error[E413]: late.py came while OUTPUT w",
    ]


def test_the_report_has_the_sum_of_the_manifest(output: Path, judge: Callable[[], Report]) -> None:
    digest = hashlib.sha256((output / "paddle2torch.json").read_bytes()).hexdigest()
    assert judge().files["paddle2torch.json"] == digest


def test_a_class_without_labels_has_no_use_for_them(tmp_path: Path) -> None:
    source, output = write_folder(tmp_path / "source", make_state(), make_config()), tmp_path / "output"
    convert(source, output)
    put(output, "num_labels", 5)
    report = verify(source, output, static_only=True)
    assert report.passed and any("convert does not write num_labels" in text for text in report.warnings)


@pytest.mark.parametrize(
    ("sites_pass", "ways", "codes"),
    [
        (False, {"ids": [9, 0], "text_to_logits": [2, 2], "pipeline": [2, 2]}, []),
        (False, {"ids": [9, 1], "text_to_logits": [2, 2]}, ["E403"]),
        (True, {"ids": [9, 0], "pipeline": [2, 2]}, ["E402"]),
    ],
)
def test_a_fault_of_the_weights_is_not_blamed_on_the_tokenizer(
    tmp_path: Path, sites_pass: bool, ways: dict[str, list[int]], codes: list[str]
) -> None:
    """From text to logits the numbers differ too, which is no fault of the tokenizer where given ids show it."""
    tokens = TokenResult(9, sum(differ for _, differ in ways.values()), ways=ways)
    report = Report("float64", sites=[SiteResult("a", "logits", 0.0, 0.0, 1.0, sites_pass)])
    trace: Any = SimpleNamespace(has_tokens=True, head={"environment": {}})
    job_module.Verification(tmp_path, report, lambda text: None)._add_tokens(trace, PytorchResult(tokens=tokens))
    assert [problem.code for problem in report.problems] == codes
