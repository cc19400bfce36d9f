"""Other ways to use the model than the one that is looked at site by site: called plainly, for a tuple, in training, in
float32, and those of verify/modes/more_modes.py. What comes of each is held against Paddle's numbers too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Callable

from verify.modes.more_modes import go_more_ways
from verify.numbers.compare import compare_site
from verify.numbers.loading import LoadedModel, describe
from verify.numbers.replay import site_scales, use_attention
from verify.numbers.tolerances import Limits
from verify.protocol.projections import project
from verify.results.numbers import ModeResult
from verify.results.trace import Arrays, Case, Trace

if TYPE_CHECKING:
    import numpy as np
    import torch

#: Padded texts without and with a mask, and a mask that hides every key.
CASES = ("batch", "batch.mask", "mask.zero_row")
PLAIN, TUPLE, ATTENTIONS, TRAINING = "plain call", "return_dict=False", "output_attentions=True", "training"
SINGLE = "float32"
_ENDS = ("last_hidden_state", "pooler_output", "logits", "start_logits", "end_logits")
#: Classes with a dropout of their own in front of their linear layer.
_WITH_CLASSIFIER = ("ErnieMForSequenceClassification", "ErnieMForTokenClassification", "ErnieMForMultipleChoice")


@dataclass
class Uses:
    """Goes the ways and keeps what comes of them, by the name of the way."""

    trace: Trace
    arrays: Arrays
    loaded: LoadedModel
    found: dict[str, ModeResult] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.scales, self.limits = site_scales(self.trace, self.arrays), Limits.of(self.trace.head)
        self.layers = int(self.trace.head["config"]["num_hidden_layers"])
        self.cases = [case for case in self.trace.cases if case.name in CASES and case.through == "model"]

    def go(self) -> dict[str, ModeResult]:
        """All ways, those in float32 last: the model stays in it."""
        import torch

        for attention in ("eager", "sdpa"):
            use_attention(self.loaded.model, attention)
            for case in self.cases[:2]:
                self._judge(case, attention, PLAIN)
                self._judge(case, attention, TUPLE, return_dict=False, output_hidden_states=True)
                self._judge(case, attention, ATTENTIONS, output_attentions=True)
            self._train(attention)
        if self.trace.precision != SINGLE:
            self.loaded.model.to(torch.float32)
            self.limits = replace(self.limits, precision=SINGLE)
            for attention in ("eager", "sdpa"):
                use_attention(self.loaded.model, attention)
                for case in self.cases:
                    self._judge(case, attention, SINGLE, output_hidden_states=True)
        go_more_ways(self)
        return self.found

    def _train(self, attention: str) -> None:
        """Every dropout is let through: then the numbers are those of eval mode. What was asked of it is Paddle's."""
        model = self.loaded.model
        model.train()
        try:
            for case in self.cases[:2]:
                with let_through() as asked:
                    ran = self._judge(case, attention, TRAINING)
                expected = expected_dropouts(model)
                if ran and asked != expected:
                    text = f"dropout is applied {_tell(asked)}, in Paddle {_tell(expected)}"
                    self.found[TRAINING].fail(f"{text} (case {case.name}, {attention})")
        finally:
            model.eval()

    def _judge(self, case: Case, attention: str, way: str, **options: Any) -> bool:
        use, where = self.found.setdefault(way, ModeResult()), f"case {case.name}, {attention}"
        try:
            given = self._call(case, options)
        except Exception as error:  # whatever OUTPUT's code raises is a fault of OUTPUT
            use.fail(f"the model raises {describe(error)} ({where})")
            return False
        self.compare(use, case, given, where)
        return True

    def compare(
        self,
        use: ModeResult,
        case: Case,
        given: Mapping[str, torch.Tensor],
        where: str,
        choose: Callable[[np.ndarray], np.ndarray] | None = None,
    ) -> None:
        """Hold what was given against the sites of a case; `choose` takes the same texts out of what was recorded."""
        for site in case.sites:
            if site not in given:
                continue
            projected, value = site in case.projected, given[site].numpy().astype("float64")
            limit = self.limits.site(site, projected, case.zero_row)
            value = project(value) if projected else value
            reference, scale = self.arrays[case.site_key(site)], self.scales[site, projected]
            reference = reference if choose is None else choose(reference)
            result = compare_site(case.name, site, reference, value, scale, limit)
            use.compared += 1
            if not result.passed:
                told = result.problem or f"max |difference| {result.max_rel:.1e} of the largest value"
                use.fail(f"{site} differs: {told}, allowed {limit:.0e} ({where})")

    def inputs(self, case: Case) -> dict[str, torch.Tensor]:
        """The case's inputs, to keep."""
        import torch

        return {name: torch.from_numpy(self.arrays[case.input_key(name)].copy()) for name in case.inputs}

    def _call(self, case: Case, options: Mapping[str, Any]) -> dict[str, torch.Tensor]:
        return self.call(self.inputs(case), **options)

    def call(self, inputs: Mapping[str, torch.Tensor], **options: Any) -> dict[str, torch.Tensor]:
        """The model's outputs by the site that each is."""
        import torch

        model = self.loaded.model
        with torch.no_grad():
            outputs = model(**inputs, **options)
            table = model(**inputs, **{**options, "return_dict": True}) if isinstance(outputs, tuple) else outputs
        if options.get("return_dict", True) is False and not isinstance(outputs, tuple):
            raise TypeError(f"gives a {type(outputs).__name__}, expected a tuple")
        # A tuple has no names; config.json, too, may ask for one.
        return _by_site(dict(zip(table, outputs if isinstance(outputs, tuple) else table.values())), self.layers)


