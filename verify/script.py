"""The recorder as one file: its modules one after the other, without the imports by which they know each other."""

from __future__ import annotations

import ast
from pathlib import Path

_FOLDER = Path(__file__).with_name("recorder")
#: In the order of the way: each uses only those before it.
MODULES = (
    "telling",
    "values",
    "checkpoint",
    "config",
    "model",
    "seeded",
    "gradients",
    "probe",
    "growth",
    "masks",
    "labels",
    "design",
    "tables",
    "texts",
    "generated",
    "ways",
    "record",
    "main",
)
_HEAD = '''"""Record what PaddleNLP computes for an ERNIE-M checkpoint: one file, to be run where Paddle is.

    python record_paddle.py REQUEST.json

It needs the standard library, numpy, paddle, paddlenlp and safetensors, and nothing of paddle2torch: it can be copied
to an old machine (Python 3.7). Paddle reads the checkpoint by itself; no table and no reader of the converter has a
part in it. The request (see REQUEST below) names the checkpoint and where the trace goes. The trace is a safetensors
file: `case/NAME/input/ARGUMENT` and `case/NAME/site/SITE` arrays, and one metadata entry that tells the rest.

Lines on standard output that start with "@progress " say what is being done; an "@error " line is why it stopped.
paddle2torch put this file together from its folder verify/recorder.
"""

from __future__ import annotations
'''


def join_recorder() -> str:
    """The text of the whole script."""
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
    imports, gone = [], set(range(1, tree.body[0].lineno + 1))
    for node in tree.body:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            gone.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
            if not ast.unparse(node).startswith(("from __future__ ", "from verify.")):
                imports.append(ast.unparse(node))
    kept = "\n".join(line for number, line in enumerate(lines, 1) if number not in gone)
    return imports, " ".join((ast.get_docstring(tree) or "").split()), kept.strip()
