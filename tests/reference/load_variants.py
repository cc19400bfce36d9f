"""Load folders by their remote code as users do, and run them: `python load_variants.py FOLDER IDS.npz RESULT`.

Run by any interpreter with torch and transformers, without `ernie_m` at hand. FOLDER/NAME is a converted folder.
RESULT.json has for each the dtypes after a plain `from_pretrained`, the labels and the classifier's dropout;
RESULT.npz the outputs of the parameters that were loaded, computed in float32 where they are half ("NAME/OUTPUT").
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import torch
import transformers

LOADERS = {
    "ErnieMModel": "AutoModel",
    "ErnieMForSequenceClassification": "AutoModelForSequenceClassification",
    "ErnieMForMultipleChoice": "AutoModelForMultipleChoice",
    "ErnieMForTokenClassification": "AutoModelForTokenClassification",
    "ErnieMForQuestionAnswering": "AutoModelForQuestionAnswering",
    "ErnieMForInformationExtraction": "AutoModel",
}


def main(folder: Path, inputs: Path, result: Path) -> None:
    torch.set_num_threads(1)
    transformers.utils.logging.set_verbosity_error()
    assert "ernie_m" not in sys.modules
    facts, arrays = {}, {}
    with np.load(inputs) as file:
        ids = torch.from_numpy(file["ids"])
    for path in sorted(folder.iterdir()):
        (class_name,) = json.loads((path / "config.json").read_text(encoding="utf-8"))["architectures"]
        loader = getattr(transformers, LOADERS[class_name])
        model = loader.from_pretrained(path, trust_remote_code=True).eval()
        assert type(model).__name__ == class_name
        dtypes = sorted({str(parameter.dtype)[6:] for parameter in model.parameters()})
        labels = [model.config.id2label[number] for number in range(len(model.config.id2label))]
        facts[path.name] = {"dtypes": dtypes, "labels": labels, "dropout": model.config.classifier_dropout}
        model = model.float() if dtypes[0] in ("float16", "bfloat16") else model
        with torch.no_grad():
            outputs = dict(model(ids[None] if "MultipleChoice" in class_name else ids))
        if "Extraction" in class_name:
            outputs = {f"{part}_prob": torch.sigmoid(outputs[f"{part}_logits"]) for part in ("start", "end")}
        arrays.update({f"{path.name}/{name}": value.numpy() for name, value in outputs.items()})
    np.savez(result.with_suffix(".npz"), **arrays)
    result.with_suffix(".json").write_text(json.dumps(facts), encoding="utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
