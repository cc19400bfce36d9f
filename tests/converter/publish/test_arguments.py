"""The arguments of push are checked before any file is read or server asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from converter import Paddle2TorchError, push
from converter.publish.arguments import check_arguments
from tests.support.local_hub import LocalHub
from tests.support.publish_fixtures import ID, Pushes, refusal


def test_the_wrong_way_round_is_recognised(hub: LocalHub, output: Path) -> None:
    with pytest.raises(Paddle2TorchError, match=r"E801.*OUTPUT comes first.*paddle2torch push .*output me/tiny"):
        push(ID, str(output))
    assert hub.log == []


@pytest.mark.parametrize("name", ["a/b/c", "a b", "", "../x", "me/-x", "me/x.git", "me/a--b", "https://x/y"])
def test_a_name_that_no_hub_takes_is_refused(hub: LocalHub, push_it: Pushes, name: str) -> None:
    assert refusal(push_it, repo_id=name).startswith("error[E801]")
    assert hub.log == []


@pytest.mark.parametrize("name", ["me/tiny", "tiny", "me/_x", "Me-2/x.y_z"])
def test_a_name_that_the_hub_takes_passes(tmp_path: Path, name: str) -> None:
    check_arguments(tmp_path, name, None)


@pytest.mark.parametrize(
    "name", ["main/", "a//b", "a/.b", "x.lock", "x.lock/y", "v1.", "HEAD", "a..b", "-x", "", "a" * 40]
)
def test_what_is_no_branch_is_refused(hub: LocalHub, push_it: Pushes, name: str) -> None:
    assert refusal(push_it, revision=name, dry_run=True).startswith("error[E801]: --revision ")
    assert hub.log == []


@pytest.mark.parametrize("name", ["main", "v1.0", "me/next", "refs/pr/3", "deadbeef"])
def test_what_may_be_a_branch_passes(tmp_path: Path, name: str) -> None:
    check_arguments(tmp_path, ID, name)


def test_a_blank_message_is_refused(hub: LocalHub, push_it: Pushes) -> None:
    assert refusal(push_it, commit_message=" \n").startswith("error[E801]: --commit-message")
    assert hub.log == []
