"""The format of a trace: a safetensors file of arrays, with one JSON text in its metadata."""

from __future__ import annotations

#: The version that the recorder writes and this version of verify reads.
FORMAT = 2
#: The key of the metadata. Its value is the SHA-256 of the JSON text, in hex, and the text itself.
HEAD = "paddle2torch_trace"
