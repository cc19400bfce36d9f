"""Runs in a process of its own: the uses of verify/modes of the models in some folders. Arguments: the trace,
where to write, folders.

It is called by tests/verify/modes/test_more_modes.py, and loads each folder as `verify` does.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path


def main() -> None:
    trace_path, result, *folders = map(Path, sys.argv[1:])
    import torch

    from verify.modes.execution_modes import Uses
    from verify.modes.more_modes import go_more_ways
    from verify.numbers.loading import load_model
    from verify.results.trace import read_trace

    found = {}
    trace = read_trace(trace_path)
    for folder in folders:
        with trace.arrays() as arrays:
            loaded = load_model(folder, trace.precision)
            loaded.model.to(torch.float32)
            uses = Uses(trace, arrays, loaded)
            uses.limits = replace(uses.limits, precision="float32")
            go_more_ways(uses)
        found[folder.name] = {way: asdict(use) for way, use in uses.found.items()}
    result.write_text(json.dumps(found))


if __name__ == "__main__":
    main()
