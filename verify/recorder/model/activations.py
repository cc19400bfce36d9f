"""The activations of a case: hidden states, attentions, those inside the layers, the head's outputs; and gradients."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Callable

import numpy as np

from verify.protocol.gradient_functional import functional_sites
from verify.protocol.projections import seeded
from verify.recorder.families.family import Family, HookPoint

Case = Any  # A dict: see cases/case_builder.py.


class Activations:
    """Runs a model with hooks that keep its activations, those inside the layers only for cases that ask for them."""

    def __init__(self, family: Family, model: Any, precision: str) -> None:
        self.family, self.model, self.precision = family, model, precision
        self.model_class = family.classes[type(model).__name__]
        self.backbone = family.backbone_of(model)
        self.order = family.site_order(len(self.backbone.encoder.layers))
        self.inside = False
        self.sites: dict[str, Any] = {}
        #: Site -> a function that changes it, to measure how an error there is amplified.
        self.disturbances: dict[str, Callable[[Any], Any]] = {}
        #: What the gradient of each parameter is given to, by name.
        self.keep: Callable[[str, Any], None] | None = None
        for name, parameter in model.named_parameters():
            if hasattr(parameter, "_register_backward_hook"):  # Called as soon as its gradient is complete.
                parameter._register_backward_hook(self._hand_over(name, parameter))
        self.forward = self.backbone.forward
        object.__setattr__(self.backbone, "forward", self._forward)
        #: Table -> the rows that the last case used.
        self.rows: dict[str, Any] = {}
        self.tables: dict[str, Any] = family.tables_of(self.backbone)
        for part, table in self.tables.items():
            table.register_forward_pre_hook(self._keep_rows(part))
        norm = HookPoint("hidden_states.0", family.embedding_norm_of(self.backbone))
        #: Where errors are amplified from: the embeddings, and what the family adds.
        self.disturbed = [norm, *family.disturbed(model)]
        for point in self.disturbed:
            point.module.register_forward_post_hook(self._disturb(point.site))
        for point in family.hook_points(model):
            if point.takes_input:
                point.module.register_forward_pre_hook(self._keep_input(point))
            else:
                point.module.register_forward_post_hook(self._keep_output(point))

    def _keep_output(self, point: HookPoint) -> Any:
        def keep(layer: Any, inputs: Any, output: Any) -> None:
            if not point.inside:  # Logits of [batch, length, 1]
                self.sites[point.site] = output.squeeze(-1)
            elif self.inside:
                self.sites[point.site] = output

        return keep

    def _keep_input(self, point: HookPoint) -> Any:
        def keep(layer: Any, inputs: Any) -> None:
            if self.inside:
                self.sites[point.site] = inputs[0]

        return keep

    def _keep_rows(self, part: str) -> Any:
        def keep(layer: Any, inputs: Any) -> None:
            self.rows[part] = np.unique(inputs[0].numpy())

        return keep

    def rows_in_use(self, name: str, gradient: Any) -> list[tuple[Any, Any]]:
        """The rows of a table that the last case used: the others get no gradient, and are most of the memory."""
        import paddle

        if self.is_decoder(name):
            return [(np.arange(gradient.shape[0]), gradient.numpy())]
        part = name.split(".")[-2]
        if knows_sparse_gradients() and gradient.is_selected_rows():
            return [sum_rows(gradient, self.tables[part]._padding_idx)]
        rows = self.rows[part]
        return [(rows, paddle.gather(gradient, paddle.to_tensor(rows)).numpy())]

    def is_decoder(self, name: str) -> bool:
        """Whether a parameter is the table of words, and the decoder too: every row has a gradient."""
        return bool(self.model_class.decodes_with_words and name.endswith(self.family.word_table))

    @contextmanager
    def sparse_gradients(self) -> Iterator[None]:
        """Gradients of tables as rows, where Paddle can: the whole of 250,002 words takes 1.5 GB and seconds."""
        known = knows_sparse_gradients()
        chosen = [table for part, table in self.tables.items() if known and not self.is_decoder(f"{part}.weight")]
        for table in chosen:
            table._sparse = True
        try:
            yield
        finally:
            for table in chosen:
                table._sparse = False

    def _hand_over(self, name: str, parameter: Any) -> Any:
        def hand_over(*_: Any) -> None:
            if self.keep is not None and parameter.grad is not None:
                self.keep(name, parameter.grad)
                parameter.clear_gradient(False)

        return hand_over

    def _disturb(self, site: str) -> Any:
        def disturb(layer: Any, inputs: Any, output: Any) -> Any:
            return self.disturbances[site](output) if site in self.disturbances else None

        return disturb

    def _forward(self, *inputs: Any, **options: Any) -> Any:
        wanted = options.get("return_dict")
        options.update(return_dict=True, output_hidden_states=True, output_attentions=True)
        output = self.forward(*inputs, **options)
        for number, state in enumerate(output.hidden_states):
            self.sites[f"hidden_states.{number}"] = state
        for number, probabilities in enumerate(output.attentions):
            self.sites[f"attentions.{number}"] = probabilities
        pooled = getattr(output, "pooler_output", None)
        if pooled is not None:
            self.sites["pooler_output"] = pooled
        if wanted:
            return output
        # An encoder without a pooler gives the tensor alone.
        return output.last_hidden_state if pooled is None else (output.last_hidden_state, pooled)

    def call(self, case: Case) -> list[tuple[str, Any]]:
        """Site and Paddle's tensor, in the order of the network."""
        import paddle

        self.sites = {}
        self.inside = case["inside"]
        target = self.model if case["through"] == "model" else self.backbone
        self.model.config.problem_type = case.get("problem_type", self.model.config.problem_type)
        result = target(**{name: paddle.to_tensor(value) for name, value in case["inputs"].items()})
        if case["through"] == "model":
            with_loss = "labels" in case["inputs"] or "start_positions" in case["inputs"]
            self.sites.update(name_outputs(self.model_class.outputs, result, with_loss))
        return [(name, self.sites[name]) for name in self.order if name in self.sites]

    def run(self, case: Case) -> Iterator[tuple[str, Any]]:
        """Site and array, in the order of the network. Paddle's tensor is freed before the next: the attention of a
        long text takes as much memory as the layers."""
        import paddle

        with paddle.no_grad():
            sites = self.call(case)
        self.sites = {}
        while sites:
            yield from as_arrays([sites.pop(0)])

    def run_back(
        self, case: Case, of_loss: bool, pooler: bool, keep: Callable[[str, Any], None]
    ) -> list[tuple[str, Any]]:
        """As `run`, and give the gradient of every parameter to `keep` by name: that of the case's loss, or of the
        seeded functional of all its outputs. Each is freed at once where Paddle has hooks for it: those of all layers
        together take as much memory as the layers."""
        import paddle

        with self.sparse_gradients():  # It is the forward call that decides.
            sites = dict(self.call(case))
        arrays = as_arrays(sites.items())
        if of_loss:
            total = sites["loss"]
        else:
            total = paddle.zeros([], dtype=sites["hidden_states.0"].dtype)
            for name in functional_sites(sites, pooler):
                weights = seeded(name, tuple(sites[name].shape), self.precision)
                total = total + (sites[name] * paddle.to_tensor(weights)).sum()
        self.sites, self.keep = {}, keep
        try:
            total.backward()
        finally:
            self.keep = None
        for name, parameter in self.model.named_parameters():
            if parameter.grad is not None:
                keep(name, parameter.grad)
            parameter.clear_gradient(False)
        return arrays


