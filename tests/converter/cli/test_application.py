"""The command line's contract: exit codes, `error[CODE]:` lines, one JSON object, nothing half-written."""

from __future__ import annotations

import json
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from converter import convert
from converter.cli import app
from converter.common.arguments import parse_size
from converter.common.errors import SourceError
from tests.support.checkpoints import make_config, make_state, write_folder


def call(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words])


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_convert_says_what_it_wrote_and_ends_with_0(tmp_path: Path) -> None:
    result = call("convert", write_folder(tmp_path / "in"), tmp_path / "out")
    assert result.exit_code == 0
    assert result.stdout.startswith(f"wrote {tmp_path / 'out'}: ErnieMModel, 2,152 parameters in 38 tensors")
    assert result.stderr.startswith("warning: no tokenizer next to the weights")


def test_json_is_one_object_on_stdout_and_nothing_else(tmp_path: Path) -> None:
    result = call("convert", write_folder(tmp_path / "in"), tmp_path / "out", "--json")
    data = json.loads(result.stdout)
    assert (data["tensors"], data["written"], data["target_class"]) == (38, True, "ErnieMModel")
    assert data["warnings"] and data["output"] == str(tmp_path / "out")


def test_inspect_tells_class_sizes_and_what_would_be_dropped(tmp_path: Path) -> None:
    source = write_folder(tmp_path / "in", architecture="ErnieMForQuestionAnswering")
    text = call("inspect", source).stdout
    assert "ErnieMForQuestionAnswering" in text and "pickle protocol 4" in text
    assert "drops      ernie_m.pooler.dense.weight: PyTorch's class for this task has no pooling layer" in text
    data = json.loads(call("inspect", source, "--json").stdout)
    assert data["sizes"]["num_hidden_layers"] == 2 and data["dtypes"] == {"float32": 40}


def test_verify_takes_the_name_of_a_family(tmp_path: Path) -> None:
    source, output = write_folder(tmp_path / "in"), tmp_path / "out"
    convert(source, output)
    assert call("verify", source, output, "--static-only", "--family", "ernie_m").exit_code == 0
    unknown = call("verify", source, output, "--static-only", "--family", "unheard")
    assert unknown.exit_code == 2 and "'unheard' is not one of 'ernie', " in unknown.stderr


def test_inspect_of_what_would_not_convert_lists_the_problems(tmp_path: Path) -> None:
    state = make_state()
    del state["pooler.dense.bias"]
    result = call("inspect", write_folder(tmp_path / "in", state))
    assert result.exit_code == 2
    assert "class      ErnieMModel" in result.stdout and "error[" not in result.stdout
    assert "error[E101]: missing: pooler.dense.bias" in result.stderr


class Evil:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("touch executed",)


def want_code(source: Path) -> None:
    (source / "model_state.pdparams").write_bytes(pickle.dumps({"a": Evil()}, 4))


def truncate(source: Path) -> None:
    path = source / "model_state.pdparams"
    path.write_bytes(path.read_bytes()[:-700])


def lose_a_tensor(source: Path) -> None:
    state = make_state()
    del state["encoder.layers.1.norm1.bias"]
    write_folder(source, state)


def add_a_layer(source: Path) -> None:
    write_folder(source, make_state(num_hidden_layers=3), make_config())


def transpose_a_matrix(source: Path) -> None:
    state = make_state()
    state["encoder.layers.0.linear2.weight"] = state["encoder.layers.0.linear2.weight"].T.copy()
    write_folder(source, state)


def lose_the_config(source: Path) -> None:
    (source / "config.json").unlink()


def lose_the_weights(source: Path) -> None:
    (source / "model_state.pdparams").unlink()


def be_a_pipe(source: Path) -> None:
    (source / "model_state.pdparams").unlink()
    os.mkfifo(source / "model_state.pdparams")


def be_a_download_error(source: Path) -> None:
    (source / "model_state.pdparams").write_text("<!DOCTYPE html><html>404</html>")


BAD = [
    (want_code, "E301", "system'"),
    (truncate, "E3", "model_state.pdparams"),
    (lose_a_tensor, "E101", "encoder.layers.1.norm1.bias"),
    (add_a_layer, "E102", "encoder.layers.2"),
    (transpose_a_matrix, "E201", "encoder.layers.0.linear2.weight is [8, 32], expected [32, 8]"),
    (lose_the_config, "E010", "--architecture"),
    (lose_the_weights, "E0", "model_state.pdparams"),
    (be_a_pipe, "E", "model_state.pdparams"),
    (be_a_download_error, "E3", "model_state.pdparams"),
]


