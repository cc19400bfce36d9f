"""Open a checkpoint: read and check its tensors, config and tokenizer without executing anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from converter.common.errors import Problem, SourceError
from converter.common.layout import SENTENCEPIECE
from converter.files.tensors import SourceFile, TensorSet
from converter.open.config.class_by_content import with_class_by_content
from converter.open.config.config import SourceConfig, with_options
from converter.open.config.find_config import find_config
from converter.open.config.find_family import candidate_families
from converter.open.dispatch import open_weights
from converter.open.earlier_output import find_earlier_output, own_fields, preset_of, with_extras
from converter.open.names.prefix import take_off_prefix, take_off_wrappers
from converter.open.names.pretraining_head import take_pretraining_head
from converter.open.names.recognise import RELEASE
from converter.open.options import SourceOptions
from converter.open.tokenizer.find_tokenizer import find_tokenizer
from converter.open.tokenizer.tokenizer_files import TokenizerFiles
from converter.open.tokenizer.tokenizer_names import describe_lack, lone_vocabulary
from mappings import Family, Preset, load_family

_NOTHING_SPECIFIED = SourceOptions()


@dataclass(frozen=True)
class Source:
    """What `convert`, `inspect` and `verify` know of a SOURCE before they plan."""

    path: Path
    family: Family
    tensors: TensorSet
    config: SourceConfig
    config_file: SourceFile | None
    tokenizer: TokenizerFiles | None
    warnings: tuple[str, ...]
    #: What it was fetched from; None for what was on this machine.
    origin: str | None = None
    #: The name of one of the family's presets of quirks, and whether the user chose it.
    behavior: str = ""
    behavior_chosen: bool = False

    @property
    def preset(self) -> Preset:
        return self.family.preset_named(self.behavior)

    @property
    def folder(self) -> Path:
        return self.path if self.path.is_dir() else self.path.parent


def open_source(path: Path, options: SourceOptions = _NOTHING_SPECIFIED) -> Source:
    """Open a folder of PaddleNLP's, of a family's original release or of transformers, or one weight file.

    A config is looked for next to the weights, then in the parent folder, unless `options` name one. `behavior` None
    is the one that such a folder had. `prefix` is what stands in front of the model's names; None takes off the usual
    wrappers where every name has them. `family` None is the one that the config or the names show. Raises SourceError
    or FileError with every problem found.
    """
    behavior, prefix = options.behavior, options.prefix
    folder = path if path.is_dir() else path.parent
    earlier = find_earlier_output(folder, options.architecture)
    families = candidate_families(folder, options.config, options.family, options.architecture)
    _check_behavior(behavior, families)
    tensors = open_weights(path, families)
    known = load_family(tensors.family)
    _check_behavior(behavior, (known,))
    tensors = take_off_wrappers(tensors, known) if prefix is None else take_off_prefix(tensors, prefix, known)
    of_transformers = tensors.naming == "transformers"
    own = own_fields(known) if earlier is not None else ()
    chosen, config_file = find_config(folder, options.config, known, of_transformers=of_transformers, without=own)
    chosen, problems = with_options(chosen, options.architecture, options.num_attention_heads)
    if problems:
        raise SourceError(*problems)
    chosen = with_class_by_content(with_inferred_class(chosen, tensors), tensors)
    tensors = take_pretraining_head(with_extras(tensors, earlier, known) if earlier else tensors, chosen)
    files = _find_tokenizer(folder, options.tokenizer, chosen, config_file)
    warnings = [*tensors.warnings, *chosen.warnings]
    names = files.names if files is not None and options.tokenizer is None else ()
    usual = known.choose_preset(tensors.naming, chosen.kind, names, tensors.inferred_preset)
    usual = preset_of(earlier, known) if earlier is not None else usual
    if behavior not in (None, usual.name):
        warnings.append(f"this checkpoint's behavior is {usual.name!r}; the option {behavior!r} is taken")
    warnings += _notices(usual, known.preset_named(behavior) if behavior else usual, files is not None)
    if files is None:
        lone = lone_vocabulary(folder, known)
        more = f" ({lone} is there without a {SENTENCEPIECE})" if lone else ""
        warnings.append(
            f"no tokenizer next to the weights{more}: the output has none. --tokenizer FOLDER takes one from elsewhere"
        )
    else:
        warnings += files.warnings
    return Source(
        path=path,
        family=known,
        tensors=tensors,
        config=chosen,
        config_file=config_file,
        tokenizer=files,
        warnings=tuple(warnings),
        behavior=behavior or usual.name,
        behavior_chosen=behavior is not None or (earlier is not None and earlier.behavior_chosen),
    )


def _check_behavior(behavior: str | None, families: Sequence[Family]) -> None:
    choices = dict.fromkeys(name for family in families for name in family.choices)
    if behavior is not None and behavior not in choices:
        raise SourceError(Problem("E091", f"behavior is {behavior!r}, expected one of {', '.join(choices)}"))


def _notices(usual: Preset, chosen: Preset, has_tokenizer: bool) -> list[str]:
    """The warnings of a checkpoint's preset for this conversion."""
    notice = usual.notice
    texts = [notice.model, notice.tokenizer if has_tokenizer else ""]
    shown = texts if chosen == usual or notice.always else []
    return [text.format(summary=chosen.summary, **chosen.values) for text in shown if text]


def with_inferred_class(config: SourceConfig, tensors: TensorSet) -> SourceConfig:
    """The class that the names of the tensors show, where nothing else names it. Of the release's names that leave it
    open it is the model itself, where no content decides."""
    of_release = tensors.naming == RELEASE and config.family.by_content is None
    inferred = tensors.inferred_class or (config.family.base_class.source if of_release else "")
    if config.architecture is not None or not inferred:
        return config
    return replace(config, architecture=inferred, class_from="weights")


def _find_tokenizer(
    folder: Path, named: Path | None, config: SourceConfig, config_file: SourceFile | None
) -> TokenizerFiles | None:
    files = find_tokenizer(named if named is not None else folder, config.family)
    if files is None and named is not None:
        raise SourceError(Problem("E020", f"--tokenizer {named.name}: {describe_lack(named, config.family)}"))
    if files is None and config.is_classless and config_file is not None:
        return find_tokenizer(config_file.path.parent, config.family)  # step_1/ under the release's folder
    return files
