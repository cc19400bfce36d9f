"""What numbers and tokens alone say of each fault, in the process that runs OUTPUT."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

from verify.numbers.detection_margin import fault_at, moved
from verify.numbers.loading import LoadedModel, LoadFailure, choose_loader, describe, load_model
from verify.numbers.pytorch_process import check_epsilons, follow_rules, rules_of_trace
from verify.numbers.replay import Player, site_scales, use_attention
from verify.numbers.tolerances import Limits
from verify.results.as_json import from_json, to_json
from verify.results.numbers import GradientResult, SiteResult, share_of_limit
from verify.results.self_test import NOT_TRIED, Found
from verify.results.trace import Arrays, Case, Trace, read_trace
from verify.self_test.faults import EXCHANGED, LAST_PLACE, OF_TENSORS, ROWS, TRANSPOSED, Fault
from verify.self_test.folders import CONFIG
from verify.tokens.compare_tokens import first_way_that_differs

if TYPE_CHECKING:
    import torch

    from converter.open.config.quirks import Behavior

#: Above so many parameters a fault that no forward pass can show is not looked for in every case, and sdpa is left out.
LARGE = 20_000_000
ATTENTIONS = ("eager", "sdpa")
#: How a place is told that only the way back shows.
GRADIENT = "gradient of "
#: The files that decide numbers; the other small ones decide tokens.
OF_MODEL = (CONFIG, "configuration_ernie_m.py", "modeling_ernie_m.py")
_TABLES = ("word_embeddings", "position_embeddings")


@dataclass
class NumbersSide:
    """OUTPUT's model, sound, with what is needed to compare it again and again."""

    trace: Trace
    arrays: Arrays
    loaded: LoadedModel
    scales: dict[tuple[str, bool], float]
    rules: Behavior | None

    @property
    def is_large(self) -> bool:
        return int(sum(parameter.numel() for parameter in self.loaded.model.parameters())) > LARGE

    def find(self, fault: Fault) -> Found:
        """Plant the fault, compare, and take it out again."""
        if fault.kind not in OF_TENSORS and not fault.subject.startswith(OF_MODEL):
            rule = self.rules.piece_rule if self.rules else None
            place = first_way_that_differs(self.trace, Path(fault.folder), rule, 10 if fault.unseen else 1)
            return Found({"tokens": place.replace(fault.folder, "OUTPUT")[:120]})
        ways = ATTENTIONS[:1] if self.is_large or fault.unseen else ATTENTIONS
        if fault.unseen and self.is_large:
            return Found(dict.fromkeys(ways, NOT_TRIED))
        if fault.kind in OF_TENSORS:
            parameters = dict(self.loaded.model.named_parameters())
            if fault.subject not in parameters:
                return Found(dict.fromkeys(ways, ""))
            with plant_in(parameters, fault):
                return self._find_in_model(self.loaded, fault, ways)
        try:
            model = build_from(Path(fault.folder), self.loaded)
        except LoadFailure as error:
            return Found(dict.fromkeys(ways, f"loading: {error!s:.160}"))
        follow_rules(model.model, self.rules)
        odd = check_epsilons(model.model, self.trace)
        return Found(dict.fromkeys(ways, odd[0])) if odd else self._find_in_model(model, fault, ways)

    def _find_in_model(self, model: LoadedModel, fault: Fault, ways: Sequence[str]) -> Found:
        found = Found({})
        for way in ways:
            player = Player(self.trace, self.arrays, model, Limits.of(self.trace.head), self.scales)
            found.shown[way] = self._first_site(player, fault, way)
            results: list[SiteResult | GradientResult] = [*player.done.sites, *player.done.gradients]
            if fault.kind == LAST_PLACE and results:
                one = fault_at(fault.subject, fault.place, max(results, key=share_of_limit))
                known = [one] if found.smallest is None else [found.smallest, one]
                found.smallest = min(known, key=lambda fault: fault.ratio or 0.0)
        return found

    def _first_site(self, player: Player, fault: Fault, attention: str) -> str:
        """The first site that differs, in the cases that see most, first. The case that has it is run to its end."""
        use_attention(player.loaded.model, attention)
        done = player.done
        for case in self._order(fault, attention):
            player.run_case(case, attention)
            wrong = next((site for site in done.sites if not site.passed), None)
            if wrong is not None:
                return f"{wrong.site} (case {wrong.case})"
            if done.problems:
                return done.problems[0][:160]
        if not fault.unseen:
            player.run_gradients(attention, lambda text: None)
        odd = next((result for result in done.gradients if not result.passed), None)
        return f"{GRADIENT}{odd.tensor} (case {odd.case})" if odd is not None else ""

    def _order(self, fault: Fault, attention: str) -> Sequence[Case]:
        """Tables only for faults of tables; then cases that look inside the layers; then all others. With sdpa the
        network must show what linear layers alone show anyway."""
        in_tables = {part for part in _TABLES if f"{part}." in fault.subject + "." + fault.other}
        cases = [case for case in self.trace.cases if case.through not in _TABLES or case.through in in_tables]
        if attention != "eager":
            cases = [case for case in cases if case.through != "linears"]
        return sorted(cases, key=lambda case: (case.through in ("model", "backbone"), -len(case.sites)))


