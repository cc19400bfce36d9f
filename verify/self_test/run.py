"""The negative control from end to end: plant each fault, ask every check, tell how many of how many were found."""

from __future__ import annotations

import json
import signal
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

from converter.common.errors import Problem, ReferenceFailure
from converter.files.tensors import element_count
from verify.folder.check_manifest import behavior_of
from verify.numbers.detection_margin import SmallestFault
from verify.numbers.pytorch_process import Start, start_process
from verify.results.trace import Trace
from verify.self_test.faults import LAST_PLACE, Fault, Found, tensor_faults
from verify.self_test.folders import folder_faults, plant
from verify.self_test.weights import StaticSide

if TYPE_CHECKING:
    from converter.plan.make_plan import Plan

#: Of the elements, rows and lines that are drawn.
SEED = 1905
#: Elements of each tensor by one unit in the last place; one above LARGE parameters.
ELEMENTS, LARGE = 2, 20_000_000
#: What is called "static" in the counts: the checks that run neither framework.
_KINDS = {"eager": "numbers", "sdpa": "numbers with sdpa", "tokens": "tokens"}
_SINGLE = "float32 numbers cannot show one unit in the last place of a float32"
_ASIDE = "kept for the record: the model has no place for it"


@dataclass(frozen=True)
class Outcome:
    """One fault, and what found it: the checks of bytes and fields by name, numbers and tokens by the place."""

    fault: str
    kind: str
    static: tuple[str, ...]
    #: "eager", "sdpa" or "tokens" -> the first place where it showed; "" where it did not.
    shown: dict[str, str]
    #: Why it need not show in numbers and tokens.
    unseen: str = ""
    #: Of one unit in the last place: how far beyond its limit it is, in the way of running it that shows it least.
    smallest: SmallestFault | None = None

    @property
    def found_without_static(self) -> bool:
        """Every way of running it that was tried shows it."""
        return bool(self.shown) and all(self.shown.values()) and "not tried" not in self.shown.values()

    @property
    def found(self) -> bool:
        return bool(self.static) or self.found_without_static

    def as_json(self) -> dict[str, Any]:
        data = {"fault": self.fault, "kind": self.kind, "found": self.found, "static": list(self.static), **self.shown}
        if self.smallest is not None:
            data["times_limit"] = self.smallest.ratio
        return {**data, "unseen": self.unseen} if self.unseen else data


@dataclass
class SelfTest:
    """Every fault that was planted."""

    outcomes: list[Outcome] = field(default_factory=list)
    #: Whether the checks of bytes and fields were asked.
    static: bool = True

    @property
    def missed(self) -> list[Outcome]:
        """What no check found. Where the checks of bytes were not asked, what is known not to show is none of them."""
        return [found for found in self.outcomes if not found.found and (self.static or not found.unseen)]

    @property
    def unexplained(self) -> list[Outcome]:
        """What numbers and tokens alone do not find, for no reason that is known."""
        return [found for found in self.outcomes if not found.found_without_static and not found.unseen]

    @property
    def smallest(self) -> list[SmallestFault]:
        """Of every unit in a last place that numbers must show, how far beyond its limit it is."""
        return [found.smallest for found in self.outcomes if found.smallest is not None and not found.unseen]

    def as_json(self) -> dict[str, Any]:
        by_check: Counter[str] = Counter()
        for outcome in self.outcomes:
            by_check.update(set(outcome.static))
            by_check.update(_KINDS[way] for way, place in outcome.shown.items() if place not in ("", "not tried"))
        alone = [outcome for outcome in self.outcomes if not outcome.found_without_static]
        explained = [outcome for outcome in alone if outcome.unseen]
        return {
            "faults": len(self.outcomes),
            "found": sum(outcome.found for outcome in self.outcomes),
            "missed": [outcome.fault for outcome in self.missed],
            "by_kind": {kind: self._count(kind) for kind in sorted({outcome.kind for outcome in self.outcomes})},
            "by_check": dict(sorted(by_check.items())),
            "without_static": {
                "found": len(self.outcomes) - len(alone),
                "explained": [{"fault": outcome.fault, "why": outcome.unseen} for outcome in explained],
                "unexplained": [outcome.fault for outcome in self.unexplained],
            },
            "seed": SEED,
            "outcomes": [outcome.as_json() for outcome in self.outcomes],
        }

    def _count(self, kind: str) -> dict[str, int]:
        of_kind = [outcome for outcome in self.outcomes if outcome.kind == kind]
        return {
            "planted": len(of_kind),
            "found": sum(outcome.found for outcome in of_kind),
            "without_static": sum(outcome.found_without_static for outcome in of_kind),
        }

    def tell(self) -> str:
        """One line."""
        data = self.as_json()
        alone = data["without_static"]
        return (
            f"{data['found']} of {data['faults']} planted faults found; by numbers and tokens alone {alone['found']}, "
            f"{len(alone['explained'])} more cannot show there"
        )

    def problems(self) -> list[Problem]:
        """A fault that was missed says that the verdict on OUTPUT cannot be relied on."""
        return [
            Problem("E409", f"the verifier missed a fault that was planted: {missed.fault}. Its verdict proves nothing")
            for missed in self.missed
        ]


