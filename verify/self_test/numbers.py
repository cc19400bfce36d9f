"""Look for each injected fault by numbers and tokens alone, in the process that runs OUTPUT."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from converter.common.progress import OnProgress, Progress
from mappings.quirks import MODEL_CONFIG, Preset
from verify.numbers.compare import Reference
from verify.numbers.detection_margin import fault_at, moved
from verify.numbers.loading import LoadedModel, LoadFailure, choose_loader, describe, load_model
from verify.numbers.quirks import check_epsilons, preset_of_reference, set_quirks, tokenizer_options
from verify.numbers.replay import CaseRunner, list_gradients, use_attention
from verify.results.as_json import from_json
from verify.results.numbers import GradientResult, SiteResult, share_of_limit
from verify.results.self_test import NOT_TRIED, Found
from verify.results.trace import Case, Trace
from verify.self_test.faults import EXCHANGED, LAST_PLACE, OF_TENSORS, ROWS, TRANSPOSED, Fault
from verify.tokens.compare_tokens import first_call_that_differs

if TYPE_CHECKING:
    import torch

#: Above so many parameters a fault that no forward pass can show is not looked for in every case, and sdpa is left out.
LARGE = 20_000_000
#: How a place is named that only gradients show.
GRADIENT = "gradient of "


@dataclass
class FaultFinder:
    """OUTPUT's sound model, with what is needed to compare it again and again. `preset`: the quirks of the reference,
    where they are not OUTPUT's."""

    reference: Reference
    loaded: LoadedModel
    preset: Preset | None

    @property
    def model_files(self) -> tuple[str, ...]:
        """The small files that decide numbers; the others decide tokens."""
        code = self.loaded.family.code_of(type(self.loaded.model).__name__)
        modules = (code.config.partition(".")[0], code.model) if code is not None else ()
        return (MODEL_CONFIG, *(f"{module}.py" for module in modules if module))

    @property
    def is_large(self) -> bool:
        return int(sum(parameter.numel() for parameter in self.loaded.model.parameters())) > LARGE

    def find(self, fault: Fault) -> Found:
        """Inject the fault, compare, and take it out again."""
        if fault.kind not in OF_TENSORS and not fault.subject.startswith(self.model_files):
            options = tokenizer_options(self.loaded.family, self.preset)
            step = 10 if fault.unseen else 1
            place = first_call_that_differs(self.reference.trace, Path(fault.folder), options, step)
            return Found({"tokens": place.replace(fault.folder, "OUTPUT")[:120]})
        ways = self.loaded.attentions[:1] if self.is_large or fault.unseen else self.loaded.attentions
        if fault.unseen and self.is_large:
            return Found(dict.fromkeys(ways, NOT_TRIED))
        if fault.kind in OF_TENSORS:
            parameters = dict(self.loaded.model.named_parameters())
            if not {fault.subject, fault.other} - {""} <= parameters.keys():
                return Found(dict.fromkeys(ways, ""))
            with injected_in(parameters, fault):
                return self._find_in_model(self.loaded, fault, ways)
        try:
            model = build_from(Path(fault.folder), self.loaded)
        except LoadFailure as error:
            return Found(dict.fromkeys(ways, f"loading: {error!s:.160}"))
        set_quirks(model, self.preset)
        odd = check_epsilons(model.model, self.reference.trace)
        return Found(dict.fromkeys(ways, odd[0])) if odd else self._find_in_model(model, fault, ways)

    def _find_in_model(self, model: LoadedModel, fault: Fault, ways: Sequence[str]) -> Found:
        found = Found({})
        for way in ways:
            runner = CaseRunner(self.reference, model)
            found.shown[way] = self._first_site(runner, fault, way)
            results: list[SiteResult | GradientResult] = [*runner.result.sites, *runner.result.gradients]
            if fault.kind == LAST_PLACE and results:
                one = fault_at(fault.subject, fault.place, max(results, key=share_of_limit))
                known = [one] if found.smallest is None else [found.smallest, one]
                found.smallest = min(known, key=lambda fault: fault.ratio or 0.0)
        return found

    def _first_site(self, runner: CaseRunner, fault: Fault, attention: str) -> str:
        """The first site that differs, in the cases that see most, first. The case that has it is run to its end."""
        use_attention(runner.loaded.model, attention)
        done = runner.result
        for case in self._order(fault, attention):
            runner.run_case(case, attention)
            wrong = next((site for site in done.sites if not site.passed), None)
            if wrong is not None:
                return f"{wrong.site} (case {wrong.case})"
            if done.problems:
                return done.problems[0][:160]
        if not fault.unseen:
            for task in list_gradients(self.reference, attention):
                runner.run_gradients(task)
        odd = next((result for result in done.gradients if not result.passed), None)
        return f"{GRADIENT}{odd.tensor} (case {odd.case})" if odd is not None else ""

    def _order(self, fault: Fault, attention: str) -> Sequence[Case]:
        """Tables only for faults of tables; then cases that look inside the layers; then all others. With sdpa the
        network must show what linear layers alone show anyway."""
        tables = self.loaded.family.network.table_names
        in_tables = {name for name in tables if f"{name}." in fault.subject + "." + fault.other}
        known = self.reference.trace.cases
        cases = [case for case in known if case.through not in tables or case.through in in_tables]
        if attention != "eager":
            cases = [case for case in cases if case.through != "linears"]
        return sorted(cases, key=lambda case: (case.is_of_network, -len(case.sites)))


