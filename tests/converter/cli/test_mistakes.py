"""What people type by mistake: other paths, the wrong order, files of another kind. Each answer names the thing as it
was typed, and a next step that can be copied."""

from __future__ import annotations

import json
import os
import pickle
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from converter import convert, to_paddle
from converter.cli import app
from tests.support.checkpoints import WORDPIECES, make_config, make_state, write_folder


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with a checkpoint and what was made of it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    write_folder(tmp_path / "my-ernie-m")
    convert("my-ernie-m", "out")
    return tmp_path


def call(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def errors(*words: object) -> list[str]:
    """The lines about errors of a command that ends with 2."""
    result = call(*words)
    assert result.exit_code == 2, result.output
    return [line for line in result.stderr.splitlines() if line.startswith("error[")]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["convert", "bad/empty", "o"], "error[E002]: bad/empty: the folder is empty."),
        (["convert", "bad/zero", "o"], "error[E303]: bad/zero/model_state.pdparams: the file is empty."),
        (["convert", "bad/zero/model_state.pdparams", "o"], "error[E303]: bad/zero/model_state.pdparams: the file"),
        (["inspect", "bad/zero"], "error[E303]: bad/zero/model_state.pdparams: the file is empty."),
        (["convert", "my-ernie-m", "o", "--config", "bad/c.json"], "error[E307]: bad/c.json: not JSON"),
        (["to-paddle", "bad/out", "o"], "error[E307]: bad/out/config.json: not JSON"),
        (["verify", "bad/zero", "out", "--static-only"], "error[E303]: bad/zero/model_state.pdparams: the file is"),
        (["convert", "bad/nocfg", "o"], "error[E010]: no config.json, model_config.json or"),
        (["convert", "bad/pointer", "o"], "error[E304]: bad/pointer/model_state.pdparams is a git-LFS pointer, not"),
        (["convert", "bad/words", "o"], "error[E021]: bad/words/vocab.txt is a git-LFS pointer, not"),
        (["convert", "bad/list", "o"], "error[E307]: bad/list/config.json holds a list, expected an object"),
    ],
)
def test_a_file_is_named_as_it_was_given(desk: Path, words: list[str], told: str) -> None:
    (desk / "bad" / "empty").mkdir(parents=True)
    for name, file in (("pointer", "model_state.pdparams"), ("words", "vocab.txt"), ("list", "config.json")):
        shutil.copytree("my-ernie-m", f"bad/{name}")
        Path(f"bad/{name}/{file}").write_text("[]" if name == "list" else "version https://git-lfs.github.com/spec/v1")
    Path("bad/words/sentencepiece.bpe.model").touch()
    shutil.copytree("my-ernie-m", "bad/zero")
    Path("bad/zero/model_state.pdparams").write_bytes(b"")
    Path("bad/c.json").write_text("{")
    shutil.copytree("out", "bad/out")
    Path("bad/out/config.json").write_text("{")
    shutil.copytree("my-ernie-m", "bad/nocfg")
    Path("bad/nocfg/config.json").unlink()
    assert [line[: len(told)] for line in errors(*words)] == [told]


def test_a_warning_names_a_file_as_it_was_given(desk: Path) -> None:
    config = make_config(architecture="ErnieMModel", poem="a", hidden_dropout_prob=...)
    write_folder(desk / "odd", config=config)
    shutil.copy("odd/config.json", "c.json")
    unread = "fields that are not carried over, and that no table knows to decide nothing: poem"
    for words in (["inspect", "odd"], ["convert", "odd", "o"]):
        told = call(*words).stderr
        assert f"warning: odd/config.json: {unread}" in told and "warning: odd/config.json does not give" in told
    assert f"warning: {desk}/c.json: {unread}" in call("inspect", "odd", "--config", desk / "c.json").stderr
    (desk / "o" / "config.json").write_text(
        json.dumps({**json.loads((desk / "o/config.json").read_text()), "use_cache": 1})
    )
    assert "warning: config.json" not in call("to-paddle", "o", "back").stderr
    published = [path.read_bytes() for path in Path("o").iterdir() if path.is_file()]
    assert not any(str(desk).encode() in text or b"odd/config.json" in text for text in published)


