"""Further ways to use the model, in float32 and with sdpa, as most people do: other forms of the same input, other
surroundings of the call, and what is done to a model besides calling it.

Most are held against Paddle's numbers of the smallest fitting case. Where Paddle has no such call (vectors without a
mask) the model's own numbers of a call that is judged elsewhere are the reference, and the text of the use has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Callable
from unittest import mock

from verify.modes.changed_models import other_embeddings, save_and_reload
from verify.numbers.loading import describe

if TYPE_CHECKING:
    import numpy as np
    import torch

    from verify.modes.execution_modes import Uses
    from verify.results.numbers import ModeResult
    from verify.results.trace import Case

#: Texts in one call: more than any usual batch. They are the few texts of a small case, again and again.
MANY = 130
#: bfloat16 keeps 8 bits: how far apart two computations may be depends on the weights. As a share of the root mean
#: square of a site: numbers that have nothing to do with each other have 1.4.
AUTOCAST = 0.5
#: What is not done, and where it is.
NOT_RUN = {"torch.compile": "it compiles for minutes; tests/ecosystem/ of the project compiles a small model"}


def go_more_ways(uses: Uses) -> None:
    """Go every way of the table; what OUTPUT's code raises is a fault of OUTPUT."""
    from verify.numbers.replay import use_attention
    from verify.results.numbers import ModeResult

    use_attention(uses.loaded.model, "sdpa")
    for way, go in WAYS.items():
        use = uses.found.setdefault(way, ModeResult())
        try:
            go(uses, use)
        except Exception as error:
            use.fail(f"the model raises {describe(error)}")
    for way, reason in NOT_RUN.items():
        uses.found[way] = ModeResult(skipped=reason)


def small_case(uses: Uses, *names: str, length: int = 2, flat_mask: bool = False) -> Case | None:
    """The case with the fewest numbers that has exactly these inputs, whole outputs and texts of `length` or more."""

    def shapes(case: Case) -> list[tuple[int, ...]]:
        return [uses.arrays[case.input_key(name)].shape for name in case.inputs]

    fitting = [
        case
        for case in uses.trace.cases
        if case.through == "model" and sorted(case.inputs) == sorted(names) and not case.zero_row
        if shapes(case)[0][-1] >= length and (not flat_mask or len({*shapes(case)}) == 1)
    ]
    return min(fitting, key=lambda case: uses.arrays[case.input_key(names[0])].size, default=None)


def texts_of(array: np.ndarray, rows: Iterable[int], grouped: bool) -> np.ndarray:
    """These texts of an input or of what was recorded for it; grouped: those of multiple choice, as one question."""
    chosen = array.reshape(-1, *array.shape[2:]) if grouped else array
    chosen = chosen[list(rows)]
    return chosen[None] if grouped else chosen


def int32_ids(uses: Uses, use: ModeResult) -> None:
    """Ids and positions of 32 bits."""
    import torch

    for names in (("input_ids",), ("input_ids", "position_ids")):
        case = small_case(uses, *names, length=8)
        if case is not None:
            inputs = {name: tensor.to(torch.int32) for name, tensor in uses.inputs(case).items()}
            uses.compare(use, case, uses.call(inputs), f"int32, case {case.name}")


def many_texts(uses: Uses, use: ModeResult) -> None:
    """A batch of more texts than any case has."""
    import torch

    case = small_case(uses, "input_ids")
    if case is None:
        return
    ids = uses.arrays[case.input_key("input_ids")]
    grouped = ids.ndim == 3
    texts = ids.shape[0] * (ids.shape[1] if grouped else 1)
    rows = [number % texts for number in range(MANY)]
    given = uses.call({"input_ids": torch.from_numpy(texts_of(ids, rows, grouped).copy())})
    uses.compare(use, case, given, f"{MANY} texts of case {case.name}", lambda found: texts_of(found, rows, grouped))


def forms_of_positions(uses: Uses, use: ModeResult) -> None:
    """position_ids as [S], [1, S] and [B, S]: two texts that have the same positions, which are in no order."""
    import torch

    case = small_case(uses, "input_ids", "position_ids")
    if case is None:
        return
    ids, places = (uses.arrays[case.input_key(name)] for name in ("input_ids", "position_ids"))
    grouped, rows = ids.ndim == 3, [1, 1]
    twice = torch.from_numpy(texts_of(ids, rows, grouped).copy())
    whole = torch.from_numpy(texts_of(places, rows, grouped).copy())
    for name, form in (("[S]", whole.flatten(0, -2)[0]), ("[1, S]", whole.flatten(0, -2)[:1]), ("[B, S]", whole)):
        given = uses.call({"input_ids": twice, "position_ids": form})
        where = f"position_ids {name}, case {case.name}"
        uses.compare(use, case, given, where, lambda found: texts_of(found, rows, grouped))


