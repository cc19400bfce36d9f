"""The program of the process that runs OUTPUT."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from converter.common.errors import DataError, Paddle2TorchError, Problem
from converter.files.json_files import read_json
from evaluation.encoding import Encoder
from evaluation.options import SHORTEST, Options
from evaluation.prepared import Prepared
from evaluation.product.model import OutputModel, versions
from evaluation.readers.data import open_qa, open_retrieval, open_sentences, open_texts
from evaluation.tasks.questions import prepare_questions
from evaluation.tasks.retrieval import prepare_retrieval
from evaluation.tasks.sentences import prepare_sentences
from evaluation.tasks.texts import prepare_texts
from mappings.family import Family
from mappings.registry import load_family
from verify.numbers.loading import LoadFailure, choose_loader, describe
from verify.protocol.checked_file import read_checked, write_checked
from verify.protocol.evaluation_job import ANSWERS, JOB, Job, job_of
from verify.protocol.messages import report_progress
from verify.results.as_json import to_json


def main(request_path: str) -> None:
    """Answer a request: its `result` gets the answer as JSON, whole or not at all. stdout belongs to the protocol, so
    what OUTPUT's code prints goes to stderr."""
    request = json.loads(Path(request_path).read_text(encoding="utf-8"))
    stdout, sys.stdout = sys.stdout, sys.stderr

    def report(stage: str, detail: str = "", done: int = 0, total: int = 0) -> None:
        report_progress(stage, detail, done, total, stdout)

    output, family = Path(request["output"]), load_family(request["family"])
    options = Options(**{name: as_given(value) for name, value in request["options"].items()})
    found: Any
    try:
        if request["action"] == "prepare":
            job, prepared, encoder = prepare(output, family, Path(request["data"]), options, report)
            texts = encoder.text_arrays() if request["with_texts"] else {}
            write_checked(request["job"], JOB, {**job.arrays(), **texts}, job.head())
            found = {"prepared": to_json(prepared)}
        else:
            report("loading OUTPUT")
            model = OutputModel.load(output, family, options, request["number"])
            for each in request["jobs"]:
                asked = job_of(*read_checked(each["job"], JOB))
                answers = model.answer(asked, options.batch_size, each["who"], report)
                write_checked(each["answers"], ANSWERS, answers, {"job": asked.digest()})
            found = {"environment": versions()}
    except LoadFailure as error:
        found = {"problems": [["E407", str(error)]]}
    except Paddle2TorchError as error:
        found = {"problems": [[problem.code, problem.text] for problem in error.problems]}
    partial = Path(request["result"] + ".partial")
    partial.write_text(json.dumps(found), encoding="utf-8")
    partial.replace(request["result"])


def as_given(value: Any) -> Any:
    """JSON has lists where options have tuples."""
    return tuple(value) if isinstance(value, list) else value


def prepare(output: Path, family: Family, data: Path, options: Options, report: Any) -> tuple[Job, Prepared, Encoder]:
    """Read the data and encode them. Raises DataError, FileError, LoadFailure."""
    config, _ = read_json(output / "config.json")
    longest = min(options.longest, family.longest_text(int(config["max_position_embeddings"])))
    if longest < SHORTEST:
        raise DataError(Problem("E906", f"the model takes {longest} tokens, expected {SHORTEST} or more"))
    tokenizer = load_tokenizer(output, family)
    encoder = Encoder(tokenizer, longest)
    mask = options.mask == "ones" or (options.mask == "tokenizer" and "attention_mask" in encoder.usual_keys())
    report("reading the data and tokenizing with OUTPUT")
    job, prepared = encode(data, encoder, options, config, mask)
    rule = "ones (what the tokenizer gives)" if mask and options.mask == "tokenizer" else "ones" if mask else "none"
    protocol = {"mask": rule, "longest text": f"{longest} tokens", "padding": "none: a batch has texts of one length"}
    return job, replace(prepared, protocol={**prepared.protocol, **protocol}), encoder


def encode(data: Path, encoder: Encoder, options: Options, config: dict[str, Any], mask: bool) -> tuple[Job, Prepared]:
    """The examples of the task as a job. Raises DataError, FileError."""
    asked = (data, options.languages, options.limit)
    if options.task == "retrieval":
        return prepare_retrieval(open_retrieval(*asked), encoder, options, int(config["num_hidden_layers"]), mask)
    if options.task == "qa":
        return prepare_questions(open_qa(*asked), encoder, options, mask)
    names = labels_of(config)
    if options.task == "ner":
        return prepare_sentences(open_sentences(*asked), encoder, options, names, mask)
    return prepare_texts(open_texts(*asked), encoder, options, names, mask)


def labels_of(config: dict[str, Any]) -> list[str]:
    """The names of the model's classes by their ids. Raises DataError when config.json has none."""
    table = config.get("id2label")
    if not isinstance(table, dict) or not table:
        raise DataError(Problem("E904", "config.json of OUTPUT has no id2label: which classes does the model have?"))
    return [str(table[str(number)]) for number in range(len(table))]


def load_tokenizer(output: Path, family: Family) -> Any:
    """OUTPUT's tokenizer as a user loads it. Raises LoadFailure."""
    import transformers

    transformers.utils.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    options = choose_loader(output, family).options
    try:
        return transformers.AutoTokenizer.from_pretrained(str(output), local_files_only=True, **options)
    except Exception as error:  # Whatever OUTPUT's files or code raise.
        raise LoadFailure(f"AutoTokenizer.from_pretrained fails: {describe(error)}") from error
