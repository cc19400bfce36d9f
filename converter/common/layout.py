"""Names of files in an OUTPUT folder that several rooms read or write."""

from __future__ import annotations

#: What was made from what, with checksums.
MANIFEST = "paddle2torch.json"
#: All weights of a model that is not divided into shards; else the index names the shards.
SINGLE_FILE = "model.safetensors"
INDEX_FILE = "model.safetensors.index.json"
#: Weights that no PyTorch class has a place for.
EXTRAS_FILE = "release_extras.safetensors"
