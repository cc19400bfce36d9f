"""The objectives for torch: batches of tensors, and stage 1 of BTMLM with a model. torch is imported when called."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from . import functions
from .checks import check_seed
from .inputs import CLS, NOT_PREDICTED, PAD, SEP, UNK, Array, Inputs
from .masking import Seed, make_generator

if TYPE_CHECKING:
    import torch

SINGLE: dict[str, Callable[..., Inputs]] = {"mmlm": functions.mmlm, "placeholders": functions.placeholders}
PAIRED: dict[str, Callable[..., Inputs]] = {"tlm": functions.tlm, "camlm": functions.camlm}
#: What a masked LM takes of the arrays. `side` and `language_ids` are not among its arguments.
MODEL_INPUTS = ("input_ids", "attention_mask", "position_ids", "labels")


@dataclass(frozen=True)
class Collator:
    """Makes a batch of tensors for a model from examples: a collate function for a DataLoader or a Trainer.

    An example has the key "text", for `mmlm` and `placeholders`, or "pair", for `tlm` and `camlm`: ids without special
    tokens. "draw", a whole number (0 where it is missing, and the same throughout a batch), is joined with `seed`: a
    new number is a new choice of tokens, the same number the same one. So masks are drawn anew in every epoch, and a
    run that is resumed, or that is divided among other processes, has the masks that it would have had.
    `options` are those of the function of this objective. `keep_side`: `side` is among the tensors, which models do not
    take, for losses that are reported by side.
    """

    objective: str
    seed: int = 0
    options: Mapping[str, Any] | None = None
    keep_side: bool = False

    def __post_init__(self) -> None:
        if self.objective not in SINGLE and self.objective not in PAIRED:
            known = ", ".join([*SINGLE, *PAIRED])
            raise ValueError(f"objective is {self.objective!r}, expected one of {known}.")

    def __call__(self, examples: Sequence[Mapping[str, Any]]) -> dict[str, torch.Tensor]:
        """The arrays of the objective as tensors."""
        import torch

        draws = {int(example.get("draw", 0)) for example in examples}
        if len(draws) != 1:
            raise ValueError(f"the examples of a batch have the draws {sorted(draws)}, expected one.")
        options = {**(self.options or {}), "seed": (self.seed, *draws)}
        if self.objective in SINGLE:
            arrays = SINGLE[self.objective]([example["text"] for example in examples], **options)
        else:
            arrays = PAIRED[self.objective]([example["pair"] for example in examples], **options)
        side = {"side": torch.as_tensor(arrays.side)} if self.keep_side else {}
        return {**to_tensors(arrays), **side}


def to_tensors(arrays: Mapping[str, Array], device: Any = None) -> dict[str, torch.Tensor]:
    """What a model takes of the arrays (and `language_ids`, where there are any) as tensors."""
    import torch

    names = [name for name in (*MODEL_INPUTS, "language_ids") if name in arrays]
    return {name: torch.as_tensor(arrays[name], device=device) for name in names}


def fill_placeholders(model: Any, batch: Mapping[str, Any], *, seed: Seed | None = None) -> list[list[int]]:
    """BTMLM, stage 1: the pseudo tokens that a masked LM writes for the placeholders, a list for each row.

    `batch` is what `placeholders` returned, as arrays or as tensors. Each placeholder gets its most probable token, or
    with a seed one that is drawn by its probability, from what a row holds and not from the batch that it is in. The
    five special tokens are never written. One pass without dropout and without gradients; the model is left in the
    mode that it was in. Raises ValueError where a row has no placeholder.
    """
    import torch

    if seed is not None:
        check_seed(seed)
    arrays = {name: np.asarray(torch.as_tensor(value).cpu()) for name, value in batch.items()}
    ids = arrays["input_ids"]
    waiting, mask_token_id = find_placeholders(ids, arrays["side"])
    tensors = to_tensors({**arrays, "labels": np.where(waiting, 0, NOT_PREDICTED)}, next(model.parameters()).device)
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            # The labels choose the rows of the logits, in the order of the batch.
            logits = model(**tensors, full_logits=False).logits
    finally:
        model.train(was_training)
    logits[:, [CLS, PAD, SEP, UNK, mask_token_id]] = -torch.inf
    counts = waiting.sum(1)
    if seed is None:
        chosen = logits.argmax(-1)
    else:
        generators = [make_generator(seed, row[real]) for row, real in zip(ids, arrays["side"] >= 0)]
        points = np.concatenate([generator.random(count) for generator, count in zip(generators, counts)])
        chosen = _draw(logits, torch.as_tensor(points, device=logits.device))
    return [part.tolist() for part in torch.split(chosen, counts.tolist())]


def find_placeholders(ids: Array, side: Array) -> tuple[Array, int]:
    """(bool [B, S], the id of [MASK]): what stands between the [SEP]s of the second side."""
    waiting = (side == 1) & (ids != SEP)
    found = np.unique(ids[waiting])
    if len(found) != 1 or not waiting.any(1).all():
        raise ValueError("this is no batch of placeholders: the second side of each row must be [MASK] and no other.")
    return waiting, int(found[0])


def _draw(logits: torch.Tensor, points: torch.Tensor) -> torch.Tensor:
    """For each row the token at which the summed probabilities pass its point, which is between 0 and 1."""
    import torch

    sums = logits.double().softmax(-1).cumsum(-1)
    # Rounding must not put a point at the very end, where no token is.
    ends = sums[:, -1:]
    inside = torch.minimum(points[:, None] * ends, torch.nextafter(ends, torch.zeros_like(ends)))
    return torch.searchsorted(sums, inside, right=True).squeeze(-1)
