"""What the processes of a verification are started with."""

from __future__ import annotations

import pytest

from verify.reference import subprocess_runner
from verify.reference.subprocess_runner import clean_environment


def test_nothing_leads_to_our_packages_or_to_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", "ours")
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    environment = clean_environment(HOME="elsewhere")
    assert "PYTHONPATH" not in environment
    assert (environment["HF_HUB_OFFLINE"], environment["HOME"]) == ("1", "elsewhere")


@pytest.mark.parametrize("machine, threads", [("x86_64", "1"), ("aarch64", None)])
def test_numpy_has_one_thread_where_torch_has_its_own(
    machine: str, threads: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On ARM torch multiplies with OpenBLAS too."""
    monkeypatch.setattr(subprocess_runner.sys, "platform", "linux")
    monkeypatch.setattr(subprocess_runner.platform, "machine", lambda: machine)
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    assert clean_environment().get("OPENBLAS_NUM_THREADS") == threads
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "4")
    assert clean_environment()["OPENBLAS_NUM_THREADS"] == "4"
