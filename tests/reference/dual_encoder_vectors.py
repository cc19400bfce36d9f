"""Vectors of a dual encoder: what PaddleNLP's ErnieModel gives at [CLS] of each text alone; run by the reference
interpreter.

    python dual_encoder_vectors.py FOLDER TEXTS.json VECTORS.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import paddle
from paddlenlp.transformers import ErnieModel, ErnieTokenizer

if __name__ == "__main__":
    folder, texts, output = sys.argv[1:]
    model, tokenizer = ErnieModel.from_pretrained(folder), ErnieTokenizer.from_pretrained(folder)
    model.eval()
    vectors = []
    for text in json.loads(Path(texts).read_text("utf-8")):
        inputs = {name: paddle.to_tensor([ids]) for name, ids in tokenizer(text).items()}
        with paddle.no_grad():
            vectors.append(model(**inputs)[0][0, 0].tolist())
    Path(output).write_text(json.dumps(vectors), "utf-8")
