"""The command: a request that `verify` wrote, or what a person types on a machine that has nothing but Paddle."""

from __future__ import annotations

import argparse
import os
import sys

from verify.protocol import messages
from verify.protocol.checked_file import write_checked
from verify.protocol.messages import BROKEN, REFUSED, report_error, report_progress
from verify.protocol.request import Request
from verify.protocol.trace_format import HEAD
from verify.recorder.answers import answer
from verify.recorder.errors import Broken, Refused
from verify.recorder.families import FAMILIES, known_quirks
from verify.recorder.files import read_json
from verify.recorder.load import versions
from verify.recorder.record import record
from verify.recorder.sanity import check_sanity
from verify.recorder.sources.checkpoint import weight_files


def main() -> int:
    """Record, and return the exit status: 0, REFUSED or BROKEN; 2 is argparse's for wrong usage."""
    words = sys.argv[1:]
    try:
        if words == ["--check"]:
            check_reference()
        elif len(words) == 1 and words[0].endswith(".json"):
            request = Request(**read_json(words[0]))
            if request.job is None:
                write_trace(request)
            else:
                answer(request)
        else:
            messages.for_people = True
            request = read_words(words)
            write_trace(request)
            print(f"wrote {request.output}. Next, where the PyTorch folder is: paddle2torch verify OUTPUT --trace FILE")
    except Broken as error:
        report_error(error)
        return BROKEN
    except Refused as error:
        report_error(error)
        return REFUSED
    return 0


def check_reference() -> None:
    """Check this Paddle without a checkpoint. Raises Broken."""
    for family in FAMILIES:
        for precision in ("float64", "float32"):
            check_sanity(family, precision)
    text = "Paddle {paddle} and PaddleNLP {paddlenlp} on Python {python} give the numbers they should"
    report_progress(text.format(**versions()))


def read_words(words: list[str]) -> Request:
    """The request that the words on the command line make. Raises Refused when TRACE exists."""
    parser = argparse.ArgumentParser(
        description="Record what PaddleNLP computes for a checkpoint, for `paddle2torch verify --trace`.",
        epilog="Paddle unpickles SOURCE here, and a pickle may run code: give it only files that you trust, or that "
        "`paddle2torch inspect` has read.",
    )
    parser.add_argument("source", metavar="SOURCE", help="the checkpoint's folder, or one weight file")
    parser.add_argument("trace", metavar="TRACE", help="the file to write")
    parser.add_argument("--check", action="store_true", help="alone: does this Paddle compute correctly?")
    parser.add_argument("--precision", choices=("float64", "float32"), default="float64")
    parser.add_argument("--config", help="a config.json, if there is none next to the weights")
    parser.add_argument("--architecture", help="the class, if no config has it, or in place of the config's")
    parser.add_argument("--num-attention-heads", type=int, help="if no config has it")
    parser.add_argument("--prefix", help="what stands in front of the model's names")
    parser.add_argument("--tokenizer", help="the tokenizer's folder (default: SOURCE's)")
    parser.add_argument("--behavior", choices=known_quirks(), help="the model's rules (default: SOURCE's)")
    parser.add_argument("--round-to", choices=("float32", "float16", "bfloat16"), help="OUTPUT's dtype, if converted")
    parser.add_argument("--texts", help="texts to tokenize, one a line (default: the recorder's own)")
    parser.add_argument("--seed", type=int, default=Request.seed, help="of the inputs that are drawn")
    given = parser.parse_args(words)
    if os.path.exists(given.trace):
        raise Refused(given.trace + " is there already; name another file")
    folder = given.source if os.path.isdir(given.source) else os.path.dirname(os.path.abspath(given.source))
    fallback = {"architecture": given.architecture, "num_attention_heads": given.num_attention_heads}
    return Request(
        source=given.source,
        files=weight_files(given.source, None),
        config=given.config,
        fallback={key: value for key, value in fallback.items() if value is not None},
        architecture=given.architecture,
        prefix=given.prefix,
        round_to=given.round_to,
        tokenizer=given.tokenizer or (folder if os.path.isfile(os.path.join(folder, "vocab.txt")) else None),
        texts=given.texts,
        precision=given.precision,
        seed=given.seed,
        behavior=given.behavior,
        output=given.trace,
    )


def write_trace(request: Request) -> None:
    """Record and write the trace, whole or not at all. Raises Refused or Broken."""
    arrays, head = record(request)
    report_progress("writing the trace")
    write_checked(request.output, HEAD, arrays, head)


if __name__ == "__main__":
    sys.exit(main())
