"""The recorder as one file: its modules one after the other, without the imports by which they know each other."""

from __future__ import annotations

import ast
import os
import tempfile
from pathlib import Path

from converter.common.errors import OutputError, Problem

_FOLDER = Path(__file__).parents[1] / "recorder"
#: Texts that both tokenizers are given, one a line.
SENTENCES = Path(__file__).parents[1] / "sentences.txt"
#: Where the joined script has them.
_PLACE = 'SENTENCES = ""\n'
#: In the order of the way: each uses only those before it.
MODULES = (
    "../protocol/messages",
    "../protocol/trace_format",
    "../protocol/projections",
    "../protocol/gradient_functional",
    "../protocol/tokenizer_calls",
    "telling",
    "values",
    "official",
    "port",
    "torch_file",
    "static_graph",
    "checkpoint",
    "config",
    "default_dtype",
    "generations",
    "behavior",
    "model",
    "gradients",
    "expected",
    "sanity",
    "probe",
    "growth",
    "masks",
    "labels",
    "design",
    "tables",
    "release_tokens",
    "texts",
    "tokenizer",
    "generated",
    "record",
    "main",
)
_HEAD = '''"""Record what PaddleNLP computes for an ERNIE-M checkpoint: one file, to be run where Paddle is.

    python record_paddle.py SOURCE TRACE        (--help tells the options)

and then, where paddle2torch is: paddle2torch verify SOURCE OUTPUT --trace TRACE. `verify` itself calls it with a file
REQUEST.json that says the same.

It needs the standard library, numpy, paddle, paddlenlp and safetensors, and nothing of paddle2torch: it can be copied
to an old machine (Python 3.7). Paddle reads the checkpoint by itself; no table and no reader of the converter has a
part in it. The request (see REQUEST below) names the checkpoint and where the trace goes. The trace is a safetensors
file: `case/NAME/input/ARGUMENT` and `case/NAME/site/SITE` arrays, and one metadata entry that tells the rest.

Lines on standard output that start with "@progress " say what is being done; an "@error " line is why it stopped.
paddle2torch put this file together from its folder verify/recorder.
"""

from __future__ import annotations
'''


def write_recorder(path: Path) -> None:
    """Write the whole script to a file, whole or not at all. Raises OutputError where another file is in its place."""
    text = join_recorder()
    if path.exists() and not path.read_bytes()[:60].startswith(_HEAD[:60].encode()):
        raise OutputError(Problem("E501", f"{path} exists and is no recorder of paddle2torch's. Name another file"))
    handle, partial = tempfile.mkstemp(dir=path.absolute().parent, prefix=".record-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.chmod(partial, 0o644)
        os.replace(partial, path)
    finally:
        Path(partial).unlink(missing_ok=True)


def join_recorder() -> str:
    """The text of the whole script, the sentences included."""
    text = _join_modules()
    lines = SENTENCES.read_text(encoding="utf-8").split("\n")
    listed = "".join(f"    {line!a},\n" for line in lines)
    assert text.count(_PLACE) == 1
    return text.replace(_PLACE, f'SENTENCES = "\\n".join([\n{listed}])\n')


def _join_modules() -> str:
    parts = [_split(name) for name in MODULES]
    # The standard library before numpy, as everywhere here.
    imports = sorted({line for found, _, _ in parts for line in found}, key=lambda line: ("numpy" in line, line))
    bodies = (f"\n\n# {'-' * 40} {name}\n# {about}\n\n{body}\n" for name, (_, about, body) in zip(MODULES, parts))
    return _HEAD + "\n" + "\n".join(imports) + "\n" + "".join(bodies)


def _split(name: str) -> tuple[list[str], str, str]:
    """What a module imports from elsewhere, what it is for, and its text without either."""
    text = (_FOLDER / f"{name}.py").read_text(encoding="utf-8")
    tree = ast.parse(text)
    lines = text.splitlines()
    imports, gone = [], set(range(1, (tree.body[0].end_lineno or 1) + 1))
    for node in tree.body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            gone.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
            if not ast.unparse(node).startswith(("from __future__ ", "from verify.")):
                imports.append(ast.unparse(node))
    kept = "\n".join(line for number, line in enumerate(lines, 1) if number not in gone)
    return imports, " ".join((ast.get_docstring(tree) or "").split()), kept.strip()
