"""Open a checkpoint: read and check its tensors, config and tokenizer without executing anything."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

from converter.common.errors import Paddle2TorchError, Problem, SourceError
from converter.common.layout import MANIFEST
from converter.files.json_files import read_json
from converter.files.regular_files import is_file
from converter.files.tensors import SourceFile, TensorSet
from converter.open.config.config import (
    CLASS_DEFAULTS,
    CLASSLESS,
    ERNIEKIT_CONFIG,
    PORT_DEFAULTS,
    RELEASE_CONFIG,
    SourceConfig,
    read_config,
    with_options,
)
from converter.open.config.quirks import BEHAVIORS, CHOICES, usual_behavior
from converter.open.dispatch import open_weights
from converter.open.names.prefix import take_off_prefix, take_off_wrappers
from converter.open.options import SourceOptions
from converter.open.tokenizer.tokenizer_files import TokenizerFiles, find_tokenizer
from converter.open.tokenizer.tokenizer_names import lone_vocabulary

_NOTHING_SPECIFIED = SourceOptions()
CONFIG_NAMES = ("config.json", "model_config.json", RELEASE_CONFIG)
_TOKENS_OF_ERNIEKIT = (
    "the code of ERNIEKit's FullTokenizerErnieM is not available: text is split by the 2021 release's rule, which "
    "its other sentencepiece tokenizer has"
)
_OTHER_RULES = "--behavior release takes those of the pretraining, --behavior paddlenlp PaddleNLP's"


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
    #: The name of one of converter.open.config.quirks.BEHAVIORS, and whether the user chose it.
    behavior: str = "paddlenlp"
    behavior_chosen: bool = False

    @property
    def folder(self) -> Path:
        return self.path if self.path.is_dir() else self.path.parent


def open_source(path: Path, options: SourceOptions = _NOTHING_SPECIFIED) -> Source:
    """Open a folder as PaddleNLP, the 2021 release or transformers 4 wrote it, or one weight file.

    A config is looked for next to the weights, then in the parent folder, unless `options.config` names one. Raises
    SourceError or FileError with every problem found.
    """
    behavior, tokenizer, prefix = options.behavior, options.tokenizer, options.prefix
    if behavior is not None and behavior not in CHOICES:
        raise SourceError(Problem("E091", f"behavior is {behavior!r}, expected one of {', '.join(CHOICES)}"))
    folder = path if path.is_dir() else path.parent
    refuse_converted(folder)
    tensors = open_weights(path)
    tensors = take_off_wrappers(tensors) if prefix is None else take_off_prefix(tensors, prefix)
    of_transformers = tensors.naming == "transformers"
    chosen, config_file = find_config(folder, options.config, of_transformers)
    chosen, problems = with_options(chosen, options.architecture, options.num_attention_heads)
    if problems:
        raise SourceError(*problems)
    chosen = with_inferred_class(chosen, tensors)
    files = _find_tokenizer(folder, tokenizer, chosen, config_file)
    warnings = [*tensors.warnings, *chosen.warnings]
    neighbours = files.names if files is not None and tokenizer is None else ()
    usual = usual_behavior(tensors.naming, chosen.kind, neighbours, tensors.inferred_behavior)
    if behavior not in (None, usual):
        warnings.append(f"this checkpoint's behavior is {usual!r}; the option says {behavior!r}, which is taken")
    if (behavior or usual) == usual == "erniekit":
        rules = BEHAVIORS[usual].said
        warnings.append(f"a checkpoint of ERNIEKit: OUTPUT follows its rules, which are {rules}. {_OTHER_RULES}")
        if files is not None:
            warnings.append(_TOKENS_OF_ERNIEKIT)
    if of_transformers and files is not None:
        rule = BEHAVIORS[behavior or usual].piece_rule
        warnings.append(
            f"transformers' own tokenizer gives ids that no release of Paddle's gave; OUTPUT's gives those of {rule!r}"
        )
    if files is None:
        lone = lone_vocabulary(folder)
        more = f" ({lone} is there without a sentencepiece.bpe.model)" if lone else ""
        warnings.append(
            f"no tokenizer next to the weights{more}: the output has none. --tokenizer FOLDER takes one from elsewhere"
        )
    else:
        warnings += files.warnings
    return Source(
        path=path,
        tensors=tensors,
        config=chosen,
        config_file=config_file,
        tokenizer=files,
        warnings=tuple(warnings),
        behavior=behavior or usual,
        behavior_chosen=behavior is not None,
    )


def refuse_converted(folder: Path) -> None:
    """Refuse a folder that this tool made. Raises SourceError."""
    if not (folder / MANIFEST).is_file():
        return
    try:
        manifest, _ = read_json(folder / MANIFEST)
    except Paddle2TorchError:
        return
    if manifest.get("tool") == "paddle2torch":
        text = f"{folder}: paddle2torch made this folder, so it is converted already. Name the checkpoint that it"
        raise SourceError(Problem("E041", f"{text} was made from, or load it with transformers"))


def with_inferred_class(config: SourceConfig, tensors: TensorSet) -> SourceConfig:
    """The config with the class inferred from the names of the tensors, where nothing else specifies one. The release's
    names without a head's are the model itself."""
    # FAMILY: the class of the bare model.
    inferred = tensors.inferred_class or ("ErnieMModel" if tensors.naming == "official" else "")
    if config.architecture is not None or not inferred:
        return config
    return replace(config, architecture=inferred, class_from="weights")


