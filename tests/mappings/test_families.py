"""A family is checked as a whole when it is read; a small synthetic one uses what the tables can express."""

from __future__ import annotations

import copy
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from converter.common.errors import PlanError
from converter.files.tensors import SourceTensor, TensorSet
from converter.open.config.config import SourceConfig
from converter.open.source import Source
from converter.plan.make_plan import make_plan
from converter.plan.plan import Plan
from converter.write.check_copies import check_copies
from mappings import OPERATIONS, Family, TableError, all_families, expand
from mappings.build import FILES, OPTIONAL, build_family
from mappings.folders import family_names, preset_choices
from mappings.registry import read_family

SIZES = {"vocab_size": 5, "hidden_size": 4, "num_hidden_layers": 2, "num_labels": 3}
ROWS = [
    {"source": "words.weight", "target": "words.weight", "shape": ["vocab_size", "hidden_size"], "op": "keep"},
    {
        "source": "layers.{layer}.{q,k}_proj.weight",
        "target": "layer.{layer}.attention.{query,key}.weight",
        "shape": ["hidden_size", "hidden_size"],
        "op": "transpose",
    },
    {"source": "layers.{layer}.{q,k}_proj.bias", "target": "layer.{layer}.attention.{query,key}.bias"}
    | {"shape": ["hidden_size"], "op": "keep"},
    {"source": "types.weight", "target": "types.weight", "shape": [2, "hidden_size"], "op": "keep", "part": "types"},
]
MASKED_LM = [
    {"source": "cls.decoder.weight", "same_as": "words.weight", "why": "tied to the table of words"},
    {"source": "cls.decoder.bias", "target": ["cls.bias", "cls.decoder.bias"], "shape": ["vocab_size"], "op": "keep"},
    {"source": "cls.decoder_bias", "same_as": "cls.decoder.bias"},
]


def files(**changes: Any) -> dict[str, dict[str, Any]]:
    """The parsed files of a family with renamed rows, an optional part, a tied decoder and a bias stored twice."""
    real = copy.deepcopy(read_family("ernie_m"))
    facts = {
        **real["family.toml"],
        "title": "Tiny",
        "model_type": "tiny",
        "backbone": "tiny",
        "written": ["model_type", "vocab_size", "hidden_size", "num_hidden_layers", "use_types", "rule"],
        "class": [
            {"source": "TinyModel", "target": "TinyModel", "auto": "AutoModel", "head": "none", "constructor": []},
            {"source": "TinyLM", "target": "TinyLM", "auto": "AutoLM", "head": "token", "constructor": ["tiny"]},
        ],
        "size": [
            {"field": "vocab_size", "tensor": "words.weight", "axis": 0},
            {"field": "hidden_size", "tensor": "words.weight", "axis": 1},
            {"field": "num_hidden_layers", "layer": "layers.{layer}.q_proj.bias"},
        ],
        "field": [{"name": "pad_token_id", "kind": "id", "default": 0}],
        "config": [],
    }
    del facts["code"]
    preset = {"name": "plain", "summary": "plain", "values": {"rule": 1}, "advice": "", "usual": True}
    made = {
        "family.toml": facts,
        "quirks.toml": {"quirk": [{"field": "rule", "meaning": "x"}], "preset": [preset]},
        "network.toml": real["network.toml"],
        "tensors.toml": {
            "version": 1,
            "scheme": [{"name": "paddlenlp"}, {"name": "transformers", "identity": True}],
            "part": {"types": {"usual": "optional", "optional": "no types", "absent": {"use_types": False}}},
            "tensor": ROWS,
            "class": [{"source": "TinyModel"}, {"source": "TinyLM", "tensor": MASKED_LM}],
        },
        "config_fields.toml": {"alias": [], "left_out": [], "refused": []},
        "pretrained.toml": {},
        "card.toml": {**real["card.toml"], "difference": []},
    }
    for path, change in changes.items():
        change(made[path.replace("_toml", ".toml")])
    return made


def tiny(**changes: Any) -> Family:
    return build_family("tiny", files(**changes))


def state(family: Family, source_class: str, *without: str) -> dict[str, np.ndarray]:
    table = family.tables[source_class]
    random = np.random.default_rng(7)
    made = {entry.source: random.random(entry.source_shape) for entry in expand(table, table.schemes[0], SIZES)}
    for entry in expand(table, table.schemes[0], SIZES):
        if entry.same_as:
            made[entry.source] = made[entry.same_as].copy()
    return {name: array for name, array in made.items() if name not in without}


