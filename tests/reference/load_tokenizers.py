"""Load the tokenizer of every folder as a user does, ask it everything, save it, load that, and ask again.

    python load_tokenizers.py FOLDER ANSWERS.json

FOLDER has a folder for each variant. Run by any interpreter with transformers, without `ernie_m` at hand.
"""

from __future__ import annotations

import json
import sys
import tempfile
import warnings
from pathlib import Path
from typing import Any

from tokenizer_questions import ask_all
from transformers import AutoTokenizer
from transformers.utils import logging


def main(folder: Path, answers: Path) -> None:
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(path for path in folder.iterdir() if path.is_dir()):
        tokenizer = AutoTokenizer.from_pretrained(path, trust_remote_code=True)
        assert type(tokenizer).__module__.startswith("transformers_modules."), type(tokenizer)
        found[path.name] = {"loaded": ask_all(tokenizer), "longest": tokenizer.model_max_length}
        with tempfile.TemporaryDirectory() as saved:
            tokenizer.save_pretrained(saved)
            again = AutoTokenizer.from_pretrained(saved, trust_remote_code=True)
            found[path.name]["reloaded"] = ask_all(again)
    answers.write_text(json.dumps(found), "utf-8")


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    logging.set_verbosity_error()
    main(Path(sys.argv[1]), Path(sys.argv[2]))
