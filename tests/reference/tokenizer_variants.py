"""Everything that PaddleNLP's ErnieMTokenizer can save, saved by it, and what it answers when it has loaded that again.

    python tokenizer_variants.py TOKENIZER FOLDER

TOKENIZER has a vocabulary and a sentencepiece model; FOLDER gets a folder for each variant and answers.json. Run by the
reference interpreter.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path
from typing import Any

from paddlenlp.transformers import ErnieMTokenizer
from paddlenlp.transformers.tokenizer_utils_base import AddedToken
from paddlenlp.utils.log import logger
from tokenizer_questions import ask_all

OPTION = ["[OPTION]"]
ENTITIES = ["<e1>", "</e1>"]

#: name -> arguments of the constructor, then `special` and `tokens`: what is added afterwards; `edit`: file -> fields
#: that are set in it after it was saved (None: the file is removed).
VARIANTS: dict[str, dict[str, Any]] = {
    "plain": {},
    "padding left": {"padding_side": "left"},
    "truncation left": {"truncation_side": "left"},
    "both left, short": {"padding_side": "left", "truncation_side": "left", "model_max_length": 16},
    "too long": {"model_max_length": 514},
    "max_len": {"max_len": 12},
    "no limit": {"model_max_length": int(1e30)},
    "added": {"special": OPTION, "tokens": ENTITIES},
    "added tokens only": {"tokens": [*ENTITIES, "▁the", "<x9>"]},
    "many added": {"tokens": [f"<x{number}>" for number in range(40)], "special": OPTION},
    "additional": {"additional_special_tokens": OPTION},
    "additional of the vocabulary": {"additional_special_tokens": ["▁the", "[OPTION]", "[MASK]"]},
    "additional, then others": {"additional_special_tokens": ["<s>"], "special": OPTION, "tokens": ENTITIES},
    "additional in one file": {"special": OPTION, "edit": {"added_tokens.json": None}},
    "additional in the other file": {
        "additional_special_tokens": OPTION,
        "edit": {"added_tokens.json": None, "special_tokens_map.json": None},
    },
    "additional as objects": {"additional_special_tokens": [AddedToken("[OPTION]"), AddedToken("<e1>", lstrip=True)]},
    "additional as an object, both sides": {
        "additional_special_tokens": [AddedToken("[OPTION]", lstrip=True, rstrip=True, normalized=False)]
    },
    "single word": {"additional_special_tokens": [AddedToken("[OPTION]", single_word=True, rstrip=True)]},
    "not normalized": {"additional_special_tokens": [AddedToken("[OPTION]", normalized=False)]},
    "added objects": {"tokens": [AddedToken("<e1>"), AddedToken("</e1>", lstrip=True, rstrip=True)]},
    "objects and texts": {"additional_special_tokens": ["[OPTION]"], "special": [AddedToken("[OPTION]"), "<e1>"]},
    "a mask as an object": {"mask_token": AddedToken("[MASK]", lstrip=True)},
    "a class token of its own": {"cls_token": "<s>", "sep_token": "</s>"},
    "begin and end": {"bos_token": "<s>", "eos_token": "</s>", "special": OPTION},
    "another unknown": {"unk_token": "[MASK]"},
    "another padding": {"pad_token": "[UNK]", "padding_side": "left"},
    "a padding of its own": {"pad_token": "<x9>"},
    "lower case": {"do_lower_case": True},
    "lower case, added": {"do_lower_case": True, "special": OPTION, "tokens": ["<E1>", "</E1>"]},
    "lower case, additional": {"do_lower_case": True, "additional_special_tokens": ["[OPTION]", "<E1>"]},
    "lower case after saving": {
        "tokens": ["<E1>", "</E1>"],
        "edit": {"tokenizer_config.json": {"do_lower_case": True}},
    },
    "mask asked for": {"model_input_names": ["input_ids", "attention_mask"]},
    "types and mask": {"model_input_names": ["input_ids", "token_type_ids", "attention_mask"], "padding_side": "left"},
    "sides in the other file": {
        "edit": {"special_tokens_map.json": {"padding_side": "left", "truncation_side": "left"}}
    },
    "unknown fields": {"chat_template": "{{ x }}", "split_special_tokens": True, "pad_token_type_id": 3},
    "all of it": {
        "padding_side": "left",
        "truncation_side": "left",
        "model_max_length": 20,
        "do_lower_case": True,
        "model_input_names": ["input_ids", "attention_mask"],
        "additional_special_tokens": [AddedToken("[OPTION]", rstrip=True)],
        "tokens": ENTITIES,
    },
}


def save(files: Path, folder: Path, variant: dict[str, Any]) -> None:
    """Make one variant, and let PaddleNLP save it."""
    arguments = dict(variant)
    special, tokens, edits = (arguments.pop(key, None) for key in ("special", "tokens", "edit"))
    tokenizer = ErnieMTokenizer(str(files / "vocab.txt"), str(files / "sentencepiece.bpe.model"), **arguments)
    if special:
        tokenizer.add_special_tokens({"additional_special_tokens": special})
    if tokens:
        tokenizer.add_tokens(tokens)
    tokenizer.save_pretrained(str(folder))
    for file, fields in (edits or {}).items():
        path = folder / file
        if fields is None:
            path.unlink(missing_ok=True)
        else:
            path.write_text(json.dumps({**json.loads(path.read_text("utf-8")), **fields}), "utf-8")


def main(files: Path, folder: Path) -> None:
    answers = {}
    for name, variant in VARIANTS.items():
        save(files, folder / name, variant)
        answers[name] = ask_all(ErnieMTokenizer.from_pretrained(str(folder / name)))
    (folder / "answers.json").write_text(json.dumps(answers), "utf-8")


if __name__ == "__main__":
    logger.disable()
    warnings.simplefilter("ignore")
    main(Path(sys.argv[1]), Path(sys.argv[2]))