def _find_tokenizer(
    folder: Path, named: Path | None, config: SourceConfig, config_file: SourceFile | None
) -> TokenizerFiles | None:
    files = find_tokenizer(named if named is not None else folder)
    if files is None and named is not None:
        lone = lone_vocabulary(named)
        lacking = f"{lone} is there without a" if lone else "neither vocab.txt nor"
        text = f"--tokenizer {named.name}: {lacking} sentencepiece.bpe.model{'' if lone else ' is there'}"
        raise SourceError(Problem("E020", text))
    if files is None and config.kind in CLASSLESS and config_file is not None:
        return find_tokenizer(config_file.path.parent)  # step_1/ under the release's folder
    return files


def find_config(
    folder: Path, named: Path | None, of_transformers: bool = False
) -> tuple[SourceConfig, SourceFile | None]:
    """The config for the weights in `folder`; an empty one when there is none. Raises SourceError."""
    if named is not None:
        inside = find_in(named) if named.is_dir() else [named]
        found = inside[0] if inside else named / CONFIG_NAMES[0]
        if not is_file(found):
            raise SourceError(Problem("E010", f"--config {named}: there is no such file"))
    else:
        places = (folder, folder.absolute().parent)
        found_or_none = next((path for place in places for path in find_in(place)), None)
        if found_or_none is None:
            taken = ", ".join(f"{name}={value}" for name, value in CLASS_DEFAULTS.items())
            silent = SourceConfig(warnings=(f"no config: PaddleNLP's class defaults are taken ({taken})",))
            return replace(silent, layer_norm_eps=PORT_DEFAULTS["layer_norm_eps"] if of_transformers else None), None
        found = found_or_none
    data, odd = read_json(found)
    config, problems = read_config(data, found.name, of_transformers=of_transformers)
    if problems:
        raise SourceError(*problems)
    if odd:
        config = SourceConfig(**{**config.__dict__, "warnings": (*odd, *config.warnings)})
    return config, SourceFile(found, found.name, found.stat().st_size)


def find_in(folder: Path) -> list[Path]:
    """The config in a folder, if there is one; what comes after it is not looked at. Raises SourceError for several of
    ERNIEKit's and no other."""
    first = next((folder / name for name in CONFIG_NAMES if is_file(folder / name)), None)
    if first is not None:
        return [first]
    try:
        names = sorted(name for name in os.listdir(folder) if ERNIEKIT_CONFIG.fullmatch(name))
    except OSError:
        return []
    if len(names) > 1:
        raise SourceError(Problem("E010", f"several configs: {', '.join(names[:8])}. --config FILE names the model's"))
    return [folder / name for name in names if is_file(folder / name)]
