"""OUTPUT's model on the texts of a job."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

from converter.common.errors import Problem, ReferenceFailure
from evaluation.options import Options
from mappings.family import Family
from verify.numbers.loading import load_model
from verify.protocol.evaluation_job import LAYERS, SPAN, Inputs, Job, run_job
from verify.pytorch_entry import versions

__all__ = ["answer_job", "versions"]


def answer_job(output: Path, family: Family, job: Job, options: Options, report: Callable[..., None]) -> dict[str, Any]:
    """The answers by name. Raises LoadFailure, ReferenceFailure without the device that is asked for."""
    import torch

    if options.device == "cuda" and not torch.cuda.is_available():
        raise ReferenceFailure(Problem("E607", "--device cuda: this torch finds no GPU"))
    loaded = load_model(output, options.precision, family)
    model = (loaded.backbone if job.kind == LAYERS else loaded.model).to(options.device)

    def call(inputs: Inputs) -> list[Any]:
        tensors = {name: torch.from_numpy(value).to(options.device) for name, value in inputs.items()}
        with torch.inference_mode():
            if job.kind == LAYERS:
                states = model(**tensors, output_hidden_states=True, return_dict=True).hidden_states
                found = [states[number] for number in job.layers]
            else:
                result = model(**tensors, return_dict=True)
                found = [result.start_logits, result.end_logits] if job.kind == SPAN else [result.logits]
        return [value.cpu().numpy() for value in found]

    return run_job(job, options.batch_size, call, "PyTorch", report)