class Bytes:
    """A run of bytes in memory."""

    def __init__(self, array: np.ndarray) -> None:
        self.data = np.ascontiguousarray(array).tobytes()
        self.size = len(self.data)
        self.place = (str(id(self)), 0, self.size)

    def view(self) -> memoryview:
        return memoryview(self.data)


def plan_of(family: Family, source_class: str, arrays: dict[str, np.ndarray], by_columns: str = "") -> Plan:
    """`by_columns`: the name of a tensor that is stored in column order, as Fortran does."""

    def tensor(name: str, array: np.ndarray) -> SourceTensor:
        fortran = name == by_columns
        run: Any = Bytes(array.T if fortran else array)
        return SourceTensor(name, array.shape, "float64", "f", (run,), fortran)

    tensors = {name: tensor(name, array) for name, array in arrays.items()}
    config = SourceConfig(family, file="config.json", kind="paddlenlp", architecture=source_class, values={})
    return make_plan(Source(Path("f"), family, TensorSet("x", tensors, ()), config, None, None, (), behavior="plain"))


def test_rows_rename_by_place_and_the_plan_is_inverted_bit_for_bit() -> None:
    family = tiny()
    arrays = state(family, "TinyLM")
    plan = plan_of(family, "TinyLM", arrays)
    made = {planned.target: planned for planned in plan.tensors}
    assert made["tiny.layer.1.attention.key.weight"].source.name == "tiny.layers.1.k_proj.weight"
    assert set(made) == {entry.target for entry in expand(plan.table, plan.scheme, SIZES) if entry.target}
    for planned in plan.tensors:
        there = OPERATIONS[planned.op].apply(planned.source.read())
        assert there.shape == planned.shape
        back = OPERATIONS[planned.op].invert(there)
        assert back.tobytes() == arrays[planned.source.name].tobytes()


def test_one_tensor_may_be_written_twice() -> None:
    plan = plan_of(tiny(), "TinyLM", state(tiny(), "TinyLM"))
    assert [p.target for p in plan.tensors if p.source.name == "cls.decoder.bias"] == ["cls.bias", "cls.decoder.bias"]


def test_a_tied_decoder_and_a_bias_stored_twice_are_not_written_and_must_be_equal() -> None:
    family = tiny()
    arrays = state(family, "TinyLM")
    plan = plan_of(family, "TinyLM", arrays)
    pairs = [(one.name, other.name) for one, other in plan.copies]
    assert pairs == [("tiny.words.weight", "cls.decoder.weight"), ("cls.decoder.bias", "cls.decoder_bias")]
    assert {drop.name: drop.reason for drop in plan.dropped} == {
        "cls.decoder.weight": "tied to the table of words",
        "cls.decoder_bias": "a further copy of cls.decoder.bias",
    }
    check_copies(plan)
    check_copies(plan_of(family, "TinyLM", arrays, by_columns="cls.decoder.weight"))
    arrays["cls.decoder_bias"] = arrays["cls.decoder_bias"] + 1
    with pytest.raises(PlanError, match="E306.*'cls.decoder.bias' and 'cls.decoder_bias'"):
        check_copies(plan_of(family, "TinyLM", arrays))


@pytest.mark.parametrize("missing", ["cls.decoder.bias", "cls.decoder_bias"])
def test_either_copy_is_enough(missing: str) -> None:
    family = tiny()
    plan = plan_of(family, "TinyLM", state(family, "TinyLM", missing, "cls.decoder.weight"))
    source = next(planned.source.name for planned in plan.tensors if planned.target == "cls.bias")
    assert source != missing and source.startswith("cls.decoder") and plan.copies == ()


def test_without_any_copy_the_tensor_is_missing() -> None:
    family = tiny()
    with pytest.raises(PlanError, match="missing: cls.decoder.bias"):
        plan_of(family, "TinyLM", state(family, "TinyLM", "cls.decoder.bias", "cls.decoder_bias"))


def test_an_optional_part_may_be_missing_and_config_json_says_so() -> None:
    family = tiny()
    plan = plan_of(family, "TinyModel", state(family, "TinyModel", "types.weight"))
    assert plan.absent == {"types": {"use_types": False}} and "no types" in " ".join(plan.warnings)
    assert plan_of(family, "TinyModel", state(family, "TinyModel")).absent == {}


def edit(key: str, value: Any) -> Callable[[dict[str, Any]], None]:
    return lambda data: data.update({key: value})


CLASS = {"source": "TinyModel", "target": "TinyModel", "auto": "AutoModel", "head": "none", "constructor": []}
COPY = {"source": "a", "same_as": "words.weight"}


