"""A folder in a release of transformers that it was not made for: the first thing is which releases it needs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.ernie_m.tokenization_reference import small_folder
from tests.support.checkpoints import make_config, make_state, write_folder

FILES = ("configuration_ernie_m", "modeling_ernie_m", "tokenization_ernie_m")
SENTENCE = "ImportError: ERNIE-M needs transformers 4.57 or newer, this is {}."
#: A transformers that has the names of the first lines and nothing else.
STUB = '__version__ = "{}"\nPretrainedConfig = PreTrainedModel = PreTrainedTokenizer = BatchEncoding = dict\n'
#: The real one, with another number and without the module that 4.40 did not have.
PATCHED = """\
import sys, transformers
transformers.__version__ = "4.40.2"
sys.modules["transformers.modeling_layers"] = None
getattr(transformers, sys.argv[1]).from_pretrained(sys.argv[2], trust_remote_code=True)
"""
IMPORTED = """\
import sys, transformers
assert "ernie_m" not in sys.modules
transformers.__version__ = "4.40.2"
import ernie_m
"""


def run(python: str | Path, code: str, *arguments: object, home: Path, path: str = "") -> str:
    environment = {**os.environ, "PYTHONPATH": path, "HF_HOME": str(home), "HF_HUB_OFFLINE": "1"}
    command = [str(python), "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=home, timeout=120)
    return "" if done.returncode == 0 else done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize("version", ["4.40.2", "4.9", "3.5.1", "4.56.0.dev0"])
@pytest.mark.parametrize("file", FILES)
def test_each_file_alone_says_which_release_it_needs(tmp_path: Path, file: str, version: str) -> None:
    for name in FILES:
        (tmp_path / "folder").mkdir(exist_ok=True)
        shutil.copy(ROOT / "ernie_m" / f"{name}.py", tmp_path / "folder")
    (tmp_path / "transformers").mkdir()
    (tmp_path / "transformers" / "__init__.py").write_text(STUB.format(version))
    said = run(sys.executable, f"import folder.{file}", home=tmp_path, path=str(tmp_path))
    assert said == SENTENCE.format(version)


@pytest.mark.parametrize("loader", ["AutoConfig", "AutoModel", "AutoTokenizer"])
def test_a_folder_says_so_when_it_is_loaded(product_python: Path, tmp_path: Path, loader: str) -> None:
    from converter import convert

    source = small_folder(tmp_path / "source")
    config = make_config("ErnieMModel", vocab_size=2002)
    write_folder(source, make_state(vocab_size=2002), config)
    convert(source, tmp_path / "out")
    assert run(product_python, PATCHED, loader, tmp_path / "out", home=tmp_path) == SENTENCE.format("4.40.2")


def test_the_package_says_so_when_it_is_imported(product_python: Path, tmp_path: Path) -> None:
    assert run(product_python, IMPORTED, home=tmp_path, path=str(ROOT)) == SENTENCE.format("4.40.2")
