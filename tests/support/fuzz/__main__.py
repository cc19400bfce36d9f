"""Damaged checkpoints by the hundred thousand: each loads equal or is refused by a typed error.

    python -m tests.support.fuzz [--seconds 600] [--seed 1] [--only SUBJECT] [--case N]

Run in the project's root (`make fuzz`). A case is told by its subject, the seed and its number; `--only` and `--case`
run it again and write the damaged file to ./fuzzed. Exit code 1: there were findings.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.support.fuzz.run import check_sound, fuzz, judge_case, make_case
from tests.support.fuzz.subjects import make_subjects


def main() -> int:
    """Fuzz and print a table."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.fuzz", description="Damage checkpoints.")
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", metavar="SUBJECT")
    parser.add_argument("--case", type=int, metavar="N")
    options = parser.parse_args()
    subjects = make_subjects()
    if options.only is not None and options.only not in subjects:
        parser.error(f"--only is one of: {'; '.join(subjects)}")
    chosen = {name: subject for name, subject in subjects.items() if options.only in (None, name)}
    if options.case is not None:
        subject = chosen[options.only]
        Path("fuzzed").write_bytes(make_case(subject, options.seed, options.case)[1])
        with tempfile.TemporaryDirectory(prefix="paddle2torch-fuzz-") as scratch:
            print(judge_case(subject, options.seed, options.case, Path(scratch)))
        return 0
    wrong = check_sound(chosen)
    if wrong:
        print("the sound checkpoints do not load:", *wrong, sep="\n")
        return 1
    tally = fuzz(chosen, options.seed, options.seconds, 1 << 40, lambda text: print(text, flush=True))
    width = max(map(len, tally.counts))
    print(f"\n{'':{width}}  {'cases':>8} {'refused':>8} {'equal':>8} {'findings':>8}")
    for name, count in tally.counts.items():
        figures = [sum(count.values()), count["refused"], count["loads equal"], count["finding"]]
        print(f"{name:{width}}  " + " ".join(f"{figure:8,}" for figure in figures))
    total = sum(sum(count.values()) for count in tally.counts.values())
    print(f"\n{total:,} cases, seed {options.seed}: {len(tally.findings)} findings")
    return bool(tally.findings)


if __name__ == "__main__":
    sys.exit(main())
