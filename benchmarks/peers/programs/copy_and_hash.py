"""The least that a conversion with checksums can do: copy each file, and hash both with hashlib, on two threads.

    python copy_and_hash.py OUTPUT SOURCE...

One thread reads the source, hashes it and writes the copy; the other reads back what has been written and hashes it.
"""

from __future__ import annotations

import hashlib
import os
import queue
import sys
import threading

BLOCK = 1 << 20


def copy_and_hash(source: str, target: str) -> tuple[str, str]:
    """The SHA-256 of the source, and of the copy as it reads back."""
    sizes: queue.Queue[int] = queue.Queue(8)
    copied = hashlib.sha256()

    def read_back() -> None:
        block = memoryview(bytearray(BLOCK))
        with open(target, "rb", buffering=0) as file:
            while size := sizes.get():
                assert file.readinto(block[:size]) == size
                copied.update(block[:size])

    original, block = hashlib.sha256(), memoryview(bytearray(BLOCK))
    with open(source, "rb", buffering=0) as file, open(target, "wb", buffering=0) as copy:
        reader = threading.Thread(target=read_back)
        reader.start()
        while size := file.readinto(block):
            assert copy.write(block[:size]) == size
            sizes.put(size)
            original.update(block[:size])
        sizes.put(0)
        reader.join()
    return original.hexdigest(), copied.hexdigest()


if __name__ == "__main__":
    output, *sources = sys.argv[1:]
    os.mkdir(output)
    for each in sources:
        one, other = copy_and_hash(each, os.path.join(output, os.path.basename(each)))
        if one != other:
            raise SystemExit(f"{each}: the copy differs")
