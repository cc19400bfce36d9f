"""`paddle2torch evaluate`: check the arguments, prepare the examples once, ask both models, compare."""

from __future__ import annotations

from pathlib import Path

from converter.common.errors import DataError, Problem, SourceError
from converter.common.progress import OnProgress
from converter.files.stale_folders import scratch_folder
from converter.locate.locate import locate
from converter.locate.located import FetchOptions
from converter.open.options import SourceOptions
from evaluation.both_sides import BothSides, Places
from evaluation.options import Options
from evaluation.readers.languages import as_codes
from evaluation.results import Evaluation
from verify.numbers.pytorch_process import Start


def evaluate(
    source: Path | str | None,
    output: Path | str,
    *,
    task: str,
    data: Path | str,
    language: tuple[str, ...] = (),
    limit: int | None = None,
    batch_size: int = 32,
    max_length: int | None = None,
    precision: str = "float32",
    mask: str = "tokenizer",
    labels: tuple[str, ...] | None = None,
    layer: str | None = None,
    direction: str = "en2xx",
    ner_scoring: str = "word",
    device: str = "cpu",
    torch_only: bool = False,
    record: Path | str | None = None,
    trace: Path | str | None = None,
    paddle_python: Path | str | None = None,
    architecture: str | None = None,
    config: Path | str | None = None,
    num_attention_heads: int | None = None,
    tokenizer: Path | str | None = None,
    prefix: str | None = None,
    family: str | None = None,
    revision: str | None = None,
    cache: Path | None = None,
    offline: bool = False,
    progress: OnProgress | None = None,
    start: Start | None = None,
) -> Evaluation:
    """Give the examples of a task to SOURCE in Paddle and to OUTPUT in PyTorch, and compare the answers.

    `architecture`, `config`, `num_attention_heads`, `tokenizer`, `prefix` and `family` are what `convert` was given for
    a source that does not specify it. `torch_only` evaluates OUTPUT alone, `trace` takes Paddle's answers from a file
    that `record` kept; both need no `source`. Raises DataError for data or options that do not fit, SourceError,
    FileError, PlanError for a bad `source`, ReferenceFailure when Paddle or OUTPUT does not run. Other answers are in
    the result: `passed` is False.
    """
    options = Options(
        task,
        as_codes(language),
        limit,
        batch_size,
        max_length,
        precision,
        mask,
        labels,
        layer,
        direction,
        ner_scoring,
        device,
    )
    options.check()
    places = Places(Path(output), Path(data), _path(record), _path(trace), torch_only, _path(paddle_python), start)
    _check_sides(source, places)
    specified = SourceOptions(
        architecture, _path(config), num_attention_heads, _path(tokenizer), prefix=prefix, family=family
    )
    on_progress = progress or (lambda event: None)
    located = None
    if source is not None and not torch_only:
        located = locate(source, FetchOptions(revision, cache, offline), lambda *step: None)
    with scratch_folder("paddle2torch-evaluate-") as scratch:
        sides = BothSides(
            options, places, Path(scratch), on_progress, Evaluation(task, precision, torch_only=torch_only)
        )
        sides.result.warnings += located.warnings if located is not None else ()
        sides.run(located.path if located is not None else None, specified)
        return sides.result


def _path(given: Path | str | None) -> Path | None:
    return None if given is None else Path(given)


def _check_sides(source: Path | str | None, places: Places) -> None:
    """Raise for options that exclude each other, and for an OUTPUT that is not there."""
    if places.torch_only and (places.trace is not None or places.record is not None):
        raise SourceError(Problem("E090", "--torch-only runs no Paddle: it takes no --trace and no --record"))
    if places.trace is not None and places.record is not None:
        raise SourceError(Problem("E090", "--trace takes Paddle's answers from a file: there is nothing to --record"))
    if source is None and places.trace is None and not places.torch_only:
        raise SourceError(Problem("E090", "there is no SOURCE to compare with: name it, or --trace, or --torch-only"))
    if not places.output.is_dir():
        text = f"{places.output}: there is no such folder. OUTPUT is what paddle2torch convert made"
        raise SourceError(Problem("E405", text))
    if not places.data.exists() and "*" not in places.data.name:
        raise DataError(Problem("E901", f"{places.data}: there is no such file or folder"))
