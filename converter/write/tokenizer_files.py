"""The tokenizer of the output: the files that decide tokens, and a configuration that names the family's class."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from converter.common.layout import ADDED_TOKENS as ADDED
from converter.common.layout import SENTENCEPIECE, SENTENCEPIECE_KIND, TOKENIZER_JSON, VOCABULARY, WORDPIECE_KIND
from converter.common.layout import SPECIAL_TOKENS_MAP as TABLE
from converter.common.layout import TOKENIZER_CONFIG as CONFIG
from converter.open.tokenizer.tokenizer_files import TokenizerFiles
from converter.open.tokenizer.tokenizer_settings import ADDITIONAL
from converter.write.config_file import write_json
from converter.write.new_files import write_file
from converter.write.wordpiece_json import build_tokenizer_json
from mappings import Family, Preset

if TYPE_CHECKING:
    from converter.open.source import Source
    from converter.plan.plan import Plan

#: Kind -> what a call of its class returns by itself; for a class of transformers' it is always written.
_USUAL_INPUTS = {SENTENCEPIECE_KIND: ["input_ids"], WORDPIECE_KIND: None}


def build_tokenizer_config(files: TokenizerFiles, family: Family, longest: int, preset: Preset) -> dict[str, Any]:
    """`longest`: the most tokens that the model takes."""
    settings, facts = files.settings, family.tokenizer
    quirks = [quirk.field for quirk in family.quirks if quirk.file == CONFIG]
    optional: dict[str, tuple[Any, Any]] = {
        "padding_side": (settings.padding_side, "right"),
        "truncation_side": (settings.truncation_side, "right"),
        "model_input_names": (list(settings.input_names), _USUAL_INPUTS[facts.kind]),
        ADDITIONAL: (list(settings.additional), []),
        **({"strip_sides": (dict(settings.strip_sides), {})} if facts.kind == SENTENCEPIECE_KIND else {}),
        # The library's decoder does not clean up: transformers does, as PaddleNLP, if it is told so.
        **({"clean_up_tokenization_spaces": (True, False)} if facts.kind == WORDPIECE_KIND else {}),
    }
    return {
        "tokenizer_class": facts.tokenizer_class,
        **({"auto_map": {"AutoTokenizer": [facts.place, None]}} if facts.place else {}),
        "do_lower_case": settings.do_lower_case,
        **{name: preset.values[name] for name in quirks},
        "model_max_length": min(longest, settings.longest or longest),
        **{name: value for name, (value, usual) in optional.items() if value != usual},
        **settings.special_tokens,
    }


def write_tokenizer(folder: Path, files: TokenizerFiles, family: Family, longest: int, preset: Preset) -> None:
    """Write all of the tokenizer but its code."""
    _WRITERS[family.tokenizer.kind](folder, files, family, longest, preset)


def _write_sentencepiece(folder: Path, files: TokenizerFiles, family: Family, longest: int, preset: Preset) -> None:
    write_file(folder / VOCABULARY, files.vocabulary)
    write_file(folder / SENTENCEPIECE, files.sentencepiece)
    write_json(folder / CONFIG, build_tokenizer_config(files, family, longest, preset))
    # Without the additional ones: transformers 5 reads them from tokenizer_config.json alone.
    write_json(folder / TABLE, dict(files.settings.special_tokens))
    if files.added_tokens:
        write_json(folder / ADDED, dict(files.added_tokens))


def _write_wordpiece(folder: Path, files: TokenizerFiles, family: Family, longest: int, preset: Preset) -> None:
    """Without vocab.txt and special_tokens_map.json, which nothing needs: from a vocabulary alone transformers makes a
    BertTokenizer, which gives BERT's tokens."""
    write_json(folder / TOKENIZER_JSON, build_tokenizer_json(files))
    write_json(folder / CONFIG, build_tokenizer_config(files, family, longest, preset))


#: Kind of tokenizer (family.toml) -> what writes its files.
_WRITERS = {SENTENCEPIECE_KIND: _write_sentencepiece, WORDPIECE_KIND: _write_wordpiece}


def misfits(files: TokenizerFiles, longest: int, model_rows: int) -> list[str]:
    """Warnings of what the model cannot take of this tokenizer: added tokens without a row, and texts of its full
    length."""
    found = []
    beyond = [(token, number) for token, number in files.added_tokens.items() if number >= model_rows]
    if beyond:
        shown = ", ".join(f"{token!a:.50} {number}" for token, number in beyond[:8])
        more = f" and {len(beyond) - 8} more" if len(beyond) > 8 else ""
        found.append(
            f"added tokens that the model has no row for, with their ids: {shown}{more}. The embedding has "
            f"{model_rows} rows, 0 to {model_rows - 1}: a text that holds such a token fails, as in PaddleNLP"
        )
    given = files.settings.longest
    if given is not None and given > longest:
        found.append(f"model_max_length is {given}, the model takes {longest} tokens: {longest} is written")
    return found


def warn_of_misfits(source: Source, plan: Plan) -> list[str]:
    """Warnings of what the model cannot take of SOURCE's tokenizer."""
    if source.tokenizer is None:
        return []
    longest = source.family.longest_text(plan.sizes.fields["max_position_embeddings"], source.preset)
    return misfits(source.tokenizer, longest, plan.sizes.fields["vocab_size"])
