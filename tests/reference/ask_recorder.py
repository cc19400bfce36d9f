"""What PaddleNLP's tokenizer answers as the recorder loads it: `python ask_recorder.py FOLDER ANSWERS.json`.

FOLDER has a folder for each variant. Run by the reference interpreter.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2]))

from paddlenlp.utils.log import logger
from tokenizer_questions import ask_all

from verify.recorder.families import FAMILIES
from verify.recorder.tokens.tokenizer import load_tokenizer

if __name__ == "__main__":
    logger.disable()
    warnings.simplefilter("ignore")
    folder, answers = map(Path, sys.argv[1:])
    variants = sorted(path for path in folder.iterdir() if path.is_dir())
    answers.write_text(
        json.dumps({path.name: ask_all(load_tokenizer(FAMILIES[0], str(path))[0]) for path in variants}), "utf-8"
    )
