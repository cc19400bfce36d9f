"""README.md of the output: what this folder is, how to load it, and what it was made from."""

from __future__ import annotations

from typing import Any

from converter.plan import Plan
from converter.version import __version__

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


def render_card(plan: Plan, manifest: dict[str, Any], has_tokenizer: bool) -> str:
    """The model card: front matter that the Hub reads, then text for people."""
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

Converted by paddle2torch {__version__} from a Paddle checkpoint of `{plan.table.source_class}`:
{sizes.num_hidden_layers} layers, {sizes.hidden_size} wide, {sizes.num_attention_heads} heads,
{sizes.vocab_size:,} tokens.

## Load it

`trust_remote_code=True` is needed, in transformers 4.57 as in 5: the model's code travels in this folder. In 4.57 it
is the difference between this model and that release's own port, which computes other hidden states when no mask is
given and cuts text into other tokens.

```python
{_loading_code(target, has_tokenizer)}
```

## What it computes

Paddle's numbers, quirks included. Each is a field of `config.json`:

| field | here | meaning |
| --- | --- | --- |
| `implicit_mask_token_ids` | `[0]` | tokens hidden when no `attention_mask` is given: Paddle hides [CLS] (id 0) |
| `position_offset` | 2 | the first position uses row 2 |
| `attention_mask_value` | -10000.0 | what a hidden key's score is lowered by |
| `layer_norm_eps` | 9.999999747378752e-06 | 1e-5 as float32 holds it, which Paddle uses in every precision |

Without a mask Paddle also shows [PAD], so a padded batch gives other numbers than its texts one by one.
`from_pretrained(FOLDER, implicit_mask_token_ids=[0, 1], ...)` gives a padded batch what Paddle gives unpadded.

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


def _loading_code(target: str, has_tokenizer: bool) -> str:
    loader = _LOADERS[target]
    lines = [f"from transformers import {loader}" + (", AutoTokenizer" if has_tokenizer else ""), ""]
    lines += [f'model = {loader}.from_pretrained("FOLDER", trust_remote_code=True)  # {target}']
    if has_tokenizer:
        lines += ['tokenizer = AutoTokenizer.from_pretrained("FOLDER", trust_remote_code=True)']
    return "\n".join(lines)
