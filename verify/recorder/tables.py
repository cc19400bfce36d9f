"""Every row of an embedding, through the embedding alone."""

from __future__ import annotations

from typing import Any

import numpy as np

#: Rows of an embedding table are kept as they are up to this size, else as products with seeded columns.
ROWS_BYTES = 4 << 20

PROJECTIONS = 4


def table_case(probe: Any, part: str, precision: str, seed: int) -> Any:
    """Every row of an embedding, through the embedding alone; of a large one, its product with seeded columns."""
    import paddle

    layer = getattr(probe.backbone.embeddings, part)
    rows, width = layer.weight.shape
    inputs = {}
    columns = None
    if rows * width * 8 > ROWS_BYTES:
        random = np.random.RandomState(seed)
        # Away from 0, so that each element of a row has a share in the product.
        signs = random.randint(0, 2, size=(width, PROJECTIONS)) * 2 - 1
        columns = (signs * random.uniform(0.5, 1.5, size=(width, PROJECTIONS))).astype(precision)
        inputs["columns"] = columns
    found = []
    with paddle.no_grad():
        for start in range(0, rows, 8192):
            block = layer(paddle.to_tensor(np.arange(start, min(start + 8192, rows), dtype=np.int64))).numpy()
            found.append(block if columns is None else block.dot(columns))
    name = "rows." + part
    case = dict(name=name, why="every row of the table", inputs=inputs, through=part, inside=False)
    return case, [(part, np.concatenate(found))]
