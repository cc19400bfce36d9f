"""The tables of docs/families.md: each class of each family converted and verified against PaddleNLP in both lines of
transformers, and the faults of the self-test that are found, by family.

    python -m benchmarks.family_table [--paddle-python ...] [--other-python ...] [--only CLASS ...] [--write]

Each checkpoint is tiny, made by PaddleNLP with sensitive weights (tests/support/make_checkpoint.py and
make_ernie_checkpoint.py). It is converted once; this interpreter verifies it against Paddle and keeps what Paddle
computed; OTHER, which has the other line of transformers, verifies the same folder from what was kept. Tokens are
compared and faults injected in one class of each family, and where a folder keeps a pooling layer for AutoModel. With
--write the figures go to docs/families.json and the tables between the markers of docs/families.md, else they are
printed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.figures import ROOT, Figures, cite, origin, render, table, write_figures
from mappings import Family, ModelClass, all_families
from tests.support.make_checkpoint import ARCHITECTURES as OF_FIRST_MAKER
from tests.support.train_tokenizer import train_tokenizer

COMMAND = "python -m benchmarks.family_table --write"
DOCUMENT, FIGURES, MARKER = "families.md", "families.json", "family table"
SUPPORT = ROOT / "tests" / "support"
TOKENIZER = ("vocab.txt", "sentencepiece.bpe.model", "tokenizer_config.json", "special_tokens_map.json")
SDPA = " (sdpa)"
#: Kind of fault -> what a self-test calls it.
FAULTS = {
    "epsilon": r"layer_norm_eps",
    "activation": r"hidden_act",
    "row of [PAD]": r"word_embeddings\.weight\[[01], ",
    "types": r"(token|task)_type_embeddings",
    "q and k exchanged": r"\.(k_proj|key)\.\S+ exchanged with \S+(q_proj|query)\.",
    "one unit in the last place": r"one unit in the last place",
    "pooling layer": r"pooler",
    "symbols": r"rule for symbols",
    "tokenizer": r"^(tokenizer|special_tokens|vocab|sentencepiece)",
    "all": r"",
}


def run(python: Path, *arguments: object, fails: tuple[int, ...] = ()) -> str:
    """Run a command and return what it prints. Raises SystemExit where it fails otherwise than with one of `fails`."""
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "PYTHONPATH": str(ROOT)}
    command = [str(python), *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment, check=False)
    if done.returncode not in (0, *fails):
        raise SystemExit(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}")
    return done.stdout


def make(family: Family, names: list[str], paddle: Path, folder: Path) -> None:
    """A folder for each of these classes of a family, in one process of Paddle."""
    first = names[0] in OF_FIRST_MAKER
    script = "make_checkpoint.py" if first else "make_ernie_checkpoint.py"
    more = ["--tokenizer", train_tokenizer(folder / "tokenizer")] if first else []
    for name in names:
        (folder / name).mkdir()
    target = folder if len(names) > 1 else folder / names[0]
    run(paddle, SUPPORT / script, "--architecture", *names, "--output", target, "--seed", 1, *more)


def measure(
    family: Family, entry: ModelClass, behavior: str, arguments: argparse.Namespace, folder: Path
) -> dict[str, Any]:
    """One class: converted, verified in both lines, its faults injected where it is one of those."""
    this, source, output = Path(sys.executable), folder / entry.source, folder / f"{entry.source}-{behavior}"
    tested = behavior == family.choices[0] and is_tested(family, entry)
    for name in () if tested else TOKENIZER:
        (source / name).unlink(missing_ok=True)
    chosen = ["--behavior", behavior] if behavior != family.choices[0] else []
    run(this, "-m", "converter", "convert", source, output, *chosen)
    trace, verify = folder / "trace", ("-m", "converter", "verify")
    options = ["--json", "--paddle-python", arguments.paddle_python, "--record", trace, "--report", folder / "a"]
    options += ["--self-test"] * tested
    lines = [json.loads(run(this, *verify, source, output, *options, fails=(1,)))]
    if arguments.other_python.exists():
        options = ["--trace", trace, "--json", "--report", folder / "b"]
        lines.append(json.loads(run(arguments.other_python, *verify, output, *options, fails=(1,))))
    return {
        "family": family.title,
        "target": entry.target,
        "lines": [summarise(line) for line in lines],
        "faults": count_faults(lines[0].get("self_test")),
    }


def is_tested(family: Family, entry: ModelClass) -> bool:
    return entry.head == "sequence" or bool(family.kept_aside(entry.target))


def summarise(report: dict[str, Any]) -> dict[str, Any]:
    """What the table has of a report: by way of attention the worst difference, and its share of the limit there."""
    from verify.results.numbers import share_of_limit
    from verify.results.report import read_report

    result = read_report(report)
    ways: dict[str, list[float]] = {}
    for site in result.sites:
        way = "sdpa" if site.case.endswith(SDPA) else "eager"
        found = ways.setdefault(way, [0.0, 0.0])
        found[:] = max(found[0], site.max_rel or 0.0), max(found[1], share_of_limit(site))
    return {
        "transformers": report["environment"]["output"]["transformers"],
        "passed": report["passed"],
        "sites": len(result.sites),
        "worst": ways,
        "gradients": max((each.max_rel or 0.0 for each in result.gradients), default=0.0),
        "texts": report["tokenizer"]["texts"] if report.get("tokenizer") else 0,
    }


def count_faults(tested: dict[str, Any] | None) -> dict[str, list[int]]:
    """Kind of fault -> how many were injected and how many found; the last counts all."""
    counts = {}
    for kind, pattern in FAULTS.items() if tested else ():
        found = [outcome["found"] for outcome in tested["outcomes"] if re.search(pattern, outcome["fault"])]
        if found:
            counts[kind] = [len(found), sum(found)]
    return counts


def to_table(figures: Figures) -> str:
    """The figures as Markdown."""
    found = figures["classes"]
    ways = [
        (number, line["transformers"], way)
        for number, line in enumerate(next(iter(found.values()))["lines"])
        for way in line["worst"]
    ]
    rows: list[list[object]] = []
    for name, each in found.items():
        cells = [show_worst(each["lines"], number, way) for number, _, way in ways]
        first = each["lines"][0]
        rows.append([name, each["target"], first["sites"], *cells, f"{first['gradients']:.1e}", first["texts"] or ""])
    heads = ["PaddleNLP", "PyTorch", "activations", *(f"{version}, {way}" for _, version, way in ways)]
    classes = table([*heads, "gradients", "texts"], rows)
    tested = {name: each for name, each in found.items() if each["faults"]}
    kinds = [kind for kind in FAULTS if any(kind in each["faults"] for each in tested.values())]
    faults = table(
        ["faults found of those injected", *kinds],
        [[f"{each['family']}: {name}", *show_faults(each["faults"], kinds)] for name, each in tested.items()],
    )
    return (
        f"{cite(figures)} Tiny models with sensitive random weights, in float64: the worst relative difference over "
        "all activations, and in brackets the largest share that one has of its limit. Ernie and Electra have no sdpa "
        f"in transformers 4.57.\n\n{classes}\n\nFaults of `verify --self-test`, one class of each family and the one "
        f"that keeps a pooling layer for AutoModel:\n\n{faults}"
    )


def show_faults(counts: dict[str, list[int]], kinds: list[str]) -> list[str]:
    return [f"{counts[kind][1]} of {counts[kind][0]}" if kind in counts else "" for kind in kinds]


def show_worst(lines: list[dict[str, Any]], number: int, way: str) -> str:
    if number >= len(lines) or way not in lines[number]["worst"]:
        return ""
    worst, share = lines[number]["worst"][way]
    return f"{worst:.1e} ({100 * share:.0f} %)" if lines[number]["passed"] else f"{worst:.1e}, fails"


def measure_all(arguments: argparse.Namespace) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every class. One with a caution is measured under every behavior of its family."""
    for family in all_families():
        entries = [entry for entry in family.classes if not arguments.only or entry.source in arguments.only]
        if not entries:
            continue
        with tempfile.TemporaryDirectory() as place:
            folder = Path(place)
            make(family, [entry.source for entry in entries], arguments.paddle_python, folder)
            for entry in entries:
                for behavior in family.choices if entry.caution else family.choices[:1]:
                    name = entry.source + (f", `{behavior}`" if entry.caution else "")
                    print(f"{name} ...", file=sys.stderr, flush=True)
                    yield name, measure(family, entry, behavior, arguments, folder)


def main() -> None:
    """Measure every class, print or write."""
    parser = argparse.ArgumentParser(
        description="Verify every class of every family and write docs/families.md's tables."
    )
    parser.add_argument("--paddle-python", type=Path, default=ROOT / ".venv-paddle" / "bin" / "python")
    parser.add_argument("--other-python", type=Path, default=ROOT / ".venv-transformers4" / "bin" / "python")
    parser.add_argument(
        "--only", nargs="+", metavar="CLASS", help="PaddleNLP's names; the tables are printed, not written"
    )
    parser.add_argument("--write", action="store_true", help=f"docs/{FIGURES} and docs/{DOCUMENT}")
    arguments = parser.parse_args()
    figures: Figures = origin(COMMAND, arguments.write and not arguments.only)
    figures["classes"] = dict(measure_all(arguments))
    if arguments.write and not arguments.only:
        write_figures(FIGURES, figures)
        render(DOCUMENT, MARKER, to_table(figures))
    else:
        print(to_table(figures))


if __name__ == "__main__":
    main()
