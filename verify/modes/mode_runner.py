"""Call OUTPUT's model in one execution mode after another and compare each with Paddle's numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Callable

from verify.numbers.compare import Reference, compare_case, describe_failure
from verify.numbers.hooks import name_outputs
from verify.numbers.loading import LoadedModel
from verify.results.numbers import ModeResult
from verify.results.trace import Case

if TYPE_CHECKING:
    import numpy as np
    import torch

#: Padded inputs without and with a mask, and a mask with fully masked rows.
CASES = ("batch", "batch.mask", "mask.zero_row")


@dataclass
class ModeRunner:
    """Runs a model, and keeps the results by the name of the execution mode."""

    reference: Reference
    loaded: LoadedModel
    results: dict[str, ModeResult] = field(default_factory=dict)

    @property
    def is_grouped(self) -> bool:
        """Whether each input is a group of texts, one for each choice."""
        return self.loaded.head == "choice"

    @property
    def cases(self) -> list[Case]:
        return [case for case in self.reference.trace.cases if case.name in CASES and case.through == "model"]

    def result_of(self, mode: str) -> ModeResult:
        return self.results.setdefault(mode, ModeResult())

    def add(self, results: Mapping[str, ModeResult]) -> None:
        """Add what another runner of the same model found."""
        for mode, found in results.items():
            self.result_of(mode).add(found)

    def inputs(self, case: Case) -> dict[str, torch.Tensor]:
        """Copies of the case's inputs."""
        import torch

        return {name: torch.from_numpy(array.copy()) for name, array in self.reference.inputs(case).items()}

    def call(self, inputs: Mapping[str, torch.Tensor], **options: Any) -> dict[str, torch.Tensor]:
        """The model's outputs by the names of activations. Raises TypeError where a tuple was asked for and not
        given."""
        import torch

        model = self.loaded.model
        with torch.no_grad():
            outputs = model(**inputs, **options)
            table = self._named(inputs, **options) if isinstance(outputs, tuple) else outputs
        if options.get("return_dict", True) is False and not isinstance(outputs, tuple):
            raise TypeError(f"gives a {type(outputs).__name__}, expected a tuple")
        # A tuple has no names; config.json, too, may ask for one.
        values = dict(zip(table, outputs)) if isinstance(outputs, tuple) else dict(table)
        return name_outputs(values, self.loaded.family.network, self.reference.trace.layers)

    def _named(self, inputs: Mapping[str, torch.Tensor], **options: Any) -> Mapping[str, torch.Tensor]:
        """The names of what a tuple has, in its order. Where a tuple was asked for, the first text shows them."""
        if options.get("return_dict") is False:
            inputs = {name: tensor[:1] for name, tensor in inputs.items()}
        outputs: Mapping[str, torch.Tensor] = self.loaded.model(**inputs, **{**options, "return_dict": True})
        return outputs

    def compare(
        self,
        result: ModeResult,
        case: Case,
        outputs: Mapping[str, torch.Tensor],
        where: str,
        choose: Callable[[np.ndarray], np.ndarray] | None = None,
    ) -> None:
        """Compare outputs with the activations of a case; `choose` takes the same inputs out of what was recorded."""
        found = {name: value.numpy().astype("float64") for name, value in outputs.items() if name in case.sites}
        for compared in compare_case(found, case, self.reference, choose=choose):
            result.compared += 1
            if not compared.passed:
                result.fail(f"{describe_failure(compared)} ({where})")

    def compare_own(
        self,
        result: ModeResult,
        found: Mapping[str, torch.Tensor],
        expected: Mapping[str, torch.Tensor],
        where: str,
        zero_row: bool = False,
    ) -> None:
        """Compare two calls of one model that mean the same, by the limits of their activations."""
        for site, value in expected.items():
            result.compared += 1
            scale = self.reference.scales.get((site, False)) or float(value.abs().max())
            limit = self.reference.limits.site(site, False, zero_row)
            if site not in found or found[site].shape != value.shape:
                result.fail(f"{site} is missing or has another shape ({where})")
            elif not float((found[site] - value).abs().max()) <= limit * scale:
                result.fail(f"{site} differs by {float((found[site] - value).abs().max()):.1e} ({where})")

    def small_case(self, *names: str, length: int = 2, flat_mask: bool = False) -> Case | None:
        """The case with the fewest numbers that has exactly these inputs, with texts of `length` tokens or more."""

        def shapes(case: Case) -> list[tuple[int, ...]]:
            return [array.shape for array in self.reference.inputs(case).values()]

        fitting = [
            case
            for case in self.reference.trace.cases
            if case.through == "model" and sorted(case.inputs) == sorted(names) and not case.zero_row
            if shapes(case)[0][-1] >= length and (not flat_mask or len({*shapes(case)}) == 1)
        ]
        return min(fitting, key=lambda case: self.reference.inputs(case)[names[0]].size, default=None)
