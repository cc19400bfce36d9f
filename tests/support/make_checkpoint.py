"""Make an ERNIE-M checkpoint with PaddleNLP itself, with weights in which every fault shows.

    .venv-paddle/bin/python tests/support/make_checkpoint.py --architecture ErnieMModel --size tiny --output DIR

Run it with the reference interpreter. Fresh weights hide faults: biases of 0, norms of 1 and nearly uniform attention
make many wrong models equal to the right one. Here biases and norms are away from 0 and 1 and the attention is sharp.
The same seed gives the same numbers for a tensor of the same name and shape, in every format.

With several names after --architecture (or `all`), DIR gets one folder for each: Paddle starts once.
"""

from __future__ import annotations

import argparse
import json
import shutil
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ARCHITECTURES = (
    "ErnieMModel",
    "ErnieMForSequenceClassification",
    "ErnieMForTokenClassification",
    "ErnieMForQuestionAnswering",
    "ErnieMForMultipleChoice",
    "ErnieMForMaskedLM",
    "UIEM",
)
#: size -> hidden size, layers, heads, vocabulary, positions
SIZES = {
    "tiny": (32, 3, 4, 160, 40),
    "base": (768, 12, 12, 250002, 514),
    "large": (1024, 24, 16, 250002, 514),
}
#: How the file is written. `fortran`: the matrices are transposed views, which Paddle pickles in column order.
#: `pdparams-protocol2`: as Paddle up to 2.1.0 pickled. `encoder-prefix`: UIEM as PaddleNLP wrote it before 2.5, names
#: and config.
FORMATS = (
    "pdparams",
    "pdparams-protocol2",
    "pdparams-sharded",
    "safetensors",
    "safetensors-sharded",
    "fortran",
    "encoder-prefix",
)


def read_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Make an ERNIE-M checkpoint with PaddleNLP.")
    parser.add_argument("--architecture", nargs="+", default=["ErnieMModel"], choices=[*ARCHITECTURES, "all"])
    parser.add_argument("--size", choices=SIZES, default="tiny")
    parser.add_argument("--output", type=Path, required=True, help="the folder to make")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--format", choices=FORMATS, default="pdparams")
    parser.add_argument("--dtype", choices=("float32", "float16", "bfloat16"), default="float32")
    parser.add_argument("--tokenizer", type=Path, help="a folder with a vocabulary and a sentencepiece model")
    parser.add_argument("--vocab-size", type=int, help="default: that of the size, or of the tokenizer when tiny")
    parser.add_argument("--num-labels", type=int, default=3)
    parser.add_argument("--max-position-embeddings", type=int)
    arguments = parser.parse_args()
    arguments.architecture = choose_architectures(arguments.architecture, ARCHITECTURES)
    if arguments.format == "encoder-prefix" and arguments.architecture != ["UIEM"]:
        parser.error("only UIEM had the encoder. prefix")
    return arguments


def choose_architectures(named: list[str], every: tuple[str, ...]) -> list[str]:
    """The classes that --architecture names."""
    return list(every) if "all" in named else named


def make_folders(output: Path, architectures: list[str]) -> Iterator[tuple[str, Path]]:
    """Each class with its folder, which is made: the one named for a single class, else one below it."""
    for architecture in architectures:
        folder = output / architecture if len(architectures) > 1 else output
        folder.mkdir(parents=True, exist_ok=True)
        yield architecture, folder


def draw(name: str, shape: list[int], hidden: int, seed: int) -> Any:
    """Random float32 values for one parameter, by the part that it plays."""
    import numpy as np

    random = np.random.Generator(np.random.SFC64([seed, zlib.crc32(name.encode())]))
    values = random.standard_normal(shape, dtype=np.float32)
    if "norm" in name:
        values *= np.float32(0.2)
        if name.endswith(".weight"):
            # Away from 1, so that a norm that lost its weight is seen, and from 0.
            values += np.float32(1.3)
    elif name.endswith(".bias"):
        values *= np.float32(0.3)
    elif "embeddings" in name:
        values *= np.float32(0.5)
    else:
        # Keeps the variance from input to output; sharper for q and k, whose product then has a deviation of about 3.
        gain = 1.5 if "q_proj" in name or "k_proj" in name else 1.0
        values *= np.float32(gain / shape[0] ** 0.5)
    return values


