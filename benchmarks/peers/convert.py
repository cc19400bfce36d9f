"""Converting against the least that it could cost, `cp` with `sha256sum`, and what people use instead."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

from benchmarks.contest import OUTPUT, PADDLE, PRODUCT, PROGRAMS, Contender, Contest, run_python
from tests.support import source_formats

TITLE = "Converting"
ACROSS, PLOTTED = "size of the weights, GB", ("time", "memory")
NOTE = """`paddle2torch convert` from the start of its process to the end, with every check, checksum and the reading
back. The loop copies the weights and hashes both files with hashlib on two threads: no conversion can do less that
records what it read and what it wrote. The public scripts (of ERNIE-M, of ERNIE and of UIE alike) keep the whole model
in memory, rename and turn it, record nothing and check nothing; PaddleNLP's round trip does not leave Paddle. The page
cache is warm. CPU time is that of all threads."""

#: Formats that Paddle writes itself, and what a table calls all of them.
OF_PADDLE = {"pdparams": "pickle protocol 4", "pdparams-protocol2": "pickle protocol 2"}
LABELS = {
    **OF_PADDLE,
    "combined": "combined `.pdiparams` and PIR program",
    "variables": "a file per variable (2021)",
    "transformers-safetensors": "safetensors of transformers 4",
    "pytorch-bin": "`pytorch_model.bin` of transformers 4",
}
#: What lies next to weights and is not copied and hashed in the comparison.
BESIDE = ("vocab.txt", "sentencepiece.bpe.model", "x.json", "config.json", "ernie_config.json")
BESIDE += ("tokenizer_config.json", "special_tokens_map.json")

_QUICK = (("tiny", "pdparams"), ("base", "pdparams"))
_FULL = (
    *(("tiny", "pdparams"), ("base", "pdparams"), ("large", "pdparams")),
    *(("base", "transformers-safetensors"), ("large", "transformers-safetensors"), ("base", "pdparams-protocol2")),
)
#: Of other families, what the public conversions convert: label, class.
_RELATIVES = {"ERNIE 3.0 base": "ErnieForMaskedLM", "UIE base": "UIE"}


def contests(place: Path, full: bool) -> Iterator[Contest]:
    """One for each source; those of PaddleNLP's usual format have all the peers and lie on the axis."""
    for size, form in _FULL if full else _QUICK:
        source = make_source(place, size, form)
        peers = [ours(source), loop(source)]
        peers += [copy_and_sum(source)] if form in OF_PADDLE else []
        peers += _scripts(source) if form == "pdparams" else []
        across = bytes_of(source) / 1e9 if form == "pdparams" else None
        rounds = 2 if size == "large" else 1 if size == "base" and not full else None
        if size == "large":
            warm(source)
        yield Contest(f"{size}, {LABELS[form]}", across, tuple(peers), rounds=rounds, warm=size != "large")
    for label, architecture in _RELATIVES.items():
        if full or architecture == "UIE":
            source = make_relative(place, architecture)
            peers = [ours(source), loop(source), _script(source, "pickle", "torch")]
            yield Contest(f"{label}, {LABELS['pdparams']}", None, tuple(peers), rounds=None if full else 1)


def make_source(place: Path, size: str, form: str) -> Path:
    """A checkpoint in the folder of inputs, made with PaddleNLP unless it is there."""
    folder = place / f"{size}-{form}"
    if not folder.exists():
        made = form if form in OF_PADDLE else "pdparams"
        if made != form:
            source_formats.write_as(form, make_source(place, size, made), folder)
        else:
            words = ("--architecture", "ErnieMModel", "--size", size, "--format", form, "--output", folder)
            run_python(PADDLE, "tests/support/make_checkpoint.py", *words)
    return folder


def warm(source: Path) -> None:
    """Read the weights into the page cache, instead of a round that does not count."""
    subprocess.run(["cat", *weights_of(source)], check=True, stdout=subprocess.DEVNULL)


def make_relative(place: Path, architecture: str) -> Path:
    """The same of ERNIE 3.0's size, with a small vocabulary beside a table of 40,000 words."""
    folder = place / f"base-{architecture}"
    if not folder.exists():
        words = ("--architecture", architecture, "--size", "base", "--vocab-size", 40000, "--output", folder)
        run_python(PADDLE, "tests/support/make_ernie_checkpoint.py", *words)
    return folder


def weights_of(source: Path) -> list[str]:
    """The files of weights."""
    return sorted(str(path) for path in source.rglob("*") if path.is_file() and path.name not in BESIDE)


def bytes_of(source: Path) -> int:
    return sum(Path(path).stat().st_size for path in weights_of(source))


def ours(source: Path) -> Contender:
    return Contender("paddle2torch", PRODUCT, ("-m", "converter", "convert", str(source), OUTPUT))


def loop(source: Path) -> Contender:
    words = (str(PROGRAMS / "copy_and_hash.py"), OUTPUT, *weights_of(source))
    return Contender("copying and hashing with hashlib", PRODUCT, words)


def copy_and_sum(source: Path) -> Contender:
    script = 'mkdir "$0" && cp "$@" "$0" && sha256sum "$@" "$0"/*'
    return Contender("`cp` and `sha256sum`", "", ("sh", "-c", script, OUTPUT, *weights_of(source)))


def _script(source: Path, loaded: str, saved: str) -> Contender:
    name = {"pickle": "pickle.load", "paddle": "paddle.load"}[loaded]
    name += {"torch": ", torch.save", "safetensors": ", save_file"}[saved]
    words = (str(PROGRAMS / "public_script.py"), loaded, saved, str(source), OUTPUT)
    return Contender(name, PADDLE if loaded == "paddle" else PRODUCT, words)


def _scripts(source: Path) -> list[Contender]:
    words = (str(PROGRAMS / "save_pretrained.py"), str(source), OUTPUT)
    nlp = Contender("PaddleNLP, from_pretrained and save_pretrained", PADDLE, words)
    return [_script(source, "pickle", "torch"), _script(source, "paddle", "safetensors"), nlp]
