"""The command: `python SCRIPT REQUEST.json`."""

from __future__ import annotations

import hashlib
import json
import sys

from verify.recorder.record import record
from verify.recorder.telling import Refused, read_json, say


def main() -> int:
    from safetensors.numpy import save_file

    request = read_json(sys.argv[1])
    try:
        arrays, head = record(request)
        say("writing the trace")
        # Every bit of a trace is summed: the arrays in the head, the head in front of itself.
        head["arrays"] = dict((name, hashlib.sha256(array.tobytes()).hexdigest()) for name, array in arrays.items())
        text = json.dumps(head, sort_keys=True)
        digest = hashlib.sha256(text.encode("utf-8")).hexdigest()
        save_file(arrays, request["output"], metadata={"paddle2torch_trace": digest + text})
    except Refused as error:
        print(f"@error {error}")
        sys.stdout.flush()
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