def build_model(arguments: argparse.Namespace, architecture: str) -> Any:
    """PaddleNLP's own class with the drawn weights. Its initialisation is skipped: it takes minutes at full size."""
    import paddle
    import paddlenlp.transformers as nlp
    from paddle.nn.initializer import Constant, set_global_initializer
    from paddlenlp.transformers.ernie_m.modeling import ErnieMPretrainedModel

    hidden, layers, heads, vocabulary, positions = SIZES[arguments.size]
    options: dict[str, Any] = {}
    if architecture in ("ErnieMForSequenceClassification", "ErnieMForTokenClassification"):
        options["num_labels"] = arguments.num_labels
    config = nlp.ErnieMConfig(
        vocab_size=choose_vocabulary(arguments, vocabulary),
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        max_position_embeddings=arguments.max_position_embeddings or positions,
        **options,
    )
    ErnieMPretrainedModel._init_weights = lambda self, layer: None
    set_global_initializer(Constant(0.0), Constant(0.0))
    paddle.set_default_dtype(arguments.dtype)
    model = masked_lm(config) if architecture == "ErnieMForMaskedLM" else getattr(nlp, architecture)(config)
    for name, parameter in model.named_parameters():
        values = draw(name, parameter.shape, hidden, arguments.seed)
        parameter.set_value(paddle.to_tensor(values).astype(arguments.dtype))
    model.eval()
    return model


def masked_lm(config: Any) -> Any:
    """The class that PaddleNLP does not have, as it would write it: an encoder, and the parameters of a head."""
    import paddle
    from paddlenlp.transformers.ernie_m.modeling import ErnieMModel, ErnieMPretrainedModel

    class Head(paddle.nn.Layer):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.dense = paddle.nn.Linear(config.hidden_size, config.hidden_size)
            self.layer_norm = paddle.nn.LayerNorm(config.hidden_size)
            self.bias = self.create_parameter([config.vocab_size], is_bias=True)

    class ErnieMForMaskedLM(ErnieMPretrainedModel):  # type: ignore[misc]
        def __init__(self, config: Any) -> None:
            super().__init__(config)
            self.ernie_m = ErnieMModel(config)
            self.lm_head = Head()

    return ErnieMForMaskedLM(config)


def choose_vocabulary(arguments: argparse.Namespace, default: int) -> int:
    """The number of word rows: as asked for, else that of the tokenizer for a tiny model, else the size's own."""
    if arguments.vocab_size:
        return int(arguments.vocab_size)
    if arguments.tokenizer and arguments.size == "tiny":
        return find_file(arguments.tokenizer, "vocab.txt").read_bytes().count(b"\n")
    return default


def find_file(folder: Path, name: str) -> Path:
    """The file of this name, or the only one whose name ends so (ernie_m.vocab.txt)."""
    found = [folder / name] if (folder / name).exists() else sorted(folder.glob(f"*{name}"))
    if len(found) != 1:
        raise SystemExit(f"{folder}: {name} is not there")
    return found[0]


def write_model(model: Any, folder: Path, style: str) -> None:
    """Write config and weights: with PaddleNLP's save_pretrained, or as other versions and habits of Paddle did."""
    import paddle

    if style in ("fortran", "encoder-prefix", "pdparams-protocol2"):
        model.save_pretrained(str(folder))
        state = model.state_dict()
        if style == "fortran":
            state = {name: value.t().contiguous().t() if value.ndim == 2 else value for name, value in state.items()}
        elif style == "encoder-prefix":
            state = {name.replace("ernie_m.", "encoder.", 1): value for name, value in state.items()}
            write_legacy_config(folder)
        protocol = 2 if style == "pdparams-protocol2" else 4
        paddle.save(state, str(folder / "model_state.pdparams"), protocol=protocol)
        return
    weights = sum(parameter.size for parameter in model.parameters()) * model.parameters()[0].element_size()
    size = max(weights // 3, 1000) if style.endswith("sharded") else 1 << 60
    model.save_pretrained(str(folder), safe_serialization=style.startswith("safetensors"), max_shard_size=size)


def write_legacy_config(folder: Path) -> None:
    """Replace config.json by the model_config.json that PaddleNLP 2.4 wrote: the constructor's arguments."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    sizes = ("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "max_position_embeddings")
    encoder = {name: config[name] for name in sizes}
    legacy = {"init_args": [{**encoder, "init_class": "ErnieMModel"}], "init_class": "UIEM"}
    (folder / "model_config.json").write_text(json.dumps(legacy, indent=2), encoding="utf-8")
    (folder / "config.json").unlink()


def write_tokenizer(source: Path, folder: Path) -> None:
    """The tokenizer's four files, the configs as PaddleNLP writes them."""
    from paddlenlp.transformers import ErnieMTokenizer

    for name in ("vocab.txt", "sentencepiece.bpe.model"):
        shutil.copyfile(find_file(source, name), folder / name)
    ErnieMTokenizer.from_pretrained(str(folder)).save_pretrained(str(folder))


def main() -> None:
    """Make the folders and say what was made."""
    arguments = read_arguments()
    for architecture, folder in make_folders(arguments.output, arguments.architecture):
        model = build_model(arguments, architecture)
        write_model(model, folder, arguments.format)
        if arguments.tokenizer:
            write_tokenizer(arguments.tokenizer, folder)
        count = sum(parameter.size for parameter in model.parameters())
        print(
            f"{folder}: {architecture}, {arguments.size}, {count:,} parameters, {arguments.dtype}, {arguments.format}"
        )


if __name__ == "__main__":
    main()