def as_arrays(sites: Iterable[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Site and array. (numpy makes one element of Paddle's scalar.)"""
    return [(name, value.numpy().reshape(value.shape)) for name, value in sites]


def knows_sparse_gradients() -> bool:
    """Whether this Paddle lets Python read a gradient that is rows."""
    import paddle

    return hasattr(paddle.Tensor, "get_selected_rows") and hasattr(paddle.Tensor, "is_selected_rows")


def sum_rows(gradient: Any, padding: int | None) -> tuple[Any, Any]:
    """(numbers of rows, ascending; their gradients) of a gradient that is rows, in which a row comes once for each use.
    Not of the padding's row: Paddle's kernel leaves it out only of a whole gradient (embedding_grad_kernel.cc)."""
    selected = gradient.get_selected_rows()
    numbers, values = np.array(selected.rows(), np.int64), np.array(selected.get_tensor())
    if padding is not None and padding >= 0:
        numbers, values = numbers[numbers != padding], values[numbers != padding]
    rows, places = np.unique(numbers, return_inverse=True)
    summed = np.zeros((len(rows), values.shape[1]), values.dtype)
    np.add.at(summed, places.reshape(-1), values)
    return rows, summed


def name_outputs(outputs: tuple[str, ...], result: Any, with_loss: bool) -> dict[str, Any]:
    """Site -> what a class with these outputs returned; with labels, its loss comes first."""
    if not outputs:
        return {}
    values = list(result) if isinstance(result, (tuple, list)) else [result]
    sites = {"loss": values.pop(0).reshape([])} if with_loss else {}
    sites.update(zip(outputs, values))
    return sites
