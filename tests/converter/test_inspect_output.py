"""`inspect` of a folder that `convert` made."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from converter import convert, inspect
from converter.cli import app
from converter.common.version import __version__
from tests.support.checkpoints import write_folder
from tests.support.publish_fixtures import output as verified_output
from verify import verify

__all__ = ["verified_output"]


@pytest.fixture
def output(tmp_path: Path) -> Path:
    convert(write_folder(tmp_path / "in"), tmp_path / "out")
    return tmp_path / "out"


def test_what_it_is_and_what_it_was_made_from(output: Path, tmp_path: Path) -> None:
    found, source = inspect(output), inspect(tmp_path / "in")
    assert found.problems == () and source.made_from is None
    assert (found.source_class, found.target_class) == (source.source_class, source.target_class)
    assert (found.parameters, found.dtypes, found.behavior) == (source.parameters, source.dtypes, source.behavior)
    assert found.sizes["hidden_size"] == source.sizes["hidden_size"]
    made = found.made_from
    assert made is not None and made.version == __version__ and not made.trace
    weights = tmp_path / "in" / "model_state.pdparams"
    assert (weights.name, hashlib.sha256(weights.read_bytes()).hexdigest()) in made.files


def test_whether_it_is_verified(output: Path, tmp_path: Path) -> None:
    def told() -> tuple[bool, str]:
        made = inspect(output).made_from
        assert made is not None
        return made.verified, made.verification

    assert told()[0] is False and "no verification/report.json" in told()[1]
    verify(tmp_path / "in", output, static_only=True)
    assert told()[0] is False and "not a full one: numbers not looked at" in told()[1]


def test_a_report_is_about_the_bytes_that_are_there(verified_output: Path) -> None:
    made = inspect(verified_output).made_from
    assert made is not None and made.verified, made
    assert made.verification.startswith("weights, numbers")
    config = verified_output / "config.json"
    config.write_text(config.read_text().replace("}", " }", 1))
    made = inspect(verified_output).made_from
    assert made is not None and not made.verified and made.verification == "config.json: not as verified"


def test_the_command(output: Path) -> None:
    told = CliRunner().invoke(app, ["inspect", str(output)])
    assert told.exit_code == 0, told.output
    lines = {line[:10].strip(): line[11:] for line in told.stdout.splitlines()}
    assert lines["made by"].startswith(f"paddle2torch {__version__}, table ErnieMModel version")
    assert lines["verified"].startswith("NO: there is no verification/report.json")
    data = json.loads(CliRunner().invoke(app, ["inspect", str(output), "--json"]).stdout)
    assert data["made_from"]["verified"] is False and data["made_from"]["version"] == __version__


def test_what_is_wrong_with_it_is_a_problem(output: Path) -> None:
    (output / "model.safetensors").write_bytes(b"cut")
    (output / "paddle2torch.json").write_text("{}")
    found = inspect(output)
    assert found.made_from is None
    assert {problem[:11] for problem in found.problems} == {"error[E405]", "error[E406]"}
    assert CliRunner().invoke(app, ["inspect", str(output)]).exit_code == 2
