"""What is seen of a case: hidden states, attentions, what is inside the layers, the head's outputs."""

from __future__ import annotations

from typing import Any

import numpy as np

from verify.protocol.gradient_functional import functional_sites
from verify.protocol.projections import seeded


class Probe:
    """Makes the encoder keep its hidden states and attentions, and on request what is inside each layer."""

    def __init__(self, model: Any, precision: str) -> None:
        self.model, self.precision = model, precision
        self.backbone = getattr(model, "ernie_m", model)
        self.layers = len(self.backbone.encoder.layers)
        self.inside = False
        self.sites: dict[str, Any] = {}
        #: Changes the embeddings, to see how an error there grows.
        self.disturbance: Any = None
        self.forward = self.backbone.forward
        object.__setattr__(self.backbone, "forward", self._forward)
        self.rows: dict[str, Any] = {}
        for part in ("word_embeddings", "position_embeddings"):
            getattr(self.backbone.embeddings, part).register_forward_pre_hook(self._keep_rows(part))
        norm = self.backbone.embeddings.layer_norm
        norm.register_forward_pre_hook(self._keep_input("embeddings.sum"))
        norm.register_forward_post_hook(self._disturb)
        for number, layer in enumerate(self.backbone.encoder.layers):
            attention = layer.self_attn
            parts = [("self_attn." + part, getattr(attention, part)) for part in ("q_proj", "k_proj", "v_proj")]
            parts += [(part, getattr(layer, part)) for part in ("norm1", "linear1", "linear2")]
            for part, module in [("self_attn.out_proj", attention.out_proj), *parts]:
                module.register_forward_post_hook(self._keep_output(f"layers.{number}.{part}"))
            attention.out_proj.register_forward_pre_hook(self._keep_input(f"layers.{number}.self_attn.context"))
        for part, site in (("linear_start", "start_logits"), ("linear_end", "end_logits")):
            if hasattr(model, part):
                getattr(model, part).register_forward_post_hook(self._keep_output(site))

    def _keep_output(self, name: str) -> Any:
        def keep(layer: Any, inputs: Any, output: Any) -> None:
            if not name.startswith("layers."):  # UIEM's logits, which it does not return
                self.sites[name] = output.squeeze(-1)
            elif self.inside:
                self.sites[name] = output

        return keep

    def _keep_input(self, name: str) -> Any:
        def keep(layer: Any, inputs: Any) -> None:
            if self.inside:
                self.sites[name] = inputs[0]

        return keep

    def _keep_rows(self, part: str) -> Any:
        def keep(layer: Any, inputs: Any) -> None:
            self.rows[part] = np.unique(inputs[0].numpy())

        return keep

    def rows_in_use(self, name: str, gradient: Any) -> Any:
        """The rows of a table that the last case used: the others get no gradient, and are most of the memory."""
        import paddle

        rows = self.rows[name.split(".")[-2]]
        return [(rows, paddle.gather(gradient, paddle.to_tensor(rows)).numpy())]

    def _disturb(self, layer: Any, inputs: Any, output: Any) -> Any:
        return None if self.disturbance is None else self.disturbance(output)

    def _forward(self, *inputs: Any, **options: Any) -> Any:
        wanted = options.get("return_dict")
        options.update(return_dict=True, output_hidden_states=True, output_attentions=True)
        output = self.forward(*inputs, **options)
        for number, state in enumerate(output.hidden_states):
            self.sites[f"hidden_states.{number}"] = state
        for number, probabilities in enumerate(output.attentions):
            self.sites[f"attentions.{number}"] = probabilities
        self.sites["pooler_output"] = output.pooler_output
        return output if wanted else (output.last_hidden_state, output.pooler_output)

    def call(self, case: Any) -> Any:
        """Sites of a case as Paddle's tensors, in the order of the network."""
        import paddle

        self.sites = {}
        self.inside = case["inside"]
        target = self.model if case["through"] == "model" else self.backbone
        self.model.config.problem_type = case.get("problem_type", self.model.config.problem_type)
        result = target(**dict((name, paddle.to_tensor(value)) for name, value in case["inputs"].items()))
        if case["through"] == "model":
            with_loss = "labels" in case["inputs"] or "start_positions" in case["inputs"]
            self.sites.update(head_sites(type(self.model).__name__, result, with_loss))
        return [(name, self.sites[name]) for name in site_order(self.sites, self.layers)]

    def run(self, case: Any) -> Any:
        """Sites of a case as arrays."""
        import paddle

        with paddle.no_grad():
            sites = self.call(case)
        # numpy makes one element of Paddle's scalar
        return [(name, value.numpy().reshape(value.shape)) for name, value in sites]

    def run_back(self, case: Any, of_loss: bool, pooler: bool, keep: Any) -> None:
        """Hand the gradient of every parameter to `keep` by name: that of the case's loss, or of the seeded functional
        of all its outputs. Each is given up before the next is looked at."""
        import paddle

        sites = dict(self.call(case))
        if of_loss:
            total = sites["loss"]
        else:
            total = paddle.zeros([], dtype=sites["hidden_states.0"].dtype)
            for name in functional_sites(sites, pooler):
                weights = seeded(name, tuple(sites[name].shape), self.precision)
                total = total + (sites[name] * paddle.to_tensor(weights)).sum()
        total.backward()
        self.sites = {}
        for name, parameter in self.model.named_parameters():
            if parameter.grad is not None:
                keep(name, parameter.grad)
            parameter.clear_gradient(False)


def head_sites(name: str, result: Any, with_loss: bool) -> Any:
    if name == "ErnieMModel":
        return {}
    values = list(result) if isinstance(result, (tuple, list)) else [result]
    sites = {"loss": values.pop(0).reshape([])} if with_loss else {}
    names = {"ErnieMForQuestionAnswering": ["start_logits", "end_logits"], "UIEM": ["start_prob", "end_prob"]}
    sites.update((site, value) for site, value in zip(names.get(name, ["logits"]), values))
    return sites


def site_order(sites: Any, layers: int) -> Any:
    order = ["embeddings.sum", "hidden_states.0"]
    for number in range(layers):
        before = ["q_proj", "k_proj", "v_proj"]
        order += [f"layers.{number}.self_attn.{part}" for part in before] + [f"attentions.{number}"]
        order += [
            f"layers.{number}.{part}"
            for part in ("self_attn.context", "self_attn.out_proj", "norm1", "linear1", "linear2")
        ]
        order.append(f"hidden_states.{number + 1}")
    order += ["pooler_output", "logits", "start_logits", "end_logits", "start_prob", "end_prob", "loss"]
    return [name for name in order if name in sites]
