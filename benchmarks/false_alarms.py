"""Does verify cry wolf? Random tiny models of every class and dtype, converted and verified: all must pass.

    python benchmarks/false_alarms.py --seeds 50

Each seed gives one model: classes, dtypes of source and output, activations of labels, sizes and precisions follow from
it in turn. Prints one line for each, with the share of its limit that the noise used up, and the worst of all at the
end. Exit status 1 if one fails. Needs the reference environment; about 20 seconds a seed on two quiet cores.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from converter.conversion import convert
from verify import Report, verify
from verify.compare import share_of_limit
from verify.reference import find_interpreter
from verify.report import render_table

MAKE = Path(__file__).with_name("make_checkpoint.py")
CLASSES = (
    "ErnieMModel",
    "ErnieMForSequenceClassification",
    "ErnieMForTokenClassification",
    "ErnieMForQuestionAnswering",
    "ErnieMForMultipleChoice",
    "UIEM",
)
#: dtype of the source, of the output, precision of the comparison
KINDS = (
    ("float32", "keep", "float64"),
    ("float16", "keep", "float64"),
    ("bfloat16", "keep", "float64"),
    ("float32", "float16", "float64"),
    ("float32", "bfloat16", "float64"),
    ("bfloat16", "float32", "float64"),
    ("float32", "keep", "float32"),
)


def check_seed(seed: int, interpreter: Path, folder: Path) -> tuple[str, Report]:
    """Make, convert and verify the model of one seed."""
    name, (dtype, written, precision) = CLASSES[seed % len(CLASSES)], KINDS[seed % len(KINDS)]
    source, output = folder / f"source-{seed}", folder / f"output-{seed}"
    options: dict[str, Any] = {
        "--architecture": name,
        "--output": source,
        "--seed": seed,
        "--dtype": dtype,
        "--format": "safetensors" if seed % 3 == 0 else "pdparams",
        "--vocab-size": 40 + 37 * (seed % 11),
        "--max-position-embeddings": 20 + seed % 29,
        # A single label is a regression; question answering has two.
        "--num-labels": 2 if name == "ErnieMForQuestionAnswering" else 1 + seed % 5,
    }
    command = [str(interpreter), str(MAKE), *(str(word) for option in options.items() for word in option)]
    done = subprocess.run(command, capture_output=True, text=True, env={"HF_HUB_OFFLINE": "1"})
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    convert(source, output, dtype=written)
    return f"{name} {dtype} -> {written}, {precision}", verify(source, output, precision=precision)


def main() -> int:
    parser = argparse.ArgumentParser(description="Count false alarms on random tiny models.")
    parser.add_argument("--seeds", type=int, default=50)
    parser.add_argument("--first", type=int, default=0)
    arguments = parser.parse_args()
    interpreter, failed, worst, worst_back = find_interpreter(), 0, 0.0, 0.0
    for seed in range(arguments.first, arguments.first + arguments.seeds):
        with tempfile.TemporaryDirectory(prefix="paddle2torch-alarms-") as folder:
            what, report = check_seed(seed, interpreter, Path(folder))
        share = max(share_of_limit(site) for site in report.sites)
        back = max(share_of_limit(result) for result in report.gradients)
        worst, worst_back = max(worst, share), max(worst_back, back)
        failed += not report.passed
        verdict = "passed" if report.passed else "FALSE ALARM"
        print(f"seed {seed}: {what}: {verdict}; of the limits used: {share:.3f}, gradients {back:.3f}", flush=True)
        if not report.passed:
            print(render_table(report), flush=True)
    print(f"{failed} false alarms in {arguments.seeds}; of the limits used: {worst:.3f}, gradients {worst_back:.3f}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
