"""paddle2torch push, as a user starts it: exit codes, what is printed where, and what is not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.support.local_hub import Handler, LocalHub, refuse
from tests.support.publish_fixtures import ID, TOKEN, write_trace


def run(hub: LocalHub, *words: object, token: str = TOKEN) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "converter", "push", *map(str, words)]
    environment = {**os.environ, "HF_ENDPOINT": hub.url, "HF_TOKEN": token, "HF_HUB_DISABLE_XET": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=100, check=False)
    assert token not in done.stdout + done.stderr and "Traceback" not in done.stderr
    return done


def test_a_push_prints_the_list_and_the_address(hub: LocalHub, output: Path) -> None:
    done = run(hub, output, ID)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[-1].startswith(f"pushed 9 files, 0.1 MB, to {hub.url}/{ID}: commit ") and "(verified; " in lines[-1]
    assert any(line.startswith("add ") and line.endswith("  model.safetensors") for line in lines)
    done = run(hub, output, ID)
    assert done.returncode == 0 and done.stdout.splitlines()[-1].startswith("nothing to do: ")


def test_json_is_one_object(hub: LocalHub, output: Path) -> None:
    done = run(hub, output, ID, "--json", "--dry-run")
    told = json.loads(done.stdout)
    assert (done.returncode, told["dry_run"], told["new_repository"], told["verified"]) == (0, True, True, True)
    assert {file["name"]: file["change"] for file in told["files"]}["model.safetensors"] == "add"
    assert not hub.store.repositories


def test_every_option_reaches_its_place(hub: LocalHub, output: Path) -> None:
    (output / "verification" / "report.json").unlink()
    done = run(hub, output, ID)
    assert done.returncode == 2 and done.stderr.count("error[E802]") == 1 and not hub.log
    options = ["--private", "--revision", "v1", "--commit-message", "First", "--allow-unverified"]
    done = run(hub, output, ID, *options)
    assert done.returncode == 0 and "NOT verified" in done.stdout and "warning: not verified: " in done.stderr
    repository = hub.store.repositories[ID]
    assert repository.private and repository.find("v1").title == "First"
    assert run(hub, output, ID, "--create-pr", "--allow-unverified").returncode == 0
    assert len(repository.pulls) == 1


def test_refusals_end_with_2_and_one_object(hub: LocalHub, output: Path) -> None:
    done = run(hub, output, ID, "--json", token="hf_another_token")
    assert done.returncode == 2
    assert [problem["code"] for problem in json.loads(done.stdout)["error"]] == ["E805"]
    done = run(hub, ID, output)
    assert done.returncode == 2 and "OUTPUT comes first" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_upload_under_way_does_not_keep_ctrl_c_waiting(hub: LocalHub, output: Path, number: signal.Signals) -> None:
    write_trace(output)  # A second large file: huggingface_hub then sends in threads, and waits for them.
    asked, ended = threading.Event(), threading.Event()

    def hang(handler: Handler) -> None:
        asked.set()
        ended.wait(100)
        handler.serve()

    hub.plan("PUT", "^/large/", hang, hang)
    environment = {**os.environ, "HF_ENDPOINT": hub.url, "HF_TOKEN": TOKEN, "HF_HUB_DISABLE_XET": "1"}
    command = [sys.executable, "-m", "converter", "push", str(output), ID, "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    assert asked.wait(60)
    process.send_signal(number)
    try:
        out, error = process.communicate(timeout=40)  # The uploads are still under way.
    finally:
        ended.set()
        process.kill()
    assert process.returncode == -number and error.endswith(
        "error[E009]: stopped by the user. Nothing was left half-written.\n"
    )
    assert [problem["code"] for problem in json.loads(out)["error"]] == ["E009"]
    assert not hub.asked("POST", "/commit/")


def test_debug_shows_where_and_no_token(hub: LocalHub, output: Path) -> None:
    hub.plan("POST", "/commit/", refuse(403, None, f"{TOKEN} may not write"))
    command = [sys.executable, "-m", "converter", "--debug", "push", str(output), ID]
    environment = {**os.environ, "HF_ENDPOINT": hub.url, "HF_TOKEN": TOKEN, "HF_HUB_DISABLE_XET": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=100, check=False)
    assert done.returncode == 2 and "Traceback" in done.stderr and "E806" in done.stderr
    assert TOKEN not in done.stdout + done.stderr
