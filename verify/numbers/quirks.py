"""Set OUTPUT's model to the quirks that the reference followed, where OUTPUT follows others."""

from __future__ import annotations

from typing import Any

from mappings.family import Family
from mappings.quirks import MODEL_CONFIG, TOKENIZER_CONFIG, Preset
from verify.numbers.loading import LoadedModel
from verify.results.trace import Trace

#: Epsilons that are nearer to each other are one: Paddle's kernel takes 1e-12 as a float32, which is 4e-20 less. Of the
#: smallest variance in the comparison that is the last place at most.
_SAME = 1e-19


def preset_of_reference(trace: Trace, behavior: str) -> Preset | None:
    """The preset that takes the place of OUTPUT's during the comparison; None where the reference followed the same."""
    return None if behavior == trace.behavior else trace.family.preset_named(trace.behavior)


def describe_change(trace: Trace, behavior: str, preset: Preset) -> str:
    """The warning that numbers and tokens were compared under another preset than OUTPUT's."""
    fields = ", ".join(quirk.field for quirk in trace.family.quirks if quirk.field in preset.values)
    return (
        f"OUTPUT follows the behavior {behavior!r}, the reference {preset.name!r}: numbers and tokens were compared "
        f"with the reference's {fields}, set at load where they differ; the fields themselves were checked by name"
    )


def set_quirks(loaded: LoadedModel, preset: Preset | None) -> None:
    """Give the model the values of a preset."""
    if preset is None:
        return
    config = loaded.model.config
    values = loaded.family.values_in(MODEL_CONFIG, preset, config.pad_token_id)
    for quirk in loaded.family.quirks:
        module, _, attribute = quirk.attribute.rpartition(".")
        if quirk.field in values and not attribute:
            setattr(config, quirk.field, values[quirk.field])
        elif quirk.field in values and module in dict(loaded.backbone.named_modules()):
            setattr(loaded.backbone.get_submodule(module), attribute, values[quirk.field])


def tokenizer_options(family: Family, preset: Preset | None) -> dict[str, Any]:
    """Options of `from_pretrained` that give a tokenizer the values of a preset."""
    return {} if preset is None else family.values_in(TOKENIZER_CONFIG, preset, 0)


def check_epsilons(model: Any, trace: Trace) -> list[str]:
    """Inside the layers no input is small enough to show an epsilon, so those of the modules are compared."""
    import torch

    recorded = trace.epsilons

    def is_recorded(epsilon: float) -> bool:
        return any(abs(epsilon - other) <= _SAME for other in recorded)

    odd = [
        f"{name} has the epsilon {module.eps!r}, Paddle's is {', '.join(map(repr, sorted(recorded)))}"
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.LayerNorm) and recorded and not is_recorded(module.eps)
    ]
    return odd[:1]