def _by_site(outputs: Mapping[str, Any], layers: int) -> dict[str, torch.Tensor]:
    import torch

    given = {name: outputs[name] for name in _ENDS if outputs.get(name) is not None}
    if "last_hidden_state" in given:
        given[f"hidden_states.{layers}"] = given.pop("last_hidden_state")
    for kind in ("hidden_states", "attentions"):
        given.update({f"{kind}.{number}": value for number, value in enumerate(outputs.get(kind) or ())})
    for part in ("start", "end"):
        if f"{part}_logits" in given:
            given[f"{part}_prob"] = torch.sigmoid(given[f"{part}_logits"])
    return given


@contextmanager
def let_through() -> Iterator[Counter[float]]:
    """Dropout leaves everything as it is; what it was asked for is counted by its probability."""
    from torch.nn import functional

    asked: Counter[float] = Counter()
    dropout, attend = functional.dropout, functional.scaled_dot_product_attention

    def keep(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
        if training and p:
            asked[float(p)] += 1
        return input

    def attend_to_all(
        query: Any, key: Any, value: Any, attn_mask: Any = None, dropout_p: float = 0.0, *rest: Any, **more: Any
    ) -> Any:
        if dropout_p:
            asked[float(dropout_p)] += 1
        return attend(query, key, value, attn_mask, 0.0, *rest, **more)

    functional.dropout, functional.scaled_dot_product_attention = keep, attend_to_all
    try:
        yield asked
    finally:
        functional.dropout, functional.scaled_dot_product_attention = dropout, attend


def expected_dropouts(model: Any) -> Counter[float]:
    """How often Paddle's class drops with which probability (MODEL.md, 11): embeddings, probabilities, behind out_proj
    and linear2; the port's place between linear1 and linear2; in front of a classifier."""
    config, layers = model.config, int(model.config.num_hidden_layers)
    hidden = float(config.hidden_dropout_prob)
    asked: Counter[float] = Counter({hidden: 1 + 2 * layers})
    asked[float(config.attention_probs_dropout_prob)] += layers
    asked[hidden if config.act_dropout is None else float(config.act_dropout)] += layers
    if type(model).__name__ in _WITH_CLASSIFIER:
        asked[hidden if config.classifier_dropout is None else float(config.classifier_dropout)] += 1
    del asked[0.0]
    return asked


def _tell(asked: Counter[float]) -> str:
    return " and ".join(f"{count} times with {p}" for p, count in sorted(asked.items())) or "nowhere"
