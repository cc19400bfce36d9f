"""Make a checkpoint of ERNIE, or of a family with its layers, with PaddleNLP itself: with weights in which every fault
shows.

    .venv-paddle/bin/python tests/support/make_ernie_checkpoint.py --architecture ErnieModel --output DIR

Run it with the reference interpreter. With several names after --architecture (or `all`, ERNIE's), DIR gets one folder
for each.
[PAD]'s row is not zero, there are more types than two, and the feed-forward layers are not four times as wide.
"""

from __future__ import annotations

import argparse
import importlib
from pathlib import Path
from typing import Any

from make_checkpoint import choose_architectures, draw, find_file, make_folders

ARCHITECTURES = (
    "ErnieModel",
    "ErnieForSequenceClassification",
    "ErnieForTokenClassification",
    "ErnieForQuestionAnswering",
    "ErnieForMultipleChoice",
    "ErnieForMaskedLM",
    "ErnieForPretraining",
    "UIE",
)
#: How the names of classes begin -> PaddleNLP's package, the config class and the tokenizer; the longest first.
PACKAGES = {
    "ErnieGram": ("ernie_gram", "ErnieGramConfig", "ErnieGramTokenizer"),
    "ErnieHealth": ("electra", "ElectraConfig", "ElectraTokenizer"),
    "Ernie": ("ernie", "ErnieConfig", "ErnieTokenizer"),
    "UIE": ("ernie", "ErnieConfig", "ErnieTokenizer"),
    "Skep": ("skep", "SkepConfig", "SkepTokenizer"),
    "Electra": ("electra", "ElectraConfig", "ElectraTokenizer"),
}
RELATIVES = (
    *("ErnieGramModel", "ErnieGramForSequenceClassification", "ErnieGramForTokenClassification"),
    *("ErnieGramForQuestionAnswering", "SkepModel", "SkepForSequenceClassification", "SkepForTokenClassification"),
    *("ElectraModel", "ElectraForSequenceClassification", "ElectraForTokenClassification"),
    *("ElectraForQuestionAnswering", "ElectraForMultipleChoice", "ElectraGenerator", "ErnieHealthDiscriminator"),
)
WITH_LABELS = ("ForSequenceClassification", "ForTokenClassification")
#: size -> the values of FIELDS. `base` is ernie-3.0-base-zh and uie-base.
FIELDS = (
    *("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "max_position_embeddings"),
    *("type_vocab_size", "task_type_vocab_size"),
)
SIZES = {"tiny": (32, 3, 4, 80, 40, 4, 3), "base": (768, 12, 12, 3072, 2048, 4, 3)}
#: Words, pieces of words and marks, some of which are symbols; [UNK] is last, as in Baidu's Chinese vocabularies.
WORDS = (
    "the",
    "a",
    "lamp",
    "un",
    "##able",
    "##s",
    "1917",
    "in",
    "for",
    "house",
    "中",
    "国",
    "语",
    "家",
    "车",
    "上",
    "有",
)
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789.,;:!?()-'\"$€℃+=<>·。，、"
VOCABULARY = (
    *("[PAD]", "[CLS]", "[SEP]", "[MASK]", *WORDS, *LETTERS),
    *(f"##{letter}" for letter in LETTERS if letter.isalnum()),
    "[UNK]",
)


def read_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Make an ERNIE checkpoint with PaddleNLP.")
    known = [*ARCHITECTURES, *RELATIVES, "all"]
    parser.add_argument("--architecture", nargs="+", default=["ErnieModel"], choices=known)
    parser.add_argument("--output", type=Path, required=True, help="the folder to make")
    parser.add_argument("--size", choices=SIZES, default="tiny")
    parser.add_argument("--tokenizer", type=Path, help="a folder with a vocabulary; without it a small one is written")
    parser.add_argument("--vocab-size", type=int, help="default: a few rows more than the vocabulary has tokens")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--act", choices=("gelu", "relu"), default="gelu")
    parser.add_argument("--epsilon", type=float, default=1e-5, help="of a family whose norms have that of the config")
    parser.add_argument("--no-tasks", action="store_true", help="without task types, and [PAD]'s row is zero")
    arguments = parser.parse_args()
    arguments.architecture = choose_architectures(arguments.architecture, ARCHITECTURES)
    return arguments


def build_model(arguments: argparse.Namespace, architecture: str) -> Any:
    """PaddleNLP's own class with drawn weights."""
    import paddle
    import paddlenlp.transformers as nlp
    from paddle.nn.initializer import Constant, set_global_initializer

    package, config_class, _ = package_of(architecture)
    modeling = importlib.import_module(f"paddlenlp.transformers.{package}.modeling")
    sizes: dict[str, Any] = dict(zip(FIELDS, SIZES[arguments.size]))
    labels = {"num_labels": 3} if architecture.endswith(WITH_LABELS) else {}
    if package == "ernie":
        sizes["use_task_id"] = not arguments.no_tasks
    else:
        del sizes["task_type_vocab_size"]
    if package in ("ernie_gram", "electra"):
        sizes["embedding_size"] = sizes["hidden_size"]
    if package == "electra":
        sizes["layer_norm_eps"] = arguments.epsilon
    config = getattr(nlp, config_class)(
        # Files have more rows than words.
        vocab_size=arguments.vocab_size or len(read_vocabulary(arguments.tokenizer)) + 3,
        hidden_act=arguments.act,
        pad_token_id=0,
        **sizes,
        **labels,
    )
    if arguments.size != "tiny":  # Drawing the initial values takes minutes, and they are replaced.
        set_global_initializer(Constant(0.0), Constant(0.0))
    model = getattr(modeling, architecture)(config)
    for name, parameter in model.named_parameters():
        values = draw(name, parameter.shape, sizes["hidden_size"], arguments.seed)
        if arguments.no_tasks and name.endswith("word_embeddings.weight"):
            values[0] = 0
        parameter.set_value(paddle.to_tensor(values))
    model.eval()
    return model


def package_of(architecture: str) -> tuple[str, str, str]:
    """PaddleNLP's package of a class, its config and its tokenizer."""
    return next(found for name, found in PACKAGES.items() if architecture.startswith(name))


def read_vocabulary(tokenizer: Path | None) -> list[str]:
    """The tokens of the vocabulary in a folder, or of the small one."""
    if tokenizer is None:
        return list(VOCABULARY)
    return find_file(tokenizer, "vocab.txt").read_text(encoding="utf-8").splitlines()


def write_tokenizer(folder: Path, tokenizer: Path | None, name: str) -> None:
    """The vocabulary, and the configs as PaddleNLP's tokenizer of this name writes them."""
    import paddlenlp.transformers as nlp

    tokens = read_vocabulary(tokenizer)
    (folder / "vocab.txt").write_text("".join(f"{token}\n" for token in tokens), encoding="utf-8")
    getattr(nlp, name).from_pretrained(str(folder)).save_pretrained(str(folder))


def main() -> None:
    """Make the folders."""
    arguments = read_arguments()
    for architecture, folder in make_folders(arguments.output, arguments.architecture):
        build_model(arguments, architecture).save_pretrained(str(folder))
        write_tokenizer(folder, arguments.tokenizer, package_of(architecture)[2])


if __name__ == "__main__":
    main()
