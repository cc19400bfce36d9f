"""Published models of a family, and the words of its model card: pretrained.toml and card.toml, checked and frozen."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Optional

from mappings.toml_files import TableError, check_keys, require_keys


@dataclass(frozen=True)
class StoredFile:
    """A file of a built-in name: as it is called in a PaddleNLP folder, where it is, its md5 where one is known."""

    name: str
    at: str
    md5: Optional[str] = None


@dataclass(frozen=True)
class Pretrained:
    """A published model: its files in PaddleNLP's store, its config where the store has none, and what its own card and
    paper report. `benchmarks`: rows of task, what it was fine-tuned on, metric, average."""

    name: str
    languages: tuple[str, ...]
    attribution: str
    files: tuple[StoredFile, ...]
    benchmarks: tuple[tuple[str, ...], ...] = ()
    config: Optional[Mapping[str, Any]] = None
    #: The model on the Hub, where there is one.
    base_model: Optional[str] = None


@dataclass(frozen=True)
class Difference:
    """What the output computes otherwise than another port of the family, with these presets (none: with every one).
    `tokenizer`: whether it is about the tokenizer, which a folder may lack."""

    text: str
    presets: tuple[str, ...]
    #: Of classes whose code travels alone, or of transformers' own alone; None for both.
    travels: Optional[bool] = None
    tokenizer: bool = False


@dataclass(frozen=True)
class CardWords:
    """The family's words on the model card. `calls`: head -> the code that calls a model with it. `stock_loading`: how
    a class of transformers' own is loaded. `further_citations`: head -> what to cite too. `language`: of weights that
    nobody published, "" for none. `ending_without_tokenizer`: takes the place of `differences_end` in a folder without
    one, "" where that stays."""

    language: str
    paddle_source: str
    transformers_source: str
    own_weights: str
    loading: str
    stock_loading: str
    batches: str
    differences: str
    differences_end: str
    ending_without_tokenizer: str
    benchmarks: str
    citation: str
    difference: tuple[Difference, ...]
    calls: Mapping[str, str]
    further_citations: Mapping[str, str]


def build_pretrained(data: Mapping[str, Any]) -> tuple[tuple[str, ...], tuple[Pretrained, ...]]:
    """The owners of the models' repositories, and the models, from parsed TOML. Raises TableError."""
    check_keys(data, "pretrained", "owners", "attribution", "configs", "model")
    models = []
    for row in data.get("model", []):
        where = f"model {row.get('name')}"
        check_keys(row, where, *Pretrained.__dataclass_fields__)
        require_keys(row, where, "name", "languages", "attribution", "files")
        if row["attribution"] not in data.get("attribution", {}):
            raise TableError(f"{where}: no attribution {row['attribution']!r}")
        if any(len(benchmark) != 4 for benchmark in row.get("benchmarks", [])):
            raise TableError(f"{where}: a benchmark has a task, what it was fine-tuned on, a metric and an average")
        for file in row["files"]:
            check_keys(file, where, "name", "at", "md5")
            require_keys(file, where, "name", "at")
        models.append(
            Pretrained(
                name=row["name"],
                base_model=row.get("base_model"),
                languages=tuple(row["languages"]),
                attribution=data["attribution"][row["attribution"]].strip("\n"),
                files=tuple(StoredFile(**file) for file in row["files"]),
                benchmarks=tuple(map(tuple, row.get("benchmarks", []))),
                config=_config(row.get("config"), data.get("configs", {}), where),
            )
        )
    return tuple(data.get("owners", ())), tuple(models)


def _config(given: Any, shared: Mapping[str, Any], where: str) -> Optional[Mapping[str, Any]]:
    """A model's config: its own table, or the name of one that several share. Raises TableError."""
    if not isinstance(given, str):
        return dict(given) if given is not None else None
    if given not in shared:
        raise TableError(f"{where}: no config {given!r}")
    return dict(shared[given])


def build_card(data: Mapping[str, Any], presets: Collection[str], heads: Collection[str]) -> CardWords:
    """The card's words from parsed TOML, for a family with these presets and heads. Raises TableError."""
    words = [
        name for name in CardWords.__dataclass_fields__ if name not in ("difference", "calls", "further_citations")
    ]
    check_keys(data, "card", *CardWords.__dataclass_fields__)
    require_keys(data, "card", *words, "calls")
    differences = []
    for row in data.get("difference", []):
        check_keys(row, "difference", "name", "text", "presets", "travels", "tokenizer")
        unknown = set(row.get("presets", ())) - set(presets)
        if unknown:
            raise TableError(f"[difference]: no preset {', '.join(sorted(unknown))}")
        presets_of, travels, tokenizer = row.get("presets", ()), row.get("travels"), row.get("tokenizer", False)
        differences.append(Difference(row["text"].strip("\n"), tuple(presets_of), travels, tokenizer))
    lacking = sorted(set(heads) - set(data["calls"]))
    if lacking:
        raise TableError(f"[calls]: nothing for the head {', '.join(lacking)}")
    calls = {head: code.strip("\n") for head, code in data["calls"].items()}
    texts = {name: data[name].strip("\n") for name in words}
    further = {head: text.strip("\n") for head, text in data.get("further_citations", {}).items()}
    return CardWords(**texts, difference=tuple(differences), calls=calls, further_citations=further)
