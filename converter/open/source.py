"""A checkpoint opened: its tensors, its config and its tokenizer, each read and checked, nothing of it executed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from converter.config import CLASS_DEFAULTS, SourceConfig, read_config, with_options
from converter.errors import Problem, SourceError
from converter.open.files import is_file
from converter.open.json_files import read_json
from converter.open.tokenizer import TokenizerFiles, find_tokenizer
from converter.open.weights import open_weights
from converter.tensors import SourceFile, TensorSet

CONFIG_NAMES = ("config.json", "model_config.json")


@dataclass(frozen=True)
class Source:
    """What `convert`, `inspect` and `verify` know of a SOURCE before they plan."""

    path: Path
    tensors: TensorSet
    config: SourceConfig
    config_file: SourceFile | None
    tokenizer: TokenizerFiles | None
    warnings: tuple[str, ...]
    #: What it was fetched from; None for what was on this machine.
    origin: str | None = None

    @property
    def folder(self) -> Path:
        return self.path if self.path.is_dir() else self.path.parent


def open_source(
    path: Path,
    *,
    config: Path | None = None,
    architecture: str | None = None,
    num_attention_heads: int | None = None,
    tokenizer: Path | None = None,
) -> Source:
    """Open a PaddleNLP folder or one weight file.

    A config is looked for beside the weights, then in the parent folder, unless `config` names one. Raises
    SourceError or FileError with every problem found.
    """
    tensors = open_weights(path)
    folder = path if path.is_dir() else path.parent
    chosen, config_file = find_config(folder, config)
    chosen, problems = with_options(chosen, architecture, num_attention_heads)
    if problems:
        raise SourceError(*problems)
    files = find_tokenizer(tokenizer if tokenizer is not None else folder)
    if files is None and tokenizer is not None:
        raise SourceError(
            Problem("E020", f"--tokenizer {tokenizer.name}: neither vocab.txt nor sentencepiece.bpe.model is there")
        )
    warnings = [*tensors.warnings, *chosen.warnings]
    if files is None:
        warnings.append(
            "no tokenizer beside the weights: the output has none. --tokenizer FOLDER takes one from elsewhere"
        )
    else:
        warnings += files.warnings
    return Source(path, tensors, chosen, config_file, files, tuple(warnings))


def find_config(folder: Path, named: Path | None) -> tuple[SourceConfig, SourceFile | None]:
    """The config that speaks for the weights in `folder`; an empty one when there is none. Raises SourceError."""
    if named is not None:
        found = named / "config.json" if named.is_dir() else named
        if not is_file(found):
            raise SourceError(Problem("E010", f"--config {named}: there is no such file"))
    else:
        places = [place / name for place in (folder, folder.absolute().parent) for name in CONFIG_NAMES]
        found_or_none = next((place for place in places if is_file(place)), None)
        if found_or_none is None:
            taken = ", ".join(f"{name}={value}" for name, value in CLASS_DEFAULTS.items())
            return SourceConfig(warnings=(f"no config: PaddleNLP's class defaults are taken ({taken})",)), None
        found = found_or_none
    data, odd = read_json(found)
    config, problems = read_config(data, found.name)
    if problems:
        raise SourceError(*problems)
    if odd:
        config = SourceConfig(**{**config.__dict__, "warnings": (*odd, *config.warnings)})
    return config, SourceFile(found, found.name, found.stat().st_size)
