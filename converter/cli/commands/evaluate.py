"""paddle2torch evaluate."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Optional

import typer

from converter.cli import options
from converter.cli.errors import DONE, OUTPUT_IS_WRONG
from converter.cli.output import Reporter, print_json
from converter.common.errors import Problem, SourceError


class TaskChoice(str, Enum):
    xnli = "xnli"
    pawsx = "pawsx"
    classification = "classification"
    ner = "ner"
    qa = "qa"
    retrieval = "retrieval"


class PrecisionChoice(str, Enum):
    float32 = "float32"
    float64 = "float64"


class MaskChoice(str, Enum):
    tokenizer = "tokenizer"
    ones = "ones"
    none = "none"


class DirectionChoice(str, Enum):
    en2xx = "en2xx"
    xx2en = "xx2en"
    both = "both"


class ScoringChoice(str, Enum):
    word = "word"
    subtoken = "subtoken"


class DeviceChoice(str, Enum):
    cpu = "cpu"
    cuda = "cuda"


def evaluate(
    paths: list[str] = typer.Argument(
        ..., metavar="SOURCE OUTPUT", help="The checkpoint and the folder. With --trace or --torch-only OUTPUT alone."
    ),
    task: TaskChoice = typer.Option(..., help="What the examples are about."),
    data: Path = typer.Option(..., metavar="PATH", help="A file, a folder, or a pattern (dev-*.tsv)."),
    language: list[str] = typer.Option([], metavar="CODE", help="Two letters (zh finds cmn); default: all there are."),
    limit: Optional[int] = typer.Option(None, metavar="N", min=1, help="The first examples of each language."),
    batch_size: int = typer.Option(32, metavar="N", min=1, help="Texts that are run at once; all of one length."),
    max_length: Optional[int] = typer.Option(None, metavar="N", min=1, help="Cut longer texts, in tokens."),
    precision: PrecisionChoice = typer.Option(PrecisionChoice.float32, help="What both sides compute in."),
    mask: MaskChoice = typer.Option(MaskChoice.tokenizer, help="The attention mask that both models are given."),
    labels: Optional[str] = typer.Option(None, metavar="A,B,C", help="What the data call class 0, 1, 2, ..."),
    layer: Optional[str] = typer.Option(
        None, metavar="N|all", help="Retrieval: the hidden state (default: XTREME's, 8 of 12, 14 of 24)."
    ),
    direction: DirectionChoice = typer.Option(DirectionChoice.en2xx, help="Retrieval: which side looks for the other."),
    ner_scoring: ScoringChoice = typer.Option(ScoringChoice.word, help="NER: what entities are counted on."),
    device: DeviceChoice = typer.Option(DeviceChoice.cpu, help="Where PyTorch computes."),
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
    debug: bool = options.DEBUG,
) -> None:
    """Compare the answers to a task's examples: accuracy in Paddle and in PyTorch, and how many answers agree.

    Exit code 0: all agree, or those that differ are ties within the noise of the precision. 1: an answer differs. 2: it
    could not be judged.
    """
    given = options.arguments(locals(), "paths", "report", "labels", "language")
    from evaluation.report.terminal import render_table
    from evaluation.report.write_report import write_report
    from evaluation.run import evaluate as evaluate_conversion

    alone = torch_only or trace is not None
    if len(paths) not in ((1, 2) if alone else (2,)):
        text = "evaluate takes SOURCE and OUTPUT, or with --trace FILE or --torch-only OUTPUT alone"
        raise SourceError(Problem("E090", text))
    source = paths[0] if len(paths) == 2 else None
    names = None if labels is None else tuple(name.strip() for name in labels.split(","))
    with Reporter() as reporter:
        result = evaluate_conversion(
            source, paths[-1], labels=names, language=tuple(language), **given, progress=reporter.show
        )
    if report is not None:
        write_report(result, report)
    if as_json:
        print_json(result.to_json())
    else:
        typer.echo(render_table(result))
    raise typer.Exit(DONE if result.passed else OUTPUT_IS_WRONG)
