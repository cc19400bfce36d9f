"""Sums of a block's bytes, by which the same block is recognised when its file is read back.

SHA-256 takes ten times as long as reading memory does, and the manifest's is computed once, when a block is written.
Here a block is a matrix of 64-bit words with a page of 4 KiB in each row: the sums along every page and across all
pages change with any one word, and with a page that is lost, doubled or in another's place.
"""

from __future__ import annotations

import hashlib
from typing import Union

_PAGE_WORDS = 512


def sum_block(data: Union[bytes, memoryview]) -> bytes:
    """A digest of the sums of `data`, and of the bytes behind its last whole page."""
    import numpy as np

    whole = len(data) // (8 * _PAGE_WORDS) * _PAGE_WORDS
    pages = np.frombuffer(data, "<u8", whole).reshape(-1, _PAGE_WORDS)
    digest = hashlib.blake2b(digest_size=16)
    digest.update(np.add.reduce(pages, axis=0))
    digest.update(np.add.reduce(pages, axis=1))
    digest.update(data[8 * whole :])
    return digest.digest()
