"""Make files of the ERNIE families with PaddleNLP and Paddle: what save_pretrained, jit.save and static graphs write.

    .venv-paddle/bin/python tests/support/make_ernie_files.py --output DIR

Run it with the reference interpreter. DIR gets a folder for each class: `nlp` (save_pretrained), `jit`, and for those
that Baidu's own releases had `variables`, `combined` and `dygraph`. All values are distinct.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from ernie_release_names import CLASSIFIERS, dygraph_names, fluid_names

SIZES = {
    **{"vocab_size": 30, "hidden_size": 8, "num_attention_heads": 2, "num_hidden_layers": 2, "intermediate_size": 12},
    **{"max_position_embeddings": 10, "type_vocab_size": 4, "pad_token_id": 0},
}
#: Family -> its config's class, the fields that only it has, and its classes.
FAMILIES: dict[str, tuple[str, dict[str, Any], tuple[str, ...]]] = {
    "ernie": (
        "ErnieConfig",
        {"use_task_id": True, "task_type_vocab_size": 3},
        (
            *("ErnieModel", "ErnieForSequenceClassification", "ErnieForTokenClassification", "UIE"),
            *("ErnieForQuestionAnswering", "ErnieForMultipleChoice", "ErnieForMaskedLM", "ErnieForPretraining"),
        ),
    ),
    "ernie_gram": (
        "ErnieGramConfig",
        {"embedding_size": 8, "rel_pos_size": 6},
        ("ErnieGramModel", "ErnieGramForSequenceClassification"),
    ),
    "skep": ("SkepConfig", {}, ("SkepModel", "SkepForTokenClassification")),
    "electra": (
        "ElectraConfig",
        {"embedding_size": 8},
        (
            *("ElectraModel", "ElectraForSequenceClassification", "ElectraForQuestionAnswering", "ElectraGenerator"),
            *("ElectraForMultipleChoice", "ErnieHealthDiscriminator"),
        ),
    ),
}
#: Those of which a static graph's files are made under the names of the fluid release, and dygraph's.
RELEASED = (*CLASSIFIERS, "ErnieModel", "ErnieForMaskedLM", "ErnieForPretraining")


def build_model(family: str, source_class: str) -> Any:
    """PaddleNLP's own class; no two elements are equal."""
    import importlib

    import numpy as np
    import paddlenlp.transformers as nlp

    config_class, fields, _ = FAMILIES[family]
    module = importlib.import_module(f"paddlenlp.transformers.{family}.modeling")
    model = getattr(module, source_class)(getattr(nlp, config_class)(**SIZES, **fields)).eval()
    begin = 1
    for parameter in model.parameters():
        size = int(np.prod(parameter.shape))
        parameter.set_value(np.arange(begin, begin + size, dtype="float32").reshape(parameter.shape) * 1e-4)
        begin += size
    return model


def save_jit(folder: Path, model: Any, source_class: str) -> None:
    """jit.save leaves out what the outputs do not depend on: the pooler of some classes."""
    import paddle

    shape = [None, 2, None] if "Choice" in source_class else [None, None]
    spec = [paddle.static.InputSpec(shape, "int64")]
    if source_class == "ErnieHealthDiscriminator":
        spec.append(paddle.static.InputSpec([None, None, None], "int64"))
    paddle.jit.save(paddle.jit.to_static(model, input_spec=spec), str(folder / "model"))


def save_static(folder: Path, arrays: dict[str, Any]) -> None:
    """A program with parameters of these names: its variables in files of their own, and in one."""
    import paddle

    paddle.enable_static()
    main, startup = paddle.static.Program(), paddle.static.Program()
    with paddle.static.program_guard(main, startup):
        data = paddle.static.data("src_ids", [1], "float32")
        total = data
        for name, array in arrays.items():
            attribute = paddle.ParamAttr(name=name, initializer=paddle.nn.initializer.Assign(array))
            total = total + paddle.sum(paddle.create_parameter(array.shape, "float32", attr=attribute))
        executor = paddle.static.Executor(paddle.CPUPlace())
        executor.run(startup)
        (folder / "variables").mkdir()
        paddle.static.io.save_vars(executor, str(folder / "variables" / "params"), main)
        path = str(folder / "combined" / "inference")
        paddle.static.save_inference_model(path, [data], [total], executor, program=main)
    paddle.disable_static()


def main() -> None:
    """Make the folders."""
    import paddle

    parser = argparse.ArgumentParser(description="Make files of the ERNIE families with PaddleNLP.")
    parser.add_argument("--output", type=Path, required=True, help="the folder to make")
    output = parser.parse_args().output
    for family, (_, _, classes) in FAMILIES.items():
        for source_class in classes:
            folder = output / source_class
            model = build_model(family, source_class)
            model.save_pretrained(str(folder / "nlp"))
            save_jit(folder / "jit", model, source_class)
            if source_class in RELEASED:
                state = {key: value.numpy() for key, value in model.state_dict().items()}
                save_static(folder, fluid_names(state, source_class))
                tensors = {key: value for key, value in state.items() if "task_type" not in key}
                named = {key: paddle.to_tensor(array) for key, array in dygraph_names(tensors).items()}
                paddle.save(named, str(folder / "dygraph" / "saved_weights.pdparams"))


if __name__ == "__main__":
    main()
