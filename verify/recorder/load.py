"""SOURCE as Paddle's own model: read, built, filled, and following the rules that OUTPUT follows."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass, replace
from typing import Any, Callable

import numpy as np

from verify.protocol.messages import report_progress
from verify.protocol.request import Request
from verify.recorder.families.family import Family
from verify.recorder.files import file_sha256
from verify.recorder.model.build import build_model, set_weights
from verify.recorder.model.default_dtype import default_dtype
from verify.recorder.sanity import check_sanity
from verify.recorder.sources.arrays import describe
from verify.recorder.sources.checkpoint import read_weights, weight_files
from verify.recorder.sources.config import family_of, layout_of, read_config
from verify.recorder.sources.prefix import remove_prefix
from verify.recorder.sources.static_graph import check_program
from verify.recorder.sources.torch_file import reader_notes


@dataclass(frozen=True)
class Reference:
    """Paddle's model of a checkpoint, in evaluation mode, and how it came about."""

    family: Family
    #: PaddleNLP's class.
    name: str
    model: Any
    #: The rules that it follows, and those of the release that wrote the checkpoint.
    quirk: str
    of_source: str
    #: Where the config was found, and what was noticed on the way.
    how: str
    notes: tuple[str, ...]
    paths: list[str]
    #: Name in the file -> dtype and shape.
    tensors: dict[str, Any]
    #: Fields that PaddleNLP's class does not know; None where there are none.
    port: dict[str, Any] | None
    #: Whether the weights have a pooler.
    pooler: bool
    default_dtype: str


def load_reference(
    request: Request, when_read: Callable[[Family, str, dict[str, Any]], None] = lambda *of: None
) -> Reference:
    """Load SOURCE with Paddle. `when_read` is called when the weights were read and the model is not built yet, with
    family, quirk and weights. Raises Refused or Broken."""
    family, precision = family_of(request), request.precision
    own = check_sanity(family, precision)
    report_progress("reading the checkpoint with Paddle")
    paths = weight_files(request.source, request.files)
    weights = read_weights(paths, family, *layout_of(request, family))
    tensors = {name: describe(array) for name, array in weights.items()}
    weights, taken = remove_prefix(weights, request.prefix)
    quirk = family.choose_quirk(request, weights)
    request = replace(request, fallback=dict(family.fields_from_weights(weights), **request.fallback))
    name, fields, how = read_config(request, family)
    sizes = family.sizes_from_weights(weights)
    changed = sorted(size for size in sizes if fields.get(size) not in (None, sizes[size]))
    fields.update(sizes)
    how += f"; the weights decide {', '.join(changed)}" if changed else ""
    # By the names of the weights, which are given to the model and gone below.
    loaded_in = default_dtype(family, fields, family.is_port(weights))
    of_source = family.quirk_of_source(request, weights, how)
    when_read(family, quirk, weights)
    report_progress(f"building {name} in {precision}")
    model = build_model(family, name, fields, precision)
    port, adapted = family.adapt_model(model, fields, weights, precision)
    notes, pooler = set_weights(family, model, weights, precision, request.round_to)
    notes += taken + reader_notes(paths)
    if request.round_to is None and family.program_follows(quirk):
        notes += check_program(paths, model)
    notes += adapted + family.follow_quirk(model, quirk, own)
    if request.round_to is not None:
        notes.append(f"weights rounded to {request.round_to}, as OUTPUT's are")
    return Reference(
        family=family,
        name=name,
        model=model,
        quirk=quirk,
        of_source=of_source,
        how=how,
        notes=tuple(notes),
        paths=paths,
        tensors=tensors,
        port=port,
        pooler=pooler,
        default_dtype=loaded_in,
    )


def hash_weight_files(paths: list[str]) -> list[dict[str, str]]:
    """Name and SHA-256 of each file that holds weights; programs and indexes are left out."""
    weights = [path for path in paths if not path.endswith(".json")]
    return [{"name": os.path.basename(path), "sha256": file_sha256(path)} for path in weights]


def versions() -> dict[str, str]:
    """Releases of everything that has a part in the numbers."""
    import paddle
    import paddlenlp
    import safetensors
    import sentencepiece

    return {
        "python": platform.python_version(),
        "paddle": paddle.__version__,
        "paddlenlp": paddlenlp.__version__,
        "numpy": np.__version__,
        "safetensors": getattr(safetensors, "__version__", ""),
        "sentencepiece": sentencepiece.__version__,
        "machine": platform.machine(),
    }