@contextmanager
def plant_in(parameters: dict[str, torch.nn.Parameter], fault: Fault) -> Iterator[None]:
    """The fault in the model's own parameters, for as long as the block lasts."""
    tensor = parameters[fault.subject].data
    if fault.kind == LAST_PLACE:
        with moved(tensor, fault.place, fault.value):
            yield
        return
    rows = list(fault.place)
    if fault.kind == EXCHANGED:
        other = parameters[fault.other].data
        parameters[fault.subject].data, parameters[fault.other].data = other, tensor
    elif fault.kind == TRANSPOSED:
        parameters[fault.subject].data = tensor.T.contiguous()
    elif fault.kind == ROWS:
        tensor[rows] = tensor[rows[::-1]].clone()
    try:
        yield
    finally:
        if fault.kind == ROWS:
            tensor[rows] = tensor[rows[::-1]].clone()
        parameters[fault.subject].data = tensor
        if fault.kind == EXCHANGED:
            parameters[fault.other].data = other


def build_from(folder: Path, sound: LoadedModel) -> LoadedModel:
    """The model as OUTPUT's code builds it from this folder's config.json, with the sound model's weights: what
    from_pretrained does, without reading them again. Raises LoadFailure."""
    import torch
    import transformers

    loader, name = choose_loader(folder)
    options: dict[str, Any] = {"trust_remote_code": True}
    try:
        config = transformers.AutoConfig.from_pretrained(str(folder), local_files_only=True, **options)
        with torch.device("meta"):
            model = getattr(transformers, loader).from_config(config, attn_implementation="eager", **options)
    except Exception as error:  # whatever OUTPUT's files or code raise is a fault of OUTPUT
        raise LoadFailure(f"{loader} fails: {describe(error)}") from error
    if type(model).__name__ != name or not type(model).__module__.startswith("transformers_modules."):
        raise LoadFailure(f"{loader} gives a {type(model).__module__}.{type(model).__name__}, config.json says {name}")
    try:
        model.load_state_dict(sound.model.state_dict(), strict=True, assign=True)
    except RuntimeError as error:
        raise LoadFailure(f"the weights do not fit: {describe(error)}") from error
    model.eval()
    return LoadedModel(model, getattr(model, "ernie_m", model), loader)


def find_in_numbers(request: dict[str, Any], say: Callable[[str], None]) -> list[Found]:
    """For each fault of the request where it was found."""
    trace, output = read_trace(Path(request["trace"])), Path(request["output"])
    faults = [from_json(Fault, entry) for entry in request["faults"]]
    say("self-test: loading OUTPUT")
    loaded = load_model(output, trace.precision)
    rules = rules_of_trace(trace, request["behavior"])
    found = []
    with trace.arrays() as arrays:
        side = NumbersSide(trace, arrays, loaded, site_scales(trace, arrays), rules)
        follow_rules(loaded.model, rules)
        for number, fault in enumerate(faults):
            say(f"self-test: fault {number + 1} of {len(faults)}, {fault.describe()}")
            found.append(side.find(fault))
    return found


def write_found(request: dict[str, Any], say: Callable[[str], None]) -> None:
    """Answer a request: its `result` gets the list."""
    partial = Path(request["result"] + ".partial")
    partial.write_text(json.dumps(to_json(find_in_numbers(request, say))), encoding="utf-8")
    partial.replace(request["result"])
