"""`paddle2torch evaluate`: check the arguments, prepare the examples once, ask both models, compare."""

from __future__ import annotations

from pathlib import Path

from converter.common.arguments import as_path
from converter.common.errors import DataError, Problem, SourceError
from converter.common.progress import OnProgress, in_bytes, listen, log_warnings
from converter.files.stale_folders import scratch_folder
from converter.locate.locate import locate
from converter.locate.located import FetchOptions
from converter.open.mistaken_paths import check_places
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
    processes: int = 1,
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
    cache: Path | str | None = None,
    offline: bool = False,
    progress: OnProgress | None = None,
    start: Start | None = None,
) -> Evaluation:
    """Give the examples of a task to SOURCE in Paddle and to OUTPUT in PyTorch, and compare the answers.

    - source: what `convert` took; None with `torch_only` or `trace`.
    - output: the folder that `convert` made.
    - task: "xnli", "pawsx", "classification", "ner", "qa" or "retrieval".
    - data: a file, a folder, or a pattern (`dev-*.tsv`).
    - language: two-letter codes (zh finds cmn); by default all that the data have.
    - limit: the first examples of each language.
    - batch_size: texts that are run at once; all of one length.
    - max_length: cut longer texts, in tokens.
    - precision: what both sides compute in, "float32" or "float64".
    - mask: the attention mask that both models are given: "tokenizer", "ones" or "none".
    - labels: what the data call class 0, 1, 2, ...
    - layer: for retrieval, the hidden state; "all" is each.
    - direction: for retrieval, which side looks for the other: "en2xx", "xx2en" or "both".
    - ner_scoring: for ner, what entities are counted on: "word" or "subtoken".
    - device: where PyTorch computes: "cpu" or "cuda".
    - processes: how many processes of each side share the texts; each loads the model.
    - torch_only: evaluate `output` alone, without Paddle.
    - record: a file for Paddle's answers, which a later call takes as `trace`.
    - trace: compare with these kept answers: needs neither `source` nor Paddle.
    - paddle_python: the Python that has Paddle and PaddleNLP.
    - architecture: the model's class, if no config names it: PaddleNLP's or transformers' name.
    - config: a config.json or model_config.json, if there is none next to the weights.
    - num_attention_heads: the number of attention heads, if no config has it.
    - tokenizer: the folder of the tokenizer's files, if they are not next to the weights.
    - prefix: what stands in front of the tensors' names, and is taken off.
    - family: the name of a folder of mappings; None is the family that the config or the names show.
    - revision: the branch, tag or commit of a Hub id.
    - cache: where downloads are kept; else PADDLE2TORCH_CACHE, else the user's cache folder.
    - offline: contact no server, use what is in the cache; so does the variable HF_HUB_OFFLINE.
    - progress: called with a `Progress` for every step; by default nothing, in a notebook a bar.
    - start: takes the place of starting the process that runs `output`, where it is one.

    Raises DataError for data or options that do not fit, SourceError, FileError, PlanError for a bad `source`,
    ReferenceFailure when Paddle or `output` does not run. Other answers are in the result, which is false then.
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
        processes,
    )
    options.check()
    places = Places(
        as_path(output), as_path(data), as_path(record), as_path(trace), torch_only, as_path(paddle_python), start
    )
    _check_sides(source, places)
    specified = SourceOptions(
        architecture, as_path(config), num_attention_heads, as_path(tokenizer), prefix=prefix, family=family
    )
    on_progress = listen(progress)
    located = None
    if source is not None and not torch_only:
        located = locate(source, FetchOptions(revision, as_path(cache), offline), in_bytes(on_progress))
    with scratch_folder("paddle2torch-evaluate-") as scratch:
        sides = BothSides(
            options, places, Path(scratch), on_progress, Evaluation(task, precision, torch_only=torch_only)
        )
        sides.result.warnings += located.warnings if located is not None else ()
        sides.run(located.path if located is not None else None, specified)
        log_warnings(sides.result.warnings)
        return sides.result


def _check_sides(source: Path | str | None, places: Places) -> None:
    """Raise for options that exclude each other, for places that are wrong, and for data that are not there."""
    if places.torch_only and (places.trace is not None or places.record is not None):
        raise SourceError(Problem("E090", "--torch-only runs no Paddle: it takes no --trace and no --record"))
    if places.trace is not None and places.record is not None:
        raise SourceError(Problem("E090", "--trace takes Paddle's answers from a file: there is nothing to --record"))
    if source is None and places.trace is None and not places.torch_only:
        raise SourceError(Problem("E090", "there is no SOURCE to compare with: name it, or --trace, or --torch-only"))
    check_places("evaluate", source, places.output, "...")
    if not places.data.exists() and "*" not in places.data.name:
        raise DataError(Problem("E901", f"{places.data}: there is no such file or folder"))
