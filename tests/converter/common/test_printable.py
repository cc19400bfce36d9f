"""What a file contains reaches terminal, log and page as text alone: one line, visible, short, and no command."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from converter.common.errors import Problem
from converter.common.printable import printable, printable_message, readable, to_code_span, to_markdown
from converter.common.progress import Progress
from converter.common.redaction import redact
from tests.support.checkpoints import LABELS, make_config, write_folder

HOSTILE = "\x1b[2J\x1b]0;t\x07 \u202egnp.exe \u200b\u2066\ufeff\u00ad\u3164 a\r\nb\u2028::set-output name=passed::true"


def run(*words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "converter", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def is_harmless(text: str) -> bool:
    """Every line is printable and is neither a command of a CI runner nor holds one."""
    lines = text.split("\n")
    return all(
        line.isprintable() and "##[" not in line and "##vso[" not in line and not line.strip().startswith("::")
        for line in lines
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("word_embedding", "word_embedding"),
        ("标签 ярлык नमस्ते", "标签 ярлык नमस्ते"),
        ("\x1b[2J", "\\u001b[2J"),
        ("a\r\n\tb", "a\\u000d\\n\\tb"),
        ("\u202eabc\u2069", "\\u202eabc\\u2069"),
        ("a\u200b\u00ad\ufeff\u3164b", "a\\u200b\\u00ad\\ufeff\\u3164b"),
        ("\ud800\udcff\ue000\U000e0041", "\\ud800\\udcff\\ue000\\U000e0041"),
        ("e" + "\u0301" * 5, "e" + "\u0301" * 3 + "\\u0301\\u0301"),
        ("::error::x", "\\u003a:error::x"),
        (" \t::error", " \\t::error"),
        ("  ::error", "  \\u003a:error"),
        ("a ##[add-mask]b", "a #\\u0023[add-mask]b"),
        ("##vso[task.x]", "#\\u0023vso[task.x]"),
        ("a::b", "a::b"),
    ],
)
def test_what_cannot_be_seen_turns_a_line_or_is_a_command_becomes_its_escape(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_long_text_is_cut_and_escapes_do_not_make_it_longer() -> None:
    assert printable("x" * 201) == "x" * 197 + "..."
    assert printable("x" * 200) == "x" * 200
    assert len(printable("\x1b" * 1_000_000)) == 200 and len(printable("ab", 1)) <= 3


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (9.999999747378752e-06, "1e-05 (as float32)"),
        (9.999999960041972e-13, "1e-12 (as float32)"),
        (1e-05, "1e-05"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1.2345678e300, "1.2345678e+300"),
        (float("nan"), "nan"),
        (-10000.0, "-10000.0"),
        ([0, 1], "[0, 1]"),
        (True, "True"),
    ],
)
def test_a_float32_is_shown_by_its_short_number(value: object, shown: str) -> None:
    assert readable(value) == shown


def test_a_message_of_several_lines_keeps_them_and_none_begins_a_command() -> None:
    assert printable_message("error: a\n::stop::b") == "error: a\n  \\u003a:stop::b"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("htp//user:secret@host/x", "htp//***host/x"),
        ("user:secret@host", "***host"),
        ("user:se/c:ret@host/x is no Hub id", "***host/x is no Hub id"),
        ("no (user:p@ss@host:80/x).", "no (***host:80/x)."),
        ("https:user:secret@host", "***host"),
        ("http:/user:secret@host", "***host"),
        ("ftp://token@host/x", "ftp://***host/x"),
        ("'me:secret@host'", "'***host'"),
        ("hf_" + "a" * 34, "***"),
        ("PaddlePaddle/ernie-m-base@main", "PaddlePaddle/ernie-m-base@main"),
        ("http://host:80/x@v2", "http://host:80/x@v2"),
        ("weight@@.0 of w:0@@.1", "weight@@.0 of w:0@@.1"),
        ("someone@host", "someone@host"),
        ("https://NAME:PASSWORD@HOST/...", "https://NAME:PASSWORD@HOST/..."),
    ],
)
def test_what_looks_like_a_password_before_a_host_is_hidden(text: str, shown: str) -> None:
    assert redact(text) == shown and redact(redact(text)) == shown
    assert Problem("E001", text).text == shown and printable(text) == shown


@pytest.mark.parametrize(
    "words",
    [
        ["inspect", "htp//user:secret@host/x"],
        ["inspect", "user:secret@host", "--json"],
        ["inspect", "user:" + "x" * 400 + "secret@host", "--debug"],
        ["convert", "user:secret@host", "user:secret@host", "user:secret@host"],
        ["verify", "htp//user:secret@host/x", "."],
    ],
)
def test_a_mistyped_address_with_a_password_is_not_repeated(words: list[str]) -> None:
    done = run(*words)
    assert done.returncode == 2 and "***host" in done.stderr
    assert "secret" not in done.stdout + done.stderr and "xxxx" not in done.stdout + done.stderr


def test_inspect_and_convert_print_hostile_labels_and_names_in_harmless_lines(tmp_path: Path) -> None:
    names = [HOSTILE, "##[add-mask]x", "y" * 1_000_000]
    assert len(names) == LABELS
    config = make_config("ErnieMForSequenceClassification")
    config["id2label"] = {str(index): name for index, name in enumerate(names)}
    config["label2id"] = {name: index for index, name in enumerate(names)}
    source = write_folder(tmp_path / "in", config=config, architecture="ErnieMForSequenceClassification")
    seen, made = run("inspect", source), run("convert", source, tmp_path / "out")
    assert (seen.returncode, made.returncode) == (0, 0)
    assert "labels     \\u001b[2J" in seen.stdout
    for text in (seen.stdout, seen.stderr, made.stdout, made.stderr):
        assert is_harmless(text) and max(map(len, text.splitlines()), default=0) < 4100
    kept = json.loads((tmp_path / "out" / "config.json").read_text(encoding="utf-8"))
    assert kept["id2label"]["0"] == HOSTILE


@pytest.mark.parametrize("name", ["::error::injected.layers", "##[add-mask].w", "::a::" * 300])
def test_a_tensors_name_is_no_command_in_a_warning(name: str, tmp_path: Path) -> None:
    from tests.support.checkpoints import make_state

    state = make_state()
    source = write_folder(tmp_path / "in", {**state, name: next(iter(state.values()))})
    done = run("inspect", source)
    assert done.returncode == 0 and "not converted" in done.stderr
    assert is_harmless(done.stdout) and is_harmless(done.stderr)


def test_a_terminal_report_of_verify_has_no_line_that_a_name_began() -> None:
    from verify.report.terminal import render_table
    from verify.results.report import Report

    report = Report("float64", problems=[Problem("E404", f"missing: a\n::error::b, {HOSTILE}")], warnings=["\n##[x]y"])
    assert is_harmless(render_table(report)) and "E404" in render_table(report)


def test_progress_is_one_harmless_line(capsys: pytest.CaptureFixture[str]) -> None:
    from converter.cli.reporter import Reporter

    with Reporter() as reporter:
        reporter.print_line(HOSTILE)
        reporter.show(Progress(f"reading {HOSTILE}\n::x"))
        reporter.progress(f"fetching {HOSTILE}", 0, 0)
    assert is_harmless(capsys.readouterr().err)


@pytest.mark.parametrize("text", ["a\n# heading", "<img src=x>", "[a](http://b)", "`x` | y", "@someone #1", "www.a.b"])
def test_text_means_nothing_in_markdown(text: str) -> None:
    line = to_markdown(text)
    assert "\n" not in line and not any(f"{mark}" in line.replace(f"\\{mark}", "") for mark in "<[`|@")
    assert "\n" not in to_code_span(text) and "www." not in line


def test_code_in_markdown_ends_where_its_text_ends() -> None:
    assert to_code_span("a|b") == "`a\\|b`"
    assert to_code_span("a``b`\n# c") == "``` a``b`\\n# c ```"
