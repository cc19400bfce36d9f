"""Marks of the card that `push` looks for."""

from __future__ import annotations

#: Between these marks `push` puts the evidence.
EVIDENCE_BEGIN, EVIDENCE_END = "<!-- evidence: begin -->", "<!-- evidence: end -->"
#: What stands for this folder in the card's code; `push` puts the repository's name there.
FOLDER_NAME = "FOLDER"
NO_EVIDENCE = f"""\
{EVIDENCE_BEGIN}
## Evidence

None yet: `paddle2torch verify SOURCE {FOLDER_NAME}` compares this folder with its source, weight by weight, layer by
layer and token by token. `paddle2torch push` puts what it found here.
{EVIDENCE_END}"""
