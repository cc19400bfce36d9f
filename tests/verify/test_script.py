"""The recorder, put together into one file for machines that have nothing of this project."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

from verify import recorder
from verify.script import MODULES, join_recorder

_FOLDER = Path(recorder.__file__).parent


def _names(tree: ast.Module) -> list[str]:
    named = [node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))]
    targets = [node.targets[0] for node in tree.body if isinstance(node, ast.Assign)]
    return named + [target.id for target in targets if isinstance(target, ast.Name)]


def test_every_module_is_in_it() -> None:
    assert sorted(MODULES) == sorted(path.stem for path in _FOLDER.glob("*.py") if path.stem != "__init__")


def test_no_two_modules_have_the_same_name() -> None:
    names = Counter(_names(ast.parse(join_recorder())))
    assert names["Designer"] == names["main"] == 1
    assert [name for name, times in names.items() if times > 1] == []


def test_a_module_uses_only_those_before_it() -> None:
    for place, name in enumerate(MODULES):
        tree = ast.parse((_FOLDER / f"{name}.py").read_text(encoding="utf-8"))
        used = [node.module or "" for node in tree.body if isinstance(node, ast.ImportFrom)]
        siblings = [module.rsplit(".", 1)[1] for module in used if module.startswith("verify.")]
        assert set(siblings) <= set(MODULES[:place]), name


def test_it_is_python_3_7_and_needs_nothing_of_ours() -> None:
    tree = ast.parse(join_recorder(), feature_version=(3, 7))
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    imported |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    roots = {name.split(".")[0] for name in imported}
    standard = {"__future__", "typing", "hashlib", "json", "os", "platform", "sys", "pickle", "re", "zlib"}
    assert roots <= standard | {"numpy", "paddle", "paddlenlp", "safetensors", "sentencepiece"}
