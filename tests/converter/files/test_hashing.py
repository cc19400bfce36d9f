"""Checksums of files are those that sha256sum, md5sum and git print."""

from __future__ import annotations

from pathlib import Path

import pytest

from converter.files.disk import lacking_space
from converter.files.hashing import git_blob_id, md5_of, read_pieces, sha256_of


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(b"hello\n")
    return path


def test_the_checksums_are_those_of_other_programs(file: Path) -> None:
    assert sha256_of(file) == "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"
    assert md5_of(file) == "b1946ac92492d2347c6235b4d2611184"
    assert git_blob_id(file) == "ce013625030ba8dba906f756967f9e9ca394464a"


def test_progress_is_the_number_of_bytes_so_far(tmp_path: Path) -> None:
    path, seen = tmp_path / "large", []
    path.write_bytes(bytes((1 << 20) + 5))
    sha256_of(path, seen.append)
    assert seen == [1 << 20, (1 << 20) + 5]
    assert list(map(len, read_pieces(path))) == [1 << 20, 5]


def test_space_is_lacking_only_where_more_is_needed_than_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda path: type("Usage", (), {"free": 2_000_000_000}))
    assert lacking_space(tmp_path, 2_000_000_000) is None
    assert lacking_space(tmp_path, 2_500_000_000) == "2.00 GB free, 2.50 GB needed"