@contextmanager
def injected_in(parameters: dict[str, torch.nn.Parameter], fault: Fault) -> Iterator[None]:
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

    loader = choose_loader(folder, sound.family)
    try:
        config = transformers.AutoConfig.from_pretrained(str(folder), local_files_only=True, **loader.options)
        with torch.device("meta"):
            model = loader.auto_class.from_config(config, attn_implementation="eager", **loader.options)
    except Exception as error:  # whatever OUTPUT's files or code raise is a fault of OUTPUT
        raise LoadFailure(f"{loader.auto} fails: {describe(error)}") from error
    loader.check_class(model)
    try:
        model.load_state_dict(sound.model.state_dict(), strict=True, assign=True)
    except RuntimeError as error:
        raise LoadFailure(f"the weights do not fit: {describe(error)}") from error
    model.tie_weights()
    _take_buffers(model, sound.model)
    model.eval()
    return LoadedModel.of(model, loader, sound.family)


def _take_buffers(model: Any, sound: Any) -> None:
    """Buffers that no file holds were made on the meta device, without numbers: those of the sound model take their
    place. Raises LoadFailure for one that the sound model has not."""
    known = dict(sound.named_buffers())
    for name, buffer in list(model.named_buffers()):
        if buffer.is_meta:
            if name not in known or known[name].shape != buffer.shape:
                raise LoadFailure(f"the buffer {name} is another")
            owner, _, attribute = name.rpartition(".")
            setattr(model.get_submodule(owner), attribute, known[name])


def find_in_numbers(
    trace: Trace, output: Path, behavior: str, faults: Sequence[Mapping[str, Any]], on_progress: OnProgress
) -> list[Found]:
    """Where each fault (as JSON) was found. `behavior`: the preset that OUTPUT follows."""
    on_progress(Progress("self-test", "loading OUTPUT"))
    loaded = load_model(output, trace.precision, trace.family)
    preset = preset_of_reference(trace, behavior)
    found = []
    with trace.arrays() as arrays:
        finder = FaultFinder(Reference.of(trace, arrays), loaded, preset)
        set_quirks(loaded, preset)
        for number, fault in enumerate(from_json(Fault, entry) for entry in faults):
            detail = f"fault {number + 1} of {len(faults)}, {fault.describe()}"
            on_progress(Progress("self-test", detail, number + 1, len(faults)))
            found.append(finder.find(fault))
    return found
