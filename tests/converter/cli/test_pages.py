"""Help pages, short options, completion, and proposals for what was mistyped."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import tomllib
from typer.testing import CliRunner, Result

from converter.cli import app
from converter.common.version import HOMEPAGE

ROOT = Path(__file__).resolve().parents[3]
COMMANDS = ["convert", "inspect", "verify", "evaluate", "push", "to-paddle", "env"]
PAGES = [[name] for name in COMMANDS] + [["reference", name] for name in ("install", "path", "script")]


def call(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "80", "TERMINAL_WIDTH": "80"})


@pytest.mark.parametrize("words", PAGES, ids=" ".join)
def test_every_page_has_usage_examples_that_parse_and_a_document(words: list[str]) -> None:
    name = " ".join(["paddle2torch", *words])
    page = call(*words, "-h").stdout
    assert page == call(*words, "--help").stdout and page.startswith(f"Usage: {name} ")
    examples = page.split("Examples:\n")[1].split("\n\n")[0].splitlines()
    assert len(examples) == 2 and all(line.startswith(f"  {name}") for line in examples)
    document = re.search(rf"^More: {HOMEPAGE}/blob/main/(\S+)$", page, re.MULTILINE)
    assert document is not None and (ROOT / document[1]).is_file()
    assert not re.search(r"<\w+|list\[|<class", page)
    for option in ("-q, --quiet", "-v, --verbose", "--debug", "-h, --help"):
        assert option in page


def test_the_usage_of_verify_has_both_forms() -> None:
    assert call("verify", "-h").stdout.splitlines()[:2] == [
        "Usage: paddle2torch verify [OPTIONS] SOURCE OUTPUT",
        "       paddle2torch verify [OPTIONS] OUTPUT_OR_HUB_ID [--trace FILE]",
    ]


@pytest.mark.parametrize("words", [[], ["reference"]], ids=["program", "reference"])
def test_the_summaries_of_commands_are_short_and_whole(words: list[str]) -> None:
    lines = call(*words, "-h").stdout.split("Commands:\n")[1].split("\n\n")[0].splitlines()
    summaries = [line.split(maxsplit=1)[1] for line in lines]
    assert len(summaries) == (3 if words else 8)
    assert all(len(summary) < 60 and summary.endswith(".") and "..." not in summary for summary in summaries)


def test_the_short_form_of_version() -> None:
    assert call("-V").stdout == call("--version").stdout != ""


def test_the_shell_completes_commands_options_and_values() -> None:
    def complete(words: str, number: int) -> list[str]:
        variables = {"_PADDLE2TORCH_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(number)}
        done = subprocess.run(
            [sys.executable, "-m", "converter"],
            env={**os.environ, **variables},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout.split()

    assert complete("paddle2torch to", 1) == ["to-paddle"]
    assert complete("paddle2torch convert --dty", 2) == ["--dtype"]
    assert complete("paddle2torch convert --dtype fl", 3) == ["float32", "float16"]
    assert "--install-completion" in call("-h").stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["convret"], "No such command 'convret'. Did you mean 'convert'? See `paddle2torch --help`"),
        (
            ["convert", "a", "b", "--dtpye", "x"],
            "No such option: --dtpye. Did you mean --dtype? See `paddle2torch convert --help`",
        ),
        (
            ["convert", "a", "b", "--dtype", "flaot16"],
            "Invalid value for '--dtype': 'flaot16' is not one of 'keep', 'float32', 'float16', 'bfloat16'. "
            "Did you mean 'float16'? See `paddle2torch convert --help`",
        ),
        (
            ["convert", "a", "b", "--num-attention-heads", "zwölf"],
            "Invalid value for '--num-attention-heads': 'zwölf' is not a whole number from 1 on. "
            "See `paddle2torch convert --help`",
        ),
        (["evaluate", "a", "b", "--batch-size", "0"], "Invalid value for '--batch-size': '0' is not a whole number"),
        (["reference", "pth"], "No such command 'pth'. Did you mean 'path'? See `paddle2torch reference --help`"),
        (["convert", "a"], "Missing argument 'OUTPUT'. See `paddle2torch convert --help`"),
    ],
)
def test_usage_errors_name_the_value_a_proposal_and_the_page(words: list[str], told: str) -> None:
    result = call(*words)
    assert result.exit_code == 2 and result.stderr.startswith(f"error[E090]: {told}")
    assert len(result.stderr.splitlines()) == 1


def test_the_address_of_the_project_is_the_same_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["urls"]["Homepage"] == HOMEPAGE
    assert all(address.startswith(HOMEPAGE) for address in project["urls"].values())
