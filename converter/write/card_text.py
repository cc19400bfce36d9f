"""Texts of the card that need no model: marks, citation, what each class is loaded with."""

from __future__ import annotations

#: Between these marks `push` puts the evidence.
EVIDENCE_BEGIN, EVIDENCE_END = "<!-- evidence: begin -->", "<!-- evidence: end -->"
#: What stands for this folder in the card's code; `push` puts the repository's name there.
FOLDER_NAME = "FOLDER"

PIPELINES = {
    "ErnieMModel": "feature-extraction",
    "ErnieMForSequenceClassification": "text-classification",
    "ErnieMForMultipleChoice": "multiple-choice",
    "ErnieMForTokenClassification": "token-classification",
    "ErnieMForQuestionAnswering": "question-answering",
    "ErnieMForInformationExtraction": "token-classification",
}
LOADERS = {
    "ErnieMModel": "AutoModel",
    "ErnieMForSequenceClassification": "AutoModelForSequenceClassification",
    "ErnieMForMultipleChoice": "AutoModelForMultipleChoice",
    "ErnieMForTokenClassification": "AutoModelForTokenClassification",
    "ErnieMForQuestionAnswering": "AutoModelForQuestionAnswering",
    "ErnieMForInformationExtraction": "AutoModel",
}

NO_EVIDENCE = f"""\
{EVIDENCE_BEGIN}
## Evidence

None yet: `paddle2torch verify SOURCE {FOLDER_NAME}` compares this folder with its source, weight by weight, layer by
layer and token by token. `paddle2torch push` puts what it found here.
{EVIDENCE_END}"""

OWN_WEIGHTS = """\
The code files, and Baidu's pretrained ERNIE-M weights, are under the Apache license 2.0. If these weights are
your own fine-tuning, say in this card's `license` and `language` what holds for them."""

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
    """The lines that load a class in both lines of transformers."""
    loader = LOADERS[target]
    lines = [f"from transformers import {loader}" + (", AutoTokenizer" if has_tokenizer else ""), ""]
    lines += [f'model = {loader}.from_pretrained("{FOLDER_NAME}", trust_remote_code=True)  # {target}']
    if has_tokenizer:
        lines += [f'tokenizer = AutoTokenizer.from_pretrained("{FOLDER_NAME}", trust_remote_code=True)']
    return "\n".join(lines)
