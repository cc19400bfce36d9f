"""Train a small ERNIE-M tokenizer on the project's own sentences, for machines without the official files.

    python tests/support/train_tokenizer.py FOLDER [--pieces 2000]

FOLDER gets `sentencepiece.bpe.model` and `vocab.txt` (one token a line, as PaddleNLP reads it) in the official
layout: pieces 0 to 2 are `<unk> <s> </s>`, and every other piece number plus one is its token's id. The same
sentences give the same bytes. The small model knows few words; what it shares with the official one is the
normalisation, the layout, and therefore every rule that stands between text and ids.
"""

from __future__ import annotations

import argparse
import io
from collections.abc import Sequence
from pathlib import Path

import sentencepiece

SENTENCES = Path(__file__).resolve().parents[2] / "verify" / "sentences.txt"
DEFAULT_PIECES = 2000
# Rare characters stay outside the model, so that [UNK] is met in tests as it is in real text.
CHARACTER_COVERAGE = 0.99


def read_sentences(path: Path = SENTENCES) -> list[str]:
    """Read one sentence a line; only LF ends a line, since U+0085 and its like may stand inside one."""
    with path.open(encoding="utf-8", newline="\n") as file:
        return [line.removesuffix("\n") for line in file]


def train_tokenizer(
    folder: str | Path, pieces: int = DEFAULT_PIECES, sentences: Sequence[str] | None = None, **options: str
) -> Path:
    """Train a unigram model with `pieces` pieces, write both tokenizer files into `folder` and return it. `options`:
    more for sentencepiece's trainer."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(read_sentences() if sentences is None else sentences),
        model_writer=model,
        model_type="unigram",
        vocab_size=pieces,
        character_coverage=CHARACTER_COVERAGE,
        normalization_rule_name="nmt_nfkc",
        unk_id=0,
        bos_id=1,
        eos_id=2,
        num_threads=1,
        minloglevel=2,
        **options,
    )
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    (target / "sentencepiece.bpe.model").write_bytes(model.getvalue())

    trained = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    known = [trained.id_to_piece(number) for number in range(3, trained.get_piece_size())]
    tokens = ["[CLS]", "[PAD]", "[SEP]", "[UNK]", *known, "[MASK]"]
    (target / "vocab.txt").write_bytes("".join(f"{token}\n" for token in tokens).encode())
    return target


def main() -> None:
    """Parse the command line, train, and say what was written."""
    parser = argparse.ArgumentParser(description="Train a small ERNIE-M tokenizer on verify/sentences.txt.")
    parser.add_argument("folder", type=Path, help="where vocab.txt and sentencepiece.bpe.model go")
    parser.add_argument("--pieces", type=int, default=DEFAULT_PIECES, help="size of the sentencepiece model")
    arguments = parser.parse_args()
    folder = train_tokenizer(arguments.folder, arguments.pieces)
    print(f"{folder}: {arguments.pieces} pieces, {arguments.pieces + 2} tokens, from {len(read_sentences())} sentences")


if __name__ == "__main__":
    main()
