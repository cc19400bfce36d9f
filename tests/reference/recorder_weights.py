"""What the recorder makes of sample checkpoints: `python recorder_weights.py RECORDER RESULT FOLDER...`.

RECORDER is the archive that `paddle2torch reference script` writes; each FOLDER has expected.npz beside it. RESULT
gets {folder's name: "" or what is wrong}."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

CLASSES = {
    "base": "ErnieMModel",
    "seqcls": "ErnieMForSequenceClassification",
    "tokcls": "ErnieMForTokenClassification",
    "qa": "ErnieMForQuestionAnswering",
    "mc": "ErnieMForMultipleChoice",
    "uiem": "UIEM",
}


def compare(folder: Path) -> str:
    """Read, name and build as the recorder does, and compare each parameter with the true array."""
    from verify.protocol.request import Request
    from verify.recorder.families import FAMILIES
    from verify.recorder.model.build import build_model, set_weights
    from verify.recorder.sources.checkpoint import read_weights, weight_files
    from verify.recorder.sources.config import layout_of

    family = FAMILIES[0]
    sample = next(path for path in (folder, *folder.parents) if (path / "expected.npz").is_file())
    meta = json.loads((sample / "meta.json").read_text())
    sizes = meta["dims"]
    expected = dict(np.load(sample / "expected.npz"))
    label = next((expected[name] for name in ("classifier.bias",) if name in expected), np.zeros(2))
    fields = {
        "vocab_size": sizes["V"],
        "hidden_size": sizes["H"],
        "num_hidden_layers": sizes["L"],
        "num_attention_heads": 4,
        "max_position_embeddings": sizes["P"],
        "num_labels": len(label),
    }
    request = Request(source=str(folder), fallback={**fields, "architecture": CLASSES[meta["arch"]]})
    weights = read_weights(weight_files(str(folder), None), family, *layout_of(request, family))
    model = build_model(family, CLASSES[meta["arch"]], fields, "float64")
    set_weights(family, model, weights, "float64", None)
    for name, parameter in family.parameters_of(model).items():
        plain = name if name in expected else name.replace("ernie_m.", "", 1)
        if plain not in expected:
            if "pooler" not in name:
                return f"{name} is not expected"
        elif not np.array_equal(parameter.numpy(), expected[plain].astype(np.float64)):
            return f"{name} differs"
    return ""


def main() -> None:
    sys.path.insert(0, sys.argv[1])
    found = {}
    for folder in map(Path, sys.argv[3:]):
        try:
            found[str(folder)] = compare(folder)
        except Exception as error:
            found[str(folder)] = f"{type(error).__name__}: {error}"
    Path(sys.argv[2]).write_text(json.dumps(found))


if __name__ == "__main__":
    main()
