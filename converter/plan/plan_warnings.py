"""What the user should know about a plan."""

from __future__ import annotations

from converter.common.errors import fold_names
from converter.common.layout import EXTRAS_FILE
from converter.files.tensors import HOLDS_VALUES_OF
from converter.open.config.config import SourceConfig
from converter.plan.check_names import fold_reasons
from converter.plan.plan import Dropped, Plan, PlannedTensor
from mappings import Family, Mapped


def warn_of_lacking(lacking: tuple[Mapped, ...]) -> list[str]:
    """Optional tensors that the checkpoint lacks, one line for each reason why the class can do without."""
    warnings = []
    for reason in dict.fromkeys(entry.optional for entry in lacking):
        names = fold_names(entry.source for entry in lacking if entry.optional == reason)
        warnings.append(f"missing: {names}: {reason}")
    return warnings


def warn_of_dropped(dropped: list[Dropped]) -> list[str]:
    """Tensors that are not written: those that no table knows, then the others by reason."""
    warnings = []
    unknown = [drop.name for drop in dropped if not drop.known]
    if unknown:
        warnings.append(f"not converted, for no table knows them: {fold_names(unknown)}")
    reasons: dict[str, list[str]] = {}
    for drop in dropped:
        if drop.known:
            reasons.setdefault(drop.reason, []).append(drop.name)
    if reasons:
        warnings.append(f"not converted: {fold_reasons(reasons)}")
    return warnings


def warn_of_dtypes(plan: Plan) -> list[str]:
    """What happens to dtypes between SOURCE, OUTPUT's file and a plain from_pretrained, where it is not the usual."""
    loaded, dtypes, warnings = plan.loaded_dtype, sorted({tensor.dtype for tensor in plan.tensors}), []
    if len(dtypes) > 1:
        warnings.append(
            f"the tensors have different dtypes ({', '.join(dtypes)}): each keeps its own in the file, and a plain "
            f"from_pretrained loads them all in {loaded}, as the source's own does. --dtype makes them one"
        )
    rounded = [dtype for dtype in dtypes if dtype not in HOLDS_VALUES_OF[loaded]]
    if rounded:
        count = sum(tensor.dtype in rounded for tensor in plan.tensors)
        warnings.append(
            f"config.json asks for {loaded}, which the source's own from_pretrained loads in: a plain from_pretrained "
            f"rounds the {count} tensors that the file holds in {' and '.join(rounded)}, unless it is given a dtype"
        )
    return warnings


def warn_of_class(config: SourceConfig) -> tuple[str, ...]:
    """What the class cannot compute as the source's does, unless the config is one with which it can."""
    entry = config.family.class_named(config.architecture)
    return () if entry is None else entry.cautions(config.get)


def warn_of_extras(extras: tuple[PlannedTensor, ...], family: Family) -> tuple[str, ...]:
    if not extras:
        return ()
    names = fold_names(extra.target for extra in extras)
    kept = f"no PyTorch class has a place for {names}: kept as they are in {EXTRAS_FILE} of OUTPUT"
    heads = family.release.pretraining_heads
    classes = [row.source_class for row in heads for extra in extras if row.stored.matches(extra.target)]
    asked = [f"--architecture {name} makes a class of the head" for name in dict.fromkeys(classes)]
    return (". ".join([kept, *asked]),)
