"""Remove names and passwords in addresses, and tokens of the Hub, from text before it is shown, cut or stored."""

from __future__ import annotations

import re

HIDDEN = "***"
#: The example in messages of this tool.
_EXAMPLE = "NAME:PASSWORD@HOST"
_WORD = re.compile(r"[^\s'\"]*@[^\s'\"]*")
#: Characters before a user name that are not part of it.
_BEFORE_NAME = re.compile(r"[^/(\[{=,;<]*\Z")
_HOST_AND_PORT = re.compile(r"(\[[^\]]*\]|[^:@/]*):[0-9]{1,5}/")
_DRIVE = re.compile(r"[A-Za-z]:\\")
_TOKEN = re.compile(r"hf_[A-Za-z0-9]{30,}")


def redact(text: str) -> str:
    """The text without anything that looks like `name:password@` (also in mistyped addresses) or like a token."""
    if "@" in text:
        text = _WORD.sub(_without_password, text)
    return _TOKEN.sub(HIDDEN, text) if "hf_" in text else text


def _without_password(word: re.Match[str]) -> str:
    """A word up to its last @, which is where an address names its host. `owner/name@revision` and the slices of a
    tensor (`weight@@.0`) have no password."""
    if _EXAMPLE in word[0]:
        return word[0]
    head, _, host = word[0].rpartition("@")
    start, found, place = head.partition("//")
    if found:
        is_path = "/" in place and (":" not in place or _HOST_AND_PORT.match(place))
        return word[0] if is_path else f"{start}//{HIDDEN}{host}"
    name, colon, _ = head.partition(":")
    if not colon or "@@." in word[0] or _DRIVE.match(head) or _HOST_AND_PORT.match(head):
        return word[0]
    before = _BEFORE_NAME.search(name)
    return f"{name[: before.start() if before else 0]}{HIDDEN}{host}"