@pytest.mark.parametrize(("damage", "code", "said"), BAD, ids=[case[0].__name__ for case in BAD])
def test_bad_input_ends_with_2_one_clear_error_and_nothing_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: object, code: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    source = write_folder(tmp_path / "in")
    damage(source)  # type: ignore[operator]
    result = call("convert", source, tmp_path / "out")
    assert result.exit_code == 2
    assert result.stdout == ""
    errors = [line for line in result.stderr.splitlines() if not line.startswith("warning: ")]
    assert len(errors) == 1 and errors[0].startswith(f"error[{code}") and said in errors[0], errors
    assert names(tmp_path) == ["in"]


def test_an_output_that_holds_something_ends_with_2(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("")
    result = call("convert", write_folder(tmp_path / "in"), tmp_path / "out")
    assert result.exit_code == 2
    assert "error[E501]" in result.stderr and "--force" in result.stderr
    assert names(tmp_path / "out") == ["mine"]


@pytest.mark.parametrize(
    "words",
    [
        ["convert"],
        ["convert", "only-one"],
        ["transmogrify", "a", "b"],
        ["convert", "a", "b", "--dtype", "int8"],
        ["convert", "a", "b", "--no-such-option"],
        ["convert", "no-such-folder", "b"],
        ["verify", "a"],
        ["inspect", "no-such-folder"],
    ],
)
def test_wrong_usage_ends_with_2_and_one_line(words: list[str]) -> None:
    result = call(*words)
    assert result.exit_code == 2
    assert (
        result.stderr.startswith(("error[E0", "error[E405]: a: there is no such folder"))
        and len(result.stderr.splitlines()) == 1
    )


@pytest.mark.parametrize(
    ("text", "size"),
    [("5GB", 5 * 10**9), ("500MB", 5 * 10**8), ("2GiB", 2 << 30), ("1.5kb", 1500), ("123", 123), ("7B", 7)],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "0", "GB", "-5GB", "5XB", "0.1B", "1e9"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(SourceError, match="--max-shard-size"):
        parse_size(text)


def test_no_words_at_all_print_the_help_and_end_with_2() -> None:
    result = call()
    assert result.exit_code == 2
    assert "Usage: paddle2torch" in result.stderr and "error[" not in result.stderr


def test_version_and_help_need_nothing_heavy() -> None:
    script = (
        "import sys\nfrom converter.cli import app\n"
        "try:\n    app(['--help'], prog_name='x')\nexcept SystemExit:\n    pass\n"
        "heavy = {'numpy', 'torch', 'safetensors', 'transformers', 'huggingface_hub'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert call("--version").stdout.startswith("paddle2torch ")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_with_one_line_and_leaves_nothing(tmp_path: Path, number: int) -> None:
    source = write_folder(tmp_path / "in")
    script = (
        "import faulthandler, signal, sys, time\n"
        "faulthandler.register(signal.SIGUSR1)\n"
        "from converter.write import output\n"
        # A signal that comes just before a long sleep would be seen after it.
        "def wait(*a):\n    print('writing', flush=True)\n    for _ in range(1200):\n        time.sleep(0.05)\n"
        "output.write_json = wait\n"
        "from converter.__main__ import main\nmain()\n"
    )
    command = [sys.executable, "-c", script, "convert", str(source), str(tmp_path / "deep" / "out")]
    run = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert run.stdout is not None and run.stdout.readline() == "writing\n"
    run.send_signal(number)
    try:
        _, errors = run.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        run.send_signal(signal.SIGUSR1)  # Where it hangs: seen once, and the cause is not known.
        time.sleep(1)
        run.kill()
        pytest.fail(f"it goes on: {run.communicate()[1]}")
    said = [line for line in errors.splitlines() if not line.startswith("warning: ")]
    assert (run.returncode, said) == (-number, ["error[E009]: stopped by the user. Nothing was left half-written."])
    assert names(tmp_path) == ["in"]


def test_a_signal_while_modules_are_imported_ends_with_one_line_too() -> None:
    script = (
        "import builtins, os, signal\n"
        "find = builtins.__import__\n"
        "def late(name, *a, **k):\n"
        "    if name == 'converter.cli.application': os.kill(os.getpid(), signal.SIGINT)\n"
        "    return find(name, *a, **k)\n"
        "from converter.__main__ import main\n"
        "builtins.__import__ = late\nmain()\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stderr) == (
        -signal.SIGINT,
        "error[E009]: stopped by the user. Nothing was left half-written.\n",
    )


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["convert", "--json"], "E090"),
        (["convert", "no-such-folder", "b", "--json"], "E0"),
        (["convert", "a", "b", "--dtype", "int8", "--json"], "E090"),
        (["inspect", "no-such-folder", "--json"], "E0"),
        (["verify", "--json"], "E090"),
        (["verify", "a", "--json"], "E405"),
        (["transmogrify", "--json"], "E090"),
        (["--json"], "E090"),
    ],
)
def test_with_json_an_error_is_one_object_on_stdout_too(words: list[str], code: str) -> None:
    result = call(*words)
    assert result.exit_code == 2
    (error,) = json.loads(result.stdout)["error"]
    assert error["code"].startswith(code)
    assert result.stderr == f"error[{error['code']}]: {error['message']}\n"


