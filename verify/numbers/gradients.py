"""Compare gradients of the PyTorch model with Paddle's, one parameter at a time, freeing each before the next."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable

from verify.numbers.compare import Reference, relative_to
from verify.numbers.coverage import CoverageMask
from verify.numbers.loading import LoadedModel
from verify.protocol.gradient_functional import BLOCK_ROWS, is_table, keep_gradient
from verify.protocol.projections import seeded
from verify.results.numbers import GradientResult, share_of_limit

if TYPE_CHECKING:
    import numpy as np
    import torch


def functional(sites: Mapping[str, torch.Tensor], names: list[str], precision: str) -> torch.Tensor:
    """The same seeded sum of all outputs as the recorder's."""
    import torch

    terms = [
        (sites[name] * torch.from_numpy(seeded(name, tuple(sites[name].shape), precision))).sum() for name in names
    ]
    return torch.stack(terms).sum()


@dataclass
class GradientComparison:
    """Compares gradients as they come, and adds which elements the inputs could see to `mask`."""

    reference: Reference
    loaded: LoadedModel
    mask: CoverageMask

    def __post_init__(self) -> None:
        trace = self.reference.trace
        self.zero_rows = {case.name for case in trace.cases if case.zero_row}
        self.entries: dict[str, Mapping[str, Any]] = {entry["case"]: entry for entry in trace.head["gradients"]}
        self.scales = self.reference.gradient_scales
        self.results: list[GradientResult] = []

    def watch(self, case: str, shown: str) -> Callable[[], None]:
        """Compare each gradient of the model as soon as it is there; the returned function ends that and adds what is
        missing. `shown`: the name of the case in the results."""
        missing = set(self.entries[case]["tensors"])
        handles = []
        for target, parameter in self.loaded.model.named_parameters():

            def compare(found: Any, target: str = target) -> None:
                missing.discard(self.loaded.family.paddle_name(target))
                gradient = found.grad.coalesce() if found.grad.is_sparse else found.grad
                self._compare_tensor(target, gradient, case, shown)
                found.grad = None

            handles.append(parameter.register_post_accumulate_grad_hook(compare))

        def end() -> None:
            for handle in handles:
                handle.remove()
            for name in sorted(missing):
                self.results.append(GradientResult(name, shown, None, None, 0.0, False, "OUTPUT's model gives none"))

        return end

    def _compare_tensor(self, target: str, gradient: torch.Tensor, case: str, shown: str) -> None:
        import torch

        name = self.loaded.family.paddle_name(target)
        parts = self.entries[case]["tensors"].get(name)
        if parts is None:
            self.results.append(GradientResult(target, shown, None, None, 0.0, False, "Paddle has no such gradient"))
            return
        kept = keep_gradient(name, _lay_out(name, gradient), "whole" in parts)
        recorded = {part: self.reference.arrays[f"gradient/{case}/{name}/{part}"] for part in parts}
        tokens, pairs = self.entries[case]["tokens"], align_rows(recorded, kept)
        zero_row = case in self.zero_rows
        results = [self._compare(target, shown, part, *pair, tokens, zero_row) for part, pair in pairs.items()]
        self.results.append(max(results, key=lambda result: (not result.passed, share_of_limit(result))))
        rows = kept.get("rows")
        shown_part = gradient if rows is None else _choose_rows(gradient, torch.from_numpy(rows))
        scale = self.scales.get((name, "whole")) or largest(shown_part)
        noise = scale * self.reference.limits.gradient(name, scale, tokens, zero_row)
        self.mask.add(target, shown_part, noise, rows)

    def _compare(
        self,
        target: str,
        shown: str,
        part: str,
        recorded: np.ndarray,
        found: np.ndarray,
        tokens: int,
        zero_row: bool,
    ) -> GradientResult:
        import numpy as np

        name = self.loaded.family.paddle_name(target)
        if recorded.shape != found.shape:
            text = f"shape {list(found.shape)}, Paddle's is {list(recorded.shape)}"
            return GradientResult(target, shown, None, None, 0.0, False, text)
        if not np.isfinite(found).all():
            return GradientResult(target, shown, None, None, 0.0, False, "its numbers are not all finite")
        scale = self.scales[name, part]
        limit = self.reference.limits.gradient(name, scale, tokens, zero_row)
        largest = float(np.abs(found.astype(np.float64) - recorded).max()) if found.size else 0.0
        relative = relative_to(scale, largest)
        return GradientResult(target, shown, largest, relative, limit, relative <= limit)


def align_rows(
    recorded: Mapping[str, np.ndarray], found: Mapping[str, np.ndarray]
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """part -> Paddle's and ours. Of a table, rows that only one has stand against 0 (one underflows, the other not);
    the sums over all rows can then not be compared."""
    import numpy as np

    parts = [part for part in recorded if part != "rows"]
    if "rows" not in recorded or np.array_equal(recorded["rows"], found["rows"]):
        return {part: (recorded[part], found[part]) for part in parts}
    union = np.union1d(recorded["rows"], found["rows"])
    pairs = {}
    for part in parts:
        if part != "left":
            sides = [np.zeros((len(union), *side[part].shape[1:]), side[part].dtype) for side in (recorded, found)]
            for filled, side in zip(sides, (recorded, found)):
                filled[np.searchsorted(union, side["rows"])] = side[part]
            pairs[part] = (sides[0], sides[1])
    return pairs


@contextmanager
def sparse_tables(model: Any) -> Iterator[None]:
    """The gradients of embedding tables come as the rows in use: whole, those of 250,002 words take 1.5 GB and seconds.
    A table with another use besides, such as a decoder's, has a whole gradient all the same."""
    from torch.nn import Embedding

    tables = [part for part in model.modules() if isinstance(part, Embedding) and not part.sparse]
    for table in tables:
        table.sparse = True
    try:
        yield
    finally:
        for table in tables:
            table.sparse = False


def largest(values: torch.Tensor) -> float:
    """The largest absolute value, NaN where there is one; 0 of an empty tensor."""
    if not values.numel():
        return 0.0
    low, high = values.aminmax()
    return max(-float(low), float(high))


def _lay_out(name: str, gradient: torch.Tensor) -> Any:
    """A gradient in Paddle's layout; of a table, blocks of rows with their numbers."""
    if not is_table(name):
        return (gradient if gradient.ndim == 1 else gradient.t()).numpy()
    if gradient.is_sparse:
        return [(gradient.indices()[0].numpy(), gradient.values().numpy())]
    return _in_blocks(gradient)


def _in_blocks(gradient: torch.Tensor) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """A table's whole gradient some thousand rows at a time."""
    import numpy as np

    for start in range(0, gradient.shape[0], BLOCK_ROWS):
        block = gradient[start : start + BLOCK_ROWS].numpy()
        yield np.arange(start, start + len(block)), block


def _choose_rows(gradient: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """These rows of a table's gradient; a sparse one has them all, in ascending order."""
    import torch

    if not gradient.is_sparse:
        return gradient[rows]
    return gradient.values()[torch.searchsorted(gradient.indices()[0].contiguous(), rows)]
