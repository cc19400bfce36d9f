"""transformers' Trainer for the objectives: the batches as they come, stage 1 of BTMLM, the loss of each objective."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch.nn import functional as F
from torch.utils.data import DataLoader
from transformers import Trainer

from ernie_m import objectives

NOT_PREDICTED = -100


class PretrainingTrainer(Trainer):
    """`held_out`: objective -> a function that returns its batches, each with whether it counts.

    `objective_options`: objective -> options of its function. `sample`: BTMLM's pseudo tokens are drawn by their
    probability, else they are the most probable ones.
    """

    def __init__(
        self,
        *,
        objective_options: Mapping[str, Mapping[str, Any]],
        held_out: Mapping[str, Callable[[], Iterable[tuple[dict[str, Any], bool]]]],
        sample: bool = False,
        **arguments: Any,
    ) -> None:
        super().__init__(**arguments)
        self.objective_options, self.held_out, self.sample = objective_options, held_out, sample

    def get_train_dataloader(self) -> DataLoader[Any]:
        """The dataset makes batches of this process's share itself: nothing is left to collate or to divide."""
        # A generator of its own: a DataLoader that begins draws a number, in a run that is resumed after the state of
        # torch's generator was set.
        workers, generator = self.args.dataloader_num_workers, torch.Generator().manual_seed(self.args.seed)
        return DataLoader(self.train_dataset, batch_size=None, num_workers=workers, generator=generator)

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """The model's own loss: the sum over predicted tokens by their number in all processes."""
        if num_items_in_batch is not None and int(num_items_in_batch) == 0:
            raise ValueError("No line of this batch has a known token: is this text of the model's languages?")
        return super().compute_loss(model, self._written(model, inputs), return_outputs, num_items_in_batch)

    def _written(self, model: Any, inputs: dict[str, Any]) -> dict[str, Any]:
        """BTMLM's batches with what the model writes now; others as they are."""
        if "texts" not in inputs:
            return inputs
        options = dict(self.objective_options["btmlm"])
        ratio, masking = options.pop("pseudo_ratio"), options.pop("ratio")
        stage1 = objectives.placeholders(inputs["texts"], pseudo_ratio=ratio, **options)
        draw = (self.args.seed, inputs["draw"])
        pseudo = objectives.fill_placeholders(model, stage1, seed=draw if self.sample else None)
        arrays = objectives.btmlm(inputs["texts"], pseudo, seed=draw, ratio=masking, **options)
        tensors = objectives.to_tensors(arrays, self.args.device)
        if (inputs["labels"] == NOT_PREDICTED).all():
            tensors["labels"].fill_(NOT_PREDICTED)
        return tensors

    def evaluate(self, eval_dataset: Any = None, ignore_keys: Any = None, metric_key_prefix: str = "eval") -> Any:
        """The mean loss of each objective over all its predicted tokens, and of each side where there are two."""
        metrics: dict[str, float] = {}
        for objective, batches in self.held_out.items():
            sums = torch.zeros(2, 2, dtype=torch.float64, device=self.args.device)  # side: loss, tokens
            for batch, counts in batches():
                sums += self._sums(self.model_wrapped, batch) * counts
            sums = self.accelerator.reduce(sums)
            losses, tokens = sums.unbind(1)
            metrics[f"{metric_key_prefix}_{objective}_loss"] = float(losses.sum() / tokens.sum())
            if tokens.all():
                for side in (0, 1):
                    metrics[f"{metric_key_prefix}_{objective}_side{side}_loss"] = float(losses[side] / tokens[side])
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def _sums(self, model: Any, batch: dict[str, Any]) -> torch.Tensor:
        """[2, 2]: for each side the summed loss and the number of predicted tokens."""
        model.eval()
        inputs = self._written(model, self._prepare_inputs(batch))
        side = inputs.pop("side", torch.zeros_like(inputs["labels"]))
        predicted = inputs["labels"] != NOT_PREDICTED
        with torch.no_grad(), self.compute_loss_context_manager():
            logits = model(**inputs, full_logits=False).logits
        losses = F.cross_entropy(logits.float(), inputs["labels"][predicted], reduction="none").double()
        sides = F.one_hot(side[predicted], 2).double()
        return torch.stack([losses @ sides, sides.sum(0)], 1)
