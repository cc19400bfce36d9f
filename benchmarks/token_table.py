"""The token table of docs/tokenizer.md: our tokenizer against PaddleNLP's, text by text, language by language.

    python -m benchmarks.token_table [--paddle-python ...] [--other-python ...] [--write]

Texts: ../shared/data/tatoeba with PaddleNLP's vocabulary, verify/sentences.txt, random text of all Unicode categories,
and ../shared/data/release_tokens.npz for the rule "release". PaddleNLP's answers come from the reference interpreter,
ours from this interpreter and from OTHER, which has the other line of transformers. With --write the figures go to
docs/tokens.json and the table between the markers of docs/tokenizer.md, else it is printed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.figures import ROOT, Figures, cite, origin, render, table, write_figures

DATA = ROOT.parent / "shared" / "data"
COMMAND = "python -m benchmarks.token_table --write"
DOCUMENT, FIGURES, MARKER = "tokenizer.md", "tokens.json", "token table"
COMPARED = ("ids", "tokens", "offsets")
RANDOM_TEXTS, SEED = 6000, 7


def gather_texts() -> dict[str, list[str]]:
    """Texts by where they come from; tatoeba's by language, without doublets."""
    from tests.ernie_m.tokenization_reference import fuzz_texts
    from tests.support.train_tokenizer import read_sentences

    texts: dict[str, dict[str, None]] = {}
    for path in sorted((DATA / "tatoeba").iterdir()):
        lines = filter(None, path.read_bytes().decode("utf-8").split("\n"))
        texts.setdefault(f"Tatoeba, {path.suffix[1:]}", {}).update(dict.fromkeys(lines))
    texts["verify/sentences.txt, over 60 languages"] = dict.fromkeys(read_sentences())
    texts["random, all Unicode categories"] = dict.fromkeys(fuzz_texts(RANDOM_TEXTS, seed=SEED))
    return {source: list(lines) for source, lines in texts.items()}


def release_texts() -> tuple[list[str], list[list[int]]]:
    """Texts and the ids that the 2021 release gives them."""
    import numpy as np

    with np.load(DATA / "release_tokens.npz") as stored:
        texts = json.loads(stored["texts"].tobytes())
        ids, ends = stored["ids"].tolist(), stored["offsets"].tolist()
    return texts, [ids[start:end] for start, end in zip(ends, ends[1:])]


def measure(request: Path) -> dict[str, Any]:
    """Compare this interpreter's tokenizer with the answers in `request`: mismatches by source and by what differs."""
    import transformers

    from tests.ernie_m.tokenization_reference import load

    asked = json.loads(request.read_text(encoding="utf-8"))
    tokenizer = load(Path(asked["folder"]))
    rows: dict[str, dict[str, int]] = {}
    for source, texts in asked["texts"].items():
        answers = asked["answers"][source]
        ids = [row[1:-1] for row in tokenizer(texts)["input_ids"]]
        spans = [[list(span) for span in tokenizer.get_offset_mapping(text)] for text in texts]
        ours = {"ids": ids, "tokens": [tokenizer.tokenize(text) for text in texts], "offsets": spans}
        # Where PaddleNLP itself raises there is nothing to compare.
        pairs = {what: list(zip(ours[what], answers[what])) for what in COMPARED}
        rows[source] = {what: sum(b is not None and a != b for a, b in pairs[what]) for what in COMPARED}
    release = load(Path(asked["folder"]), piece_rule="release")
    found = [row[1:-1] for row in release(asked["release"]["texts"])["input_ids"]]
    wrong = sum(a != b for a, b in zip(found, asked["release"]["ids"]))
    return {"transformers": transformers.__version__, "mismatches": rows, "release": wrong}