def test_the_folder_that_a_shell_calls_a_dot_has_a_name(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (desk / "empty").mkdir()
    monkeypatch.chdir(desk / "empty")
    assert errors("convert", ".", "o")[0].startswith(f"error[E002]: {desk / 'empty'}: the folder is empty.")
    monkeypatch.chdir(desk / "my-ernie-m")
    Path("model_state.pdparams").write_bytes(b"")
    assert errors("convert", ".", "../o")[0].startswith("error[E303]: model_state.pdparams: the file is empty.")


def test_a_config_of_another_width_is_one_line(desk: Path) -> None:
    Path("cfg.json").write_text(json.dumps(make_config(hidden_size=64)))
    (line,) = errors("convert", "my-ernie-m", "o", "--config", "cfg.json")
    assert line.startswith(
        "error[E201]: my-ernie-m: 38 tensors are made for hidden_size 8, and cfg.json says 64. The first: "
        "embeddings.word_embeddings.weight is [30, 8], expected [30, 64]."
    )


def test_a_transposed_matrix_is_told_beside_another_width(desk: Path) -> None:
    state = make_state()
    state["encoder.layers.0.linear2.weight"] = state["encoder.layers.0.linear2.weight"].T.copy()
    write_folder(desk / "turned", state, make_config(hidden_size=64))
    first, second = errors("convert", "turned", "o")
    assert first.startswith("error[E201]: 37 tensors are made for hidden_size 8, and turned/config.json says 64.")
    assert second.startswith("error[E201]: encoder.layers.0.linear2.weight is [8, 32], expected [256, 64].")


def test_another_checkpoint_is_one_line_at_the_top(desk: Path) -> None:
    write_folder(desk / "other", architecture="ErnieMForSequenceClassification")
    result = call("verify", "other", "out", "--static-only")
    lines = [line for line in result.stdout.splitlines() if line.startswith("error[")]
    assert result.exit_code == 1
    assert lines[0] == (
        "error[E406]: OUTPUT was made from another checkpoint: paddle2torch.json has other checksums than SOURCE's "
        "model_state.pdparams. Is SOURCE the right one?"
    )
    assert lines[1].startswith("error[E404]: 40 tensors are not in OUTPUT; report.json lists them. The first: ")
    assert lines[2].startswith("error[E404]: 38 tensors are in OUTPUT alone; report.json lists them.")
    assert len(lines) < 6 and any("architectures is ['ErnieMModel']" in line for line in lines)
    assert len(json.loads(Path("out/verification/report.json").read_text())["static"]["mismatched"]) == 78


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["verify", "out", "my-ernie-m"], "error[E041]: .* Use: paddle2torch verify my-ernie-m out$"),
        (["convert", "new out", "my-ernie-m"], "error[E001]: .* Use: paddle2torch convert my-ernie-m 'new out'$"),
        (["to-paddle", "new", "out"], "error[E042]: .* Use: paddle2torch to-paddle out new$"),
        (["push", "new", "out"], "error[E801]: .* Use: paddle2torch push out new$"),
        (["evaluate", "out", "my-ernie-m", "--task", "xnli", "--data", "d"], "error[E041]: .* evaluate my-ernie-m out"),
    ],
)
def test_swapped_arguments_are_recognised(desk: Path, words: list[str], told: str) -> None:
    (line,) = errors(*words)
    assert re.match(told.replace("[", r"\[", 1), line), line


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["verify", "my-ernie-m", "ouut"], "error[E405]: ouut: there is no such folder."),
        (["verify", "my-ernie-n", "out"], "Did you mean my-ernie-m?"),
        (["convert", "ernie-m-bsae", "o"], "Did you mean ernie-m-base"),
        (["convert", "ERNIE-M-BASE", "o"], "Did you mean ernie-m-base?"),
        (["convert", "ernie-m", "o"], "Did you mean ernie-m-base or ernie-m-large?"),
        (["convert", "UIE-M", "o"], "Did you mean uie-m-base or uie-m-large?"),
        (["to-paddle", "ouut", "o"], "Did you mean out?"),
        (["push", "ouut", "me/x"], "Did you mean out?"),
        (
            ["convert", "sub/my-ernie-n", "o"],
            "no file or folder sub/my-ernie-n here. Did you mean sub/my-ernie-m",
        ),
    ],
)
def test_a_mistyped_name_is_proposed(desk: Path, words: list[str], told: str) -> None:
    shutil.copytree("my-ernie-m", "sub/my-ernie-m")
    (line,) = errors(*words)
    assert told in line


def test_an_output_that_is_not_there_is_no_verdict(desk: Path) -> None:
    result = call("verify", "my-ernie-m", "nope")
    assert (result.exit_code, result.stdout) == (2, "") and not os.path.lexists("nope")
    (line,) = errors("verify", "my-ernie-m", "out/config.json")
    assert line.endswith("out/config.json is a file, expected a folder. OUTPUT is what paddle2torch convert made")


