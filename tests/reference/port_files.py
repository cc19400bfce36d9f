"""A checkpoint of transformers 4.57's own ErnieM in every form that `save_pretrained` has.

Run by an interpreter with transformers 4.57: `python port_files.py FOLDER OUTPUT`. OUTPUT/FORM holds what FOLDER holds,
saved again: `safetensors`, `bin`, and both in shards.
"""

from __future__ import annotations

import sys

from transformers.models.deprecated.ernie_m import modeling_ernie_m

FORMS = {
    "safetensors": {},
    "safetensors-shards": {"max_shard_size": 8000},
    "bin": {"safe_serialization": False},
    "bin-shards": {"safe_serialization": False, "max_shard_size": 8000},
}


def main(folder: str, output: str) -> None:
    model = modeling_ernie_m.ErnieMForSequenceClassification.from_pretrained(folder)
    for form, options in FORMS.items():
        model.save_pretrained(f"{output}/{form}", **options)


if __name__ == "__main__":
    main(*sys.argv[1:])
