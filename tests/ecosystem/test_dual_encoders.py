"""A converted dual encoder in sentence-transformers gives Paddle's vectors: the last hidden state at [CLS]."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

TEXTS = ["the lamp in the house", "1917€", "中国语 for a car: unable?", "a"]


@pytest.mark.filterwarnings("ignore")
def test_vectors_are_those_of_paddle(
    make_ernie_checkpoint: Callable[..., None],
    run_paddle: Callable[..., None],
    need: Callable[[str], Any],
    tmp_path: Path,
) -> None:
    from converter import convert

    library, models = need("sentence_transformers"), need("sentence_transformers.models")
    source, output, asked, answer = (tmp_path / name for name in ("source", "out", "texts.json", "vectors.json"))
    make_ernie_checkpoint(source, "--architecture", "ErnieModel", "--seed", 5)
    convert(source, output)
    asked.write_text(json.dumps(TEXTS), "utf-8")
    run_paddle("dual_encoder_vectors.py", source, asked, answer)
    expected = torch.tensor(json.loads(answer.read_text("utf-8")))
    words = models.Transformer(str(output))
    for pooling, equal in (("cls", True), ("mean", False)):
        modules = [words, models.Pooling(expected.shape[1], pooling_mode=pooling)]
        model = library.SentenceTransformer(modules=modules, similarity_fn_name="dot", device="cpu")
        vectors = model.encode(TEXTS, convert_to_tensor=True)
        assert torch.allclose(vectors, expected, atol=1e-5) == equal
        if equal:
            assert torch.allclose(model.similarity(vectors, vectors), expected @ expected.T, atol=1e-4)
