"""README.md of the output: what this folder is, how to load it, and what it was made from.

The metadata go through huggingface_hub's own classes. EvalResult is not used: the figures that there are belong to
models that others fine-tuned, and as this model's own results on the Hub they would be wrong.
"""

from __future__ import annotations

from typing import Any

from converter.common.layout import EXTRAS_FILE
from converter.common.printable import to_code_span
from converter.common.version import __version__
from converter.open.config.quirks import Behavior
from converter.plan.inner_tensors import left_inside_paragraph
from converter.plan.make_plan import Plan
from converter.write.card_text import BATCHES, CITATION, NO_EVIDENCE, OWN_WEIGHTS, PIPELINES, loading_code
from converter.write.config_file import build_config
from converter.write.pretrained import Pretrained, find_pretrained, render_benchmarks

#: By whether the tensors have the names and the layout of transformers already.
_WRITERS = {False: "a Paddle checkpoint", True: "a checkpoint of transformers' own ErnieM"}
_PIECE_ROW = "| `piece_rule` | `{}` | how pieces are cut into tokens: PaddleNLP's way or the 2021 release's |\n"
_ADVICE = {
    "paddlenlp": """\
Without a mask Paddle also shows [PAD], so a padded batch gives other numbers than its texts one by one.""",
    "paddlenlp-unpadded": """\
This was chosen when the folder was made. A text gives what it gives in PaddleNLP alone, whatever it is padded with; in
PaddleNLP itself, which shows [PAD] where there is no mask, a padded batch gives other numbers.""",
    "release": "The release always fed a mask that shows [CLS] and hides [PAD]: a call without one does that here.",
    "erniekit": """\
These are the rules of Baidu's ERNIEKit (branch `ernie-kit-open-v1.0` of PaddlePaddle/ERNIE), whose classifier gives the
model neither positions nor a mask. What equals it: every call on `input_ids` alone, and on `input_ids` with
`position_ids` counted from 0. With a 2-D `attention_mask` the rows of hidden tokens differ, which nothing reads. The
row of [CLS], and with it the logits, sees [PAD] too, in ERNIEKit as here, so a padded batch gives other numbers than
its texts one by one. ERNIE-M was pretrained with other rules: `convert --behavior release` takes those.""",
    "transformers": "These are the rules of the class that the checkpoint was saved with.",
}


def render_card(plan: Plan, manifest: dict[str, Any], has_tokenizer: bool, behavior: Behavior) -> str:
    """The model card: front matter that the Hub reads, then text for people. Asks no network."""
    from huggingface_hub import ModelCard, ModelCardData

    known = find_pretrained(manifest["source"].get("origin"))
    data = ModelCardData(
        language=list(known.languages) if known else "multilingual",
        license="apache-2.0",
        library_name="transformers",
        pipeline_tag=PIPELINES.get(plan.table.target_class),
        base_model=_base_model(known, manifest["source"].get("origin")),
        tags=["ernie_m", "paddle2torch"],
    )
    text = _render_text(plan, manifest, has_tokenizer, behavior, known)
    return str(ModelCard(f"---\n{data.to_yaml()}\n---\n\n{text}"))


def _base_model(known: Pretrained | None, origin: str | None) -> str | None:
    """The model on the Hub that this one goes back to; None where the source does not tell."""
    if known is not None:
        return known.base_model
    repository, found, _ = (origin or "").partition("@")
    return repository if found and repository.count("/") == 1 else None


def _render_text(
    plan: Plan, manifest: dict[str, Any], has_tokenizer: bool, behavior: Behavior, known: Pretrained | None
) -> str:
    target, sizes = plan.table.target_class, plan.sizes
    return f"""# ERNIE-M in PyTorch: {target}

Converted by paddle2torch {__version__} from {_WRITERS[plan.scheme.identity]} \
(`{plan.table.source_class}`):
{sizes.num_hidden_layers} layers, {sizes.hidden_size} wide, {sizes.num_attention_heads} heads,
{sizes.vocab_size:,} tokens.{left_inside_paragraph(manifest)}

{known.attribution if known else OWN_WEIGHTS}

## Load it

`trust_remote_code=True` is needed, in transformers 4.57 as in 5: the model's code travels in this folder. In 4.57 it
is the difference between this model and that release's own port (see below); 5 has no ERNIE-M of its own. Older
releases are refused.

{BATCHES if behavior.shows_padding else ""}```python
{loading_code(target, has_tokenizer)}
```

{NO_EVIDENCE}

## What it computes

The behavior is `{behavior.name}`: {behavior.said}. Each of its choices is a field of `config.json`\
{" or `tokenizer_config.json`" if has_tokenizer else ""}:

{_render_fields(plan, has_tokenizer, behavior)}
{_ADVICE[behavior.name]}{_say_dtype(plan)}{_say_extras(plan)}

## What differs from transformers 4.57's own ErnieM

{_port_differs(behavior)}

## Made from
{_render_origin(manifest)}{render_benchmarks(known) if known else ""}
## Citation

{CITATION}
"""


