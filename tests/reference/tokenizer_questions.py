"""What a saved tokenizer is asked on both sides: the same calls for PaddleNLP's class and for the converted one.

Run by interpreters that do not see this project: the standard library only.
"""

from __future__ import annotations

from typing import Any

TEXTS = [
    "",
    "a b c d e f g h",
    "x [OPTION] y",
    "The cat sat [MASK] the mat.",
    "one<e1>two</e1> three",
    "<E1>Upper</E1> [option] [OPTION][OPTION]",
    "next to \x85[OPTION]\x85 and \x85[MASK]\x85 and \x85<e1>\x85 and \x85[CLS]\x85 end",
    "[OPTION]",
    " [OPTION] ",
    "the the the THE",
    "<s> a </s> [CLS] b [SEP] c [PAD] d [UNK]",
    "中国[OPTION]2024年3月",
    "tab\t[OPTION]\tnew\n[MASK]\nline",
    "Unknown <x9> and Straße İstanbul",
]
WORDS = [
    "[OPTION]",
    "<e1>",
    "</e1>",
    "<E1>",
    "[CLS]",
    "[MASK]",
    "<s>",
    "</s>",
    "▁the",
    "no such token",
    "[UNK]",
    "[PAD]",
]


def ask_all(tokenizer: Any) -> dict[str, Any]:
    """The answer to every question by its name, as JSON can hold it."""
    questions = {
        "plain calls": lambda: [called(tokenizer(text)) for text in TEXTS],
        "tokens": lambda: [tokenizer.tokenize(text) for text in TEXTS],
        "batch": lambda: called(tokenizer(TEXTS)),
        "padded batch": lambda: called(tokenizer(TEXTS, padding=True)),
        "everything padded": lambda: called(
            tokenizer(TEXTS, padding=True, return_attention_mask=True, return_token_type_ids=True)
        ),
        "pairs": lambda: [called(tokenizer(text, "a [OPTION] b")) for text in TEXTS],
        "shortened to 5": lambda: [called(tokenizer(text, max_length=5, truncation=True)) for text in TEXTS],
        "shortened to the model's length": lambda: [called(tokenizer(text * 9, truncation=True)) for text in TEXTS],
        "padded to 30": lambda: called(tokenizer(TEXTS, padding="max_length", max_length=30, truncation=True)),
        "decoded": lambda: [tokenizer.decode(list(tokenizer(text)["input_ids"])) for text in TEXTS],
        "decoded without special tokens": lambda: [
            tokenizer.decode(list(tokenizer(text)["input_ids"]), skip_special_tokens=True) for text in TEXTS
        ],
        "ids of words": lambda: [plain(tokenizer.convert_tokens_to_ids(word)) for word in WORDS],
        "tokens of ids": lambda: [
            tokenizer.convert_ids_to_tokens(plain(tokenizer.convert_tokens_to_ids(word))) for word in WORDS
        ],
        "special ids": lambda: sorted(map(plain, tokenizer.all_special_ids)),
        "special tokens": lambda: sorted(map(str, tokenizer.all_special_tokens)),
        "roles": lambda: [str(getattr(tokenizer, f"{role}_token")) for role in ("unk", "sep", "pad", "cls", "mask")],
        "settings": lambda: [tokenizer.padding_side, tokenizer.truncation_side],
        "vocabulary": lambda: sorted(tokenizer.get_vocab().items()),
    }
    return {name: question() for name, question in questions.items()}


def called(encoding: Any) -> dict[str, Any]:
    """What a call returned, by key."""
    return {key: plain(encoding[key]) for key in sorted(encoding.keys())}


def plain(value: Any) -> Any:
    """Lists and numbers, whatever held them."""
    return [plain(item) for item in value] if isinstance(value, (list, tuple)) else int(value)
