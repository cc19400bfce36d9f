"""Runs in a process of its own: the execution modes of verify/modes of the models in some folders. Arguments: the
trace, where to write, folders.

It is called by tests/verify/modes/test_more_modes.py, and loads each folder as `verify` does.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path


def main() -> None:
    trace_path, result, *folders = map(Path, sys.argv[1:])
    from verify.modes.execution_modes import run_more_modes, use_single
    from verify.numbers.compare import Reference
    from verify.numbers.loading import load_model
    from verify.results.trace import read_trace

    found = {}
    trace = read_trace(trace_path)
    for folder in folders:
        with trace.arrays() as arrays:
            loaded = load_model(folder, trace.precision, trace.family)
            results = run_more_modes(use_single(Reference.of(trace, arrays), loaded), loaded)
        found[folder.name] = {mode: asdict(result) for mode, result in results.items()}
    result.write_text(json.dumps(found))


if __name__ == "__main__":
    main()
