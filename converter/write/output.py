"""Everything of an output folder that is not a tensor: config, tokenizer, code, manifest, card."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from pathlib import Path

from converter.common.layout import MANIFEST
from converter.open.source import Source
from converter.plan.plan import Plan
from converter.write.card import CardFacts, render_card
from converter.write.config_file import build_config, write_json
from converter.write.manifest import build_manifest
from converter.write.new_files import write_file
from converter.write.shards import WrittenTensor
from converter.write.tokenizer_files import write_tokenizer
from mappings.family import TravellingCode


def read_code(code: TravellingCode, name: str) -> bytes:
    """One of the files that travel with the weights, as this tool has it.

    The package is found and not imported: importing it needs torch, converting does not.
    """
    spec = importlib.util.find_spec(code.package)
    assert spec is not None and spec.submodule_search_locations is not None
    return Path(spec.submodule_search_locations[0], name).read_bytes()


def write_companions(
    folder: Path,
    source: Source,
    plan: Plan,
    written: Sequence[WrittenTensor],
    source_files: Sequence[tuple[str, int, str]],
    facts: CardFacts,
) -> None:
    """Write the files that make the weights a model."""
    family, preset = source.family, source.preset
    write_json(folder / "config.json", build_config(plan, preset))
    code = family.code_of(plan.table.target_class)
    if code is not None:
        for name in code.files:
            write_file(folder / name, read_code(code, name))
    if source.tokenizer is not None:
        longest = family.longest_text(plan.sizes.fields["max_position_embeddings"], preset)
        write_tokenizer(folder, source.tokenizer, family, longest, preset)
    manifest = build_manifest(folder, plan, written, source_files, source)
    write_json(folder / MANIFEST, manifest)
    card = render_card(plan, manifest, source.tokenizer is not None, preset, facts)
    write_file(folder / "README.md", card.encode("utf-8"))
