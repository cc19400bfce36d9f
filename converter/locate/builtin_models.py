"""The built-in names: the files of PaddleNLP's community storage for each, and a folder like PaddleNLP's of them."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from functools import cache
from typing import Any

from converter.common.errors import FetchError, Problem, SourceError
from converter.common.progress import ByteProgress
from converter.fetch.cache import CacheEntry, FileRecord
from converter.fetch.download import fetch_file
from converter.fetch.request import RequestedFile
from converter.fetch.url import Address, parse_address
from converter.files.hashing import sha256_of
from converter.locate.check_download import check_content
from mappings import all_families
from mappings.pretrained import Pretrained, StoredFile
from mappings.toml_files import read_toml

VARIABLE = "PADDLE2TORCH_PADDLE_ENDPOINT"
_MOST_JSON, _MOST_TOKENIZER = 8 << 20, 64 << 20


def most_bytes(file: StoredFile) -> int | None:
    """The largest size in bytes that a file may have; None: weights, of any size."""
    if file.name.endswith(".pdparams"):
        return None
    return _MOST_JSON if file.name.endswith(".json") else _MOST_TOKENIZER


@cache
def built_in_names() -> Mapping[str, Pretrained]:
    """The published models of every family, by name."""
    return {model.name: model for family in all_families() for model in family.pretrained}


def endpoint() -> Address:
    """Where the store is. Raises SourceError when the variable holds no http(s) address."""
    named = os.environ.get(VARIABLE) or str(read_toml("shared", "store.toml")["endpoint"])
    try:
        return parse_address(named.rstrip("/"))
    except SourceError as error:
        raise SourceError(Problem("E701", f"{VARIABLE}: {error.problems[0].text}")) from None


def gather(model: Pretrained, entry: CacheEntry, store: Address, *, offline: bool, progress: ByteProgress) -> None:
    """Fetch the files of `model` that are missing in `entry`, or have another checksum; the caller has locked it. The
    weights come last, so that a folder with weights is complete. Raises FetchError."""
    files = sorted(model.files, key=lambda file: most_bytes(file) is None)
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
        fetch_file(entry, RequestedFile(file.name, address, check_content, file.md5, most_bytes(file)), progress)


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
