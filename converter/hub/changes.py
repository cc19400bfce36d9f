"""What the Hub has, and what of it would change."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from converter.publish.folder import EVIDENCE, LocalFile

#: What this tool writes under these names a loader reads, or a reader trusts, whatever else is there: one of an earlier
#: push that OUTPUT no longer has would decide numbers or tokens, or speak of other bytes.
_OURS = re.compile(r"model(-\d{5}-of-\d{5})?\.safetensors|model\.safetensors\.index\.json|release_extras\.safetensors")
_TOKENS = (
    "added_tokens.json",
    "special_tokens_map.json",
    "tokenizer_config.json",
    "vocab.txt",
    "sentencepiece.bpe.model",
)
#: What a loader would take beside or in place of ours, and this tool never writes.
FOREIGN = ("adapter_config.json", "tokenizer.json", "generation_config.json")


@dataclass(frozen=True)
class RemoteFile:
    """A file as the Hub describes it. `sha256` is None for one that is not in LFS."""

    size: int
    git_sum: str
    sha256: str | None

    def equals(self, file: LocalFile) -> bool:
        if self.size != file.size:
            return False
        return self.sha256 == file.sha256 if self.sha256 is not None else self.git_sum == file.git_sum


@dataclass(frozen=True)
class Changes:
    """Files to send, files that are equal already, names to delete."""

    added: tuple[LocalFile, ...]
    changed: tuple[LocalFile, ...]
    same: tuple[LocalFile, ...]
    deleted: tuple[str, ...]

    @property
    def sent(self) -> tuple[LocalFile, ...]:
        return (*self.added, *self.changed)

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.deleted)


def find_changes(files: Sequence[LocalFile], remote: Mapping[str, RemoteFile]) -> Changes:
    """What has to happen for the Hub to have exactly these files. Files that are only there stay, unless they are an
    earlier push's and would be taken for a part of this model."""
    names = {file.name for file in files}
    return Changes(
        added=tuple(file for file in files if file.name not in remote),
        changed=tuple(file for file in files if file.name in remote and not remote[file.name].equals(file)),
        same=tuple(file for file in files if file.name in remote and remote[file.name].equals(file)),
        deleted=tuple(sorted(name for name in remote if name not in names and _is_ours(name))),
    )


def _is_ours(name: str) -> bool:
    return bool(_OURS.fullmatch(name)) or name in _TOKENS or name in EVIDENCE


def find_foreign(files: Sequence[LocalFile], remote: Mapping[str, RemoteFile]) -> tuple[str, ...]:
    """Files of others on the Hub that loading this model could read."""
    names = {file.name for file in files}
    return tuple(
        name
        for name in sorted(remote)
        if name not in names and (name in FOREIGN or (name.endswith((".safetensors", ".py")) and "/" not in name))
    )
