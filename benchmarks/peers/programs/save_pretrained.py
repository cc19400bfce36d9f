"""PaddleNLP's own way with a checkpoint: load it as a model, save it again (no conversion to PyTorch).

python save_pretrained.py SOURCE OUTPUT
"""

from __future__ import annotations

import sys

if __name__ == "__main__":
    from paddlenlp.transformers import AutoModel

    source, output = sys.argv[1:]
    AutoModel.from_pretrained(source).save_pretrained(output)
