"""The built-in names: the files of PaddleNLP's community storage for each, and a folder like PaddleNLP's of them."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from converter.common.errors import FetchError, Problem, SourceError
from converter.fetch.cache import CacheEntry, FileRecord
from converter.fetch.download import fetch_file
from converter.fetch.request import Progress, RequestedFile
from converter.fetch.url import Address, parse_address
from converter.files.hashing import sha256_of
from converter.locate.check_download import check_content

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

VARIABLE = "PADDLE2TORCH_PADDLE_ENDPOINT"
_MOST_JSON, _MOST_TOKENIZER = 8 << 20, 64 << 20


@dataclass(frozen=True)
class StoredFile:
    """A file of a built-in name: its name in a PaddleNLP folder, its place in the storage, its md5 where known."""

    name: str
    at: str
    md5: str | None = None

    @property
    def most(self) -> int | None:
        """The largest allowed size in bytes; None for weights, which may have any size."""
        if self.name.endswith(".pdparams"):
            return None
        return _MOST_JSON if self.name.endswith(".json") else _MOST_TOKENIZER


@dataclass(frozen=True)
class BuiltIn:
    """A built-in name: its files, and its config where the store has none."""

    name: str
    files: tuple[StoredFile, ...]
    config: Mapping[str, Any] | None


@cache
def built_in_names() -> Mapping[str, BuiltIn]:
    """The table in builtin_models.toml."""
    data = _read_table()
    return {
        name: BuiltIn(name, tuple(StoredFile(**file) for file in entry["files"]), entry.get("config"))
        for name, entry in data.items()
        if name != "endpoint"
    }


def _read_table() -> dict[str, Any]:
    text = resources.files("converter").joinpath("locate", "builtin_models.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


def endpoint() -> Address:
    """The address of the storage. Raises SourceError if the variable holds no http(s) address."""
    named = os.environ.get(VARIABLE) or str(_read_table()["endpoint"])
    try:
        return parse_address(named.rstrip("/"))
    except SourceError as error:
        raise SourceError(Problem("E701", f"{VARIABLE}: {error.problems[0].text}")) from None


def gather(model: BuiltIn, entry: CacheEntry, store: Address, *, offline: bool, progress: Progress) -> None:
    """Fetch the files of `model` that are missing in `entry`, or have another checksum; the caller has locked it. The
    weights come last, so that a folder with weights is complete. Raises FetchError."""
    files = sorted(model.files, key=lambda file: file.most is None)
    if model.config is not None:
        _write_config(entry, model.config)
    missing = [file for file in files if entry.find(file.name) is None]
    if offline and missing:
        names = ", ".join(file.name for file in missing)
        text = f"offline, and the cache does not have {names} of {model.name} (complete and with its checksum)"
        raise FetchError(Problem("E709", f"{text}. Run it once with a network: {entry.folder} is where it looks"))
    for file in missing:
        address = parse_address(f"{store.url.rstrip('/')}/{file.at}")
        address = Address(address.url, address.shown, store.authorization)
        fetch_file(entry, RequestedFile(file.name, address, check_content, file.md5, file.most), progress)


def _write_config(entry: CacheEntry, config: Mapping[str, Any]) -> None:
    """Write the config of PaddleNLP's own table as config.json."""
    data = (json.dumps(dict(config), indent=2, sort_keys=True) + "\n").encode()
    found = entry.find("config.json")
    if found is not None and found[0].read_bytes() == data:
        return
    incoming = entry.folder / "incoming" / "config.json"
    incoming.parent.mkdir(exist_ok=True)
    incoming.write_bytes(data)
    entry.keep("config.json", incoming, FileRecord(len(data), sha256_of(incoming)))