def ask_paddle(python: Path, folder: Path, texts: list[str], scratch: Path) -> dict[str, Any]:
    question, answer = scratch / "question.json", scratch / "answer.json"
    asked = {"folder": str(folder), "texts": texts, "want": list(COMPARED)}
    question.write_text(json.dumps(asked), encoding="utf-8")
    run(python, ROOT / "tests" / "reference" / "tokenizer_ids.py", question, answer)
    found: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
    return found


def run(python: Path, *arguments: object) -> str:
    done = subprocess.run([str(python), *map(str, arguments)], cwd=ROOT, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{python} failed:\n{done.stderr}")
    return done.stdout


def collect(paddle_python: Path, pythons: list[Path]) -> dict[str, Any]:
    """Ask both sides; return the figures of the table."""
    from tests.ernie_m.tokenization_reference import official_folder

    texts = gather_texts()
    flat = [text for lines in texts.values() for text in lines]
    with tempfile.TemporaryDirectory() as place:
        scratch = Path(place)
        folder = official_folder(DATA, scratch / "tokenizer")
        answered = ask_paddle(paddle_python, folder, flat, scratch)
        answers, start = {}, 0
        for source, lines in texts.items():
            stop = start + len(lines)
            answers[source] = {what: answered[what][start:stop] for what in COMPARED}
            start = stop
        released, ids = release_texts()
        request = {"folder": str(folder), "texts": texts, "answers": answers}
        request["release"] = {"texts": released, "ids": ids}
        path = scratch / "request.json"
        path.write_text(json.dumps(request), encoding="utf-8")
        lines_measured = [
            json.loads(run(python, "-m", "benchmarks.token_table", "--measure", path)) for python in pythons
        ]
    counts = {
        source: {
            "texts": len(lines),
            "tokens": sum(map(len, answers[source]["ids"])),
            "offsets": sum(spans is not None for spans in answers[source]["offsets"]),
        }
        for source, lines in texts.items()
    }
    return {"counts": counts, "release": len(released), "lines": lines_measured}


def show(figures: Figures) -> str:
    """The figures as Markdown."""
    lines = figures["lines"]
    versions = [f"transformers {line['transformers']}" for line in lines]
    total = sum(count["texts"] for count in figures["counts"].values())
    rows: list[list[object]] = []
    for source, count in figures["counts"].items():
        cells = (" / ".join(str(line["mismatches"][source][what]) for what in COMPARED) for line in lines)
        rows.append([source, count["texts"], count["tokens"], count["offsets"], *cells])
    released = [line["release"] for line in lines]
    rows.append(["rule `release`: release_tokens.npz (ids)", figures["release"], "-", "-", *released])
    said = (
        f"{cite(figures)} {total} texts, mismatches of ids / tokens / offsets (offsets where PaddleNLP has them: it "
        "raises on the rest)."
    )
    return f"{said}\n\n{table(['texts', 'how many', 'tokens', 'with offsets', *versions], rows)}"


def main() -> None:
    parser = argparse.ArgumentParser(description="Compare tokens with PaddleNLP and write the table.")
    parser.add_argument("--paddle-python", type=Path, default=ROOT / ".venv-paddle" / "bin" / "python")
    parser.add_argument("--other-python", type=Path, default=ROOT / ".venv-transformers4" / "bin" / "python")
    parser.add_argument("--write", action="store_true", help="docs/tokens.json and docs/tokenizer.md")
    parser.add_argument("--measure", type=Path, metavar="REQUEST", help="compare here and print JSON")
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure(arguments.measure)))
        return
    for needed in (DATA, arguments.paddle_python, arguments.other_python):
        if not needed.exists():
            raise SystemExit(f"{needed} is not there: the table needs ../shared/data and `make env`")
    source = origin(COMMAND, arguments.write)
    figures = {**source, **collect(arguments.paddle_python, [Path(sys.executable), arguments.other_python])}
    if arguments.write:
        write_figures(FIGURES, figures)
        render(DOCUMENT, MARKER, show(figures))
    else:
        print(show(figures))


if __name__ == "__main__":
    main()
