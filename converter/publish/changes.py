"""The difference between the files to publish and those of the Hub."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from converter.common.layout import TOKENIZER_FILES
from converter.hub.contents import LocalFile, RemoteFile
from converter.publish.folder import EVIDENCE, is_of_evaluation

#: Files that this tool writes and a loader reads: one of an earlier push that OUTPUT no longer has would change numbers
#: or tokens.
_WEIGHTS = re.compile(
    r"model(-\d{5}-of-\d{5})?\.safetensors|model\.safetensors\.index\.json|release_extras\.safetensors"
)
#: Files that this tool never writes, and a loader would read next to its files or in place of them.
_FOREIGN = ("adapter_config.json", "tokenizer.json", "generation_config.json")


@dataclass(frozen=True)
class Changes:
    """Files to send, files that are equal already, and names to delete."""

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
    """The changes after which the Hub has these files. Files that are only on the Hub stay, unless an earlier push
    wrote them and a loader would take them for a part of this model."""
    names = {file.name for file in files}
    return Changes(
        added=tuple(file for file in files if file.name not in remote),
        changed=tuple(file for file in files if file.name in remote and not remote[file.name].equals(file)),
        same=tuple(file for file in files if file.name in remote and remote[file.name].equals(file)),
        deleted=tuple(sorted(name for name in remote if name not in names and _is_own(name))),
    )


def _is_own(name: str) -> bool:
    return bool(_WEIGHTS.fullmatch(name)) or name in (*TOKENIZER_FILES, *EVIDENCE) or is_of_evaluation(name)


def find_foreign(files: Sequence[LocalFile], remote: Mapping[str, RemoteFile]) -> tuple[str, ...]:
    """Names of files on the Hub that are not this tool's, and that loading this model could read."""
    names = {file.name for file in files}
    return tuple(
        name
        for name in sorted(remote)
        if name not in names and (name in _FOREIGN or (name.endswith((".safetensors", ".py")) and "/" not in name))
    )
