"""Names and shapes of the parameters of PaddleNLP's own classes, as JSON: run by the reference interpreter."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import paddlenlp.transformers as library
from paddlenlp.transformers.ernie import modeling
from paddlenlp.transformers.ernie_m.configuration import ErnieMConfig

sys.path.append(str(Path(__file__).resolve().parents[1] / "support"))
from make_checkpoint import ARCHITECTURES, masked_lm
from make_ernie_checkpoint import ARCHITECTURES as ERNIE

#: PaddleNLP's own: the masked LM is built from Paddle's layers.
ERNIE_M = [name for name in ARCHITECTURES if hasattr(library, name)]


def main() -> None:
    given = dict(argument.split("=") for argument in sys.argv[2:])
    sizes = {key: int(value) for key, value in given.items()}
    types = ("type_vocab_size", "task_type_vocab_size")
    of_ernie_m = {key: value for key, value in sizes.items() if key not in types}
    found = {}
    for names, classes, config in (
        (ERNIE_M, library, ErnieMConfig(num_attention_heads=4, **of_ernie_m)),
        (ERNIE, modeling, library.ErnieConfig(num_attention_heads=4, use_task_id=True, **sizes)),
    ):
        for name in names:
            state = getattr(classes, name)(config).state_dict()
            found[name] = {key: list(value.shape) for key, value in state.items()}
    masked = masked_lm(ErnieMConfig(num_attention_heads=4, **of_ernie_m)).state_dict()
    found["ErnieMForMaskedLM"] = {key: list(value.shape) for key, value in masked.items()}
    Path(sys.argv[1]).write_text(json.dumps(found))


if __name__ == "__main__":
    main()
