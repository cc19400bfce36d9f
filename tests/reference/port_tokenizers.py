"""Tokenizers as transformers 4's own ErnieM saves them: `python port_tokenizers.py TOKENIZER FOLDER`.

TOKENIZER has a vocabulary and a sentencepiece model; FOLDER gets a folder for each variant. Run by an interpreter with
transformers 4.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from transformers import AddedToken
from transformers.models.deprecated.ernie_m import ErnieMTokenizer

OPTION = ["[OPTION]"]
#: name -> arguments of the constructor, `special` and `tokens` that are added; `again`: loaded and saved once more.
VARIANTS: dict[str, dict[str, Any]] = {
    "port": {},
    "port, saved again": {"again": True},
    "port, added": {"special": OPTION, "tokens": ["<e1>", "</e1>"]},
    "port, added, saved again": {"special": OPTION, "tokens": ["<e1>", "</e1>"], "again": True},
    "port, left": {"padding_side": "left", "truncation_side": "left", "model_max_length": 16},
    "port, lower case": {"special": OPTION, "tokens": ["<E1>"], "do_lower_case": True},
    "port, begin and end": {"bos_token": "<s>", "eos_token": "</s>"},
    "port, objects": {
        "special": [AddedToken("[OPTION]", lstrip=True)],
        "tokens": [AddedToken("<e1>", rstrip=True)],
    },
}


def main(files: Path, folder: Path) -> None:
    for name, variant in VARIANTS.items():
        arguments = dict(variant)
        special, tokens, again = (arguments.pop(key, None) for key in ("special", "tokens", "again"))
        vocabulary, model = str(files / "vocab.txt"), str(files / "sentencepiece.bpe.model")
        tokenizer = ErnieMTokenizer(model, vocabulary, **arguments)
        if special:
            tokenizer.add_special_tokens({"additional_special_tokens": special})
        if tokens:
            tokenizer.add_tokens(tokens)
        tokenizer.save_pretrained(folder / name)
        if again:
            ErnieMTokenizer.from_pretrained(folder / name).save_pretrained(folder / name)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