def test_a_place_for_the_report_is_looked_for_first(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("file").write_text("")
    monkeypatch.setattr("verify.verification.Verification.run", lambda *_: pytest.fail("it computed"))
    (line,) = errors("verify", "my-ernie-m", "out", "--report", "file/below")
    assert line.startswith("error[E505]: file/below: ") and "--report DIR names another place" in line
    assert not Path("out/verification").exists()


def test_what_both_sides_lack_is_told_at_once(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PADDLE2TORCH_PADDLE_PYTHON", "no-such-python")
    monkeypatch.setattr("verify.numbers.pytorch_process.importlib.util.find_spec", lambda name: None)
    first, second = errors("verify", "my-ernie-m", "out")
    assert first.startswith("error[E601]: PADDLE2TORCH_PADDLE_PYTHON names no-such-python")
    assert second.startswith("error[E607]: torch and transformers are needed to run OUTPUT: `pip install torch ")


@pytest.mark.parametrize("beside", [False, True], ids=["named", "next to the weights"])
def test_a_tokenizer_that_cannot_be_the_models_is_refused(desk: Path, beside: bool) -> None:
    (desk / "words").mkdir()
    Path("words/vocab.txt").write_text("\n".join(WORDPIECES), encoding="utf-8")
    write_folder(desk / "small", architecture="ErnieModel")
    assert len(WORDPIECES) > 60
    assert call("convert", "small", "o").exit_code == 0
    named = ["--tokenizer", "words"] if not beside else []
    if beside:
        shutil.copy("words/vocab.txt", "small/vocab.txt")
    place = "words" if not beside else "small"
    for words in (["convert", "small", "o2"], ["verify", "small", "o", "--static-only"]):
        (line,) = errors(*words, *named)
        assert line.startswith(f"error[E025]: {place}/vocab.txt has {len(WORDPIECES)} tokens, and the model 30 rows")
    assert not Path("o2").exists()
    shown = call("inspect", "small")
    assert (shown.exit_code, "E025" in shown.stderr, "becomes    ErnieModel" in shown.stdout) == (
        (2, True, True) if beside else (0, False, True)
    )


def test_a_verdict_is_printed_though_the_report_cannot_be_written(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device", "out/verification/.report.html.partial")

    monkeypatch.setattr("verify.run.write_report", full)
    result = call("verify", "my-ernie-m", "out", "--static-only")
    assert result.exit_code == 2 and result.stdout.startswith("PASSED: ")
    assert "warning: the report was not written (out/verification/.report.html.partial: No space left" in result.stdout


@pytest.mark.parametrize("made", [make_state, None], ids=["wrong weights", "right ones"])
def test_an_empty_folder_is_a_fine_output(desk: Path, made: object) -> None:
    os.mkdir("new", 0o700)
    if made is None:
        assert call("convert", "my-ernie-m", "new").exit_code == 0
        assert Path("new/model.safetensors").is_file() and os.stat("new").st_mode & 0o777 == 0o700
        (line,) = errors("convert", "my-ernie-m", "new")
        assert line.startswith("error[E501]: new exists.")
        return
    Path("my-ernie-m/model_state.pdparams").write_bytes(b"")
    errors("convert", "my-ernie-m", "new")
    assert os.listdir("new") == [] and sorted(os.listdir()) == ["my-ernie-m", "new", "out"]


def test_to_paddle_takes_an_empty_folder_too(desk: Path) -> None:
    os.mkdir("back")
    assert to_paddle("out", "back").written and Path("back/model_state.pdparams").is_file()


def test_force_tells_that_the_evidence_goes(desk: Path) -> None:
    assert call("verify", "my-ernie-m", "out", "--static-only").exit_code == 0
    result = call("convert", "my-ernie-m", "out", "--force")
    assert "warning: out/verification (junit.xml, report.html, report.json) is of the earlier out" in result.stderr
    assert result.exit_code == 0 and not Path("out/verification").exists()


def test_the_next_step_can_be_copied(desk: Path) -> None:
    shutil.copytree("my-ernie-m", "my model")
    result = call("convert", "my model", "new one", "--family", "ernie_m", "--num-attention-heads", "2")
    step = "prove it: paddle2torch verify 'my model' 'new one' --num-attention-heads 2 --family ernie_m\n"
    assert result.stdout.endswith(step)
    assert "prove it" not in call("convert", "my model", "new one", "--force", "-q").stdout


def test_a_home_folder_in_quotes_is_found(desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(desk))
    assert call("convert", "~/my-ernie-m", "~/new").exit_code == 0
    assert (desk / "new" / "config.json").is_file() and not os.path.lexists("~")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("bert", "error[E116]: bert: .*names of a BERT-like model .* paddle2torch converts ERNIE"),
        ("config", "error[E011]: config/config.json: model_type is 'bert', .* paddle2torch converts ERNIE"),
        ("my.zip", r"error[E004]: my\.zip is a zip archive, .*Unpack it first"),
        ("my.tar.gz", r"error[E004]: my\.tar\.gz is a tar archive, .*Unpack it first"),
    ],
)
def test_foreign_models_and_archives_are_named(desk: Path, name: str, told: str) -> None:
    Path("bert").mkdir()
    named = {f"bert.encoder.layer.0.attention.self.{part}.weight": np.zeros((4, 4), "f4") for part in ("query", "key")}
    Path("bert/model_state.pdparams").write_bytes(pickle.dumps(named, 4))
    write_folder(desk / "config", config={"model_type": "bert", "architectures": ["BertModel"]})
    shutil.make_archive("my", "zip", "my-ernie-m")
    shutil.make_archive("my", "gztar", "my-ernie-m")
    (line,) = errors("convert", name, "o")
    assert re.match(told.replace("[", r"\[", 1), line), line


def test_weights_under_another_name_are_taken_for_what_they_are(desk: Path) -> None:
    shutil.copy("my-ernie-m/model_state.pdparams", "weights.bin")
    result = call("convert", "weights.bin", "o", "--config", "my-ernie-m/config.json")
    assert result.exit_code == 0 and "weights.bin is a pickle (as in .pdparams files) by its content" in result.stderr


def test_env_tells_versions_and_places_and_no_secret(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_secretsecretsecretsecretsecretsecret")
    monkeypatch.setenv("HTTPS_PROXY", "http://me:pass@host:1")
    monkeypatch.setenv("PADDLE2TORCH_CACHE", str(tmp_path))
    monkeypatch.setenv("PADDLE2TORCH_PADDLE_PYTHON", str(tmp_path / "none"))
    facts = json.loads(call("env", "--json").stdout)
    assert facts["cache"] == str(tmp_path) and facts["packages"]["numpy"] == np.__version__
    assert "which is no program" in facts["reference"]["reference"]
    text = call("env").stdout
    assert "secret" not in text and "pass@" not in text and "HF_TOKEN           ***" in text


@pytest.mark.parametrize(
    ("changes", "code", "rows"),
    [
        ({"model_type": "bert", "architectures": ["BertModel"]}, "E011", ["class      BertModel"]),
        ({"architectures": ["ErnieMForPoetry"]}, "E012", ["class      ErnieMForPoetry"]),
        ({"num_attention_heads": 3}, "E015", ["class      ErnieMModel"]),
        ("{", "E307", ["class      unknown"]),
    ],
)
def test_inspect_shows_what_is_known_of_a_model_that_is_refused(
    desk: Path, changes: dict[str, object] | str, code: str, rows: list[str]
) -> None:
    write_folder(desk / "other", config=make_config(**(changes if isinstance(changes, dict) else {})))
    sizes = "sizes      vocab_size 30, hidden_size 8, "
    if changes == "{":
        Path("other/config.json").write_text("{")
        sizes = "sizes      unknown"
    result = call("inspect", "other")
    assert result.exit_code == 2 and f"error[{code}]: other" in result.stderr
    known = ("format     pdparams (pickle protocol 4)", "tensors    38, 2,152 parameters, 8,608 bytes", sizes)
    for row in (*known, "files      model_state.pdparams", *rows):
        assert row in result.stdout, row
    assert "behavior" not in result.stdout
    facts = json.loads(call("inspect", "other", "--json").stdout)
    assert facts["problems"][0].startswith(f"error[{code}]") and facts["tensors"] == 38


@pytest.mark.parametrize("words", [["--behavior", "none"], ["--family", "none"]])
def test_inspect_of_a_wrong_option_shows_no_facts(desk: Path, words: list[str]) -> None:
    result = call("inspect", "my-ernie-m", *words)
    assert result.exit_code == 2 and result.stdout == ""


def test_a_report_has_the_title_that_is_asked_for(desk: Path) -> None:
    words = ["verify", "my-ernie-m", "out", "--static-only"]
    assert "title: " not in call(*words).stdout
    assert "\ntitle: my model, nightly\nmodel: ErnieMModel, " in call(*words, "--title", "my model, nightly").stdout
    assert json.loads(Path("out/verification/report.json").read_text())["title"] == "my model, nightly"


def test_push_names_the_report_by_the_folder_that_was_given(desk: Path) -> None:
    (line,) = errors("push", "out", "me/x", "--dry-run")
    assert line.startswith("error[E802]: there is no out/verification/report.json: OUTPUT is not verified. Run ")
    assert call("verify", "my-ernie-m", "out", "--static-only").exit_code == 0
    assert errors("push", "out", "me/x", "--dry-run")[0].startswith("error[E802]: out/verification/report.json: it is ")
