"""Gradients of the PyTorch model against Paddle's, one parameter at a time: each is given up before the next comes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable

from verify.numbers.coverage import Seen
from verify.numbers.hooks import paddle_name
from verify.numbers.tolerances import Limits, queries_of, values_of
from verify.protocol.gradient_functional import functional_sites, is_table, keep_gradient
from verify.protocol.projections import seeded
from verify.results.numbers import GradientResult, share_of_limit
from verify.results.trace import Arrays, Trace

if TYPE_CHECKING:
    import numpy as np
    import torch

BLOCK_ROWS = 8192


def functional(sites: Mapping[str, torch.Tensor], names: list[str], precision: str) -> torch.Tensor:
    """The same seeded sum of all outputs as the recorder's."""
    import torch

    terms = [
        (sites[name] * torch.from_numpy(seeded(name, tuple(sites[name].shape), precision))).sum() for name in names
    ]
    return torch.stack(terms).sum()


def recorded_outputs(names: Any, pooler: bool) -> list[str]:
    """Which of the recorded sites the functional is made of."""
    return list(functional_sites(names, pooler))


@dataclass
class GradientJudge:
    """Compares gradients as they come, and keeps which elements the inputs could see."""

    trace: Trace
    arrays: Arrays
    limits: Limits
    seen: Seen

    def __post_init__(self) -> None:
        self.zero_rows = {case.name for case in self.trace.cases if case.zero_row}
        self.entries: dict[str, Mapping[str, Any]] = {entry["case"]: entry for entry in self.trace.head["gradients"]}
        self.scales = self._scales()
        self.results: list[GradientResult] = []

    def _scales(self) -> dict[tuple[str, str], float]:
        """The largest recorded value of each gradient and part over all cases. Queries and keys count as at least what
        the values of their layer have: theirs is a difference of such numbers. A key's bias has 0, as a
        sum of numbers as large as those of the queries' bias, whose rounding stays."""
        import numpy as np

        scales: dict[tuple[str, str], float] = {}
        for case, entry in self.entries.items():
            for name, parts in entry["tensors"].items():
                for part in parts:
                    if part != "rows":
                        value = self.arrays[f"gradient/{case}/{name}/{part}"]
                        largest = float(np.abs(value).max()) if value.size else 0.0
                        scales[name, part] = max(scales.get((name, part), 0.0), largest)
        return {
            (name, part): max(scales.get((like, part), 0.0) for like in (name, values_of(name), queries_of(name)))
            for name, part in scales
        }

    def watch(self, model: Any, case: str, shown: str) -> Callable[[], None]:
        """Judge each gradient of `model` as soon as it is there; the returned function ends that and adds what is
        missing."""
        missing = set(self.entries[case]["tensors"])
        handles = []
        for target, parameter in model.named_parameters():

            def judge(found: Any, target: str = target) -> None:
                missing.discard(paddle_name(target))
                self._judge(target, found.grad, case, shown)
                found.grad = None

            handles.append(parameter.register_post_accumulate_grad_hook(judge))

        def end() -> None:
            for handle in handles:
                handle.remove()
            for name in sorted(missing):
                self.results.append(GradientResult(name, shown, None, None, 0.0, False, "OUTPUT's model gives none"))

        return end

    def _judge(self, target: str, gradient: torch.Tensor, case: str, shown: str) -> None:
        import torch

        name = paddle_name(target)
        parts = self.entries[case]["tensors"].get(name)
        if parts is None:
            self.results.append(GradientResult(target, shown, None, None, 0.0, False, "Paddle has no such gradient"))
            return
        laid_out = gradient if is_table(name) or gradient.ndim == 1 else gradient.t()
        kept = keep_gradient(name, _Blocks(laid_out) if is_table(name) else laid_out.numpy(), "whole" in parts)
        recorded = {part: self.arrays[f"gradient/{case}/{name}/{part}"] for part in parts}
        tokens, pairs = self.entries[case]["tokens"], align_rows(recorded, kept)
        zero_row = case in self.zero_rows
        results = [self._compare(target, shown, part, *pair, tokens, zero_row) for part, pair in pairs.items()]
        self.results.append(max(results, key=lambda result: (not result.passed, share_of_limit(result))))
        rows = kept.get("rows")
        shown_part = gradient if rows is None else gradient[torch.from_numpy(rows)]
        scale = self.scales.get((name, "whole")) or float(shown_part.abs().max() if shown_part.numel() else 0.0)
        self.seen.add(target, gradient, scale * self.limits.gradient(name, scale, tokens, zero_row), rows)

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

        name = paddle_name(target)
        if recorded.shape != found.shape:
            text = f"shape {list(found.shape)}, Paddle's is {list(recorded.shape)}"
            return GradientResult(target, shown, None, None, 0.0, False, text)
        if not np.isfinite(found).all():
            return GradientResult(target, shown, None, None, 0.0, False, "its numbers are not all finite")
        scale = self.scales[name, part]
        limit = self.limits.gradient(name, scale, tokens, zero_row)
        largest = float(np.abs(found.astype(np.float64) - recorded).max()) if found.size else 0.0
        relative = largest / scale if scale > 0 else (0.0 if largest == 0 else float("1e308"))
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


class _Blocks:
    """A table's gradient some thousand rows at a time."""

    def __init__(self, tensor: torch.Tensor) -> None:
        self._tensor = tensor

    def __iter__(self) -> Any:
        import numpy as np

        for start in range(0, self._tensor.shape[0], BLOCK_ROWS):
            block = self._tensor[start : start + BLOCK_ROWS].numpy()
            yield np.arange(start, start + len(block)), block
