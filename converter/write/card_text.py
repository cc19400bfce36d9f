"""Marks of the card that `push` looks for."""

from __future__ import annotations

#: Between these marks `push` puts the evidence.
EVIDENCE_BEGIN, EVIDENCE_END = "<!-- evidence: begin -->", "<!-- evidence: end -->"
#: What stands for this folder in the card's code; `push` puts the repository's name there.
FOLDER_NAME = "FOLDER"
#: Advice that `push` does not publish.
FOR_THE_AUTHOR = "<!-- for the author: "
ADVICE = f"""

{FOR_THE_AUTHOR}nothing shows the license of these weights. If they are your own fine-tuning, put `license`, `language`
and `base_model` into the metadata above, or convert with --license ID --base-model ID.
Push leaves this comment out. -->"""
NO_EVIDENCE = f"""\
{EVIDENCE_BEGIN}
## Evidence

None yet: `paddle2torch verify SOURCE {FOLDER_NAME}` compares this folder with its source, weight by weight, layer by
layer and token by token. `paddle2torch push` puts what it found here.
{EVIDENCE_END}"""
