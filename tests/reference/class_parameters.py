"""Names and shapes of the parameters of PaddleNLP's own classes, as JSON: run by the reference interpreter."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import paddlenlp.transformers as library
from paddlenlp.transformers.ernie_m.configuration import ErnieMConfig

NAMES = (
    "ErnieMModel",
    "ErnieMForSequenceClassification",
    "ErnieMForMultipleChoice",
    "ErnieMForTokenClassification",
    "ErnieMForQuestionAnswering",
    "UIEM",
)


def main() -> None:
    sizes = dict(argument.split("=") for argument in sys.argv[2:])
    config = ErnieMConfig(num_attention_heads=4, **{key: int(value) for key, value in sizes.items()})
    found = {}
    for name in NAMES:
        model = getattr(library, name)(config)
        found[name] = {key: list(value.shape) for key, value in model.state_dict().items()}
    Path(sys.argv[1]).write_text(json.dumps(found))


if __name__ == "__main__":
    main()
