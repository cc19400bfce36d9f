"""Load a folder by its remote code, run it, and save it again: `python load_folder.py FOLDER CLASS AUTO_CLASS AGAIN`.

Run by any interpreter with torch and transformers, without `ernie_m` at hand. FOLDER/inputs.npz goes in, AGAIN (another
folder) gets the model as it is saved here and outputs.npz.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import torch
import transformers


def main(folder: Path, class_name: str, auto_class: str, again: Path) -> None:
    torch.set_num_threads(1)
    assert "ernie_m" not in sys.modules
    model = getattr(transformers, auto_class).from_pretrained(folder, trust_remote_code=True).eval()
    assert type(model).__name__ == class_name, type(model)
    assert type(model).__module__.startswith("transformers_modules."), type(model).__module__
    with np.load(folder / "inputs.npz") as file:
        inputs = {key: torch.tensor(file[key]) for key in file.files}
    with torch.no_grad():
        output = model(**inputs)
    model.save_pretrained(again)
    np.savez(again / "outputs.npz", **{key: value.numpy() for key, value in output.items()})


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3], Path(sys.argv[4]))
