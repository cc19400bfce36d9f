"""What is seen of a case: hidden states, attentions, what is inside the layers, the head's outputs."""

from __future__ import annotations

from typing import Any


class Probe:
    """Makes the encoder keep its hidden states and attentions, and on request what is inside each layer."""

    def __init__(self, model: Any) -> None:
        self.model = model
        self.backbone = getattr(model, "ernie_m", model)
        self.inside = False
        self.sites: dict[str, Any] = {}
        self.forward = self.backbone.forward
        object.__setattr__(self.backbone, "forward", self._forward)
        for number, layer in enumerate(self.backbone.encoder.layers):
            parts = [
                ("self_attn." + part, getattr(layer.self_attn, part))
                for part in ("q_proj", "k_proj", "v_proj", "out_proj")
            ]
            parts += [(part, getattr(layer, part)) for part in ("norm1", "linear1", "linear2")]
            for part, module in parts:
                module.register_forward_post_hook(self._hook(f"layers.{number}.{part}"))
        for part, site in (("linear_start", "start_logits"), ("linear_end", "end_logits")):
            if hasattr(model, part):
                getattr(model, part).register_forward_post_hook(self._hook(site))

    def _hook(self, name: str) -> Any:
        def keep(layer: Any, inputs: Any, output: Any) -> Any:
            if not name.startswith("layers."):  # UIEM's logits, which it does not return
                self.sites[name] = output.numpy()[..., 0]
            elif self.inside:
                self.sites[name] = output.numpy()

        return keep

    def _forward(self, *inputs: Any, **options: Any) -> Any:
        wanted = options.get("return_dict")
        options.update(return_dict=True, output_hidden_states=True, output_attentions=True)
        output = self.forward(*inputs, **options)
        for number, state in enumerate(output.hidden_states):
            self.sites[f"hidden_states.{number}"] = state.numpy()
        for number, probabilities in enumerate(output.attentions):
            self.sites[f"attentions.{number}"] = probabilities.numpy()
        self.sites["pooler_output"] = output.pooler_output.numpy()
        return output if wanted else (output.last_hidden_state, output.pooler_output)

    def run(self, case: Any) -> Any:
        """Sites of a case, in the order of the network."""
        import paddle

        self.sites = {}
        self.inside = case["inside"]
        target = self.model if case["through"] == "model" else self.backbone
        self.model.config.problem_type = case.get("problem_type", self.model.config.problem_type)
        with paddle.no_grad():
            result = target(**dict((name, paddle.to_tensor(value)) for name, value in case["inputs"].items()))
        if case["through"] == "model":
            with_loss = "labels" in case["inputs"] or "start_positions" in case["inputs"]
            self.sites.update(head_sites(type(self.model).__name__, result, with_loss))
        return [(name, self.sites[name]) for name in site_order(self.sites, len(self.backbone.encoder.layers))]


def head_sites(name: str, result: Any, with_loss: bool) -> Any:
    if name == "ErnieMModel":
        return {}
    values = list(result) if isinstance(result, (tuple, list)) else [result]
    sites = {"loss": values.pop(0).numpy().reshape([])} if with_loss else {}
    names = {"ErnieMForQuestionAnswering": ["start_logits", "end_logits"], "UIEM": ["start_prob", "end_prob"]}
    sites.update((site, value.numpy()) for site, value in zip(names.get(name, ["logits"]), values))
    return sites


def site_order(sites: Any, layers: int) -> Any:
    order = ["hidden_states.0"]
    for number in range(layers):
        before = ["q_proj", "k_proj", "v_proj"]
        order += [f"layers.{number}.self_attn.{part}" for part in before] + [f"attentions.{number}"]
        order += [f"layers.{number}.{part}" for part in ("self_attn.out_proj", "norm1", "linear1", "linear2")]
        order.append(f"hidden_states.{number + 1}")
    order += ["pooler_output", "logits", "start_logits", "end_logits", "start_prob", "end_prob", "loss"]
    return [name for name in order if name in sites]
