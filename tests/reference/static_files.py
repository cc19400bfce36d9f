"""Every static-graph form that this Paddle writes, of tiny models: `python static_files.py FOLDER`.

Run by the reference interpreter. Each form gets a folder with `expected.npz` (PaddleNLP's keys, or official names under
their own, which the test translates). Values are distinct, so that no two tensors can be taken for each other.
"""

from __future__ import annotations

import copy
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import paddle
from paddlenlp.transformers import ErnieMConfig
from paddlenlp.transformers.ernie_m import modeling

SIZES = dict(vocab_size=30, hidden_size=8, num_attention_heads=2, num_hidden_layers=2, max_position_embeddings=10)


def build(class_name: str) -> Any:
    model = getattr(modeling, class_name)(ErnieMConfig(**SIZES)).eval()
    begin = 1
    for parameter in model.parameters():
        size = int(np.prod(parameter.shape))
        parameter.set_value(np.arange(begin, begin + size, dtype="float32").reshape(parameter.shape) * 1e-4)
        begin += size
    return model


def save_expected(folder: Path, arrays: dict[str, np.ndarray]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / "expected.npz", **arrays)


def save_jit(folder: Path, model: Any) -> None:
    """jit.save leaves out what the outputs do not depend on: the pooler of some classes."""
    state = {key: value.numpy() for key, value in model.state_dict().items()}
    save_expected(folder, state)
    spec = [paddle.static.InputSpec([None, None], "int64")]
    paddle.jit.save(paddle.jit.to_static(model, input_spec=spec), str(folder / "model"))


def save_static(root: Path, shapes: dict[str, list[int]]) -> None:
    """A program with parameters of these names, saved in every way that static graphs have."""
    paddle.enable_static()
    main, startup = paddle.static.Program(), paddle.static.Program()
    with paddle.static.program_guard(main, startup):
        data = paddle.static.data("src_ids", [1], "float32")
        total, begin, parameters = data, 1, {}
        for name, shape in shapes.items():
            size = int(np.prod(shape))
            value = np.arange(begin, begin + size, dtype="float32").reshape(shape)
            begin += size
            parameters[name] = value
            attribute = paddle.ParamAttr(name=name, initializer=paddle.nn.initializer.Assign(value))
            total = total + paddle.sum(paddle.create_parameter(shape, "float32", attr=attribute))
        executor = paddle.static.Executor(paddle.CPUPlace())
        executor.run(startup)
        save = paddle.static.save_inference_model
        forms = {
            "infer": lambda p: save(f"{p}/inference", [data], [total], executor, program=main),
            "separate": lambda p: save(f"{p}/m", [data], [total], executor, program=main, separate_parameters=True),
            "vars": lambda p: paddle.static.io.save_vars(executor, f"{p}/params", main),
            "onefile": lambda p: paddle.static.io.save_vars(executor, str(p), main, filename="params"),
            "static_save": lambda p: paddle.static.save(main, f"{p}/model"),
        }
        for form, write in forms.items():
            save_expected(root / form, parameters)
            (root / form / "params").mkdir() if form == "vars" else None
            write(root / form)
    paddle.disable_static()


def save_program_desc(folder: Path, shapes: dict[str, list[int]], infer: Path) -> None:
    """The program as Paddle before 3.0 wrote it, beside the combined file of the same parameters."""
    paddle.enable_static()
    with paddle.pir_utils.OldIrGuard():
        program = paddle.static.Program()
        with paddle.static.program_guard(program, paddle.static.Program()):
            for name, shape in shapes.items():
                paddle.create_parameter(shape, "float32", name=name)
            paddle.static.data("src_ids", [-1, -1], "int64")
        folder.mkdir()
        (folder / "inference.pdmodel").write_bytes(program.desc.serialize_to_string())
    paddle.disable_static()
    for name in ("inference.pdiparams", "expected.npz"):
        (folder / name).write_bytes((infer / name).read_bytes())


def save_binary(folder: Path, shapes: dict[str, list[int]]) -> None:
    """paddle.save(..., use_binary_format=True), one tensor after another."""
    arrays, begin = {}, 1
    for name, shape in shapes.items():
        size = int(np.prod(shape))
        arrays[name] = np.arange(begin, begin + size, dtype="float32").reshape(shape)
        begin += size
    save_expected(folder, arrays)
    for name, array in arrays.items():
        paddle.save(paddle.to_tensor(array), str(folder / "params" / name), use_binary_format=True)


def main(root: Path) -> None:
    shapes = json.loads((root / "shapes.json").read_text())
    for class_name in ("ErnieMModel", "ErnieMForSequenceClassification", "UIEM", "ErnieMForQuestionAnswering"):
        model = build(class_name)
        save_jit(root / f"jit-{class_name}", model)
        if class_name == "UIEM":
            save_jit(root / "jit-copied", copy.deepcopy(model))
    save_static(root, shapes)
    save_program_desc(root / "pdmodel", shapes, root / "infer")
    save_binary(root / "binary", shapes)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
