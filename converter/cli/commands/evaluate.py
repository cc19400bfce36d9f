"""paddle2torch evaluate."""

from __future__ import annotations

from pathlib import Path
from typing import Optional

import typer

from converter.cli import options
from converter.cli.errors import DONE, OUTPUT_IS_WRONG
from converter.cli.output import print_json, print_text
from converter.cli.pages import Page
from converter.cli.reporter import Reporter
from converter.cli.verbosity import QUIET, VERBOSE
from converter.common.arguments import expand_home
from converter.common.errors import Problem, SourceError

PAGE = Page(
    (
        "[OPTIONS] SOURCE OUTPUT --task TASK --data PATH",
        "[OPTIONS] OUTPUT --task TASK --data PATH --trace FILE",
        "[OPTIONS] OUTPUT --task TASK --data PATH --torch-only",
    ),
    (
        "paddle2torch evaluate my-classifier out --task xnli --data XNLI-1.0",
        "paddle2torch evaluate out --task ner --data dev.tsv --torch-only",
    ),
    "docs/evaluation.md",
    (
        ("SOURCE", "The checkpoint. With --trace or --torch-only it is left out."),
        ("OUTPUT", "The Hugging Face folder."),
    ),
)
SUMMARY = "Compare Paddle's and PyTorch's answers to a task."
TASKS = ("xnli", "pawsx", "classification", "ner", "qa", "retrieval")
PRECISIONS = ("float32", "float64")


def evaluate(
    paths: list[str] = typer.Argument(
        ..., metavar="SOURCE OUTPUT", help="The checkpoint and the folder. With --trace or --torch-only OUTPUT alone."
    ),
    task: str = options.choice(TASKS, ..., "What the examples are about."),
    data: Path = typer.Option(..., metavar="PATH", help="A file, a folder, or a pattern (dev-*.tsv)."),
    language: list[str] = typer.Option([], metavar="CODE", help="Two letters (zh finds cmn); default: all there are."),
    limit: Optional[int] = typer.Option(
        None, metavar="N", parser=options.whole_number, help="The first examples of each language."
    ),
    batch_size: int = typer.Option(
        32, metavar="N", parser=options.whole_number, help="Texts that are run at once; all of one length."
    ),
    max_length: Optional[int] = typer.Option(
        None, metavar="N", parser=options.whole_number, help="Cut longer texts, in tokens."
    ),
    precision: str = options.choice(PRECISIONS, "float32", "What both sides compute in."),
    mask: str = options.choice(
        ("tokenizer", "ones", "none"), "tokenizer", "The attention mask that both models are given."
    ),
    labels: Optional[str] = typer.Option(None, metavar="A,B,C", help="What the data call class 0, 1, 2, ..."),
    layer: Optional[str] = typer.Option(
        None, metavar="N|all", help="Retrieval: the hidden state (default: XTREME's, 8 of 12, 14 of 24)."
    ),
    direction: str = options.choice(("en2xx", "xx2en", "both"), "en2xx", "Retrieval: which side looks for the other."),
    ner_scoring: str = options.choice(("word", "subtoken"), "word", "NER: what entities are counted on."),
    device: str = options.choice(("cpu", "cuda"), "cpu", "Where PyTorch computes.", gpu="cuda"),
    processes: int = typer.Option(
        1, metavar="N", parser=options.whole_number, help="Processes of each side; each loads the model."
    ),
    torch_only: bool = typer.Option(False, "--torch-only", help="Evaluate OUTPUT alone, without Paddle."),
    record: Optional[Path] = typer.Option(None, metavar="FILE", help="Keep Paddle's answers, for --trace."),
    trace: Optional[Path] = typer.Option(None, metavar="FILE", help="Compare with kept answers: needs no Paddle."),
    report: Optional[Path] = typer.Option(
        None, metavar="DIR", help="Write report.json, report.html and junit.xml here."
    ),
    paddle_python: Optional[Path] = typer.Option(
        None, metavar="PATH", help="The Python that has Paddle and PaddleNLP."
    ),
    architecture: Optional[str] = options.ARCHITECTURE,
    config: Optional[Path] = options.CONFIG,
    num_attention_heads: Optional[int] = options.HEADS,
    prefix: Optional[str] = options.PREFIX,
    family: Optional[str] = options.FAMILY,
    tokenizer: Optional[Path] = options.TOKENIZER,
    revision: Optional[str] = options.REVISION,
    cache: Optional[Path] = options.CACHE,
    offline: bool = options.OFFLINE,
    as_json: bool = options.AS_JSON,
    quiet: bool = QUIET,
    verbose: bool = VERBOSE,
    debug: bool = options.DEBUG,
) -> None:
    """Compare the answers to a task's examples: accuracy in Paddle and in PyTorch, and how many answers agree.

    Exit code 0: all agree, or those that differ are ties within the noise of the precision. 1: an answer differs. 2: it
    could not be judged.
    """
    given = options.arguments(locals(), "paths", "report", "labels", "language")
    paths = [expand_home(path) for path in paths]
    from evaluation.report.terminal import render_table
    from evaluation.report.write_report import write_report
    from evaluation.run import evaluate as evaluate_conversion
    from verify.report.write_report import check_writable

    alone = torch_only or trace is not None
    if len(paths) not in ((1, 2) if alone else (2,)):
        text = "evaluate takes SOURCE and OUTPUT, or with --trace FILE or --torch-only OUTPUT alone"
        raise SourceError(Problem("E090", text))
    source = paths[0] if len(paths) == 2 else None
    names = None if labels is None else tuple(name.strip() for name in labels.split(","))
    if report is not None:  # Before the minutes that an evaluation takes.
        check_writable(report)
    with Reporter() as reporter:
        result = evaluate_conversion(
            source, paths[-1], labels=names, language=tuple(language), **given, progress=reporter.show
        )
    if report is not None:
        write_report(result, report)
    if as_json:
        print_json(result.to_json())
    else:
        print_text(render_table(result))
    raise typer.Exit(DONE if result.passed else OUTPUT_IS_WRONG)
