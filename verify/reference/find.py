"""The reference: the interpreter that has Paddle and PaddleNLP, and how to run the recorder in it."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from converter.common.errors import Problem, ReferenceFailure
from converter.common.layout import SENTENCEPIECE, TOKENIZER_SETTINGS, VOCABULARY, WORDPIECE_KIND
from converter.common.progress import OnProgress, Progress
from converter.fetch.cache import cache_folder
from verify.protocol.messages import BROKEN
from verify.protocol.request import Request
from verify.reference.bundle_recorder import RECORDER, bundle_recorder
from verify.reference.pins import interpreters, is_whole
from verify.reference.subprocess_runner import Command, Ended, Running, clean_environment, started

if TYPE_CHECKING:
    from converter.open.source import Source
    from converter.plan.plan import Plan

VARIABLE = "PADDLE2TORCH_PADDLE_PYTHON"
_MAKE_ONE = "`paddle2torch reference install` makes one that is known to work"
_PROJECT = Path(__file__).resolve().parents[2]


def find_interpreter(named: Path | None = None) -> Path:
    """The Python that has Paddle: named by the user, else next to the project, else installed, else this one.

    Raises ReferenceFailure. What the user named is never replaced by something else.
    """
    for given, name in ((named, "--paddle-python"), (os.environ.get(VARIABLE), VARIABLE)):
        if given:
            path = Path(given)
            if not path.is_file() or not os.access(path, os.X_OK):
                raise ReferenceFailure(
                    Problem("E601", f"{name} names {path}, which is no program. Name a Python that has PaddleNLP")
                )
            return path.absolute()
    installed = cache_folder() / "reference"
    for environment in (_PROJECT / ".venv-paddle", installed):
        for path in interpreters(environment):
            # What a stopped install left is not used.
            if path.is_file() and (environment != installed or is_whole(installed)):
                return path
    if importlib.util.find_spec("paddlenlp") is not None and importlib.util.find_spec("paddle") is not None:
        return Path(sys.executable)
    raise ReferenceFailure(
        Problem(
            "E601",
            "no reference: a Python with paddlepaddle and paddlenlp was looked for in --paddle-python, "
            f"{VARIABLE}, .venv-paddle next to the project, {cache_folder() / 'reference'} and here. {_MAKE_ONE}. Or "
            "compare with a recorded trace with --trace FILE, or check the weights alone with --static-only",
        )
    )


def make_request(
    opened: Source,
    plan: Plan,
    precision: str,
    round_to: str | None,
    tokenizer: Path | None = None,
    behavior: str = "",
) -> Request:
    """The request for SOURCE: where it is, which of its files were checked, which quirk OUTPUT follows.

    `tokenizer` is the folder that the tokenizer was read from, if not SOURCE's.
    """
    folder = (tokenizer or opened.folder).absolute()
    family = opened.family
    known = [preset.name for preset in family.presets] if plan.scheme.identity else family.choices
    return Request(
        source=str(opened.path.absolute()),
        # Programs too, some of which are JSON, but no index: the recorder reads that by itself.
        files=[str(file.path.absolute()) for file in opened.tensors.files if ".index." not in file.name],
        config=str(opened.config_file.path.absolute()) if opened.config_file else None,
        fallback=_fallback(plan) if opened.config_file is None or opened.config.is_classless else {},
        # Only the user's option: the recorder reads SOURCE's config by itself.
        architecture=plan.table.source_class if opened.config.class_from == "option" else None,
        prefix=opened.tensors.prefix,
        tokenizer=str(folder) if opened.tokenizer is not None else None,
        round_to=round_to,
        behavior=behavior if behavior in known else family.usual_preset.name,
        source_behavior=opened.behavior,
        precision=precision,
    )


def tokenizer_place(opened: Source, scratch: Path) -> str | None:
    """A folder with SOURCE's tokenizer in a form that PaddleNLP knows: SOURCE's own, or copies in `scratch` where its
    files have other names, or two columns where PaddleNLP reads one. None without a tokenizer."""
    files = opened.tokenizer
    if files is None:
        return None
    kind, known = opened.family.tokenizer.kind, opened.family.tokenizer.models[:1]
    # Of the other names only the first, the original release's, is one that PaddleNLP knows.
    usual = files.names[0] == VOCABULARY and (kind == WORDPIECE_KIND or files.names[1] in (SENTENCEPIECE, *known))
    rewritten = kind == WORDPIECE_KIND and b"\t" in (files.folder / files.names[0]).read_bytes()
    if usual and not rewritten:
        return str(files.folder.absolute())
    place = scratch / "tokenizer"
    place.mkdir()
    for name in TOKENIZER_SETTINGS:
        if (files.folder / name).is_file():
            shutil.copyfile(files.folder / name, place / name)
    shutil.copyfile(files.folder / files.names[0], place / VOCABULARY)
    if rewritten:
        (place / VOCABULARY).write_bytes(files.vocabulary)
    for name in files.names[1:]:
        shutil.copyfile(files.folder / name, place / SENTENCEPIECE)
    return str(place)


def _fallback(plan: Plan) -> dict[str, Any]:
    """Config fields for weights that have no config: the reference cannot know them either."""
    sizes = ("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "max_position_embeddings")
    fields: dict[str, Any] = {name: plan.sizes.fields[name] for name in sizes}
    fields.update(architecture=plan.table.source_class, hidden_act=plan.config.get("hidden_act"))
    if plan.sizes.labels:
        fields["num_labels"] = len(plan.sizes.labels)
    return fields


def record_trace(interpreter: Path, request: Request, folder: Path, on_progress: OnProgress) -> Path:
    """Record a trace with this interpreter into `folder`, an empty one. Raises ReferenceFailure."""
    with start_recording(interpreter, request, folder) as running:
        return running.finish(on_progress)


@contextmanager
def start_recording(interpreter: Path, request: Request, folder: Path) -> Iterator[Recording]:
    """Start recording a trace with this interpreter into `folder`, an empty one. Raises ReferenceFailure."""
    output = folder / "trace.safetensors"
    script = folder / RECORDER
    script.write_bytes(bundle_recorder())
    command = recorder_command(interpreter, script, replace(request, output=str(output)), folder)
    with ExitStack() as stack:
        try:
            running = stack.enter_context(started(command))
        except OSError as error:
            raise does_not_run(interpreter, error) from error
        yield Recording(interpreter, output, running)


@dataclass(frozen=True)
class Recording:
    """A recorder that runs."""

    interpreter: Path
    output: Path
    running: Running

    def finish(self, on_progress: OnProgress) -> Path:
        """Wait for the trace. Raises ReferenceFailure."""
        on_progress(Progress("starting Paddle"))
        ended = self.running.wait(on_progress)
        check_recorded(self.interpreter, self.output, ended)
        return self.output


def recorder_command(interpreter: Path, script: Path, request: Request, folder: Path, **more: str) -> Command:
    """The recorder in the interpreter that has Paddle, answering a request, which is written into `folder`. `more`:
    variables."""
    asked = folder / "request.json"
    asked.write_text(json.dumps(asdict(request)), encoding="utf-8")
    # PaddleNLP keeps caches and logs in the home folder: the reference gets one of its own.
    home = folder / "home"
    home.mkdir()
    environment = clean_environment(HOME=str(home), PPNLP_HOME=str(home), HF_HOME=str(home), **more)
    return Command([str(interpreter), "-B", str(script), str(asked)], environment, folder)


def does_not_run(interpreter: Path, error: OSError) -> ReferenceFailure:
    """For an interpreter that could not be started."""
    return ReferenceFailure(Problem("E601", f"{interpreter} does not run: {error.strerror or error}"))


def check_recorded(interpreter: Path, output: Path, ended: Ended) -> None:
    """Raise ReferenceFailure for a recorder that did not write `output` to its end."""
    if ended.status == BROKEN:
        text = f"the reference is broken: {ended.error}. This is about no model; nothing was verified. {_MAKE_ONE}"
        raise ReferenceFailure(Problem("E611", f"{text}. Interpreter: {interpreter}"))
    if ended.error:
        raise ReferenceFailure(Problem("E602", f"the reference cannot record this checkpoint: {ended.error}"))
    if ended.status != 0 or not output.is_file():
        if "No module named" in ended.stderr:
            hint = f". Is it the reference environment? {_MAKE_ONE}"
        else:
            hint = ". Run it again, or compare with a recorded trace with --trace FILE"
        raise ReferenceFailure(Problem("E603", f"the reference ({interpreter}) failed: {ended.reason()}{hint}"))
