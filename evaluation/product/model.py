"""OUTPUT's model on the texts of a job."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable

from converter.common.errors import Problem, ReferenceFailure
from evaluation.options import Options
from mappings.family import Family
from verify.numbers.loading import LoadedModel, LoadFailure, load_model
from verify.protocol.evaluation_job import LAYERS, SPAN, Inputs, Job, run_job
from verify.pytorch_entry import versions

__all__ = ["OutputModel", "versions"]


@dataclass(frozen=True)
class OutputModel:
    """OUTPUT's model as it was loaded, on its device."""

    loaded: LoadedModel
    device: str

    @classmethod
    def load(cls, output: Path, family: Family, options: Options, number: int) -> OutputModel:
        """With GPUs the process `number` takes the one of its number, counted round. Raises LoadFailure, and
        ReferenceFailure without the device that is asked for."""
        import torch

        if options.device == "cuda" and not torch.cuda.is_available():
            raise ReferenceFailure(Problem("E607", "--device cuda: this torch finds no GPU"))
        loaded = load_model(output, options.precision, family)
        device = options.device
        if device == "cuda":
            device += f":{number % torch.cuda.device_count()}"
        loaded.model.to(device)
        return cls(loaded, device)

    def answer(self, job: Job, size: int, who: str, report: Callable[..., None]) -> dict[str, Any]:
        """The answers by name. Raises LoadFailure for numbers that are not finite."""
        import numpy as np

        answers = run_job(job, size, lambda inputs: self._call(job, inputs), who, report)
        for name, value in answers.items():
            if not np.isfinite(value).all():
                raise LoadFailure(f"OUTPUT's {name} are not finite")
        return answers

    def _call(self, job: Job, inputs: Inputs) -> list[Any]:
        import torch

        tensors = {name: torch.from_numpy(value).to(self.device) for name, value in inputs.items()}
        with torch.inference_mode():
            if job.kind == LAYERS:
                states = self.loaded.backbone(**tensors, output_hidden_states=True, return_dict=True).hidden_states
                found = [states[number] for number in job.layers]
            else:
                result = self.loaded.model(**tensors, return_dict=True)
                found = [result.start_logits, result.end_logits] if job.kind == SPAN else [result.logits]
        return [value.cpu().numpy() for value in found]
