"""A folder of the 2021 release with the real vocabulary: what comes out loads with the Auto classes, gives the
release's ids, and is not disturbed by the weights that lie beside the model's. Runs under transformers 5 and 4.57."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converter import convert
from converter.open import source as source_module
from converter.open.dispatch import open_weights
from tests.support.checkpoints import SIZES, make_state, write_folder

ROWS = 250002
LOAD = """
import json, sys
import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer
folder, data = sys.argv[1:]
options = {"trust_remote_code": True, "local_files_only": True}
model, info = AutoModel.from_pretrained(folder, output_loading_info=True, **options)
tokenizer = AutoTokenizer.from_pretrained(folder, **options)
with np.load(data) as file:
    texts = json.loads(bytes(file["texts"]).decode())
    ids, at = file["ids"].tolist(), file["offsets"].tolist()
expected = [[0, *ids[a:b], 2] for a, b in zip(at, at[1:])]
found = tokenizer(texts)["input_ids"]
short = tokenizer("in 1917")["input_ids"]
mask = (torch.tensor([short]) != 1).long()
with torch.no_grad():
    same = torch.equal(model(torch.tensor([short]))[0], model(torch.tensor([short]), attention_mask=mask)[0])
print(json.dumps({
    "loading": {name: sorted(map(str, names)) for name, names in info.items() if names},
    "class": type(tokenizer).__name__, "rule": tokenizer.piece_rule, "texts": len(texts),
    "differing": sum(a != b for a, b in zip(expected, found)), "hides": model.config.implicit_mask_token_ids,
    "added": tokenizer("a <two><one>", add_special_tokens=False)["input_ids"][-2:],
    "no mask is a mask of all but [PAD]": same,
}))
"""


@pytest.fixture
def release(shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """ernie_config.json, piece.model, the two-column vocab.txt, and weights with one that no class has a place for."""
    folder = write_folder(
        tmp_path / "in", {**make_state(vocab_size=ROWS), "sent_embedding": np.ones((2, 4), "<f4")}, {}
    )
    (folder / "ernie_config.json").write_text(json.dumps({**SIZES, "vocab_size": ROWS, "hidden_act": "gelu"}))
    tokens = (shared_data / "ernie_m.vocab.txt").read_bytes().removesuffix(b"\n").split(b"\n")
    columns = b"".join(b"%s\t%d\n" % (token, number) for number, token in enumerate(tokens))
    (folder / "vocab.txt").write_bytes(columns)
    shutil.copyfile(shared_data / "ernie_m.sentencepiece.bpe.model", folder / "piece.model")
    (folder / "added_tokens.json").write_text(
        '{"<one>": 250000, "<two>": 250001}'
    )  # Paddle's ids, other tokens' already

    def opened(path: Path, families: Any) -> Any:
        found = open_weights(path, families)
        extra = found.tensors.pop("sent_embedding")
        return replace(found, naming="official", extras={"sent_embedding": extra})

    monkeypatch.setattr(source_module, "open_weights", opened)
    return folder


def test_the_release_folder_becomes_a_model_and_its_own_tokenizer(
    release: Path, shared_data: Path, product_python: Path, tmp_path: Path
) -> None:
    output = tmp_path / "out"
    result = convert(release, output)
    assert (result.behavior, result.extras, result.tokenizer) == ("release", ("sent_embedding",), True)
    assert (output / "release_extras.safetensors").is_file()
    assert (output / "vocab.txt").read_bytes().count(b"\t") == 0
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(tmp_path / "home"), "PYTHONPATH": ""}
    command = [str(product_python), "-c", LOAD, str(output), str(shared_data / "release_tokens.npz")]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == {
        "loading": {},
        "class": "PaddleErnieMTokenizer",
        "rule": "release",
        "texts": 5219,
        "differing": 0,
        "hides": [1],
        "added": [250001, 250000],  # As the file gives them: Paddle's ids.
        "no mask is a mask of all but [PAD]": True,
    }
