"""The table of docs/objectives.md: what reaches a masked token of CAMLM under different rules of attention.

    python -m benchmarks.leak_table [--write]

A random model of six layers in float64 whose weights have a std of 0.6; one visible token after another is changed, and
the largest change of the last state of a masked token is taken. With --write the numbers go to docs/measurements.json
and the table between the markers of docs/objectives.md, else it is printed.
"""

from __future__ import annotations

import argparse
import sys

from benchmarks.figures import Figures, cite, origin, record, table
from tests.ernie_m.objectives.leaks import largest_change, make_inputs, make_model, rules

SECTION = "CAMLM leaks"
COMMAND = "python -m benchmarks.leak_table --write"


def measure() -> dict[str, dict[str, float]]:
    """rule -> how far its own side and the other side move a masked token."""
    model, inputs = make_model("sdpa"), make_inputs()
    return {
        name: {"own": largest_change(model, inputs, rule, True), "other": largest_change(model, inputs, rule, False)}
        for name, rule in rules(inputs).items()
    }


def show(found: Figures) -> str:
    """The table."""
    rows = [
        [name, f"**{row['own']:g}**" if row["own"] == 0 else f"{row['own']:.2f}", f"{row['other']:.2f}"]
        for name, row in found["rules"].items()
    ]
    head = ["visible tokens read", "its own side moves a masked token by", "the other side by"]
    return f"{table(head, [*rows])}\n\n{cite(found)}"


def main() -> int:
    """Measure, and print or write."""
    parser = argparse.ArgumentParser(description="What reaches a masked token of CAMLM.")
    parser.add_argument("--write", action="store_true")
    write = parser.parse_args().write
    found = {**origin(COMMAND, write), "rules": measure()}
    if write:
        record(SECTION, found, show, "objectives.md")
    else:
        print(show(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