def run_self_test(
    output: Path,
    plan: Plan | None,
    trace: Trace,
    folder: Path,
    say: Callable[[str], None],
    start: Start | None = None,
    static: bool = True,
) -> SelfTest:
    """Plant faults in copies of OUTPUT, which passed, and look for each. `folder` is ours alone; `static=False` leaves
    it to numbers and tokens. Raises ReferenceFailure when the process that runs OUTPUT fails."""
    say("self-test: choosing faults")
    side = StaticSide.of(output, plan, trace)
    faults = choose_faults(output, side, trace, folder)
    found: list[tuple[str, ...]] = []
    for number, fault in enumerate(faults):
        say(f"self-test of bytes and fields: fault {number + 1} of {len(faults)}")
        found.append(tuple(side.find(fault)) if static else ())
    shown = ask_process(output, trace, faults, behavior_of(side.manifest), folder, say, start)
    outcomes = [
        Outcome(fault.describe(), fault.kind, checks, answer.shown, fault.unseen, answer.smallest)
        for fault, checks, answer in zip(faults, found, shown)
    ]
    return SelfTest(outcomes, static)


def choose_faults(output: Path, side: StaticSide, trace: Trace, folder: Path) -> list[Fault]:
    """Every fault of the weights and of the small files; a linked copy of OUTPUT is made for each of the latter."""
    tensors = side.written.tensors
    large = sum(element_count(tensor.shape) for tensor in tensors.values()) > LARGE
    faults = list(tensor_faults(tensors, SEED, 1 if large else ELEMENTS))
    if trace.precision == "float32":
        faults = [replace(fault, unseen=_SINGLE) if fault.kind == LAST_PLACE else fault for fault in faults]
    faults += [replace(fault, unseen=_ASIDE) for fault in tensor_faults(side.written.extras, SEED, 1)]
    same_rules = behavior_of(side.manifest) == trace.behavior
    small = folder_faults(output, SEED, same_rules, trace.has_tokens, trace.has_ways)
    for number, fault in enumerate(small):
        copy = folder / "faults" / f"fault_{number:03}"
        plant(output, fault, copy)
        faults.append(replace(fault, folder=str(copy.absolute())))
    return faults


def ask_process(
    output: Path,
    trace: Trace,
    faults: list[Fault],
    behavior: str,
    folder: Path,
    say: Callable[[str], None],
    start: Start | None,
) -> list[Found]:
    """What numbers and tokens show, from the process that runs OUTPUT."""
    request, result = folder / "self_test.json", folder / "self_test_result.json"
    asked = {
        "trace": str(trace.path.absolute()),
        "output": str(output.absolute()),
        "result": str(result),
        "behavior": behavior,
        "faults": [fault.as_json() for fault in faults],
    }
    request.write_text(json.dumps(asked), encoding="utf-8")
    ended = (start or start_process)(request, folder, say)
    if not result.is_file():
        reason = "was killed. Was there too little memory?" if ended.status == -signal.SIGKILL else ended.reason()
        raise ReferenceFailure(Problem("E607", f"the process that runs the self-test failed: {reason}"))
    return [Found.from_json(entry) for entry in json.loads(result.read_text(encoding="utf-8"))]