@pytest.mark.parametrize(
    ("file", "key", "value", "said"),
    [
        ("tensors.toml", "tensor", [{**ROWS[0], "op": "rotate"}], "unknown op"),
        ("tensors.toml", "tensor", [{**ROWS[0], "shape": ["depth", 1]}], "depth is no size of tiny"),
        ("tensors.toml", "tensor", [{**ROWS[1], "shape": ["hidden_size"]}], "takes no 1-d tensor"),
        ("tensors.toml", "tensor", [{**ROWS[1], "target": "l.{layer}.{a,b,c}.w"}], "different placeholders"),
        ("tensors.toml", "tensor", [{**ROWS[0], "note": "x"}], "unknown keys: note"),
        ("tensors.toml", "tensor", [{**ROWS[0], "part": "head"}], "no part 'head'"),
        ("tensors.toml", "tensor", [{"source": "a", "target": "a"}], "lacks shape, op"),
        ("tensors.toml", "tensor", [ROWS[0], {**COPY, "op": "keep"}], "has the shape and the operation"),
        ("tensors.toml", "tensor", [ROWS[0], {**COPY, "same_as": "b"}], "no row b"),
        ("tensors.toml", "tensor", [{**ROWS[0], "older": True}], "or be an older name of it"),
        ("tensors.toml", "scheme", [{"name": "s"}, {"name": "t"}], "schemes must differ"),
        ("tensors.toml", "scheme", [{"name": "s", "identity": True, "prefix": "x."}], "have its prefix"),
        ("tensors.toml", "class", [{"source": "TinyModel"}], "no class TinyLM"),
        ("tensors.toml", "class", [{"source": "Other"}], "no class of tiny"),
        ("tensors.toml", "class", [{"source": "TinyModel", "parts": {"types": "dropped"}}], "nothing gives the reason"),
        ("family.toml", "class", [CLASS, {**CLASS, "source": "X"}], "one class without a head, and only one"),
        ("family.toml", "class", [CLASS, {**CLASS, "source": "X", "head": "crf"}], "no head 'crf'"),
        ("family.toml", "size", [{"field": "vocab_size", "tensor": "w"}], "one size that counts the layers"),
        ("family.toml", "written", ["model_type", "rule", "colour"], "colour, which nothing gives a value"),
        ("family.toml", "written", ["model_type"], "lacks the quirk rule"),
        ("family.toml", "config", [{"writer": "me"}], "`file` or `form`, and not both"),
        ("family.toml", "colour", "red", "unknown keys: colour"),
        ("quirks.toml", "preset", [], "one usual preset, and only one"),
        ("quirks.toml", "quirk", [], "rule must be given exactly once"),
        ("pretrained.toml", "model", [{"name": "m"}], "lacks languages"),
        ("card.toml", "calls", {}, "nothing for the head none, token"),
        ("card.toml", "difference", [{"text": "x", "presets": ["other"]}], "no preset other"),
        ("config_fields.toml", "left_out", [{"fields": ["a"], "why": "", "writers": ["me"]}], "nobody writes"),
    ],
)
def test_a_family_that_is_not_whole_is_refused(file: str, key: str, value: Any, said: str) -> None:
    tiny()
    made = files()
    made[file][key] = value
    with pytest.raises(TableError, match=said):
        build_family("tiny", made)


@pytest.mark.parametrize("file", [file for file in FILES if file not in OPTIONAL])
def test_a_file_that_is_missing_refuses_the_family(file: str) -> None:
    made = files()
    del made[file]
    with pytest.raises(TableError, match=f"lacks {file}"):
        build_family("tiny", made)


def test_a_table_that_makes_a_target_twice_is_refused() -> None:
    made = files()
    made["tensors.toml"]["tensor"] = [ROWS[0], {**ROWS[0], "source": "others.weight"}]
    table = build_family("tiny", made).tables["TinyModel"]
    with pytest.raises(TableError, match="target named twice: words.weight"):
        expand(table, table.schemes[0], SIZES)


def test_a_table_that_uses_a_source_twice_is_refused() -> None:
    table = tiny().tables["TinyModel"]
    twice = replace(table, backbone=(*table.backbone, replace(table.backbone[0], targets=table.backbone[-1].targets)))
    with pytest.raises(TableError, match="source named twice: words.weight"):
        expand(twice, table.schemes[0], SIZES)


def test_the_names_for_the_command_line_are_those_of_the_families() -> None:
    """They are read without the rest of a family, so that help stays instant."""
    assert family_names() == tuple(family.name for family in all_families())
    assert preset_choices() == tuple(dict.fromkeys(name for family in all_families() for name in family.choices))


def test_the_help_of_the_command_line_reads_no_family() -> None:
    code = "import sys, converter.cli; print(sorted({'mappings.registry', 'mappings.family'} & set(sys.modules)))"
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
