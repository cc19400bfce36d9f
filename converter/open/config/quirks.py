"""The presets of quirks under their former names."""

# until verify uses Family

from __future__ import annotations

from typing import Any

from mappings import Preset, all_families


class Behavior:
    """A preset, its values as attributes."""

    def __init__(self, preset: Preset) -> None:
        self._preset = preset
        self.name, self.said = preset.name, preset.summary

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self._preset.values:
            raise AttributeError(name)
        return self._preset.values[name]

    def hidden_ids(self, pad_token_id: int) -> list[int]:
        values = self._preset.resolve(pad_token_id)
        return next(value for value in values.values() if isinstance(value, list))


BEHAVIORS = {preset.name: Behavior(preset) for family in all_families() for preset in family.presets}
CHOICES = tuple(name for family in all_families() for name in family.choices)
UNPADDED = next(preset.name for family in all_families() for preset in family.presets if preset.hides_padding_of)