def _render_fields(plan: Plan, has_tokenizer: bool, behavior: Behavior) -> str:
    config = build_config(plan, behavior)
    return f"""\
| field | here | meaning |
| --- | --- | --- |
| `implicit_mask_token_ids` | `{config["implicit_mask_token_ids"]}` | tokens hidden when no `attention_mask` is given: \
[0] is [CLS], PaddleNLP's rule; [1] is [PAD], the 2021 release's and transformers' |
{_say_queries(config)}| `position_offset` | {config["position_offset"]} | the first position uses this row |
| `attention_mask_value` | {config["attention_mask_value"]} | what a hidden key's score is lowered by \
(None: the dtype's lowest number) |
| `layer_norm_eps` | {config["layer_norm_eps"]} | Paddle uses 1e-5 as float32 holds it, in every precision |
{_PIECE_ROW.format(behavior.piece_rule) if has_tokenizer else ""}"""


def _say_queries(config: dict[str, Any]) -> str:
    if not config.get("implicit_mask_queries"):
        return ""
    meaning = "the rows of these tokens have every key hidden, which leaves them seeing all keys alike"
    return f"| `implicit_mask_queries` | True | {meaning} |\n"


def _port_differs(behavior: Behavior) -> str:
    """Why the port is not used: what it computes otherwise than Paddle."""
    lines = []
    if behavior.name.startswith("paddlenlp"):
        lines += [
            "- Without an `attention_mask` the port hides [PAD]. Paddle hides [CLS], and what was fine-tuned there was",
            "  trained so.",
        ]
    if behavior.name != "transformers":
        lines += [
            "- The port lowers a hidden key's score by the dtype's lowest number, Paddle by 10000: a text whose keys",
            "  are all hidden gets other numbers.",
        ]
    lines += [
        "- The port's tokenizer cuts some texts into other tokens than PaddleNLP's, reads a two-column `vocab.txt`",
        "  wrongly, and has no offsets, so that entities and answers have no place in the text.",
        "",
        "This folder names a tokenizer class that 4.57 does not know, so that its tokenizer fails to load without",
        "`trust_remote_code=True`. The model alone would load as the port, without a word: say it there too.",
    ]
    return "\n".join(lines)


def _render_origin(manifest: dict[str, Any]) -> str:
    source, mapping = manifest["source"], manifest["mapping"]
    origin = f"{to_code_span(source['origin'])}, " if source.get("origin") else ""
    files = "\n".join(
        f"| {to_code_span(file['name'])} | {file['size']:,} | `{file['sha256']}` |" for file in source["files"]
    )
    return f"""
{origin}{source["format"]} with the names of `{mapping["scheme"]}`, by the table `{mapping["table"]}` version \
{mapping["version"]} of paddle2torch {manifest["version"]}.

| file | bytes | sha256 |
| --- | --- | --- |
{files}

`paddle2torch.json` has the name, shape and sha256 of every tensor, here and in the source.
"""


def _say_dtype(plan: Plan) -> str:
    """Where loading changes dtypes: people expect the file's."""
    stored = sorted({tensor.dtype for tensor in plan.tensors})
    if stored == [plan.loaded_dtype]:
        return ""
    return (
        f"\n\nThe weights are stored in {' and '.join(stored)}. `from_pretrained` loads them in {plan.loaded_dtype} "
        "(transformers 4.57: in float32 always), which is what the checkpoint's own library does; `dtype=` asks for "
        "another."
    )


def _say_extras(plan: Plan) -> str:
    if not plan.extras:
        return ""
    return (
        f"\n\n`{EXTRAS_FILE}` holds {len(plan.extras)} weights of the source that no PyTorch class has a place for, as "
        "they were. Loading the model does not read it."
    )