def test_with_json_every_problem_of_a_plan_is_in_the_object(tmp_path: Path) -> None:
    state = make_state(num_hidden_layers=3)
    del state["pooler.dense.bias"]
    result = call("convert", write_folder(tmp_path / "in", state), tmp_path / "out", "--json")
    assert [error["code"] for error in json.loads(result.stdout)["error"]] == ["E101", "E102"]
    assert result.exit_code == 2 and names(tmp_path) == ["in"]


def test_an_empty_argument_is_refused_and_is_not_this_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(write_folder(tmp_path / "in"))
    for words in (["convert", "", "out"], ["inspect", ""], ["convert", ".", "out", "--architecture", ""]):
        result = call(*words)
        assert (result.exit_code, result.stderr[:11]) == (2, "error[E090]"), words
    with pytest.raises(SourceError, match="E090"):
        convert("", tmp_path / "out")


def test_behavior_is_an_option_and_is_said(tmp_path: Path) -> None:
    source = write_folder(tmp_path / "in")
    result = call("convert", source, tmp_path / "out", "--behavior", "release")
    assert result.exit_code == 0 and "behavior: release (the 2021 release's: without a mask" in result.stdout
    assert "'paddlenlp'; the option 'release' is taken" in result.stderr
    assert "behavior   paddlenlp (PaddleNLP's: without a mask [CLS] is masked)" in call("inspect", source).stdout
    assert json.loads(call("inspect", source, "--behavior", "release", "--json").stdout)["behavior"] == "release"
    told = "behavior: release (the 2021 release's: without a mask [PAD] is masked)"
    assert told in call("verify", source, tmp_path / "out", "--static-only").stdout
    assert "behavior: " not in call("convert", source, tmp_path / "usual").stdout
    assert call("convert", source, tmp_path / "two", "--behavior", "mine").exit_code == 2


def test_a_signal_with_json_is_one_object_too(tmp_path: Path) -> None:
    script = (
        "import importlib, os, signal\n"
        "home = importlib.import_module('converter.conversion')\n"
        "home.convert = lambda *a, **k: os.kill(os.getpid(), signal.SIGTERM)\n"
        "from converter.__main__ import main\nmain()\n"
    )
    command = [sys.executable, "-c", script, "convert", "a", "b", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert done.returncode == -signal.SIGTERM
    assert [error["code"] for error in json.loads(done.stdout)["error"]] == ["E009"]


def test_to_paddle_writes_a_folder_and_names_the_next_step(tmp_path: Path) -> None:
    convert(write_folder(tmp_path / "in"), tmp_path / "my out")
    result = call("to-paddle", tmp_path / "my out", tmp_path / "back", "--dry-run")
    assert result.exit_code == 0 and result.stdout.startswith(f"would write {tmp_path / 'back'}: ErnieMModel, 2,152")
    assert names(tmp_path) == ["in", "my out"] and "prove it" not in result.stdout
    result = call("to-paddle", tmp_path / "my out", tmp_path / "back")
    assert result.exit_code == 0 and result.stderr.startswith("warning: no tokenizer")
    assert result.stdout.endswith(f"prove it: paddle2torch verify {tmp_path / 'back'} '{tmp_path / 'my out'}'\n")
    data = json.loads(call("to-paddle", tmp_path / "my out", tmp_path / "back", "--force", "--json").stdout)
    assert (data["written"], data["tensors"], data["target_class"], data["lost"]) == (True, 38, "ErnieMModel", [])


def test_to_paddle_ends_with_2_and_every_problem(tmp_path: Path) -> None:
    result = call("to-paddle", tmp_path / "nothing", tmp_path / "back", "--json")
    assert result.exit_code == 2 and json.loads(result.stdout)["error"][0]["code"] == "E042"
    convert(write_folder(tmp_path / "in"), tmp_path / "out")
    result = call("to-paddle", tmp_path / "out", tmp_path / "in", "--force")
    assert result.exit_code == 2 and result.stderr.startswith("error[E501]: ") and "to_paddle.json" in result.stderr
