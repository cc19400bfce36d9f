"""Texts of the card that need no model: marks, citation, what each class is loaded with."""

from __future__ import annotations

#: Between these marks `push` puts the evidence.
EVIDENCE_BEGIN, EVIDENCE_END = "<!-- evidence: begin -->", "<!-- evidence: end -->"
#: What stands for this folder in the card's code; `push` puts the repository's name there.
FOLDER_NAME = "FOLDER"

#: What a Hub offers the model for. Nothing for information extraction: the pipeline of any other task would load the
#: encoder under a head of random numbers, and answer.
PIPELINES = {
    "ErnieMModel": "feature-extraction",
    "ErnieMForSequenceClassification": "text-classification",
    "ErnieMForMultipleChoice": "multiple-choice",
    "ErnieMForTokenClassification": "token-classification",
    "ErnieMForQuestionAnswering": "question-answering",
}
LOADERS = {
    "ErnieMModel": "AutoModel",
    "ErnieMForSequenceClassification": "AutoModelForSequenceClassification",
    "ErnieMForMultipleChoice": "AutoModelForMultipleChoice",
    "ErnieMForTokenClassification": "AutoModelForTokenClassification",
    "ErnieMForQuestionAnswering": "AutoModelForQuestionAnswering",
    "ErnieMForInformationExtraction": "AutoModel",
}

_ONE_TEXT = 'output = model(**tokenizer("A text.", return_tensors="pt"))'
_CHOICES = """\
options = {"padding": True, "return_attention_mask": True, "return_tensors": "pt"}
choices = tokenizer(["A question?"] * 2, ["One.", "Two."], **options)
output = model(**{name: rows[None] for name, rows in choices.items()})  # logits"""
#: How each class is called, and what is in its output.
CALLS = {
    "ErnieMModel": f"{_ONE_TEXT}  # last_hidden_state, pooler_output",
    "ErnieMForSequenceClassification": f"{_ONE_TEXT}  # logits",
    "ErnieMForMultipleChoice": _CHOICES,
    "ErnieMForTokenClassification": f"{_ONE_TEXT}  # logits",
    "ErnieMForQuestionAnswering": """\
output = model(**tokenizer("A question?", "A text.", return_tensors="pt"))  # start_logits, end_logits""",
    "ErnieMForInformationExtraction": """\
output = model(**tokenizer("A name", "A text.", return_tensors="pt"))  # start_logits, end_logits
# Their sigmoid is the probability. ernie_m.extraction of paddle2torch asks with a schema, and answers with spans.""",
}

#: Stands above the code that people copy.
BATCHES = """\
**Padded batches**: load with `implicit_mask_token_ids=[0, 1]`, which gives each text what PaddleNLP gives it alone, or
pass `attention_mask` (`return_attention_mask=True`). Without either, padding changes the numbers, as in PaddleNLP.

"""
NO_EVIDENCE = f"""\
{EVIDENCE_BEGIN}
## Evidence

None yet: `paddle2torch verify SOURCE {FOLDER_NAME}` compares this folder with its source, weight by weight, layer by
layer and token by token. `paddle2torch push` puts what it found here.
{EVIDENCE_END}"""

OWN_WEIGHTS = """\
The code files, and Baidu's pretrained ERNIE-M weights, are under the Apache license 2.0. If these weights are
your own fine-tuning, say in this card's `license`, `language` and `base_model` what holds for them."""

CITATION = """\
```bibtex
@inproceedings{ouyang-etal-2021-ernie,
    title = "{ERNIE}-{M}: Enhanced Multilingual Representation by Aligning Cross-lingual Semantics with Monolingual Corpora",
    author = "Ouyang, Xuan and Wang, Shuohuan and Pang, Chao and Sun, Yu and Tian, Hao and Wu, Hua and Wang, Haifeng",
    booktitle = "Proceedings of the 2021 Conference on Empirical Methods in Natural Language Processing",
    year = "2021",
    publisher = "Association for Computational Linguistics",
    url = "https://aclanthology.org/2021.emnlp-main.3",
    pages = "27--38"
}
```"""  # noqa: E501 - a title is one line.


def loading_code(target: str, has_tokenizer: bool) -> str:
    """The lines that load a class in both lines of transformers, and call it."""
    loader = LOADERS[target]
    lines = [f"from transformers import {loader}" + (", AutoTokenizer" if has_tokenizer else ""), ""]
    lines += [f'model = {loader}.from_pretrained("{FOLDER_NAME}", trust_remote_code=True)  # {target}']
    if has_tokenizer:
        lines += [f'tokenizer = AutoTokenizer.from_pretrained("{FOLDER_NAME}", trust_remote_code=True)']
        lines += ["", *CALLS[target].splitlines()]
    return "\n".join(lines)
