"""Further execution modes, in float32 and with sdpa, as most people use a model: other forms of the same input, and
other surroundings of the call.

Most are compared with Paddle's numbers of the smallest fitting case. Where Paddle has no such call (vectors without a
mask) the model's own numbers of a call that is compared elsewhere are the reference, and the text of the result names
it.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Callable
from unittest import mock

from mappings.network import POSITION_FORMS
from mappings.quirks import MASKED_IDS
from verify.modes.mode_runner import ModeRunner
from verify.results.numbers import ModeResult

if TYPE_CHECKING:
    import numpy as np

#: Texts in one call: more than any usual batch. They are the few texts of a small case, repeated.
MANY = 130
#: bfloat16 keeps 8 bits: how far apart two computations may be depends on the weights. As a share of the root mean
#: square of an activation: numbers that have nothing to do with each other have 1.4.
AUTOCAST = 0.5


def texts_of(array: np.ndarray, rows: Iterable[int], grouped: bool) -> np.ndarray:
    """These texts of an input or of what was recorded for it; grouped: those of multiple choice, as one question."""
    chosen = array.reshape(-1, *array.shape[2:]) if grouped else array
    chosen = chosen[list(rows)]
    return chosen[None] if grouped else chosen


def int32_ids(runner: ModeRunner, result: ModeResult) -> None:
    """Ids and positions of 32 bits."""
    import torch

    for names in (("input_ids",), ("input_ids", "position_ids")):
        case = runner.small_case(*names, length=8)
        if case is not None:
            inputs = {name: tensor.to(torch.int32) for name, tensor in runner.inputs(case).items()}
            runner.compare(result, case, runner.call(inputs), f"int32, case {case.name}")


def many_texts(runner: ModeRunner, result: ModeResult) -> None:
    """A batch of more texts than any case has."""
    import torch

    case = runner.small_case("input_ids")
    if case is None:
        return
    ids = runner.reference.inputs(case)["input_ids"]
    grouped = ids.ndim == 3
    texts = ids.shape[0] * (ids.shape[1] if grouped else 1)
    rows = [number % texts for number in range(MANY)]
    given = runner.call({"input_ids": torch.from_numpy(texts_of(ids, rows, grouped).copy())})
    runner.compare(
        result, case, given, f"{MANY} texts of case {case.name}", lambda found: texts_of(found, rows, grouped)
    )


def forms_of_positions(runner: ModeRunner, result: ModeResult) -> None:
    """position_ids as [S], [1, S] and [B, S], as far as the class takes them: two texts that have the same positions,
    which are in no order."""
    import torch

    case = runner.small_case("input_ids", "position_ids")
    if case is None:
        return
    inputs = runner.reference.inputs(case)
    ids, places = inputs["input_ids"], inputs["position_ids"]
    grouped, rows = ids.ndim == 3, [1, 1]
    twice = torch.from_numpy(texts_of(ids, rows, grouped).copy())
    whole = torch.from_numpy(texts_of(places, rows, grouped).copy())
    forms = dict(zip(POSITION_FORMS, (whole.flatten(0, -2)[0], whole.flatten(0, -2)[:1], whole)))
    for name, form in forms.items():
        if name not in runner.loaded.family.network.position_forms:
            continue
        given = runner.call({"input_ids": twice, "position_ids": form})
        where = f"position_ids {name}, case {case.name}"
        runner.compare(result, case, given, where, lambda found: texts_of(found, rows, grouped))


def vectors_alone(runner: ModeRunner, result: ModeResult) -> None:
    """Vectors in place of ids: with a mask Paddle's numbers of the ids, without one those of a mask of ones."""
    import torch

    case = runner.small_case("attention_mask", "input_ids", flat_mask=True)
    if case is None:
        return
    inputs = runner.inputs(case)
    vectors, mask = runner.loaded.embed(inputs["input_ids"]).detach(), inputs["attention_mask"]
    given = runner.call({"inputs_embeds": vectors, "attention_mask": mask})
    runner.compare(result, case, given, f"inputs_embeds, case {case.name}")
    ones = runner.call({"inputs_embeds": vectors, "attention_mask": torch.ones_like(mask)})
    runner.compare_own(
        result, runner.call({"inputs_embeds": vectors}), ones, "inputs_embeds alone, against a mask of ones"
    )


def unusual_texts(runner: ModeRunner, result: ModeResult) -> None:
    """Texts of one token repeated, [PAD] alone or [MASK] twice in a row: the same vectors under the mask that the
    implicit rule makes, which do not depend on ids. Not of a token for which Paddle's lookup gives zeros: its numbers
    are left out, and what its id gives need not be what its row gives."""
    import torch

    config, quirk = runner.loaded.model.config, runner.loaded.family.quirk_with_role(MASKED_IDS)
    masked = getattr(config, quirk.field) if quirk is not None else []
    last = int(config.vocab_size) - 1
    ordinary = last // 2
    special = sorted(token for token in {0, 1, 2, 3, last, config.pad_token_id or 0} if token <= last)
    special = [token for token in special if token != runner.reference.trace.left_out_token]
    grouped = runner.is_grouped
    for pattern in ((None,), (None, None), (ordinary, None, None, ordinary)):
        rows = [[token if place is None else place for place in pattern] for token in special]
        ids = torch.tensor(rows)
        mask = torch.ones_like(ids)
        for token in masked:
            mask[ids == token] = 0
        vectors = runner.loaded.embed(ids).detach()
        batch = {"inputs_embeds": vectors, "attention_mask": mask}
        expected = runner.call({name: value[:, None] if grouped else value for name, value in batch.items()})
        for number, row in enumerate(rows):
            given = runner.call({"input_ids": ids[number : number + 1, None] if grouped else ids[number : number + 1]})
            one = {site: value[number : number + 1] for site, value in expected.items()}
            runner.compare_own(result, given, one, f"ids {row}, against the same vectors and a mask", zero_row=True)


def in_surroundings(
    surround: Callable[[], AbstractContextManager[Any]], described: str
) -> Callable[[ModeRunner, ModeResult], None]:
    """A mode that calls the smallest ordinary case inside a context."""

    def run(runner: ModeRunner, result: ModeResult) -> None:
        case = runner.small_case("input_ids", length=8)
        if case is not None:
            inputs = runner.inputs(case)
            with surround():
                given = runner.call(inputs)
            runner.compare(
                result, case, {site: value.clone() for site, value in given.items()}, f"{described}, case {case.name}"
            )

    return run


def inference_mode() -> AbstractContextManager[Any]:
    import torch

    return torch.inference_mode()


def as_if_compiling() -> AbstractContextManager[Any]:
    """What the code does inside of torch.compile, without compiling."""
    import torch

    return mock.patch.object(torch.compiler, "is_compiling", lambda: True)


def autocast(runner: ModeRunner, result: ModeResult) -> None:
    """bfloat16 where torch's autocast has it: finite, and near the model's own numbers of the same call."""
    import torch

    case = runner.small_case("input_ids", length=8)
    if case is None:
        return
    expected = runner.call(runner.inputs(case))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        given = runner.call(runner.inputs(case))
    for site, value in expected.items():
        result.compared += 1
        if site not in given or given[site].shape != value.shape:
            result.fail(f"{site} has another shape under autocast (case {case.name})")
            continue
        apart = (given[site].float() - value).square().mean().sqrt() / value.float().square().mean().sqrt()
        if not float(apart) <= AUTOCAST:
            measured = f"{float(apart):.1e} of its root mean square, allowed {AUTOCAST}"
            result.fail(f"{site} differs under autocast: {measured} (case {case.name})")
