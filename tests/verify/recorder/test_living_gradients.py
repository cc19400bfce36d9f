"""The gradients of all layers are never in memory together: each is given away when it is complete."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from verify.reference.bundle_recorder import RECORDER, write_recorder


def test_one_gradient_at_a_time(run_paddle: Callable[..., None], tmp_path: Path) -> None:
    write_recorder(tmp_path / RECORDER)
    run_paddle("living_gradients.py", tmp_path / RECORDER, tmp_path / "living.json")
    living = json.loads((tmp_path / "living.json").read_text())
    assert len(living) == 4 + 2 * 16 + 2  # two tables and their norm, two layers, the pooler
    assert set(living.values()) == {1}
    assert next(iter(living)).startswith("pooler") and "embeddings" in next(reversed(living))