def vectors_alone(uses: Uses, use: ModeResult) -> None:
    """Vectors in place of ids: with a mask Paddle's numbers of the ids, without one those of a mask of ones."""
    import torch

    case = small_case(uses, "attention_mask", "input_ids", flat_mask=True)
    if case is None:
        return
    inputs = uses.inputs(case)
    vectors, mask = uses.loaded.backbone.embeddings.word_embeddings(inputs["input_ids"]), inputs["attention_mask"]
    vectors = vectors.detach()
    given = uses.call({"inputs_embeds": vectors, "attention_mask": mask})
    uses.compare(use, case, given, f"inputs_embeds, case {case.name}")
    ones = uses.call({"inputs_embeds": vectors, "attention_mask": torch.ones_like(mask)})
    compare_own(uses, use, uses.call({"inputs_embeds": vectors}), ones, "inputs_embeds alone, against a mask of ones")


def unusual_texts(uses: Uses, use: ModeResult) -> None:
    """Texts of one token again and again, [PAD] alone or [MASK] twice in a row: as the same vectors under the mask that
    the implicit rule makes, which know nothing of ids."""
    import torch

    model, config = uses.loaded.model, uses.loaded.model.config
    last = int(config.vocab_size) - 1
    ordinary = last // 2
    special = sorted(token for token in {0, 1, 2, 3, last, config.pad_token_id or 0} if token <= last)
    grouped = type(model).__name__.endswith("MultipleChoice")
    for pattern in ((None,), (None, None), (ordinary, None, None, ordinary)):
        rows = [[token if place is None else place for place in pattern] for token in special]
        ids = torch.tensor(rows)
        mask = torch.ones_like(ids)
        for hidden in config.implicit_mask_token_ids:
            mask[ids == hidden] = 0
        vectors = uses.loaded.backbone.embeddings.word_embeddings(ids).detach()
        batch = {"inputs_embeds": vectors, "attention_mask": mask}
        expected = uses.call({name: value[:, None] if grouped else value for name, value in batch.items()})
        for number, row in enumerate(rows):
            given = uses.call({"input_ids": ids[number : number + 1, None] if grouped else ids[number : number + 1]})
            one = {site: value[number : number + 1] for site, value in expected.items()}
            compare_own(uses, use, given, one, f"ids {row}, against the same vectors and a mask", zero_row=True)


def in_surroundings(
    surround: Callable[[], AbstractContextManager[Any]], said: str
) -> Callable[[Uses, ModeResult], None]:
    """A way that calls the smallest ordinary case inside of a context."""

    def go(uses: Uses, use: ModeResult) -> None:
        case = small_case(uses, "input_ids", length=8)
        if case is not None:
            inputs = uses.inputs(case)
            with surround():
                given = uses.call(inputs)
            uses.compare(use, case, {site: value.clone() for site, value in given.items()}, f"{said}, case {case.name}")

    return go


def inference_mode() -> AbstractContextManager[Any]:
    import torch

    return torch.inference_mode()


def as_if_compiling() -> AbstractContextManager[Any]:
    """What the code does inside of torch.compile, without compiling."""
    import torch

    return mock.patch.object(torch.compiler, "is_compiling", lambda: True)


def autocast(uses: Uses, use: ModeResult) -> None:
    """bfloat16 where torch's autocast has it: finite, and near the model's own numbers of the same call."""
    import torch

    case = small_case(uses, "input_ids", length=8)
    if case is None:
        return
    expected = uses.call(uses.inputs(case))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        given = uses.call(uses.inputs(case))
    for site, value in expected.items():
        use.compared += 1
        if site not in given or given[site].shape != value.shape:
            use.fail(f"{site} has another shape under autocast (case {case.name})")
            continue
        apart = (given[site].float() - value).square().mean().sqrt() / value.float().square().mean().sqrt()
        if not float(apart) <= AUTOCAST:
            said = f"{float(apart):.1e} of its root mean square, allowed {AUTOCAST}"
            use.fail(f"{site} differs under autocast: {said} (case {case.name})")


def compare_own(
    uses: Uses,
    use: ModeResult,
    given: Mapping[str, torch.Tensor],
    expected: Mapping[str, torch.Tensor],
    where: str,
    zero_row: bool = False,
) -> None:
    """Two calls of one model that mean the same, by the limits of their sites."""
    for site, value in expected.items():
        use.compared += 1
        scale = uses.scales.get((site, False)) or float(value.abs().max())
        limit = uses.limits.site(site, False, zero_row)
        if site not in given or given[site].shape != value.shape:
            use.fail(f"{site} is missing or has another shape ({where})")
        elif not float((given[site] - value).abs().max()) <= limit * scale:
            use.fail(f"{site} differs by {float((given[site] - value).abs().max()):.1e} ({where})")


#: The name of a way -> what goes it.
WAYS: dict[str, Callable[[Any, Any], None]] = {
    "int32 ids": int32_ids,
    "many texts": many_texts,
    "forms of position_ids": forms_of_positions,
    "inputs_embeds": vectors_alone,
    "unusual texts": unusual_texts,
    "inference_mode": in_surroundings(inference_mode, "in inference_mode"),
    "code for torch.compile": in_surroundings(as_if_compiling, "with torch.compiler.is_compiling() true"),
    "autocast": autocast,
    "other embeddings": other_embeddings,
    "save and reload": save_and_reload,
}
