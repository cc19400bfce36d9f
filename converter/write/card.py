"""README.md of the output: what this folder is, how to load it, and what it was made from."""

from __future__ import annotations

from typing import Any

from converter.behavior import Behavior
from converter.plan import EXTRAS_FILE, Plan
from converter.version import __version__
from converter.write.config_file import build_config

_PIPELINES = {
    "ErnieMModel": "feature-extraction",
    "ErnieMForSequenceClassification": "text-classification",
    "ErnieMForMultipleChoice": "multiple-choice",
    "ErnieMForTokenClassification": "token-classification",
    "ErnieMForQuestionAnswering": "question-answering",
    "ErnieMForInformationExtraction": "token-classification",
}
_LOADERS = {
    "ErnieMModel": "AutoModel",
    "ErnieMForSequenceClassification": "AutoModelForSequenceClassification",
    "ErnieMForMultipleChoice": "AutoModelForMultipleChoice",
    "ErnieMForTokenClassification": "AutoModelForTokenClassification",
    "ErnieMForQuestionAnswering": "AutoModelForQuestionAnswering",
    "ErnieMForInformationExtraction": "AutoModel",
}


#: By whether the tensors have the names and the layout of transformers already.
_WRITERS = {False: "a Paddle checkpoint", True: "a checkpoint of transformers' own ErnieM"}
_PIECE_ROW = "| `piece_rule` | `{}` | how pieces are cut into tokens: PaddleNLP's way or the 2021 release's |\n"
_ADVICE = {
    "paddlenlp": """\
Without a mask Paddle also shows [PAD], so a padded batch gives other numbers than its texts one by one.
`from_pretrained(FOLDER, implicit_mask_token_ids=[0, 1], ...)` gives a padded batch what Paddle gives unpadded.""",
    "release": "The release always fed a mask that shows [CLS] and hides [PAD]: a call without one does that here.",
    "transformers": "These are the rules of the class that the checkpoint was saved with.",
}


def render_card(plan: Plan, manifest: dict[str, Any], has_tokenizer: bool, behavior: Behavior) -> str:
    """The model card: front matter that the Hub reads, then text for people."""
    config = build_config(plan, behavior)
    target = plan.table.target_class
    sizes = plan.sizes
    files = "\n".join(
        f"| `{entry['name']}` | {entry['size']:,} | `{entry['sha256']}` |" for entry in manifest["source"]["files"]
    )
    return f"""---
library_name: transformers
license: apache-2.0
pipeline_tag: {_PIPELINES[target]}
tags:
- ernie_m
- paddle2torch
---

# ERNIE-M in PyTorch: {target}

Converted by paddle2torch {__version__} from {_WRITERS[plan.scheme.identity]} \
(`{plan.table.source_class}`):
{sizes.num_hidden_layers} layers, {sizes.hidden_size} wide, {sizes.num_attention_heads} heads,
{sizes.vocab_size:,} tokens.

## Load it

`trust_remote_code=True` is needed, in transformers 4.57 as in 5: the model's code travels in this folder. In 4.57 it
is the difference between this model and that release's own port, which {_port_differs(behavior)}.

```python
{_loading_code(target, has_tokenizer)}
```

## What it computes

The behavior is `{behavior.name}`: {behavior.said}. Each of its choices is a field of `config.json`\
{" or `tokenizer_config.json`" if has_tokenizer else ""}:

| field | here | meaning |
| --- | --- | --- |
| `implicit_mask_token_ids` | `{config["implicit_mask_token_ids"]}` | tokens hidden when no `attention_mask` is given: \
[0] is [CLS], PaddleNLP's rule; [1] is [PAD], the 2021 release's and transformers' |
| `position_offset` | 2 | the first position uses row 2 |
| `attention_mask_value` | {config["attention_mask_value"]} | what a hidden key's score is lowered by \
(None: the dtype's lowest number) |
| `layer_norm_eps` | {config["layer_norm_eps"]} | Paddle uses 1e-5 as float32 holds it, in every precision |
{_PIECE_ROW.format(behavior.piece_rule) if has_tokenizer else ""}
{_ADVICE[behavior.name]}{_say_extras(plan)}

## Made from
{_origin(manifest)}
| file | bytes | sha256 |
| --- | --- | --- |
{files}

`paddle2torch.json` has the sums of every tensor. `paddle2torch verify SOURCE FOLDER` proves the two equal.
"""


def _origin(manifest: dict[str, Any]) -> str:
    origin = manifest["source"].get("origin")
    return f"\n`{origin}`:\n" if origin else ""


def _port_differs(behavior: Behavior) -> str:
    if behavior.name == "transformers":
        return "cuts text into other tokens"
    return "computes other hidden states when no mask is\ngiven and cuts text into other tokens"


def _say_extras(plan: Plan) -> str:
    if not plan.extras:
        return ""
    return (
        f"\n\n`{EXTRAS_FILE}` holds {len(plan.extras)} weights of the source that no PyTorch class has a place for, as "
        "they were. Loading the model does not read it."
    )


def _loading_code(target: str, has_tokenizer: bool) -> str:
    loader = _LOADERS[target]
    lines = [f"from transformers import {loader}" + (", AutoTokenizer" if has_tokenizer else ""), ""]
    lines += [f'model = {loader}.from_pretrained("FOLDER", trust_remote_code=True)  # {target}']
    if has_tokenizer:
        lines += ['tokenizer = AutoTokenizer.from_pretrained("FOLDER", trust_remote_code=True)']
    return "\n".join(lines)
