"""Results that others published of models fine-tuned from a family's: figures.toml, checked and frozen."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Optional

from mappings.toml_files import TableError, check_keys, require_keys


@dataclass(frozen=True)
class FigureRow:
    """One published row, in %. `values`: by the languages of its set; none where the mean alone was published."""

    model: str
    trained: str
    metric: str
    mean: float
    values: tuple[float, ...]


@dataclass(frozen=True)
class FigureSet:
    """Rows about one test set. `examples`: how many a language has, one of these numbers; with `fewest` as few."""

    name: str
    task: str
    languages: tuple[str, ...]
    examples: tuple[int, ...]
    rows: tuple[FigureRow, ...]
    fewest: Optional[int] = None

    def is_whole(self, counts: Mapping[str, int]) -> bool:
        """Whether these are all languages, each with all of its examples. `counts`: language -> examples."""
        if set(counts) != set(self.languages):
            return False
        least = self.fewest
        return all(
            count in self.examples or (least is not None and least <= count <= max(self.examples))
            for count in counts.values()
        )


def build_figures(data: Mapping[str, Any], models: Collection[str]) -> tuple[FigureSet, ...]:
    """The sets from parsed TOML, for a family with these built-in models. Raises TableError."""
    check_keys(data, "figures", "set")
    return tuple(_set(row, models) for row in data.get("set", []))


def _set(row: Mapping[str, Any], models: Collection[str]) -> FigureSet:
    where = f"figures of {row.get('name')}"
    check_keys(row, where, *FigureSet.__dataclass_fields__)
    require_keys(row, where, "name", "task", "languages", "examples", "rows")
    rows = []
    for one in row["rows"]:
        check_keys(one, where, *FigureRow.__dataclass_fields__)
        require_keys(one, where, *FigureRow.__dataclass_fields__)
        values = tuple(map(float, one["values"]))
        if one["model"] not in models:
            raise TableError(f"{where}: no model {one['model']!r}")
        if values and len(values) != len(row["languages"]):
            raise TableError(f"{where}: {len(values)} values for {len(row['languages'])} languages")
        rows.append(FigureRow(one["model"], one["trained"], one["metric"], float(one["mean"]), values))
    languages, examples = tuple(row["languages"]), tuple(row["examples"])
    return FigureSet(row["name"], row["task"], languages, examples, tuple(rows), row.get("fewest"))
