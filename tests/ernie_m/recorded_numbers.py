"""The file that tests/reference/model_numbers.py writes: our models with its weights, its inputs, how far we are off.

Used by the tests (conftest.py) and by benchmarks/parity_table.py, so that both measure the same thing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

import ernie_m

CLASSES = {
    "ErnieMModel": "ErnieMModel",
    "ErnieMForSequenceClassification": "ErnieMForSequenceClassification",
    "ErnieMForTokenClassification": "ErnieMForTokenClassification",
    "ErnieMForQuestionAnswering": "ErnieMForQuestionAnswering",
    "ErnieMForMultipleChoice": "ErnieMForMultipleChoice",
    "UIEM": "ErnieMForInformationExtraction",
}
# Quirk 9: here torch's loss is another than Paddle's, and no gradients are recorded.
OTHER_LOSS = ("token:ignored", "question:all ignored")


def torch_name(paddle_name: str, paddle_class: str) -> str:
    """Our name of a tensor of Paddle's (MODEL.md; the product's own table has a test of its own)."""
    name = re.sub(r"\.self_attn\.([qkv]_proj)", r".self_attn.self_attn.\1", paddle_name)
    return name.replace("classifier.", "qa_outputs.") if paddle_class == "ErnieMForQuestionAnswering" else name


def torch_layout(name: str, value: np.ndarray) -> torch.Tensor:
    """Paddle keeps a linear weight as [in, out]."""
    return torch.tensor(value.T if value.ndim == 2 and "embeddings" not in name else value)


def relative_difference(ours: torch.Tensor, paddle: torch.Tensor) -> float:
    """The largest difference, relative to the largest value that Paddle has at that site."""
    assert ours.dtype == paddle.dtype and ours.shape == paddle.shape, (ours.dtype, ours.shape, paddle.shape)
    assert not torch.isnan(ours).any()
    return float((ours - paddle).abs().max() / paddle.abs().max())


def sites(output: Any) -> dict[str, torch.Tensor]:
    """Everything in an output by name, tuples numbered; Paddle's UIEM gives probabilities (quirk 8)."""
    found = {}
    for name, value in output.items():
        if isinstance(value, tuple):
            found.update({f"{name}.{number}": part for number, part in enumerate(value)})
        else:
            found[name] = value
            if name.endswith("_logits"):
                found[name.replace("_logits", "_prob")] = value.sigmoid()
    return found


class Reference:
    """Paddle's numbers by case; a case is "model:what goes in"."""

    def __init__(self, path: Path) -> None:
        with np.load(path) as file:
            self.arrays = {key: file[key] for key in file.files}
        self.models: dict[str, Any] = json.loads(str(self.arrays.pop("models")))
        self.facts: dict[str, Any] = json.loads(str(self.arrays.pop("facts")))

    def _under(self, prefix: str) -> dict[str, np.ndarray]:
        return {key[len(prefix) :]: value for key, value in self.arrays.items() if key.startswith(prefix)}

    def cases(self, model: str) -> list[str]:
        """The cases of a model, in the order in which they were recorded."""
        return list(dict.fromkeys(key.split("/")[1] for key in self.arrays if key.startswith(f"in/{model}:")))

    def inputs(self, case: str) -> dict[str, torch.Tensor]:
        return {key: torch.tensor(value) for key, value in self._under(f"in/{case}/").items()}

    def outputs(self, case: str) -> dict[str, torch.Tensor]:
        return {key: torch.tensor(value) for key, value in self._under(f"out/{case}/").items()}

    def gradients(self, case: str) -> dict[str, torch.Tensor]:
        paddle_class = self.models[case.split(":")[0]]["class"]
        found = self._under(f"grad/{case}/")
        return {torch_name(key, paddle_class): torch_layout(key, value) for key, value in found.items()}

    def config(self, model: str, **fields: Any) -> ernie_m.ErnieMConfig:
        config = {key: value for key, value in self.models[model]["config"].items() if key != "num_choices"}
        config["intermediate_size"] = None  # Paddle does not look at it
        return ernie_m.ErnieMConfig(**{**config, **fields})

    def model(self, model: str, attn: str = "eager", **fields: Any) -> Any:
        """Our model with Paddle's weights, in float64 and eval mode."""
        paddle_class = self.models[model]["class"]
        config = self.config(model, attn_implementation=attn, **fields)
        built = getattr(ernie_m, CLASSES[paddle_class])(config).double().eval()
        weights = {
            torch_name(key, paddle_class): torch_layout(key, value)
            for key, value in self._under(f"weights/{model}/").items()
        }
        loaded = built.load_state_dict(weights, strict=False)
        no_pooler = paddle_class in ("ErnieMForTokenClassification", "ErnieMForQuestionAnswering")
        dropped = ["ernie_m.pooler.dense.weight", "ernie_m.pooler.dense.bias"] if no_pooler else []
        assert loaded.missing_keys == [] and sorted(loaded.unexpected_keys) == sorted(dropped)
        return built

    def model_for(self, case: str, attn: str) -> Any:
        """The model of a case; one case has a problem_type of its own."""
        problem_type = "regression" if case == "sequence:regression, 3 numbers" else None
        return self.model(case.split(":")[0], attn, problem_type=problem_type)

    def differences(self, case: str, attn: str, model: Any = None) -> Iterator[tuple[str, str, float]]:
        """Replay a case: ("outputs", "attentions", "losses" or "gradients"; the site; how far it is from Paddle's).

        sdpa shows no attentions: with them, it would be the eager way that is compared.
        """
        model = self.model_for(case, attn) if model is None else model
        given, recorded = self.inputs(case), self.outputs(case)
        projections = {name: given.pop(name) for name in ("state", "pooled") if name in given}
        flags = {
            "output_hidden_states": "hidden_states.0" in recorded,
            "output_attentions": attn == "eager" and "attentions.0" in recorded,
        }
        output = model(**given, **flags)
        ours = sites(output)
        loss = output.get("loss")
        if projections:
            loss = (ours["last_hidden_state"] * projections["state"]).sum()
            loss = ours["loss"] = loss + (ours["pooler_output"] * projections["pooled"]).sum()
        for site, value in recorded.items():
            kind = {"attentions": "attentions", "loss": "losses"}.get(site.split(".")[0], "outputs")
            if site in ours and not (kind == "losses" and case in OTHER_LOSS):
                yield kind, site, relative_difference(ours[site].detach(), value)
        yield from self._gradient_differences(case, model, loss)

    def _gradient_differences(self, case: str, model: Any, loss: Any) -> Iterator[tuple[str, str, float]]:
        """Relative to a tensor's own largest gradient, or to a hundredth of the model's largest where that is more.

        A gradient much smaller than the others is a small difference of large numbers, and that of a bias that a
        softmax does not see (every k_proj.bias) is zero in exact arithmetic: noise on both sides measures nothing.
        """
        gradients = self.gradients(case)
        if not gradients:
            return
        model.zero_grad()
        loss.backward()
        own = {name: parameter.grad for name, parameter in model.named_parameters() if parameter.grad is not None}
        assert gradients.keys() == own.keys()
        sizes = {name: float(gradient.abs().max()) for name, gradient in gradients.items()}
        for name, gradient in gradients.items():
            difference = float((own[name] - gradient).abs().max())
            yield "gradients", name, difference / max(sizes[name], max(sizes.values()) / 100)
