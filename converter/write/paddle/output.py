"""The whole PaddleNLP folder, and the record of what was made from what, by which `--force` knows it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from converter.common.layout import BACK_MANIFEST, TOKENIZER_FILES
from converter.common.version import __version__
from converter.files.hashing import sha256_of
from converter.plan.make_back_plan import BackPlan
from converter.write.config_file import write_json
from converter.write.manifest import describe_tensor
from converter.write.paddle.config_file import build_paddle_config
from converter.write.paddle.tokenizer_files import write_paddle_tokenizer
from converter.write.shards import WrittenTensor


def write_paddle_companions(
    folder: Path, plan: BackPlan, written: Sequence[WrittenTensor], source_files: Sequence[tuple[str, int, str]]
) -> None:
    """Everything but the weights. `source_files`: name, size in bytes and sha256 of each file of OUTPUT's."""
    write_json(folder / "config.json", build_paddle_config(plan))
    write_paddle_tokenizer(folder, plan)
    write_json(folder / BACK_MANIFEST, _build_manifest(folder, plan, written, source_files))


def _build_manifest(
    folder: Path, plan: BackPlan, written: Sequence[WrittenTensor], source_files: Sequence[tuple[str, int, str]]
) -> dict[str, Any]:
    return {
        "tool": "paddle2torch",
        "version": __version__,
        "format": 1,
        "source": {
            "class": plan.opened.entry.target,
            "files": [{"name": name, "size": size, "sha256": digest} for name, size, digest in source_files],
        },
        "target_class": plan.table.source_class,
        "mapping": {"table": plan.table.source_class, "version": plan.table.version},
        "files": {name: sha256_of(folder / name) for name in TOKENIZER_FILES if (folder / name).is_file()},
        "lost": list(plan.lost),
        "tensors": [describe_tensor(each) for each in written],
    }
