"""SOURCE through the converter's reader, which refuses what must not reach Paddle's pickle."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from converter.common.errors import Paddle2TorchError
from verify.folder.check_fields import output_says

if TYPE_CHECKING:
    from converter.open.source import Source
    from converter.plan.make_plan import Plan


@dataclass(frozen=True)
class Said:
    """What the user says of a SOURCE that does not say it itself, as in `convert`."""

    architecture: str | None = None
    config: Path | None = None
    num_attention_heads: int | None = None
    tokenizer: Path | None = None
    prefix: str | None = None

    @property
    def of_the_model(self) -> dict[str, Any]:
        """What is said of the model; the tokenizer is another matter."""
        fields = {name: getattr(self, name) for name in ("architecture", "config", "num_attention_heads", "prefix")}
        return {name: value for name, value in fields.items() if value is not None}


def open_for(output: Path, path: Path, said: Said | None = None) -> tuple[Source, Plan, list[str]]:
    """The source, what its conversion makes, and warnings. What neither SOURCE nor the user says is taken from OUTPUT's
    config. Unknown tensors inside modules do not stop it: verify.folder.left_inside judges what OUTPUT left out."""
    from converter.open.config.config import CLASSLESS
    from converter.open.source import open_source
    from converter.plan.make_plan import make_plan

    said = said or Said()
    given, tokenizer = said.of_the_model, said.tokenizer
    try:
        opened = open_source(path, tokenizer=tokenizer, **given)
        return opened, make_plan(opened, allow_unknown_tensors=True), []
    except Paddle2TorchError:
        # What the user says is not overruled; only what is left open is taken from OUTPUT.
        taken = {name: value for name, value in output_says(output).items() if name not in given}
        if not taken or "config" in given:
            raise
        opened = open_source(path, tokenizer=tokenizer, **given, **taken)
        if opened.config_file is not None:
            if opened.config.kind not in CLASSLESS or "architecture" not in taken:
                raise
            # The release's config names no class: that alone is taken.
            taken = {"architecture": taken["architecture"]}
            opened = open_source(path, tokenizer=tokenizer, **given, **taken)
        plan = make_plan(opened, allow_unknown_tensors=True)
        return opened, plan, [f"SOURCE does not say it: taken from OUTPUT's config.json ({taken})"]
